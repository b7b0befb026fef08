"""What to try next: the portfolio, the best of it again on other folds, then tuned settings.

Without a clock a proposal looks only at trials that ended a fixed number of steps before it, so
that the same seed gives the same sequence whatever the number of workers. With a clock it looks
at all that ended, since waiting would waste time that cannot be given back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pellucid.search.folds import FEW_ROWS
from pellucid.search.portfolio import Facts, portfolio
from pellucid.search.trials import Trial, TrialSpec
from pellucid.search.tuning import SPACES, suggest

_REPEATS = 3  # of the best, on other folds
_MOST_REPEATS = 4  # of each of them
_BEHIND = 4  # trials that a proposal does not wait for
_MOST_TUNED = 20  # with few rows


class Wait(Exception):
    """The next proposal needs trials that still run."""


class Proposer:
    """Gives one proposal after the other.

    Parameters
    ----------
    facts : Facts
    loss : str
        Name of the metric, lower is better, by which trials are compared.
    patient : bool
        Whether to wait for the trials that a proposal needs, as a search without a clock does.
    allowed, blocked : names of families
    """

    def __init__(
        self,
        facts: Facts,
        *,
        seed: int,
        loss: str,
        patient: bool,
        allowed: Sequence[str] | None = None,
        blocked: Sequence[str] = (),
    ) -> None:
        self._facts, self._seed, self._loss, self._patient = facts, seed, loss, patient
        self._portfolio = portfolio(facts, seed=seed, allowed=allowed, blocked=blocked)
        self._next = 0
        self._repeated: list[TrialSpec] = []  # also those that a proposal cannot see yet

    @property
    def n_portfolio(self) -> int:
        """Number of configurations in the portfolio."""
        return len(self._portfolio)

    def entry(self, name: str) -> TrialSpec:
        """The portfolio's configuration of a name."""
        return next(spec for spec in self._portfolio if spec.name == name)

    def propose(self, trials: Sequence[Trial]) -> TrialSpec | None:
        """The next configuration, or None when there is nothing more to try.

        Raises
        ------
        Wait
            Patient, and a trial that the proposal depends on has not ended.
        """
        at = self._next
        if at < len(self._portfolio):
            spec: TrialSpec | None = self._portfolio[at]
        else:
            spec = self._adapt(at, self._seen(at, trials))
        self._next += 1
        return spec

    def _seen(self, at: int, trials: Sequence[Trial]) -> list[Trial]:
        """Trials that proposal ``at`` may look at, in order of iteration."""
        ended = sorted(trials, key=lambda trial: trial.spec.iteration)
        if not self._patient:
            return ended
        needed = max(at - _BEHIND, len(self._portfolio))
        seen = [trial for trial in ended if trial.spec.iteration < needed]
        if len(seen) < needed:
            raise Wait
        return seen

    def _adapt(self, at: int, seen: list[Trial]) -> TrialSpec | None:
        step = at - len(self._portfolio)
        usable = [t for t in seen if t.usable and t.spec.family != "prior"]
        usable.sort(key=lambda trial: (self._loss_of(trial), trial.spec.iteration))
        if not usable:
            return None
        firsts = [t for t in usable if t.spec.repeat == 0]
        n_tuned = sum(" tuned " in t.spec.name for t in seen)
        few = self._facts.n_rows < FEW_ROWS
        if step < _REPEATS or step % 5 == 4 or (few and n_tuned >= _MOST_TUNED):
            return self._repeat(at, firsts)
        return self._tune(at, usable) or self._repeat(at, firsts)

    def _repeat(self, at: int, firsts: list[Trial]) -> TrialSpec | None:
        """The best configuration that was repeated least often, None when each was often enough."""
        best = [trial.spec for trial in firsts[:_REPEATS]]
        times = [sum(_same(each, spec) for each in self._repeated) for spec in best]
        repeat, first = min(times) + 1, best[times.index(min(times))]
        if repeat > _MOST_REPEATS:
            return None
        again = replace(
            first,
            iteration=at,
            name=f"{first.name} (again {repeat})" if repeat > 1 else f"{first.name} (again)",
            seed=self._seed + 101 * at,
            repeat=repeat,
        )
        self._repeated.append(again)
        return again

    def _tune(self, at: int, usable: list[Trial]) -> TrialSpec | None:
        """A tuned configuration of the family that is best, or at times of the second best.

        None where no family that was tried has settings to tune.
        """
        families: list[Trial] = []
        for trial in usable:
            known = {t.spec.family for t in families}
            if trial.spec.family in SPACES and trial.spec.family not in known:
                families.append(trial)
        if not families:
            return None
        best = families[1 if at % 3 == 2 and len(families) > 1 else 0].spec
        config = suggest(
            best.family, usable, [self._loss_of(t) for t in usable], seed=self._seed + 101 * at
        )
        return replace(
            best,
            iteration=at,
            name=f"{FAMILY_NAMES.get(best.family, best.family)} tuned {at - len(self._portfolio)}",
            config={**best.config, **config},
            seed=self._seed + at,
            repeat=0,
        )

    def _loss_of(self, trial: Trial) -> float:
        return trial.record.metrics.get(self._loss, float("inf"))


def _same(one: TrialSpec, other: TrialSpec) -> bool:
    return (one.family, one.view, dict(one.config)) == (
        other.family,
        other.view,
        dict(other.config),
    )


FAMILY_NAMES = {"lightgbm": "LightGBM", "catboost": "CatBoost", "xgboost": "XGBoost"}

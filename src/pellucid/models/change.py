"""What comes on top of a naive forecast, learned by another family; their margins are added.

Trees cannot go beyond the values that they were shown, so a series that grows is forecast too low.
Changes, or ratios behind a log link, are alike at every level.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pellucid.models.ensemble import Ensemble
from pellucid.models.family import Config, Member, Rows, Shapley, get_family
from pellucid.models.problem import Problem

_INNER = "inner/"


@dataclass(frozen=True, eq=False)
class ChangeMember:
    """The margin of a naive forecast plus that of another member."""

    base: Member
    inner: Member
    family: str = "change"

    @property
    def rounds(self) -> int:
        """How much the other member learned."""
        return self.inner.rounds

    @property
    def _sum(self) -> Ensemble:
        return Ensemble((self.base, self.inner), np.ones(2), np.zeros(1), ("naive", "change"))

    def margins(self, X: np.ndarray) -> np.ndarray:
        """Margins, float64 (n_rows, 1)."""
        return self._sum.margins(X)

    def shapley(self, *, background: np.ndarray, players: np.ndarray) -> Shapley:
        """The sum of both members' exact values."""
        return self._sum.shapley(background=background, players=players)

    def to_files(self) -> dict[str, bytes]:
        """The files of both members."""
        facts = json.dumps({"family": self.inner.family})
        inner = {f"{_INNER}{name}": data for name, data in self.inner.to_files().items()}
        return {"change.json": facts.encode(), **self.base.to_files(), **inner}


class ChangeFamily:
    """Fits another family to the difference from a column, or to the ratio behind a log link.

    A ratio counts as much as the value below it, which makes it the same as Poisson's likelihood
    with that value as exposure.

    Config: ``column`` and ``offset`` as for the family "naive"; ``family`` and its ``config``.
    """

    name = "change"

    def fit(
        self,
        train: Rows,
        problem: Problem,
        config: Config,
        *,
        seed: int,
        valid: Rows | None = None,
        rounds: int | None = None,
        deadline: float | None = None,
    ) -> ChangeMember:
        """Take the column for the forecast, then learn what remains."""
        base = get_family("naive").fit(train, problem, config, seed=seed)
        inner = get_family(config["family"]).fit(
            _remaining(train, base, problem),
            problem,
            config["config"],
            seed=seed,
            valid=None if valid is None else _remaining(valid, base, problem),
            rounds=rounds,
            deadline=deadline,
        )
        return ChangeMember(base, inner)

    def from_files(self, files: Mapping[str, bytes]) -> ChangeMember:
        """Rebuild a member from its files."""
        family = json.loads(files["change.json"])["family"]
        inner = {
            name.removeprefix(_INNER): data
            for name, data in files.items()
            if name.startswith(_INNER)
        }
        base = get_family("naive").from_files(files)
        return ChangeMember(base, get_family(family).from_files(inner))


def _remaining(rows: Rows, base: Member, problem: Problem) -> Rows:
    """Rows whose target is the change from the naive forecast."""
    margins = base.margins(rows.X)
    if problem.link != "log":
        return replace(rows, y=rows.y - margins[:, 0])
    below = problem.response(margins)
    weight = below if rows.weight is None else rows.weight * below
    return replace(rows, y=rows.y / below, weight=weight / weight.mean())


FAMILY = ChangeFamily()

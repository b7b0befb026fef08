"""Values of a cut by the best method that is allowed, and what stood in the way of a better one."""

from __future__ import annotations

from typing import Literal

import numpy as np

from pellucid.explain.assembly import Found
from pellucid.explain.closed import (
    Closed,
    ClosedForm,
    NotClosedError,
    check_size,
    closed,
    folded,
)
from pellucid.explain.cut import Cut
from pellucid.explain.explanation import ExplanationError
from pellucid.explain.games import Game, game_at, game_of_parts
from pellucid.explain.setting import Setting
from pellucid.explain.subject import Space, same
from pellucid.shapley import ShapleyError

Method = Literal["auto", "exact", "sampled", "mimic"]
Surrogate = Literal["lightgbm", "linear", "sgd", "tree"]
_PREDICTIONS = 2**22  # that "auto" asks of a model before it takes a surrogate instead
_MOST_TWIN = 2**24  # values of the engineered explanation that goes with a raw one


def find(
    setting: Setting,
    cut: Cut,
    space: Space,
    method: Method,
    precision: float | None,
    surrogate: Surrogate,
) -> Found:
    """Values by the best method that is allowed."""
    if method == "mimic":
        return _mimicked(setting, cut, space, surrogate, ())
    reasons = cut.reasons
    form: Closed | None = None
    if method != "sampled":
        try:
            form = closed_at(setting, cut)
            if is_margin(setting, space):
                return looked_up(setting, cut, form)
            reasons = (*reasons, f"{space} is behind a link, where values have no closed form")
        except NotClosedError as error:
            reasons = (*reasons, str(error))
    game = _game(setting, cut, space, form)
    if method == "auto" and game.predictions > _PREDICTIONS:
        return _mimicked(setting, cut, space, surrogate, (*reasons, _too_many(game)))
    return _played(setting, cut, game, precision, reasons, exact=method == "exact")


def find_twin(setting: Setting, space: Space, found: Found, cut: Cut) -> Found | None:
    """The same over engineered columns, where it is exact too and bearably large."""
    depth = setting.subject.depth
    n_columns = len(setting.engineered_names)
    n_outputs = len(found.base_values)
    if not is_margin(setting, space) or setting.n_rows * n_columns * n_outputs > _MOST_TWIN:
        return None
    alone = np.arange(n_columns)
    alike = cut.depth == depth and len(cut.names) == n_columns
    if alike and np.array_equal(cut.of_column, alone):
        return found  # the same players have the same values
    try:
        cut = Cut(depth, alone, setting.engineered_names)
        return looked_up(setting, cut, closed_at(setting, cut))
    except NotClosedError:
        return None


def _too_many(game: Game) -> str:
    return (
        f"sampling {game.rows.shape[0]} rows of {game.n_players} players would ask for up to "
        f"{game.predictions:,} predictions, above {_PREDICTIONS:,}; method='sampled' does it all "
        f"the same, fewer rows or background rows cost less"
    )


def is_margin(setting: Setting, space: Space) -> bool:
    """Whether values of the margin are those of the space."""
    return space == "margin" or setting.subject.core.link is same


def closed_at(setting: Setting, cut: Cut) -> Closed:
    """Exact values at the cut: of the core, or of a linear one behind linear steps."""
    seats, kept = (cut.of_column, len(cut.names)), setting.ground.kept
    key = ("closed", cut.depth, cut.of_column.tobytes(), len(cut.names))
    if key not in kept:
        subject, background = setting.subject, setting.background_at(cut.depth)
        if cut.depth == subject.depth:
            kept[key] = closed(subject, background, *seats)
        else:
            kept[key] = folded(subject, cut.depth, background, *seats)
    form: Closed = kept[key]
    return form


def looked_up(setting: Setting, cut: Cut, form: Closed) -> Found:
    """The values of a closed form, by look-up or formula."""
    rows = setting.rows_at(cut.depth)
    check_size(rows.shape[0], len(cut.names), len(form.base_values))
    return Found(
        values=form.values(rows),
        base_values=np.asarray(form.base_values, dtype=np.float64),
        method="exact",
        how=form.how,
        lineage_error=cut.error,
        depth=cut.depth,
    )


def _game(setting: Setting, cut: Cut, space: Space, form: Closed | None) -> Game:
    if isinstance(form, ClosedForm) and setting.subject.core.link is not None:
        return game_of_parts(setting, cut.depth, form, len(cut.names))
    return game_at(setting, cut, space)


def _played(
    setting: Setting,
    cut: Cut,
    game: Game,
    precision: float | None,
    reasons: tuple[str, ...],
    *,
    exact: bool,
) -> Found:
    try:
        sampled = game.play(precision=precision, exact=exact, seed=setting.seed)
    except ShapleyError as error:
        because = "".join(f"; {reason}" for reason in reasons)
        raise ExplanationError(f"{error}{because}") from error
    shape = (game.rows.shape[0], -1, sampled.n_outputs)
    missing = [(0, 0), (0, game.n_players - sampled.n_players), (0, 0)]
    by_all = bool((sampled.method == "exact").all())
    names = sorted(set(sampled.method.tolist()))
    how = f"all coalitions of up to {game.n_players} players" if by_all else _words(names)
    return Found(
        values=np.pad(sampled.values.reshape(shape), missing),
        base_values=sampled.base_values,
        method="exact" if by_all else "sampled",
        how=how,
        standard_errors=None if by_all else np.pad(sampled.standard_errors.reshape(shape), missing),
        reached=precision is not None and bool(sampled.converged.all()),
        reasons=() if by_all else reasons,
        lineage_error=cut.error,
        depth=cut.depth,
    )


def _words(names: list[str]) -> str:
    words = {
        "exact": "all coalitions of rows with few active players",
        "permutation": "antithetic permutations",
        "kernel": "regression on coalitions",
    }
    return ", ".join(words[name] for name in names)


def _mimicked(
    setting: Setting, cut: Cut, space: Space, surrogate: Surrogate, reasons: tuple[str, ...]
) -> Found:
    from pellucid.explain.mimic import mimic_found

    return mimic_found(setting, cut, space, surrogate=surrogate, reasons=reasons)

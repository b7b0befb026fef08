"""`explain`: any model, any table, the best method that there is, and which one it was.

The order is: exact values from the structure of the model; all coalitions, where players are few;
sampled orders, where that takes few predictions; else a surrogate, explained exactly. What was not
possible, and why, stands in the certificate.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from pellucid.explain.assembly import Found, assemble, raw_table
from pellucid.explain.closed import (
    Closed,
    ClosedForm,
    NotClosedError,
    check_size,
    closed,
    folded,
)
from pellucid.explain.cut import Cut, find_cut
from pellucid.explain.explanation import Explanation, ExplanationError
from pellucid.explain.frames import explain_frame
from pellucid.explain.games import Game, game_at, game_of_parts
from pellucid.explain.players import Players, seat_in
from pellucid.explain.setting import Setting, make_setting
from pellucid.explain.subject import Space, same
from pellucid.explain.summing import summed
from pellucid.shapley import ShapleyError
from pellucid.tabular.partitions import is_dask

Method = Literal["auto", "exact", "sampled", "mimic"]
Surrogate = Literal["lightgbm", "linear", "sgd", "tree"]
_PREDICTIONS = 2**22  # that "auto" asks of a model before it takes a surrogate instead
_MOST_TWIN = 2**24  # values of the engineered explanation that goes with a raw one


def explain(
    model: Any,
    X: Any,
    *,
    background: Any = None,
    players: Players = "raw",
    space: Space | None = None,
    method: Method = "auto",
    y: Any = None,
    precision: float | None = None,
    random_state: int = 0,
    rows_from: str = "new",
    raw_mode: Literal["player", "sum"] = "player",
    surrogate: Surrogate = "lightgbm",
) -> Explanation:
    """Explain rows of any model, and say how far to trust it.

    Parameters
    ----------
    model : fitted model or function
        One of Pellucid's; a scikit-learn pipeline, search or estimator; a LightGBM, XGBoost or
        CatBoost model; a predictor of FLAML, AutoGluon or mljar; an MLflow pyfunc; or a function
        from rows to numbers.
    X : table, (n_rows, n_columns)
        Raw rows, as the model takes them: a frame, an array, a CSR matrix, or a list of texts. A
        Dask DataFrame, with a model of Pellucid's, gives one of importances, as
        `pellucid.explain.frames.explain_frame` does.
    background : table, optional
        Rows that stand for "feature absent". By default the model's own, if it keeps some, else
        up to a hundred of X.
    players : "raw", "engineered", mapping, or DataFrame
        Who gets importances: columns of X, columns that the model's last part sees, or groups:
        a mapping of a player's name to columns, or a table of players by columns.
    space : "margin", "probability" or "response", optional
        In what importances add up. By default the margin where the model has one, else its
        response.
    method : "auto", "exact", "sampled" or "mimic"
        "exact" refuses where nothing exact is possible; "auto" takes the best that there is.
    y : array, (n_rows,), optional
        True values or labels, kept with the rows.
    precision : float, optional
        Standard error, in units of the space, at which sampling a row ends.
    random_state : int
        Same seed, same bits.
    rows_from : str
        Which rows these are, for those who read it: "train", "test" or "new".
    raw_mode : "player" or "sum"
        "sum" adds up the importances of engineered columns instead of letting raw columns play,
        as older tools do; for comparison.
    surrogate : "lightgbm", "linear", "sgd" or "tree"
        Of a mimic.

    Returns
    -------
    Explanation
        Its ``certificate`` says the method, its error, and why no better one was possible; where
        the engineered explanation is exact and no larger than is bearable, it is in
        ``engineered``.

    Raises
    ------
    ExplanationError
        A model, rows, background or players that do not fit each other; a method that is not
        possible, with the reason.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.compose import make_column_transformer
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> homes = pd.DataFrame({"size": [50.0, 80.0, 65.0], "city": ["Oslo", "Rome", "Rome"]})
    >>> make = make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough")
    >>> pipe = make_pipeline(make, LinearRegression()).fit(homes, [350.0, 400.0, 325.0])
    >>> found = explain(pipe, homes)
    >>> found.to_frame().round(6).to_numpy().tolist()
    [[-75.0, 66.666667], [75.0, -33.333333], [0.0, -33.333333]]
    >>> found.certificate.verdict, found.certificate.how
    ('ok', 'closed form of LinearRegression')
    """
    if is_dask(X):
        return _explain_dask(model, X, players=players, method=method)
    if method not in ("auto", "exact", "sampled", "mimic"):
        raise ExplanationError(
            f"unknown method {method!r}; expected 'auto', 'exact', 'sampled' or 'mimic'"
        )
    if raw_mode not in ("player", "sum"):
        raise ExplanationError(f"unknown raw_mode {raw_mode!r}; expected 'player' or 'sum'")
    setting = make_setting(model, X, background=background, seed=random_state)
    subject = setting.subject
    wanted = space if space is not None else subject.best_space()
    subject.ask(wanted)  # refuses a space that there is not
    if raw_mode == "sum":
        return summed(
            _explain_sum(setting, wanted, y=y, rows_from=rows_from), data=raw_table(setting)
        )
    seats = seat_in(setting, players)
    cut = find_cut(setting, seats)
    found = _find(setting, cut, wanted, method, precision, surrogate)
    twin = None
    if not seats.engineered and found.method == "exact":
        twin = _twin(setting, wanted, found, cut)
    engineered = None
    if twin is not None:
        sides = seat_in(setting, "engineered")
        engineered = assemble(setting, sides, twin, wanted, y=y, rows_from=rows_from)
    return assemble(setting, seats, found, wanted, y=y, rows_from=rows_from, engineered=engineered)


def _explain_dask(model: Any, X: Any, *, players: Players, method: Method) -> Any:
    """A Dask DataFrame of exact importances."""
    if not isinstance(players, str) or method not in ("auto", "exact"):
        raise ExplanationError(
            "Dask's tables are explained exactly, over 'raw' or 'engineered' players; compute the "
            "rows to explain them in another way"
        )
    return explain_frame(model, X, level="engineered" if players == "engineered" else "raw")


def _find(
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
            form = _closed(setting, cut)
            if _is_margin(setting, space):
                return _looked_up(setting, cut, form)
            reasons = (*reasons, f"{space} is behind a link, where values have no closed form")
        except NotClosedError as error:
            reasons = (*reasons, str(error))
    game = _game(setting, cut, space, form)
    if method == "auto" and game.predictions > _PREDICTIONS:
        return _mimicked(setting, cut, space, surrogate, (*reasons, _too_many(game)))
    return _played(setting, cut, game, precision, reasons, exact=method == "exact")


def _too_many(game: Game) -> str:
    return (
        f"sampling {game.rows.shape[0]} rows of {game.n_players} players would ask for up to "
        f"{game.predictions:,} predictions, above {_PREDICTIONS:,}; method='sampled' does it all "
        f"the same, fewer rows or background rows cost less"
    )


def _is_margin(setting: Setting, space: Space) -> bool:
    return space == "margin" or setting.subject.core.link is same


def _closed(setting: Setting, cut: Cut) -> Closed:
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


def _looked_up(setting: Setting, cut: Cut, form: Closed) -> Found:
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


def _twin(setting: Setting, space: Space, found: Found, cut: Cut) -> Found | None:
    """The same over engineered columns, where it is exact too and bearably large."""
    depth = setting.subject.depth
    n_columns = len(setting.engineered_names)
    n_outputs = len(found.base_values)
    if not _is_margin(setting, space) or setting.n_rows * n_columns * n_outputs > _MOST_TWIN:
        return None
    alone = np.arange(n_columns)
    alike = cut.depth == depth and len(cut.names) == n_columns
    if alike and np.array_equal(cut.of_column, alone):
        return found  # the same players have the same values
    try:
        cut = Cut(depth, alone, setting.engineered_names)
        return _looked_up(setting, cut, _closed(setting, cut))
    except NotClosedError:
        return None


def _explain_sum(setting: Setting, space: Space, *, y: Any, rows_from: str) -> Explanation:
    """The engineered explanation that is to be summed."""
    seats = seat_in(setting, "engineered")
    cut = find_cut(setting, seats)
    try:
        if not _is_margin(setting, space):
            raise NotClosedError(f"{space} is behind a link")
        found = _looked_up(setting, cut, _closed(setting, cut))
    except NotClosedError as error:
        raise ExplanationError(
            f"raw_mode='sum' adds up exact engineered values, and there are none: {error}"
        ) from error
    return assemble(setting, seats, found, space, y=y, rows_from=rows_from)

"""`explain`: any model, any table, the best method that there is, and which one it was.

The order is: exact values from the structure of the model; all coalitions, where players are few;
sampled orders, where that takes few predictions; else a surrogate, explained exactly. What was not
possible, and why, stands in the certificate.
"""

from __future__ import annotations

from typing import Any, Literal

from pellucid.explain.assembly import assemble, raw_table
from pellucid.explain.closed import NotClosedError
from pellucid.explain.cut import find_cut
from pellucid.explain.explanation import Explanation, ExplanationError
from pellucid.explain.finding import (
    Method,
    Surrogate,
    closed_at,
    find,
    find_twin,
    is_margin,
    looked_up,
)
from pellucid.explain.frames import explain_frame
from pellucid.explain.players import Players, seat_in
from pellucid.explain.setting import Setting, make_setting
from pellucid.explain.subject import Space
from pellucid.explain.summing import summed
from pellucid.tabular.partitions import is_dask


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
    found = find(setting, cut, wanted, method, precision, surrogate)
    twin = None
    if not seats.engineered and found.method == "exact":
        twin = find_twin(setting, wanted, found, cut)
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


def _explain_sum(setting: Setting, space: Space, *, y: Any, rows_from: str) -> Explanation:
    """The engineered explanation that is to be summed."""
    seats = seat_in(setting, "engineered")
    cut = find_cut(setting, seats)
    try:
        if not is_margin(setting, space):
            raise NotClosedError(f"{space} is behind a link")
        found = looked_up(setting, cut, closed_at(setting, cut))
    except NotClosedError as error:
        raise ExplanationError(
            f"raw_mode='sum' adds up exact engineered values, and there are none: {error}"
        ) from error
    return assemble(setting, seats, found, space, y=y, rows_from=rows_from)

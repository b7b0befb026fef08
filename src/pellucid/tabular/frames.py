"""Any table in memory as a pandas frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pellucid.tabular.errors import ReadError


def to_frame(X: Any, *, feature_names: Sequence[str] | None = None) -> pd.DataFrame:
    """Turn any table in memory into a pandas frame whose column names are text, all different.

    Parameters
    ----------
    X : table, (n_rows, n_columns)
        A pandas or polars frame, an Arrow table, a two-dimensional array, a list of rows (lists or
        dicts), a dict of columns, or one row as a dict or Series.
    feature_names : sequence of str, optional
        Column names for tables that have none, such as arrays; without, they are x0, x1, ...

    Returns
    -------
    DataFrame
        The index is that of a pandas input, else 0, 1, ... The input is not changed.

    Raises
    ------
    ReadError
        For what is no table, a width that does not match the names, or two columns of one name.

    Examples
    --------
    >>> to_frame([[1, "a"], [2, "b"]]).columns.tolist()
    ['x0', 'x1']
    >>> to_frame({"age": 31, "job": "clerk"})
       age    job
    0   31  clerk
    """
    names = None if feature_names is None else list(map(str, feature_names))
    try:
        return _named(_frame(X, names))
    except UnicodeEncodeError as error:
        raise ReadError(
            f"the table has text that is not valid Unicode, {error.object!r:.60}: half of a "
            f"character that takes two; correct the text"
        ) from error


def _frame(X: Any, names: list[str] | None) -> pd.DataFrame:
    home = type(X).__module__.partition(".")[0]
    if isinstance(X, pd.DataFrame):
        return X.copy(deep=False)
    if isinstance(X, pd.Series):
        return _from_series(X, names)
    if home == "polars":
        return _from_polars(X)
    if home == "pyarrow" and hasattr(X, "to_pandas"):
        return _from_arrow(X)
    if home == "scipy" and hasattr(X, "tocsr"):
        raise ReadError(
            f"a sparse matrix of shape {X.shape} cannot be read as a table; pass X.toarray(), or "
            f"pandas.DataFrame.sparse.from_spmatrix(X) to keep names"
        )
    if home == "dask" and hasattr(X, "map_partitions"):
        raise ReadError(
            f"a Dask {type(X).__name__} is not gathered here; compute() it first if memory holds it"
        )
    if isinstance(X, Mapping):
        return _from_mapping(X)
    if isinstance(X, np.ndarray):
        return _from_array(X, names)
    if isinstance(X, (list, tuple)):
        return _from_rows(list(X), names)
    if hasattr(X, "__array__"):
        return _from_array(np.asarray(X), names)
    raise ReadError(
        f"a {type(X).__name__} is no table; pass a pandas or polars frame, an Arrow table, a "
        f"two-dimensional array, or a list of rows"
    )


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """Give columns text names; levels of a column hierarchy are joined by a point."""
    if isinstance(frame.columns, pd.MultiIndex):
        names = [".".join(str(part) for part in parts if part != "") for parts in frame.columns]
    else:
        names = [name if isinstance(name, str) else str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        places = [i for i, name in enumerate(names) if name == twice]
        raise ReadError(
            f"{len(places)} columns are named {twice!r} (positions {', '.join(map(str, places))}); "
            f"give each column a name of its own"
        )
    frame.columns = pd.Index(names)
    return frame


def _from_series(X: pd.Series, names: list[str] | None) -> pd.DataFrame:
    """A Series whose index holds the expected names is one row, else one column."""
    if names is not None and set(names) & {str(label) for label in X.index}:
        row = pd.DataFrame({str(label): [value] for label, value in X.items()})
        return row
    return X.to_frame(X.name if X.name is not None else names[0] if names else "x0")


def _from_polars(X: Any) -> pd.DataFrame:
    if hasattr(X, "collect"):
        X = X.collect()
    if hasattr(X, "to_frame"):  # a polars Series
        X = X.to_frame()
    return _from_arrow(X.to_arrow())


def _from_arrow(X: Any) -> pd.DataFrame:
    if not hasattr(X, "column_names"):
        raise ReadError(f"an Arrow {type(X).__name__} is no table; pass a pyarrow.Table")
    if len(set(X.column_names)) < len(X.column_names):  # pyarrow's own error is about pandas
        return _named(pd.DataFrame(columns=X.column_names))
    frame: pd.DataFrame = X.to_pandas()
    return frame


def _from_mapping(X: Mapping[Any, Any]) -> pd.DataFrame:
    if all(isinstance(v, str) or not hasattr(v, "__len__") for v in X.values()):
        return pd.DataFrame({name: [value] for name, value in X.items()})
    try:
        return pd.DataFrame(dict(X))
    except UnicodeEncodeError:
        raise
    except ValueError as error:
        lengths = {str(k): len(v) for k, v in X.items() if hasattr(v, "__len__")}
        raise ReadError(
            f"the columns of the dict differ in length: {lengths}; each must have one value a row"
        ) from error


def _from_array(X: np.ndarray, names: list[str] | None) -> pd.DataFrame:
    if X.dtype.names is not None:
        return pd.DataFrame(X)
    if isinstance(X, np.ma.MaskedArray):
        X = np.where(np.ma.getmaskarray(X), np.nan, X.data)
    if X.ndim == 1 and names is not None and len(X) == len(names):
        X = X[None, :]  # one row
    if X.ndim != 2:
        raise ReadError(
            f"an array of shape {X.shape} is no table; expected two dimensions, rows and columns: "
            f"for one column use X.reshape(-1, 1), for one row X.reshape(1, -1)"
        )
    if X.dtype.kind in "USV":
        X = X.astype(object)
    return pd.DataFrame(X, columns=_names(X.shape[1], names))


def _names(width: int, names: list[str] | None) -> list[str]:
    if names is None:
        return [f"x{i}" for i in range(width)]
    if len(names) != width:
        shown = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
        raise ReadError(
            f"the table has {width} columns without names, but {len(names)} are expected: {shown}; "
            f"pass them in that order, or pass a frame with column names"
        )
    return names


def _from_rows(rows: list[Any], names: list[str] | None) -> pd.DataFrame:
    if not rows:
        return pd.DataFrame(columns=names if names is not None else [])
    if all(isinstance(row, Mapping) for row in rows):
        return pd.DataFrame([dict(row) for row in rows])
    if all(isinstance(row, (list, tuple, np.ndarray, pd.Series)) for row in rows):
        width = len(rows[0])
        odd = next((i for i, row in enumerate(rows) if len(row) != width), None)
        if odd is not None:
            raise ReadError(f"row {odd} has {len(rows[odd])} cells, but row 0 has {width}")
        columns = _names(width, names)
        return pd.DataFrame([list(row) for row in rows], columns=columns)
    if names is not None and len(rows) == len(names):
        return pd.DataFrame([rows], columns=names)
    raise ReadError(
        f"a list of {type(rows[0]).__name__} is no table; expected a list of rows, each a list of "
        f"cells or a dict of column name to cell"
    )

"""Exact values from a core's own structure: trees in tables, linear margins in closed form.

Nothing is believed that does not give the core's own margins again, on rows of the background.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from pellucid import shapley
from pellucid.explain.explanation import ExplanationError
from pellucid.explain.matrices import dense, take, width
from pellucid.explain.subject import Ask, Core, Linear, Step, Subject

_BLOCK = 256  # rows of a CSR matrix that are made dense at a time
_ROWS = 64  # rows that margins are compared on
_REPEATS = 1e-4  # of the margins' scale; XGBoost sums in float32
_MOST_CELLS = 2**28  # of a result
_AFFINE = (
    "PCA", "IncrementalPCA", "TruncatedSVD", "StandardScaler", "MaxAbsScaler", "MinMaxScaler",
    "RobustScaler", "FastICA", "GaussianRandomProjection", "SparseRandomProjection",
    "LinearDiscriminantAnalysis",
)  # fmt: skip
_WIDEST_FOLD = 2000


class NotClosedError(ExplanationError):
    """A core has no structure that gives exact values; the message says why."""


class Closed(Protocol):
    """Exact Shapley values of a margin, for a background and players."""

    @property
    def how(self) -> str:
        """The algorithm, in words."""
        ...

    @property
    def base_values(self) -> np.ndarray:
        """Mean margin over the background, (n_outputs,)."""
        ...

    def values(self, rows: Any) -> np.ndarray:
        """(n_rows, n_players, n_outputs)."""
        ...


@dataclass(frozen=True, eq=False)
class Tabled:
    """Tables of trees, or of one of our ensembles, on rows of any form.

    output : the one output that is meant, or None for all.
    """

    core: Core
    tables: Any
    how: str
    n_players: int
    output: int | None = None

    @property
    def base_values(self) -> np.ndarray:
        """Mean margin over the background, (n_outputs,)."""
        base: np.ndarray = self.tables.base_values
        return base if self.output is None else base[[self.output]]

    def values(self, rows: Any) -> np.ndarray:
        """(n_rows, n_players, n_outputs)."""
        if sparse.issparse(rows):
            starts = range(0, rows.shape[0], _BLOCK)
            parts = [self._values(rows[start : start + _BLOCK]) for start in starts]
            return np.concatenate(parts) if parts else self._values(rows)
        return self._values(rows)

    def _values(self, rows: Any) -> np.ndarray:
        found = self.tables.values(encoded(self.core, rows))
        found = found[:, :, None] if found.ndim == 2 else found
        if self.output is not None:
            found = found[:, :, [self.output]]
        return np.pad(found, [(0, 0), (0, self.n_players - found.shape[1]), (0, 0)])


@dataclass(frozen=True, eq=False)
class ClosedForm:
    """A linear margin: a player has what its columns add beyond their mean.

    weights : for each output, CSR (n_columns, n_players); mean : (n_columns,).
    """

    weights: tuple[Any, ...]
    mean: np.ndarray
    base_values: np.ndarray
    how: str

    def values(self, rows: Any) -> np.ndarray:
        """(n_rows, n_players, n_outputs)."""
        n_players = self.weights[0].shape[1]
        out = np.empty((rows.shape[0], n_players, len(self.weights)))
        matrix = sparse.csr_array(rows if sparse.issparse(rows) else dense(rows))
        for k, weight in enumerate(self.weights):
            # one row after the other, so that a row's bits do not depend on its batch
            out[:, :, k] = (matrix @ weight).toarray() - self.mean @ weight
        return out


def closed(subject: Subject, background: Any, of_column: np.ndarray, n_players: int) -> Closed:
    """Exact values at full depth, where the background is given.

    Raises
    ------
    NotClosedError
        Why there are none.
    """
    core = subject.core
    if "margin" not in core.asks:
        raise NotClosedError(f"{core.label} has no margin that adds up from parts")
    players, ask = np.asarray(of_column, dtype=np.int64), subject.ask("margin", depth=subject.depth)
    if core.shapley is not None:
        tables = core.shapley(background=dense(background), players=players)
        return Tabled(core, tables, "tables of the ensemble", n_players)
    if core.linear is not None:
        return _checked_linear(core.linear, background, players, n_players, core.label, ask)
    try:
        numbers = encoded(core, background)
        trees = core.model if core.trees is None else core.trees()
        tables = shapley.compile(trees, background=numbers, players=players)
    except shapley.ShapleyError as error:
        raise NotClosedError(str(error)) from error
    except (TypeError, ValueError) as error:
        raise NotClosedError(f"{core.label} reads columns that are no numbers: {error}") from error
    own = ask(take(background, np.arange(min(_ROWS, len(numbers)))))
    found = tables.margins(numbers[:_ROWS])
    output = 1 if own.shape[1] == 1 and found.shape[1] == 2 else None
    found = found if output is None else found[:, [output]]
    scale = max(1.0, float(np.abs(own).max(initial=0.0)))
    if found.shape != own.shape or not np.abs(found - own).max(initial=0.0) <= _REPEATS * scale:
        raise NotClosedError(f"the trees of {core.label}, as read here, give other margins than it")
    ensemble = tables.ensemble
    return Tabled(core, tables, f"tables of {ensemble.n_trees} trees", n_players, output)


def folded(
    subject: Subject, depth: int, background: Any, of_column: np.ndarray, n_players: int
) -> Closed:
    """Exact values of a linear core behind linear steps, such as PCA, at a lesser depth.

    Raises
    ------
    NotClosedError
        A core or a step that is not linear.
    """
    linear = subject.core.linear
    if linear is None:
        raise NotClosedError(f"{subject.core.label} is not linear")
    widths = [width(background)]
    reached = background
    for step in subject.steps[depth:]:
        reached = step.transform(reached)
        widths.append(width(reached))
    for step, n_inputs in reversed(list(zip(subject.steps[depth:], widths))):
        linear = _fold(linear, step, n_inputs)
    ask = subject.ask("margin", depth=depth)
    what = f"{subject.core.label} behind {', '.join(s.name for s in subject.steps[depth:])}"
    return _checked_linear(linear, background, of_column, n_players, what, ask)


def _fold(linear: Linear, step: Step, n_inputs: int) -> Linear:
    name = type(step.part).__name__
    if name not in _AFFINE or (name == "MinMaxScaler" and step.part.clip):
        raise NotClosedError(f"step {step.name!r} is not linear")
    if n_inputs > _WIDEST_FOLD:
        raise NotClosedError(f"step {step.name!r} has more than {_WIDEST_FOLD} columns to fold")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that these rows do not have
        at_zero = dense(step.transform(np.zeros((1, n_inputs))))[0]
        slopes = dense(step.transform(np.eye(n_inputs))) - at_zero  # (n_inputs, n_outputs)
    return Linear(linear.coef @ slopes.T, linear.intercept + linear.coef @ at_zero)


def _checked_linear(
    linear: Linear, background: Any, players: np.ndarray, n_players: int, what: str, ask: Ask
) -> ClosedForm:
    n_columns = width(background)
    if linear.coef.shape[1] != n_columns:
        raise NotClosedError(f"the coefficients of {what} do not fit its {n_columns} columns")
    try:
        matrix = background if sparse.issparse(background) else dense(background)
    except (TypeError, ValueError) as error:
        raise NotClosedError(f"{what} reads columns that are no numbers: {error}") from error
    check = take(background, np.arange(min(_ROWS, background.shape[0])))
    own = ask(check)
    head = matrix[: check.shape[0]]
    found = np.asarray(head @ linear.coef.T) + linear.intercept
    scale = max(1.0, float(np.abs(own).max(initial=0.0)))
    if found.shape != own.shape or not np.abs(found - own).max(initial=0.0) <= _REPEATS * scale:
        raise NotClosedError(f"the margins of {what} are not those of its coefficients")
    mean = np.asarray(matrix.mean(axis=0), dtype=np.float64).ravel()
    at = np.arange(n_columns)
    weights = tuple(
        sparse.csr_array((coef, (at, players)), shape=(n_columns, n_players))
        for coef in linear.coef
    )
    base = linear.coef @ mean + linear.intercept
    return ClosedForm(weights, mean, base, f"closed form of {what}")


def encoded(core: Core, rows: Any) -> np.ndarray:
    """Rows as the numbers that a core's trees see."""
    if core.encode is not None:
        return core.encode(rows)
    return dense(rows, absent=core.absent)


def check_size(n_rows: int, n_players: int, n_outputs: int) -> None:
    """Refuse a result that would not fit into memory.

    Raises
    ------
    ExplanationError
        More than 2 GB of values.
    """
    cells = n_rows * n_players * n_outputs
    if cells > _MOST_CELLS:
        raise ExplanationError(
            f"{n_rows} rows of {n_players} players and {n_outputs} outputs are "
            f"{8 * cells / 1e9:.1f} GB of values; explain fewer rows at a time, or raw players"
        )

"""Counterfactuals: the fewest plausible changes of a row after which the model says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.alternatives import Counterfactual, CounterfactualError, Counterfactuals
from pellucid.explain.asking import Asked, AskError, ask_by_cell, changed
from pellucid.explain.changing import one_row
from pellucid.explain.closed import NotClosedError, closed
from pellucid.explain.flipping import Flips, costs_of, find_flips
from pellucid.explain.goals import Goal, make_goal
from pellucid.explain.matrices import as_frame, stack, take
from pellucid.explain.moves import Column, distances, find_moves
from pellucid.explain.response import sampled
from pellucid.explain.setting import make_setting

_SHRUNK = 256  # seen values that a move is tried to be shortened to
_COMPARED = 1000  # rows that a counterfactual's nearest one is looked for among
_EXPLAINED = 100  # rows whose values say how far a column can push


def counterfactuals(
    model: Any,
    row: Any,
    *,
    X: Any,
    wanted: Any = None,
    immutable: Iterable[str] = (),
    bounds: Mapping[str, Any] | None = None,
    max_changes: int = 3,
    n: int = 3,
    values: int = 10,
    budget: int = 50_000,
    random_state: int = 0,
) -> Counterfactuals:
    """Find the fewest changes of raw cells, to values seen in data, that give another outcome.

    Rows with one change are asked first, then with two, and so on, all of them as far as the
    budget allows; beyond, columns are combined in the order of how far they can push, by the exact
    Shapley values of some rows, where the model has them in closed form. Numbers are then moved
    back towards the row as far as the outcome stays. The model itself is asked about every
    counterfactual that is returned.

    Parameters
    ----------
    model : whatever `pellucid.explain` takes
    row : dict, Series, array (n_columns,), or table of one row
    X : table, (n_rows, n_columns)
        Rows whose values are plausible, and which say how far apart values are.
    wanted : class label, or (low, high) of a value, either of which may be None
        By default any other class.
    immutable : names of columns that stay as they are
    bounds : mapping of a column to where it may move
        A tuple (low, high), "increase", "decrease", or a list of cells.
    max_changes : int
    n : int
        How many are wanted, each of other columns as far as there are some.
    values : int
        Of a number, how many seen values are tried before the move is shortened.
    budget : int
        Rows that the model may be asked about at each number of changes.
    random_state : int

    Raises
    ------
    CounterfactualError
        There is none within the bounds; the message says what came nearest.
    AskError
        Unknown columns or classes, bounds that make no sense, or an outcome that the row has.

    Notes
    -----
    Wachter, Mittelstadt and Russell (2018) for the distance; sparsity before distance as Mothilal,
    Sharma and Tan (2020) ask for.

    Examples
    --------
    >>> X = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0], "age": [20.0, 30.0, 40.0, 50.0]})
    >>> score = lambda rows: 10 * rows["income"] + rows["age"]
    >>> found = counterfactuals(score, {"income": 1.0, "age": 30.0}, X=X, wanted=(55, None))
    >>> print(found)
    now 40.0
    income: 1.0 -> 3.0 gives 60.0 (distance 2.00)
    age: 30.0 -> 50.0 gives 60.0 (distance 2.00)
    """
    if max_changes < 1 or n < 1 or values < 1 or budget < 1:
        raise AskError("max_changes, n, values and budget must each be at least 1")
    data = sampled(ask_by_cell(model, X), 20_000, random_state)
    start = ask_by_cell(data.subject, one_row(row, X))
    goal = make_goal(start.subject, start.responses(start.rows), wanted)
    columns = find_moves(start, data.frame, immutable=immutable, bounds=bounds, per_column=values)
    if not columns:
        raise CounterfactualError(
            "no column may move: all are immutable, or have no other value within their bounds",
            "; widen bounds= or shorten immutable=",
        )

    def judge(choices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return goal.judge(start.responses(_moved(start, columns, choices)))

    @cache
    def promise() -> np.ndarray:
        return _promise(start, data, columns, goal, judge, random_state)

    flips = find_flips(columns, judge, max_changes=max_changes, budget=budget, promise=promise)
    if len(flips.choices) == 0:
        raise CounterfactualError(
            _none(start, columns, goal, flips, max_changes),
            ". Widen bounds=, shorten immutable=, or raise max_changes=",
        )
    chosen = [_shortened(columns, judge, each) for each in _apart(flips, n)]
    different = np.array(list(dict.fromkeys(tuple(each.tolist()) for each in chosen)))
    order = np.argsort(costs_of(columns, different), kind="stable")
    found = _checked(start, data, columns, goal, different[order])
    return Counterfactuals(
        row=start.frame,
        prediction=start.labels(start.rows)[0],
        found=found,
        fewest=flips.proven,
        asked=flips.asked,
    )


def _moved(start: Asked, columns: Sequence[Column], choices: np.ndarray) -> Any:
    """The row with its cells as chosen, once for each row of choices."""
    rows = take(start.rows, np.zeros(len(choices), dtype=int))
    cells = {}
    for column, choice in zip(columns, choices.T):
        at = choice >= 0
        if at.any():
            new = np.empty(len(choices), dtype=object)
            new[:] = column.cell
            new[at] = _as_cells(column.seen[choice[at]])
            cells[column.position] = new
    if isinstance(rows, pd.DataFrame):
        rows.index = pd.RangeIndex(len(rows))
    return changed(rows, cells)


def _as_cells(values: np.ndarray) -> list[Any]:
    """Values as a table holds them one by one."""
    return list(pd.DatetimeIndex(values)) if values.dtype.kind == "M" else values.tolist()


def _promise(
    start: Asked, data: Asked, columns: Sequence[Column], goal: Goal, judge: Any, seed: int
) -> np.ndarray:
    """How far each column can push towards the goal, beyond what it does now.

    By exact Shapley values of the row and of others, where they have a closed form, else by moves
    of one column alone.
    """
    subject, others = start.subject, sampled(data, _EXPLAINED, seed)
    own = subject.own_background is not None
    setting = make_setting(
        subject, stack([start.rows, others.rows]), background=None if own else others.rows
    )
    players = setting.lineages[-1].groups(np.arange(len(start.names)))
    try:
        if (players < 0).any():
            raise NotClosedError("a column is made of several raw ones")
        background = setting.background_at(subject.depth)
        form = closed(subject, background, players, len(start.names))
    except NotClosedError:
        return _single_gains(columns, judge)
    pushes = goal.margins_towards(form.values(setting.rows_at(subject.depth)))
    if goal.at is None and start.responses(start.rows)[0, 0] > goal.high:
        pushes = -pushes
    return np.array([_gain(column, pushes[:, column.position], others.frame) for column in columns])


def _gain(column: Column, pushes: np.ndarray, others: pd.DataFrame) -> float:
    """The most that a cell where the column may go has pushed, beyond what its own cell does.

    pushes : (1 + n_others,); the row's own, then the others'.
    """
    allowed = others.iloc[:, column.position].isin(_as_cells(column.seen)).to_numpy()
    return float(pushes[1:][allowed].max() - pushes[0]) if allowed.any() else 0.0


def _single_gains(columns: Sequence[Column], judge: Any) -> np.ndarray:
    gains = []
    for i, column in enumerate(columns):
        choices = np.full((len(column.tried), len(columns)), -1)
        choices[:, i] = column.tried
        gains.append(float(judge(choices)[1].max()))
    return np.array(gains)


def _apart(flips: Flips, n: int) -> list[np.ndarray]:
    """The nearest of each set of columns, then the others; at most n."""
    seen: set[tuple[bool, ...]] = set()
    first: list[np.ndarray] = []
    rest: list[np.ndarray] = []
    for row in flips.choices:
        members = tuple((row >= 0).tolist())
        (rest if members in seen else first).append(row)
        seen.add(members)
    return (first + rest)[:n]


def _shortened(columns: Sequence[Column], judge: Any, row: np.ndarray) -> np.ndarray:
    """The same moves, each as short as the outcome allows while the others stay."""
    for i in np.argsort([-c.costs[a] if a >= 0 else 0.0 for c, a in zip(columns, row)]):
        if row[i] <= 0:  # it does not move, or to the nearest value
            continue
        nearer = np.arange(row[i])
        if len(nearer) > _SHRUNK:
            nearer = np.unique(np.linspace(0, row[i] - 1, _SHRUNK).astype(int))
        choices = np.tile(row, (len(nearer), 1))
        choices[:, i] = nearer
        flips = judge(choices)[0]
        if flips.any():
            row = choices[int(np.argmax(flips))]
    return row


def _checked(
    start: Asked, data: Asked, columns: Sequence[Column], goal: Goal, chosen: np.ndarray
) -> tuple[Counterfactual, ...]:
    """Each row as it is alone, with what the model says of it; those that fail are left out."""
    among = data.frame.iloc[:_COMPARED]
    found = []
    for choices in chosen:
        rows = _moved(start, columns, choices[None, :])
        response = start.responses(rows)
        if not goal.judge(response)[0][0]:
            continue
        frame = as_frame(rows, start.names, start.index)
        cells = {
            c.name: (c.cell, frame[c.name].iloc[0]) for c, a in zip(columns, choices) if a >= 0
        }
        found.append(
            Counterfactual(
                changes=cells,
                row=frame,
                prediction=start.subject.labels(response)[0],
                response=(
                    start.subject.probabilities(response) if goal.at is not None else response
                )[0],
                distance=float(costs_of(columns, choices[None, :])[0]),
                nearest=float(distances(start, among, frame)[0]),
            )
        )
    if not found:
        raise CounterfactualError(
            f"{start.subject.label} does not say the same of a row alone as of many; nothing that "
            f"was found among many holds alone"
        )
    return tuple(found)


def _none(
    start: Asked, columns: Sequence[Column], goal: Goal, flips: Flips, max_changes: int
) -> str:
    row = _moved(start, columns, flips.nearest[None, :])
    says = start.labels(row)[0]
    if goal.at is not None:
        chances = start.subject.probabilities(start.responses(row))[0]
        says = f"{says!r}, {chances[goal.at]:.3f} for {(start.subject.classes or ())[goal.at]!r}"
    moves = ", ".join(
        f"{c.name} -> {c.seen[a]}" for c, a in zip(columns, flips.nearest.tolist()) if a >= 0
    )
    which = "all" if flips.proven and flips.complete else "the likeliest"
    return (
        f"no change of up to {max_changes} of the {len(columns)} columns that may move gives "
        f"{goal}; {which} of them were tried, {flips.asked:,} rows. Nearest came {moves}: {says}"
    )

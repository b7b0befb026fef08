"""Where a model fails: a shallow tree over raw features that looks for rows with large errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.asking import Asked, AskError, ask_about, is_ordered
from pellucid.explain.losses import Measure, losses_of
from pellucid.explain.response import check_confidence, numbers_of
from pellucid.explain.told import told

_LEVELS = 20  # most frequent levels of a category that a question may be about


_WORDS = {
    "wrong": "share of wrong answers", "log loss": "mean log loss",
    "absolute": "mean absolute error", "squared": "mean squared error",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class ErrorTree:
    """Groups of rows by how wrong the model is about them.

    Attributes
    ----------
    table : DataFrame, a row per group, the worst first
        ``rule``, a condition in words that `compare_cohorts` reads; ``rows`` and their ``share``;
        ``error``, the mean over rows that the rules were not made from, with its interval ``low``
        to ``high``; ``of all``, the group's share of all error; ``worse``: whether it is worse
        than the rest beyond chance.
    group : ndarray of int, (n_rows,)
        The position in ``table`` of each row's group: `compare_cohorts` takes ``group == 0``.
    error : float
        Mean error over rows that the rules were not made from.
    measure : str
        What the error is.
    """

    table: pd.DataFrame
    group: np.ndarray
    error: float
    measure: str

    def __str__(self) -> str:
        lines = [f"{_WORDS.get(self.measure, self.measure)} {told(self.error)}; the worst first:"]
        lines += [
            f"{told(row['error'])} ({told(row['low'])} to {told(row['high'])}), {row['rows']} rows"
            f"{', worse' if row['worse'] else ''}: {row['rule']}"
            for _, row in self.table.iterrows()
        ]
        return "\n".join(lines)


def error_tree(
    model: Any,
    X: Any,
    y: Any,
    *,
    measure: Measure | None = None,
    depth: int = 3,
    least_share: float = 0.02,
    confidence: float = 0.95,
    random_state: int = 0,
) -> ErrorTree:
    """Find rules over raw features for the rows that a model is most wrong about.

    Half of the rows make the rules, the other half measures them, so that a group is not called
    bad by the luck of the rows that it was found by.

    Parameters
    ----------
    model : whatever `pellucid.explain` takes
    X : table, (n_rows, n_columns)
        Best rows that the model did not learn from.
    y : array, (n_rows,)
    measure : "wrong", "log loss", "absolute" or "squared", optional
        The error of a row. By default whether the label is wrong; of values the absolute error.
    depth : int
        Most questions of a rule.
    least_share : float
        Share of the rows that a group has at least.
    confidence : float
    random_state : int

    Raises
    ------
    AskError
        ``y`` of another length, an unknown label or measure, or fewer than 20 rows.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"age": rng.uniform(20, 80, 500), "town": rng.choice(["A", "B"], 500)})
    >>> y = X["age"] + 30.0 * ((X["town"] == "B") & (X["age"] > 60))
    >>> found = error_tree(lambda rows: rows["age"], X, y, depth=2)
    >>> found.table["rule"].iloc[0]
    "age > 60.5 and town == 'B'"
    """
    check_confidence(confidence)
    asked = ask_about(model, X)
    if asked.n_rows < 20:
        raise AskError(f"X has {asked.n_rows} rows; rules for groups need at least 20")
    if depth < 1 or not 0 < least_share < 0.5:
        raise AskError("depth must be at least 1, and least_share between 0 and 0.5")
    if measure is None:
        measure = "absolute" if asked.subject.classes is None else "wrong"
    errors = losses_of(asked, y, measure)(asked.rows)
    from sklearn.tree import DecisionTreeRegressor

    questions = _questions(asked)
    matrix = np.column_stack([each.values for each in questions])
    rng = np.random.default_rng(random_state)
    first = np.zeros(asked.n_rows, dtype=bool)
    first[rng.permutation(asked.n_rows)[: asked.n_rows // 2]] = True
    tree = DecisionTreeRegressor(
        max_depth=depth,
        min_samples_leaf=max(5, round(least_share * first.sum())),
        random_state=random_state,
    ).fit(matrix[first], errors[first])
    leaves = tree.apply(matrix)
    rules = _rules(tree.tree_, questions)
    groups = [
        {"rule": rule, "leaf": leaf, **_measured(errors, leaves == leaf, ~first, confidence)}
        for leaf, rule in rules.items()
    ]
    table = pd.DataFrame(groups).sort_values("error", ascending=False, ignore_index=True)
    place = {leaf: i for i, leaf in enumerate(table.pop("leaf"))}
    return ErrorTree(
        table=table,
        group=np.array([place[leaf] for leaf in leaves]),
        error=float(errors[~first].mean()),
        measure=measure,
    )


def _measured(
    errors: np.ndarray, inside: np.ndarray, held_out: np.ndarray, confidence: float
) -> dict[str, Any]:
    """What the held-out rows of a group say of it."""
    from scipy.stats import t

    own, others = errors[inside & held_out], errors[~inside & held_out]
    n, total = len(own), errors[held_out].sum()
    mean = float(own.mean()) if n else float("nan")
    critical = float(t.ppf((1 + confidence) / 2, max(n - 1, 1)))
    reach = critical * own.std(ddof=1) / np.sqrt(n) if n > 1 else float("inf")
    return {
        "rows": int(inside.sum()),
        "share": float(inside.mean()),
        "error": mean,
        "low": max(0.0, mean - reach),
        "high": mean + reach,
        "of all": float(own.sum() / total) if total else 0.0,
        "worse": _lead(own, others) > critical,
    }


def _lead(own: np.ndarray, others: np.ndarray) -> float:
    """Welch's statistic of two means."""
    if len(own) < 2 or len(others) < 2:
        return 0.0
    error = np.sqrt(own.var(ddof=1) / len(own) + others.var(ddof=1) / len(others))
    gap = own.mean() - others.mean()
    if error == 0:
        return float(np.inf if gap > 0 else 0.0)
    return float(gap / error)


@dataclass(frozen=True, eq=False)
class _Question:
    """What a tree may ask: how large a column's cell is, or whether it is a level.

    values : float64 (n_rows,); kind : "number", "time" or "level".
    """

    name: str
    values: np.ndarray
    kind: str
    level: Any = None

    def words(self, end: float, larger: bool) -> str:
        """The answer in words."""
        shown = self.name if self.name.isidentifier() else f"`{self.name}`"
        if self.kind == "level":
            return f"{shown} {'==' if larger else '!='} {self.level!r}"
        sign = ">" if larger else "<="
        below = self.values.astype(np.float32) <= end  # as scikit-learn compares
        above = ~below & ~np.isnan(self.values)
        if not above.any():  # what is asked is whether there is a value
            return f"{shown} {'==' if larger else '!='} None"
        low, high = self.values[below].max(), self.values[above].min()
        if self.kind == "time":
            return f"{shown} {sign} '{pd.Timestamp(int(low), unit='s')}'"
        return f"{shown} {sign} {_between(low, high)}"


def _between(low: float, high: float) -> str:
    """The shortest number from low to just below high, nearest to their middle.

    Examples
    --------
    >>> _between(59.87, 60.14), _between(1.0, 2.0), _between(0.30001, 0.30002)
    ('60', '1', '0.30001')
    """
    for digits in range(1, 18):
        for end in ((low + high) / 2, low):
            text = f"{end:.{digits}g}"
            if low <= float(text) < high:
                return f"{float(text):.17g}" if digits > 15 else f"{float(text):.15g}"
    return repr(float(low))


def _questions(asked: Asked) -> list[_Question]:
    found = []
    for name in asked.names:
        column = asked.frame[name]
        if not is_ordered(column):
            cells = column.astype(object)
            for level in cells.value_counts().index[:_LEVELS]:
                is_level = (cells == level).to_numpy(dtype=np.float64)
                found.append(_Question(name, is_level, "level", level))
            continue
        values = numbers_of(column)
        if values.dtype.kind == "M":
            missing = np.isnat(values)
            seconds = values.astype("datetime64[s]").astype(np.int64).astype(np.float64)
            found.append(_Question(name, np.where(missing, np.nan, seconds), "time"))
        else:
            found.append(_Question(name, values.astype(np.float64), "number"))
    return found


def _rules(tree: Any, questions: list[_Question]) -> dict[int, str]:
    """The rule of each leaf."""
    found: dict[int, str] = {}

    def walk(node: int, path: list[tuple[_Question, float, bool, bool]]) -> None:
        if tree.children_left[node] < 0:
            found[node] = _in_words(path)
            return
        question, end = questions[tree.feature[node]], float(tree.threshold[node])
        gaps_left = bool(tree.missing_go_to_left[node])
        walk(tree.children_left[node], [*path, (question, end, False, gaps_left)])
        walk(tree.children_right[node], [*path, (question, end, True, not gaps_left)])

    walk(0, [])
    return found


def _in_words(path: list[tuple[_Question, float, bool, bool]]) -> str:
    """Answers joined; a later one about the same side of a number takes the earlier one's place."""
    parts: dict[Any, tuple[str, _Question]] = {}
    gaps: dict[str, bool] = {}
    for question, end, larger, with_gaps in path:
        words = question.words(end, larger)
        side = "missing" if words.endswith("None") else larger
        key = (question.name, question.level if question.kind == "level" else side)
        parts[key] = words, question
        gaps[question.name] = gaps.get(question.name, True) and with_gaps
    found = []
    for words, question in parts.values():
        sided = question.kind != "level" and not words.endswith("None")
        if sided and gaps[question.name] and np.isnan(question.values).any():
            shown = words.split(" <= ")[0].split(" > ")[0]
            words = f"({words} or {shown} == None)"
        found.append(words)
    return " and ".join(found) or "all rows"

"""What looks too good or too different to be true: leaks, drift, rows that repeat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pellucid.automl.guardrails import Guardrail
from pellucid.models.problem import Problem
from pellucid.tabular.errors import SchemaError
from pellucid.tabular.schema import Schema, align

_ROWS = 10_000  # looked at
_SUSPECTS = 3  # columns of the greatest importance, tried alone
_ALONE = 0.95  # of what all columns explain, that one column explains alone
_STRONG = {"binary": 0.9, "multiclass": 0.9, "regression": 0.9}  # explained by all columns
_DRIFTED = 0.2  # distance between distributions, from 0 to 1, that is worth a look
_FEW_ROWS = 100
_REPEATED = 0.05  # share of rows that have a twin


def check_leak(
    X: np.ndarray, raw_of: np.ndarray, y: np.ndarray, problem: Problem, ranked: Sequence[int],
    names: Sequence[str], *, seed: int,
) -> list[Guardrail]:  # fmt: skip
    """Tell a column that explains alone nearly all that can be explained.

    Parameters
    ----------
    X : float32 (n_rows, n_engineered); raw_of : (n_engineered,) position of the raw column.
    ranked : positions of raw columns, the most important first.
    """
    if len(set(raw_of.tolist())) < 2 or len(y) < _FEW_ROWS:
        return []
    rng = np.random.default_rng(seed)
    kept = rng.permutation(len(y))[:_ROWS]
    fit, judge = kept[: len(kept) // 2], kept[len(kept) // 2 :]
    whole = _explained(X[fit], y[fit], X[judge], y[judge], problem, seed=seed)
    if whole < _STRONG[problem.task]:
        return []
    found = []
    for column in ranked[:_SUSPECTS]:
        own = np.flatnonzero(raw_of == column)
        if len(own) == 0:
            continue
        alone = _explained(
            X[np.ix_(fit, own)], y[fit], X[np.ix_(judge, own)], y[judge], problem, seed=seed
        )
        if alone >= _ALONE * whole:
            found.append(
                Guardrail(
                    "warning",
                    names[column],
                    f"Alone it explains {alone:.0%} of the target, all columns together "
                    f"{whole:.0%}. Is it known before the target is, or is it made from it?",
                )
            )
    return found


def _explained(
    X_fit: np.ndarray,
    y_fit: np.ndarray,
    X: np.ndarray,
    y: np.ndarray,
    problem: Problem,
    *,
    seed: int,
) -> float:
    """Share of the target that a small tree explains on rows it has not seen, from 0 to 1.

    The Gini coefficient 2 AUC - 1 of two classes; the gain over guessing the most frequent of
    more; R2 of values.
    """
    from sklearn.metrics import r2_score, roc_auc_score
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeClassifier if problem.is_classification else DecisionTreeRegressor
    tree = kind(max_leaf_nodes=64, min_samples_leaf=max(2, len(y_fit) // 1000), random_state=seed)
    tree.fit(X_fit, y_fit)
    if problem.task == "regression":
        return max(0.0, float(r2_score(y, tree.predict(X))))
    if problem.task == "binary":
        if len(np.unique(y)) < 2 or len(tree.classes_) < 2:
            return 0.0
        return max(0.0, 2.0 * float(roc_auc_score(y, tree.predict_proba(X)[:, 1])) - 1.0)
    chance = float(np.bincount(y).max()) / len(y)
    if chance == 1.0:
        return 0.0
    return max(0.0, (float((tree.predict(X) == y).mean()) - chance) / (1.0 - chance))


def check_drift(train: pd.DataFrame, test: pd.DataFrame, schema: Schema) -> list[Guardrail]:
    """Tell columns whose values are distributed otherwise in the test rows.

    The distance is that of Kolmogorov and Smirnov for numbers and dates, half the sum of
    differences of shares for labels.
    """
    if min(len(train), len(test)) < _FEW_ROWS:
        return []
    try:
        other = align(test, schema)
    except SchemaError:  # told where the test rows are scored
        return []
    found = []
    for column in schema.columns:
        if not column.used or column.kind == "text":
            continue
        distance = _distance(train[column.name], other[column.name])
        if distance > _DRIFTED:
            message = (
                f"Distributed otherwise in the test rows (distance {distance:.2f} of 1): scores "
                f"there may not hold elsewhere."
            )
            found.append(Guardrail("warning", column.name, message))
    return found


def _distance(one: pd.Series, other: pd.Series) -> float:
    gap = abs(float(one.isna().mean()) - float(other.isna().mean()))
    one, other = one.dropna(), other.dropna()
    if len(one) == 0 or len(other) == 0:
        return gap
    is_amount = pd.api.types.is_numeric_dtype(one) or pd.api.types.is_datetime64_any_dtype(one)
    if is_amount and not pd.api.types.is_bool_dtype(one):
        from scipy.stats import ks_2samp

        left, right = (pd.to_numeric(values).to_numpy(np.float64) for values in (one, other))
        return max(gap, float(ks_2samp(left, right, method="asymp").statistic))
    shares = pd.concat(
        [each.astype(str).value_counts(normalize=True) for each in (one, other)], axis=1
    ).fillna(0.0)
    return max(gap, float(shares.iloc[:, 0].sub(shares.iloc[:, 1]).abs().sum() / 2.0))


def check_repeats(frame: pd.DataFrame) -> list[Guardrail]:
    """Tell that many rows are the same, so that some are judged by their twins."""
    share = float(frame.duplicated(keep=False).mean())
    if share <= _REPEATED:
        return []
    message = (
        f"{share:.0%} of the rows have a twin. Cross-validation judges some rows by models that "
        f"saw their twin; if twins belong together, give groups."
    )
    return [Guardrail("warning", None, message)]

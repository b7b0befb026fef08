"""MimicExplainer: a surrogate of a model, explained exactly, its fidelity told.

Unlike the old ones they learn probabilities, as log-odds, instead of labels, say how well they
follow the model, and cut no small importance to zero. `pellucid.explain` gives exact values of the
model itself where there are any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from pellucid.azureml.explanations import OldExplanation
from pellucid.azureml.fitted import as_rows
from pellucid.errors import PellucidError
from pellucid.explain.certificate import Certificate
from pellucid.explain.explanation import Explanation, Level
from pellucid.explain.mimic import equal_labels, r2
from pellucid.explain.surrogates import Kind, Surrogate, fit_surrogate

_BACKGROUND = 100
_HELD_OUT = 0.2
_LEAST_CHANCE = 1e-6  # of a class, so that its log-odds are a number


class MimicError(PellucidError):
    """A surrogate cannot be made or asked."""


class ExplainableModel:
    """Names a kind of surrogate; it is fitted by `MimicExplainer`."""

    kind: Kind = "lightgbm"


class LGBMExplainableModel(ExplainableModel):
    """Boosted trees."""

    kind = "lightgbm"


class LinearExplainableModel(ExplainableModel):
    """A ridge regression."""

    kind = "linear"


class SGDExplainableModel(ExplainableModel):
    """A linear model by stochastic gradients."""

    kind = "sgd"


class DecisionTreeExplainableModel(ExplainableModel):
    """One tree."""

    kind = "tree"


class MimicExplainer:
    """A surrogate of a model.

    Parameters
    ----------
    model : object with ``predict_proba`` or ``predict``, or a function (``is_function=True``)
    initialization_examples : table, (n_rows, n_columns)
        Rows that the surrogate learns from.
    explainable_model : class of the surrogate
    features, classes : sequence, optional
        Names.
    """

    def __init__(
        self,
        model: Any,
        initialization_examples: Any,
        explainable_model: type[ExplainableModel] = LGBMExplainableModel,
        explainable_model_args: Any = None,
        is_function: bool = False,
        features: Sequence[str] | None = None,
        classes: Sequence[Any] | None = None,
        **others: Any,
    ) -> None:
        rows = as_rows(initialization_examples)
        self.model, self.is_function = model, is_function
        self.features = _names(rows, features)
        self.classes = None if classes is None else list(classes)
        if self.classes is None and hasattr(model, "predict_proba") and not is_function:
            self.classes = list(getattr(model, "classes_", [])) or None
        columns, answers = as_columns(rows), self._ask(rows)
        order = np.random.default_rng(123).permutation(columns.shape[0])
        held = order[: max(1, int(_HELD_OUT * len(order)))]
        kept = order[len(held) :]
        if len(kept) < 2:
            raise MimicError(f"a surrogate cannot learn from {len(order)} rows; give more")
        kind = explainable_model.kind
        self.surrogate: Surrogate = fit_surrogate(kind, columns[kept], answers[kept], seed=123)
        self.background = columns[np.sort(kept[:_BACKGROUND])]
        self.fidelity = self._compare(answers[held], self.surrogate.predict(columns[held]))
        self.how = f"a {kind} surrogate of {len(kept)} rows, explained exactly"

    def _ask(self, rows: Any) -> np.ndarray:
        """What the surrogate is to learn: log-odds, or values, (n_rows, n_outputs)."""
        model = self.model
        if self.is_function or not hasattr(model, "predict_proba"):
            answer = model(rows) if self.is_function else model.predict(rows)
            found = np.asarray(answer, dtype=np.float64)
            found = found[:, None] if found.ndim == 1 else found
            if not self.is_function or found.shape[1] == 1:
                return found
        else:
            found = np.asarray(model.predict_proba(rows), dtype=np.float64)
        log = np.log(np.clip(found, _LEAST_CHANCE, 1.0))
        if found.shape[1] == 2:
            return log[:, 1:] - log[:, :1]
        return log - log.mean(axis=1, keepdims=True)

    def _compare(self, truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
        fidelity = {"r2": r2(truth, found)}
        if self.classes is not None:
            fidelity["labels"] = equal_labels(truth, found, 0.0)
        return fidelity

    def get_surrogate_model_replication_measure(self, training_data: Any) -> float:
        """Share of rows with the model's label; R2 in regression."""
        rows = as_rows(training_data)
        fidelity = self._compare(self._ask(rows), self.surrogate.predict(as_columns(rows)))
        return fidelity.get("labels", fidelity["r2"])

    def explain_local(self, evaluation_examples: Any) -> OldExplanation:
        """Importances of rows."""
        return OldExplanation(self.explanation_of(evaluation_examples))

    def explain_global(
        self, evaluation_examples: Any = None, include_local: bool = True, **others: Any
    ) -> OldExplanation:
        """Importances of rows, and over them; without rows, of the background."""
        rows = self.background if evaluation_examples is None else evaluation_examples
        return self.explain_local(rows)

    def explanation_of(
        self, rows: Any, *, feature_map: Any = None, raw_names: Sequence[str] | None = None,
        data: Any = None,
    ) -> Explanation:  # fmt: skip
        """Ours: over columns, or over the raw columns that a map joins them into."""
        rows = as_rows(rows)
        columns = as_columns(rows)
        names: Sequence[str] = self.features
        of_column = np.arange(len(names))
        if feature_map is not None:
            of_column = joined(feature_map)
            names = raw_names or [f"raw {k}" for k in range(np.shape(feature_map)[0])]
        values, base = self.values(columns, of_column, len(names))
        level: Level = "engineered" if feature_map is None else "raw"
        return Explanation(
            values=values[:, :, 0] if values.shape[2] == 1 else values,
            base_values=base,
            feature_names=tuple(map(str, names)),
            data=_table(rows if data is None else data, names, len(values)),
            level=level,
            classes=None if self.classes is None else tuple(self.classes),
            method="mimic",
            background_size=self.background.shape[0],
            certificate=Certificate(
                method="mimic", how=self.how, players=level, n_players=len(names),
                n_rows=len(values), background_rows=self.background.shape[0],
                background="rows that the surrogate learned from", fidelity=self.fidelity,
            ),
        )  # fmt: skip

    def values(
        self, columns: Any, of_column: np.ndarray, n_players: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Exact values of the surrogate, and its base values."""
        if columns.shape[1] != len(self.features):
            raise MimicError(
                f"the rows have {columns.shape[1]} columns; the surrogate learned from "
                f"{len(self.features)}"
            )
        return self.surrogate.values(columns, self.background, of_column, n_players)


def joined(feature_map: Any) -> np.ndarray:
    """The raw column of each engineered one, from a map (n_raw, n_engineered).

    Raises
    ------
    MimicError
        Engineered columns that are made of several raw ones, or of none: their importance cannot
        be told apart here; `pellucid.explain` plays them through the model instead.
    """
    dense = feature_map.toarray() if sparse.issparse(feature_map) else np.asarray(feature_map)
    parents = (dense != 0).sum(axis=0)
    if (parents != 1).any():
        at = int(np.flatnonzero(parents != 1)[0])
        raise MimicError(
            f"engineered column {at} is made of {parents[at]} raw ones; pellucid.explain(model, "
            f"rows) gives raw importances of such models"
        )
    found: np.ndarray = dense.argmax(axis=0)
    return found


def as_columns(rows: Any) -> Any:
    """Rows as numbers: CSR, or float64 (n_rows, n_columns).

    Raises
    ------
    MimicError
        Cells that are not numbers.
    """
    rows = as_rows(rows)
    if sparse.issparse(rows):
        return sparse.csr_matrix(rows, dtype=np.float64)
    try:
        found = np.asarray(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise MimicError(
            f"the surrogate takes numbers ({error}); give transformed rows, as "
            f"automl_setup_model_explanations makes them"
        ) from error
    return found[None] if found.ndim == 1 else found


def _names(rows: Any, features: Sequence[str] | None) -> list[str]:
    if features is not None:
        return [str(each) for each in features]
    if isinstance(rows, pd.DataFrame):
        return [str(each) for each in rows.columns]
    return [f"C{k + 1}" for k in range(np.shape(rows)[1])]


def _table(rows: Any, names: Sequence[str], n_rows: int) -> pd.DataFrame:
    """The rows beside their importances, under the features' names where they fit."""
    if sparse.issparse(rows):
        found: pd.DataFrame = pd.DataFrame.sparse.from_spmatrix(rows)  # type: ignore[attr-defined]
        return found.set_axis(list(map(str, names)), axis=1)
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(np.asarray(rows))
    if frame.shape[1] == len(names):
        return frame.set_axis(list(map(str, names)), axis=1)
    return pd.DataFrame({str(name): np.full(n_rows, np.nan) for name in names}, index=frame.index)

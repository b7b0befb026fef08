"""An explanation by the old methods and shapes, over one of ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.explain.explanation import Explanation


class OldExplanation:
    """Answers as the old explanation objects did.

    Shapes: regression (n_rows, n_features); classification one such matrix a class, and of two
    classes the second is the first with other signs.

    features, classes : names to use in place of the explanation's own.
    top_k : where ranked names and values end, unless a call says otherwise.

    Examples
    --------
    >>> import pandas as pd
    >>> ours = Explanation(
    ...     values=np.array([[1.0, -3.0], [2.0, 1.0]]), base_values=np.array([0.5]),
    ...     feature_names=("age", "job"), data=pd.DataFrame({"age": [1, 2], "job": [3, 4]}),
    ...     classes=("no", "yes"))
    >>> old = OldExplanation(ours)
    >>> old.get_feature_importance_dict()
    {'job': 2.0, 'age': 1.5}
    >>> np.shape(old.local_importance_values), old.expected_values
    ((2, 2, 2), [-0.5, 0.5])
    """

    method = "shap"

    def __init__(
        self,
        explanation: Explanation,
        *,
        id: str = "",
        comment: str = "",
        features: Sequence[str] | None = None,
        classes: Sequence[Any] | None = None,
        top_k: int | None = None,
    ) -> None:
        self.explanation = explanation
        self._top_k = top_k
        self._classes = classes or explanation.classes
        self._names = tuple(features or explanation.feature_names)
        self.id = id
        self.comment = comment

    @property
    def features(self) -> list[str]:
        """Names of the features."""
        return list(self._names)

    @property
    def num_features(self) -> int:
        """Number of features."""
        return self.explanation.n_features

    @property
    def num_examples(self) -> int:
        """Number of rows."""
        return self.explanation.n_rows

    @property
    def classes(self) -> list[Any] | None:
        """Class labels."""
        return None if self._classes is None else list(self._classes)

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.explanation.classes or ())

    @property
    def is_raw(self) -> bool:
        """Whether the features are the user's columns."""
        return self.explanation.level == "raw"

    @property
    def is_engineered(self) -> bool:
        """Whether the features are those that the model sees."""
        return self.explanation.level == "engineered"

    @property
    def model_task(self) -> str:
        """What the model does."""
        return "regression" if self.explanation.classes is None else "classification"

    @property
    def _per_class(self) -> np.ndarray:
        """Importances (n_classes, n_rows, n_features), or with one entry in regression."""
        values = self.explanation.values
        if values.ndim == 3:
            return np.moveaxis(values, 2, 0)
        return values[None] if self.explanation.classes is None else np.stack([-values, values])

    @property
    def local_importance_values(self) -> list[Any]:
        """Importances of each row, as nested lists."""
        per_class = self._per_class
        found: list[Any] = (
            per_class[0] if self.explanation.classes is None else per_class
        ).tolist()
        return found

    @property
    def expected_values(self) -> list[float]:
        """Base values, one a class."""
        base = np.asarray(self.explanation.base_values, dtype=np.float64)
        if self.explanation.classes is not None and len(base) == 1:
            base = np.array([-base[0], base[0]])
        return [float(each) for each in base]

    @property
    def per_class_values(self) -> list[list[float]]:
        """Mean absolute importance of each feature, for each class."""
        found: list[list[float]] = np.abs(self._per_class).mean(axis=1).tolist()
        return found

    @property
    def global_importance_values(self) -> list[float]:
        """Mean absolute importance of each feature, averaged over classes."""
        found: list[float] = np.abs(self._per_class).mean(axis=(0, 1)).tolist()
        return found

    @property
    def global_importance_rank(self) -> list[int]:
        """Features by falling importance."""
        return _rank(self.global_importance_values)

    def get_feature_importance_dict(self, top_k: int | None = None) -> dict[str, float]:
        """Names and importances, most important first."""
        features, values = self.features, self.global_importance_values
        return {features[k]: values[k] for k in _rank(values)[: top_k or self._top_k]}

    def get_ranked_global_names(self, top_k: int | None = None) -> list[str]:
        """Names, most important first."""
        features = self.features
        return [features[k] for k in self.global_importance_rank[: top_k or self._top_k]]

    def get_ranked_global_values(self, top_k: int | None = None) -> list[float]:
        """Importances, largest first."""
        return sorted(self.global_importance_values, reverse=True)[: top_k or self._top_k]

    def get_ranked_per_class_names(self, top_k: int | None = None) -> list[list[str]]:
        """Names for each class, most important first."""
        features = self.features
        ranks = [_rank(values)[: top_k or self._top_k] for values in self.per_class_values]
        return [[features[k] for k in rank] for rank in ranks]

    def get_ranked_per_class_values(self, top_k: int | None = None) -> list[list[float]]:
        """Importances for each class, largest first."""
        return [
            sorted(values, reverse=True)[: top_k or self._top_k] for values in self.per_class_values
        ]

    def get_local_importance_rank(self) -> list[Any]:
        """For each row (of each class) features by falling importance, signs counted."""
        return self._ranked_local(lambda values, rank: rank, None)

    def get_ranked_local_names(self, top_k: int | None = None) -> list[Any]:
        """For each row (of each class) names by falling importance, signs counted."""
        features = self.features
        return self._ranked_local(lambda values, rank: [features[k] for k in rank], top_k)

    def get_ranked_local_values(self, top_k: int | None = None) -> list[Any]:
        """For each row (of each class) importances, largest first."""
        return self._ranked_local(lambda values, rank: [float(values[k]) for k in rank], top_k)

    def _ranked_local(self, shown: Any, top_k: int | None) -> list[Any]:
        per_class = [
            [shown(values, _rank(values)[: top_k or self._top_k]) for values in matrix]
            for matrix in self._per_class
        ]
        return per_class[0] if self.explanation.classes is None else per_class

    def __repr__(self) -> str:
        return repr(self.explanation)


def _rank(values: Sequence[float] | np.ndarray) -> list[int]:
    found: list[int] = np.argsort(-np.asarray(values), kind="stable").tolist()
    return found

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

    def get_raw_explanation(
        self,
        feature_maps: Sequence[Any],
        raw_feature_names: Sequence[str] | None = None,
        eval_data: Any = None,
        **others: Any,
    ) -> OldExplanation:
        """Engineered importances added up by raw column, as it was.

        Not the values of a game of raw columns: those are `MimicWrapper.explain` with ``get_raw``,
        and `pellucid.explain`.

        Raises
        ------
        MimicError
            An engineered column that is made of several raw ones, or of none.
        """
        import pandas as pd

        from pellucid.azureml.mimic import joined

        of_column = joined(feature_maps[0])
        n_raw = int(np.shape(feature_maps[0])[0])
        names = tuple(map(str, raw_feature_names or [f"raw {k}" for k in range(n_raw)]))
        ours = self.explanation
        values = np.zeros((ours.n_rows, n_raw, *ours.values.shape[2:]))
        np.add.at(values.swapaxes(0, 1), of_column, ours.values.swapaxes(0, 1))
        data = eval_data if isinstance(eval_data, pd.DataFrame) else None
        if data is None or data.shape != (ours.n_rows, n_raw):
            data = pd.DataFrame(np.nan, index=ours.data.index, columns=list(names))
        raw = Explanation(
            values=values, base_values=ours.base_values, feature_names=names,
            data=data.set_axis(list(names), axis=1), level="raw", classes=ours.classes,
            method=ours.method, background_size=ours.background_size,
        )  # fmt: skip
        return OldExplanation(raw, comment=self.comment, classes=self._classes)

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

"""The fitted model that old scripts get, call and pickle: a Predictor in a pipeline's clothes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.azureml.engineered import engineered_json, featurization_summary, old_names


class FittedModel:
    """Predicts as scikit-learn's pipelines do; joblib and pickle keep it as files of plain data.

    What a pickle of it holds is the content of Pellucid's own files. Loading a pickle runs what it
    says, as ever: load only those that you made.
    """

    def __init__(self, predictor: Any) -> None:
        self.predictor = predictor

    @property
    def classes_(self) -> Any:
        """Class labels, or None."""
        return self.predictor.classes

    @property
    def named_steps(self) -> dict[str, Any]:
        """The featurizer under its old name, and the model."""
        name = "timeseriestransformer" if hasattr(self.predictor, "history") else "datatransformer"
        return {name: DataTransformer(self.predictor), "estimator": self}

    @property
    def steps(self) -> list[tuple[str, Any]]:
        """Names and parts."""
        return list(self.named_steps.items())

    def predict(self, X: Any) -> np.ndarray:
        """Labels or values, (n_rows,)."""
        return np.asarray(self.predictor.predict(as_rows(X)))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, (n_rows, n_classes)."""
        return np.asarray(self.predictor.predict_proba(as_rows(X)))

    def explain(self, X: Any) -> Any:
        """Exact importances of the rows, as Pellucid gives them; the old model had none."""
        return self.predictor.explain(as_rows(X))

    def to_onnx(self) -> Any:
        """Prediction as an ONNX graph that takes raw columns; needs the extra ``onnx``."""
        from pellucid.serve.interchange.export import export_onnx

        written = export_onnx(self.predictor).model
        from onnx import load_model_from_string

        return load_model_from_string(written)

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuild, (dict(self.predictor.to_files()),)

    def __repr__(self) -> str:
        n_columns = len(self.predictor.schema.columns)
        return f"{type(self).__name__}({self.predictor.target!r}, {n_columns} columns)"


def rebuild(files: Mapping[str, bytes]) -> FittedModel:
    """A fitted model from the content of its files."""
    from pellucid.explain.forecast import read_predictor

    return dressed(read_predictor(dict(files)))


def dressed(predictor: Any) -> FittedModel:
    """The fitted model of a predictor of either kind."""
    if not hasattr(predictor, "history"):
        return FittedModel(predictor)
    from pellucid.azureml.forecasting import FittedForecaster

    return FittedForecaster(predictor)


def as_rows(X: Any) -> Any:
    """Rows of a data set, or what was given."""
    return X.to_pandas_dataframe() if hasattr(X, "to_pandas_dataframe") else X


class DataTransformer:
    """The featurizer, by the old pipeline's methods."""

    def __init__(self, predictor: Any) -> None:
        self._predictor = predictor

    def transform(self, X: Any) -> np.ndarray:
        """Engineered columns, float32 (n_rows, n_columns)."""
        predictor = self._predictor
        return np.asarray(predictor.featurizer.transform(predictor.frame(as_rows(X))))

    def get_engineered_feature_names(self) -> list[str]:
        """Names of the columns that the model sees."""
        return old_names(self._predictor)

    def get_json_strs_for_engineered_feature_names(
        self, engi_feature_name_list: Sequence[str] | None = None
    ) -> list[str]:
        """How each of them was made, as JSON."""
        return [
            json.dumps(each) for each in engineered_json(self._predictor, engi_feature_name_list)
        ]

    def get_featurization_summary(self, is_user_friendly: bool = True) -> list[dict[str, Any]]:
        """What became of each raw column, by the old keys."""
        return featurization_summary(self._predictor)

    def get_stats_feature_type_summary(self) -> list[dict[str, Any]]:
        """Kind, missing and distinct values of each raw column of the training table."""
        summary = self.get_featurization_summary()
        kinds = {each["RawFeatureName"]: each["TypeDetected"] for each in summary}
        return [
            {
                "RawFeatureName": column.name, "TypeDetected": kinds.get(column.name),
                "MissingValues": column.missing, "UniqueValues": column.n_unique,
            }
            for column in self._predictor.schema.columns
        ]  # fmt: skip

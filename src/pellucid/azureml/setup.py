"""automl_setup_model_explanations: a fitted model taken apart, with data and names."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.azureml.engineered import old_names
from pellucid.azureml.fitted import FittedModel, as_rows
from pellucid.explain.setup import ExplanationSetup, setup_explanations

_MOST = 5000  # test rows that are explained
_SEED = 777


class AutoMLExplainerSetupClass:
    """What explaining a fitted model by hand takes."""

    def __init__(self, setup: ExplanationSetup, fitted: Any, automl_run: Any = None) -> None:
        self._setup = setup
        self.automl_pipeline = fitted
        self.automl_run = automl_run

    @property
    def X_transform(self) -> Any:
        """Training rows as the estimator takes them, an array or a sparse matrix."""
        return _plain(self._setup.X_transform)

    @property
    def X_test_transform(self) -> Any:
        """Test rows as the estimator takes them, an array or a sparse matrix."""
        return _plain(self._setup.X_test_transform)

    @property
    def X_test_raw(self) -> Any:
        """Test rows as the user knows them."""
        return self._setup.X_test_raw

    @property
    def engineered_feature_names(self) -> list[str]:
        """Names of the columns that the estimator sees, of our own models by the old scheme."""
        if isinstance(self.automl_pipeline, FittedModel):
            return old_names(self.automl_pipeline.predictor)
        return list(self._setup.engineered_feature_names)

    @property
    def raw_feature_names(self) -> list[str]:
        """Names of the user's columns."""
        return list(self._setup.raw_feature_names)

    @property
    def feature_map(self) -> np.ndarray:
        """(n_raw, n_engineered), 1 where an engineered column is made of a raw one."""
        return np.asarray(self._setup.feature_map.toarray())

    @property
    def classes(self) -> list[Any] | None:
        """Class labels."""
        return None if self._setup.classes is None else list(self._setup.classes)

    @property
    def automl_estimator(self) -> Any:
        """The part of the model that takes engineered columns."""
        return self._setup.estimator

    @property
    def automl_featurizer(self) -> Any:
        """The part of the model that makes them."""
        steps = getattr(self.automl_pipeline, "named_steps", {})
        return steps.get("datatransformer", steps.get("timeseriestransformer"))

    @property
    def surrogate_model(self) -> Any:
        """The surrogate that suits the data."""
        from pellucid.azureml.mimic import LGBMExplainableModel

        return LGBMExplainableModel

    @property
    def surrogate_model_params(self) -> dict[str, Any]:
        """Its settings."""
        return {"augment_data": False}

    def __str__(self) -> str:
        return str(self._setup)


def _plain(rows: Any) -> Any:
    """Without names, which are Pellucid's own."""
    return rows.to_numpy() if hasattr(rows, "to_numpy") else rows


def automl_setup_model_explanations(
    fitted_model: Any,
    task: str | None = None,
    X: Any = None,
    X_test: Any = None,
    y: Any = None,
    y_test: Any = None,
    features: Any = None,
    automl_run: Any = None,
    **others: Any,
) -> AutoMLExplainerSetupClass:
    """Take a fitted model apart; more than 5,000 test rows are drawn from, by a fixed seed."""
    model = fitted_model.predictor if isinstance(fitted_model, FittedModel) else fitted_model
    train, test = (None if rows is None else as_rows(rows) for rows in (X, X_test))
    if train is None:
        train = test
    if test is not None and len(test) > _MOST:
        kept = np.sort(np.random.default_rng(_SEED).choice(len(test), _MOST, replace=False))
        test = test.iloc[kept] if hasattr(test, "iloc") else test[kept]
    target = None if y is None or X is None else np.ravel(as_rows(y))
    if target is not None and hasattr(model, "history"):
        target = target.astype(np.float64)
    setup = setup_explanations(model, X=train, X_test=test, y=target, task=task)  # type: ignore[arg-type]
    return AutoMLExplainerSetupClass(setup, fitted_model, automl_run)


def automl_check_model_if_explainable(run: Any, **others: Any) -> bool:
    """Whether the best model of a run can be explained: always."""
    return True

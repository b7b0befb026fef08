"""AutoMLClassifier and AutoMLRegressor: what they are told, and what they learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from pellucid.automl.asides import ClassWeight
from pellucid.automl.base import AutoML, Featurization
from pellucid.automl.target import Target, TargetError, read_classes, read_values
from pellucid.explain.frames import predict_frame
from pellucid.search.progress import ProgressCallback
from pellucid.tabular.partitions import is_dask


class AutoMLClassifier(ClassifierMixin, AutoML):
    """Find, within a time budget, the best classifier whose every prediction is explained exactly.

    Parameters
    ----------
    primary_metric : str, optional
        What the leaderboard is sorted by, such as "AUC_weighted", "accuracy" or "log_loss".
        The default is AUC_weighted for two classes and log_loss for more.
    time_budget : float or None
        Seconds for everything: featurization, trials, refit, explanation, writing. None for no
        limit; the portfolio is then tried once, or as far as ``max_trials`` says.
    max_trials : int, optional
        End after this many trials. Given alone (``time_budget=None``), the same seed gives the
        same model.
    model_explainability : bool
        Explain up to 1,000 rows during training and keep that with the run.
    seed : int
    n_jobs : int, optional
        Worker processes; default is one per core.
    store : str, False or None
        Where the run is kept: a folder or an MLflow tracking URI; None for the default (see
        `pellucid.load_run`), False to keep nothing.
    featurization : "auto", "off" or FeaturizationConfig
        How raw columns become engineered ones; "off" keeps numbers as they are and categories as
        codes, and makes nothing else.
    column_kinds : mapping, optional
        Column name -> "numeric", "boolean", "categorical", "datetime", "text", "identifier" or
        "constant", where the inferred kind is not what you mean.
    drop_columns : sequence of str
        Columns that the model must not see.
    monotone : mapping of column name to 1 or -1, optional
        Numeric columns that may only raise (1) or only lower (-1) the margin as they grow, such
        as ``{"income": -1}`` for a risk; only families that keep to it are tried.
    n_cross_validations : int, optional
        Number of folds; by default five, three for many rows, one held-out share for more rows
        than the time allows.
    time_column : str, optional
        Column that orders the rows: each fold is judged by a model of the rows before it.
    allowed_families, blocked_families : sequence of str
        Model families that may be tried, such as "lightgbm" or "linear", and those that may not.
    refit : bool, optional
        True ships one model per member, fitted on all rows; False the models of all folds, which
        are slower to predict and explain by the number of folds. By default those of all folds
        for a classifier of fewer than 2,000 rows, where their average is the better calibrated,
        unless ``latency_budget_ms`` is given.
    max_members : int
        Most members of the ensemble.
    sample_rows : int
        Rows to search on where `fit` is given a path to more of them.
    latency_budget_ms : float, optional
        Milliseconds that predicting and explaining one row may take on this machine; members
        leave the ensemble, the least worthy first, until it does.
    class_weight : "balanced", mapping of class to weight, or None
        Makes rows of rare classes count more; probabilities are then no longer frequencies.
    resume : str, optional
        Id of a run that was cut off: its trials are taken over, the rest is searched.
    name : str, optional
        What the run is called.
    progress : callable, optional
        Called with a `pellucid.search.progress.Progress` at each step.

    Attributes
    ----------
    classes_ : ndarray
        Labels, in the order of ``predict_proba``'s columns.
    leaderboard_ : DataFrame
        Trials and the ensemble, best first.
    explanation_ : Explanation or None
        The explanation made during training.
    run_ : Run or None
        The stored run.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> clf = AutoMLClassifier(time_budget=None, max_trials=3, store=False).fit(X, y)
    >>> clf.predict(X[:2]).tolist()
    [0, 0]
    >>> clf.explain(X[:2]).values.shape
    (2, 4, 3)
    """

    classes_: np.ndarray
    _stratified = True

    def _read_target(self, y: Any, n_rows: int) -> Target:
        return read_classes(y, n_rows=n_rows)

    def __init__(
        self,
        *,
        primary_metric: str | None = None,
        time_budget: float | None = 60.0,
        max_trials: int | None = None,
        model_explainability: bool = True,
        seed: int = 0,
        n_jobs: int | None = None,
        store: Any = None,
        featurization: Featurization = "auto",
        column_kinds: Mapping[str, str] | None = None,
        drop_columns: Sequence[str] = (),
        monotone: Mapping[str, int] | None = None,
        n_cross_validations: int | None = None,
        time_column: str | None = None,
        allowed_families: Sequence[str] | None = None,
        blocked_families: Sequence[str] = (),
        refit: bool | None = None,
        max_members: int = 8,
        sample_rows: int = 200_000,
        latency_budget_ms: float | None = None,
        class_weight: ClassWeight = None,
        resume: str | None = None,
        name: str | None = None,
        progress: ProgressCallback | None = None,
    ) -> None:
        super().__init__(
            primary_metric=primary_metric,
            time_budget=time_budget,
            max_trials=max_trials,
            model_explainability=model_explainability,
            seed=seed,
            n_jobs=n_jobs,
            store=store,
            featurization=featurization,
            column_kinds=column_kinds,
            drop_columns=drop_columns,
            monotone=monotone,
            n_cross_validations=n_cross_validations,
            time_column=time_column,
            allowed_families=allowed_families,
            blocked_families=blocked_families,
            refit=refit,
            max_members=max_members,
            sample_rows=sample_rows,
            latency_budget_ms=latency_budget_ms,
            resume=resume,
            name=name,
            progress=progress,
        )
        self.class_weight = class_weight

    @property
    def _class_weight(self) -> ClassWeight:
        return self.class_weight

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        X_valid: Any = None,
        y_valid: Any = None,
        X_test: Any = None,
        y_test: Any = None,
    ) -> AutoMLClassifier:
        """Train within the time budget, and explain; see the base class for the parameters."""
        super().fit(
            X, y, sample_weight, groups=groups, X_valid=X_valid, y_valid=y_valid, X_test=X_test,
            y_test=y_test,
        )  # fmt: skip
        classes = self.predictor_.classes
        if classes is None:
            raise TargetError("a classifier needs classes")
        self.classes_ = classes
        return self

    fit.__doc__ = AutoML.fit.__doc__

    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities, (n_rows, n_classes), in the order of ``classes_``.

        Of a Dask DataFrame, lazily, with a column for each class.
        """
        X = self._checked(X)
        if is_dask(X):
            lazy: np.ndarray = predict_frame(self, X, probabilities=True)
            return lazy
        return self.predictor_.predict_proba(X)


class AutoMLRegressor(RegressorMixin, AutoML):
    """Find, within a time budget, the best regressor whose every prediction is explained exactly.

    Parameters and attributes are those of `AutoMLClassifier`; the default metric is
    normalized_root_mean_squared_error.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> reg = AutoMLRegressor(time_budget=None, max_trials=3, store=False).fit(X, y)
    >>> list(reg.explain(X[:5]).feature_importance_dict())[0]
    's5'
    """

    def _read_target(self, y: Any, n_rows: int) -> Target:
        return read_values(y, n_rows=n_rows)

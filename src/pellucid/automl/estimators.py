"""AutoMLClassifier and AutoMLRegressor: scikit-learn estimators around one training."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from pellucid.automl.asides import ClassWeight, read_asides, read_kept_apart
from pellucid.automl.options import Options
from pellucid.automl.target import Target, TargetError, read_classes, read_values
from pellucid.automl.training import train
from pellucid.automl.whole import WholeTable
from pellucid.errors import PellucidError
from pellucid.explain.explanation import Explanation
from pellucid.explain.frames import explain_frame, predict_frame
from pellucid.explain.predictor import Predictor
from pellucid.models.family import family_names
from pellucid.search.metrics import get_metric
from pellucid.search.plan import Plan
from pellucid.search.progress import ProgressCallback
from pellucid.store.leaderboard import leaderboard_frame
from pellucid.tabular.config import FeaturizationConfig
from pellucid.tabular.errors import ReadError
from pellucid.tabular.partitions import is_dask
from pellucid.tabular.read import to_frame

if TYPE_CHECKING:
    from pellucid.store.runs import Run


_WHOLE_SHARE = 0.4  # of the budget, for learning from all rows
_LEAST_BUDGET = 0.25  # of the budget, that is left after drawing a sample however long that took

Featurization = Literal["auto", "off"] | FeaturizationConfig


class ParameterError(PellucidError, ValueError):
    """A parameter of an estimator has a value that cannot work."""


class _AutoML(BaseEstimator):
    """What both estimators share; see `AutoMLClassifier` for the parameters."""

    predictor_: Predictor
    explanation_: Explanation | None
    leaderboard_: pd.DataFrame
    run_: Run | None
    _stratified = False  # whether a sample of rows keeps the shares of targets
    _scaled = False  # whether metrics may be scaled by the series' own changes

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
        resume: str | None = None,
        name: str | None = None,
        progress: ProgressCallback | None = None,
    ) -> None:
        self.primary_metric = primary_metric
        self.time_budget = time_budget
        self.max_trials = max_trials
        self.model_explainability = model_explainability
        self.seed = seed
        self.n_jobs = n_jobs
        self.store = store
        self.featurization = featurization
        self.column_kinds = column_kinds
        self.drop_columns = drop_columns
        self.monotone = monotone
        self.n_cross_validations = n_cross_validations
        self.time_column = time_column
        self.allowed_families = allowed_families
        self.blocked_families = blocked_families
        self.refit = refit
        self.max_members = max_members
        self.sample_rows = sample_rows
        self.latency_budget_ms = latency_budget_ms
        self.resume = resume
        self.name = name
        self.progress = progress

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    def _read_target(self, y: Any, n_rows: int) -> Target:
        raise NotImplementedError

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
    ) -> Any:
        """Train within the time budget, and explain.

        Parameters
        ----------
        X : table, (n_rows, n_columns), or path
            A pandas or polars frame, an Arrow table, or an array. A path to a folder of Parquet
            files, or to a Parquet or CSV file, or a Dask DataFrame, is not read into memory: a
            sample of ``sample_rows`` is searched on, and members learn from all rows where their
            family can; ``y``, ``sample_weight`` and ``groups`` are then names of its columns.
        y : array, (n_rows,)
            The target. Rows where it is missing are left out.
        sample_weight : array, (n_rows,), optional
            How much each row counts, in learning and in scores.
        groups : array, (n_rows,), optional
            Rows of one group stay on one side of every fold.
        X_valid, y_valid : optional
            A validation set to judge trials by, instead of cross-validation; no model learns
            from it.
        X_test, y_test : optional
            Rows kept apart: the model is scored on them and the stored explanation is of them.
            ``X_test`` alone is explained only.

        Returns
        -------
        self

        Raises
        ------
        PellucidError
            For a table, a target or a parameter that cannot work; the message says what to do.
        """
        self._check_parameters()
        started, whole = time.monotonic(), None
        if isinstance(X, str | Path) or is_dask(X):
            if self._class_weight is not None:
                raise ParameterError(
                    "class_weight goes with tables in memory; give a column of weights instead"
                )
            whole = WholeTable.draw(
                X, y, n=self.sample_rows, stratified=self._stratified, weight=sample_weight,
                groups=groups, seed=self.seed,
            )  # fmt: skip
            X, y = whole.X, whole.y
            sample_weight, groups = whole.beside(sample_weight), whole.beside(groups)
        frame = to_frame(X)
        columns = tuple(frame.columns)
        target = self._read_target(y, len(frame))
        test = read_kept_apart(X_test, y_test, target, columns=columns, what="test")
        rows, target, asides = read_asides(
            frame, target, sample_weight=sample_weight, class_weight=self._class_weight,
            groups=groups, X_valid=X_valid, y_valid=y_valid,
        )  # fmt: skip
        if self.time_column is not None and self.time_column not in columns:
            raise ParameterError(
                f"time_column {self.time_column!r} is not among the columns "
                f"{', '.join(columns[:20])}"
            )
        options = self._options(target)
        if whole is not None:
            options = _after_drawing(options, time.monotonic() - started, whole)
        result = train(
            rows, target, options, test=test, asides=asides,
            whole=whole if whole is not None and whole.is_larger else None,
        )  # fmt: skip
        self.predictor_ = result.predictor
        self.explanation_ = result.explanation
        self.training_ = result.facts
        self.leaderboard_ = leaderboard_frame(result.facts)
        self.run_ = result.run
        self.n_features_in_ = frame.shape[1]
        self.feature_names_in_ = np.asarray(frame.columns, dtype=object)
        return self

    @property
    def plan_(self) -> Plan:
        """All that is needed to make the model again, without a clock; see `pellucid.replay`."""
        check_is_fitted(self)
        return Plan.from_dict(self.training_["plan"])

    @property
    def _class_weight(self) -> ClassWeight:
        return None

    def _check_parameters(self) -> None:
        budget = self.time_budget
        if budget is not None and not (isinstance(budget, Real) and 0 < budget < np.inf):
            raise ParameterError(
                f"time_budget must be a number of seconds above 0, or None for no limit, "
                f"not {budget!r}"
            )
        latency = self.latency_budget_ms
        if latency is not None and not (isinstance(latency, Real) and latency > 0):
            raise ParameterError(
                f"latency_budget_ms must be a number above 0, or None, not {latency!r}"
            )
        for name, least in (
            ("max_trials", 1), ("n_cross_validations", 2), ("max_members", 1), ("sample_rows", 2),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is None and name not in ("max_members", "sample_rows"):
                continue
            if not isinstance(value, (int, np.integer)) or value < least:
                raise ParameterError(
                    f"{name} must be a whole number of at least {least}, or None, not {value!r}"
                )
        for name in (*(self.allowed_families or ()), *self.blocked_families):
            if name not in family_names():
                raise ParameterError(
                    f"unknown model family {name!r}; known: {', '.join(family_names())}"
                )

    @property
    def _config(self) -> FeaturizationConfig:
        """The featurization, with the kinds and dropped columns that are given beside it."""
        config = FeaturizationConfig.of(self.featurization)
        return replace(
            config,
            column_kinds={**config.column_kinds, **(self.column_kinds or {})},
            drop_columns=(*config.drop_columns, *self.drop_columns),
        )

    def _options(self, target: Target) -> Options:
        return Options(
            metric=get_metric(self.primary_metric, target.problem, scaled=self._scaled),
            time_budget=self.time_budget,
            max_trials=self.max_trials,
            explain=self.model_explainability,
            seed=self.seed,
            n_jobs=self.n_jobs,
            store=self.store,
            featurization=self._config,
            monotone=dict(self.monotone or {}),
            n_folds=self.n_cross_validations,
            time_column=self.time_column,
            allowed_families=self.allowed_families,
            blocked_families=tuple(self.blocked_families),
            refit=self.refit,
            max_members=self.max_members,
            latency_budget_ms=self.latency_budget_ms,
            resume=self.resume,
            name=self.name,
            progress=self.progress,
        )

    def predict(self, X: Any) -> np.ndarray:
        """Labels, or values for regression, (n_rows,); lazily for a Dask DataFrame."""
        X = self._checked(X)
        if is_dask(X):
            lazy: np.ndarray = predict_frame(self, X)
            return lazy
        return self.predictor_.predict(X)

    def explain(self, X: Any) -> Explanation:
        """Exact Shapley values of each row, over raw features; engineered ones in ``.engineered``.

        Parameters
        ----------
        X : table, (n_rows, n_columns)

        Returns
        -------
        Explanation
            ``values`` is (n_rows, n_features), or (n_rows, n_features, n_classes) for three or
            more classes, in margin space; ``base_values`` plus their sum is the model's margin.
            Of a Dask DataFrame, a lazy one, as `pellucid.explain.frames.explain_frame` gives it.
        """
        X = self._checked(X)
        if is_dask(X):
            lazy: Explanation = explain_frame(self, X)
            return lazy
        return self.predictor_.explain(X)

    def _checked(self, X: Any) -> Any:
        """Rows for the fitted model; an array must be as wide as the training table."""
        check_is_fitted(self)
        if isinstance(X, np.ndarray) and X.dtype.names is None:
            if X.ndim == 1:
                raise ReadError(
                    f"expected a table, got an array of shape {X.shape}. Reshape your data: "
                    f"X.reshape(1, -1) is one row"
                )
            if X.ndim == 2 and X.shape[1] != self.n_features_in_:
                raise ReadError(
                    f"X has {X.shape[1]} features, but {type(self).__name__} is expecting "
                    f"{self.n_features_in_} features as input"
                )
        return X


def _after_drawing(options: Options, seconds: float, whole: WholeTable) -> Options:
    """The options with the seconds taken off that the sample took, and time for all rows."""
    budget = options.time_budget
    left = None if budget is None else max(_LEAST_BUDGET * budget, budget - seconds)
    share = _WHOLE_SHARE if whole.is_larger else 0.0
    return replace(options, time_budget=left, whole_share=share)


class AutoMLClassifier(ClassifierMixin, _AutoML):
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

    fit.__doc__ = _AutoML.fit.__doc__

    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities, (n_rows, n_classes), in the order of ``classes_``.

        Of a Dask DataFrame, lazily, with a column for each class.
        """
        X = self._checked(X)
        if is_dask(X):
            lazy: np.ndarray = predict_frame(self, X, probabilities=True)
            return lazy
        return self.predictor_.predict_proba(X)


class AutoMLRegressor(RegressorMixin, _AutoML):
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

"""What every estimator is: scikit-learn's conventions around one training."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from pellucid.automl.asides import ClassWeight, read_asides, read_kept_apart
from pellucid.automl.options import Options
from pellucid.automl.parameters import ParameterError, check_amount, check_families, check_whole
from pellucid.automl.target import Target
from pellucid.automl.training import Training, train
from pellucid.automl.whole import WholeTable
from pellucid.explain.explanation import Explanation
from pellucid.explain.frames import explain_frame, predict_frame
from pellucid.explain.predictor import Predictor
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


class AutoML(BaseEstimator):
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
        return self._keep(result, frame)

    def _keep(self, result: Training, frame: pd.DataFrame) -> Any:
        """What is fitted, under the names that scikit-learn and its users expect."""
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
        check_amount("time_budget", self.time_budget, unit="seconds")
        check_amount("latency_budget_ms", self.latency_budget_ms, unit="milliseconds")
        check_whole("max_trials", self.max_trials, least=1, optional=True)
        check_whole("n_cross_validations", self.n_cross_validations, least=2, optional=True)
        check_whole("max_members", self.max_members, least=1)
        check_whole("sample_rows", self.sample_rows, least=2)
        check_families(*(self.allowed_families or ()), *self.blocked_families)

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

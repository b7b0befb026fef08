"""AutoMLForecaster: forecasts of many series by one explained model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pandas as pd
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from pellucid.automl.base import AutoML, Featurization
from pellucid.automl.options import Options
from pellucid.automl.parameters import check_whole
from pellucid.automl.series import SeriesRows, values_of
from pellucid.automl.training import train
from pellucid.explain.explanation import Explanation
from pellucid.explain.forecast import ForecastPredictor
from pellucid.search.progress import ProgressCallback
from pellucid.tabular.read import to_frame
from pellucid.tabular.series.history import History
from pellucid.tabular.series.infer import read_history


class AutoMLForecaster(RegressorMixin, AutoML):
    """Find, within a time budget, the best forecaster whose every forecast is explained exactly.

    One model learns from all series. It forecasts each step up to the horizon directly: a row
    speaks of a series, a time and an origin before it, and holds lags, windows and seasons of the
    target up to the origin, parts of the calendar, columns known in advance, and others as they
    were at the origin. What is made of a column belongs to it, so that a forecast is explained by
    the target's past, the time, the series and the columns of the table.

    Parameters
    ----------
    time_column : str
        Column of dates or times.
    series_columns : str or sequence of str
        Columns whose values together name a series; none for a single one.
    horizon : int
        Most steps ahead that are forecast.
    frequency : str, optional
        Pandas alias of a step, such as "h", "D", "W" or "MS"; told from the times by default.
    season : int, optional
        Steps of a season, for the seasonal naive forecast that stands on the leaderboard; by
        default, of the day, week and year, the one that repeats best.
    known_in_advance : sequence of str
        Columns that are known for the times ahead, such as prices or holidays; they must be given
        to forecast. Others are taken from the last row at or before the origin.
    lags : sequence of int, optional
        Steps before the origin at which the target's past is looked up.
    windows : sequence of int, optional
        Steps up to the origin over which it is summed up.
    primary_metric : str, optional
        One of regression, or "mean_absolute_scaled_error"; the default is
        normalized_root_mean_squared_error.
    n_cross_validations : int, optional
        Origins of the rolling-origin validation, five by default; fewer where the history is
        short for the horizon. No fold learns from what was not known at its origin.
    time_budget, max_trials, model_explainability, seed, n_jobs, store
        As for `AutoMLClassifier`, and so are ``featurization``, ``column_kinds``,
        ``drop_columns``, ``monotone``, ``allowed_families``, ``blocked_families``, ``refit``,
        ``max_members``, ``latency_budget_ms``, ``resume``, ``name`` and ``progress``.

    Attributes
    ----------
    leaderboard_, explanation_, run_
        As for `AutoMLClassifier`; the leaderboard has the seasonal naive forecast.
    predictor_ : ForecastPredictor
        The model with the last rows of each series.

    Notes
    -----
    Two rows of a series within one step are refused. Steps that are missing in a series, and
    missing targets, are missing lags. A row to forecast counts its steps from the last known value
    of its series; where that lies more than the horizon back, from the end of the whole history.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=120)
    >>> X = pd.DataFrame({"day": days})
    >>> y = pd.Series(10.0 + np.arange(120) % 7, name="sales")
    >>> model = AutoMLForecaster(
    ...     time_column="day", horizon=3, time_budget=None, max_trials=5, store=False
    ... ).fit(X, y)
    >>> model.forecast().round({"sales": 1})
             day  sales
    0 2024-04-30   11.0
    1 2024-05-01   12.0
    2 2024-05-02   13.0
    >>> model.explain(X=pd.DataFrame({"day": ["2024-05-01"]})).feature_names
    ('day', 'sales')
    """

    predictor_: ForecastPredictor
    _scaled = True

    def __init__(
        self,
        *,
        time_column: str,
        series_columns: str | Sequence[str] = (),
        horizon: int = 1,
        frequency: str | None = None,
        season: int | None = None,
        known_in_advance: str | Sequence[str] = (),
        lags: Sequence[int] | None = None,
        windows: Sequence[int] | None = None,
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
        allowed_families: Sequence[str] | None = None,
        blocked_families: Sequence[str] = (),
        refit: bool | None = None,
        max_members: int = 8,
        latency_budget_ms: float | None = None,
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
            latency_budget_ms=latency_budget_ms,
            resume=resume,
            name=name,
            progress=progress,
        )
        self.series_columns = series_columns
        self.horizon = horizon
        self.frequency = frequency
        self.season = season
        self.known_in_advance = known_in_advance
        self.lags = lags
        self.windows = windows

    def fit(  # type: ignore[override]
        self, X: Any, y: Any, *, X_test: Any = None, y_test: Any = None
    ) -> AutoMLForecaster:
        """Train within the time budget, and explain.

        Parameters
        ----------
        X : table, (n_rows, n_columns)
            The history: times, series, and further columns.
        y : array, (n_rows,)
            The target. Rows where it is missing are no values of their series.
        X_test, y_test : optional
            Later rows: the model is scored on forecasts from every origin at or after the end of
            the history, and the stored explanation is of them.

        Returns
        -------
        self

        Raises
        ------
        PellucidError
            For a table, a target or a parameter that cannot work; the message says what to do.
        """
        self._check_parameters()
        frame = to_frame(X)
        rows = SeriesRows.of(
            self._read(frame, y),
            seed=self.seed,
            n_folds=self.n_cross_validations,
            budget=self.time_budget,
        )
        result = train(
            rows.frame,
            rows.target,
            self._series_options(rows),
            test=rows.test(X_test, y_test, seed=self.seed),
            asides=rows.asides,
            ship=rows.ship,
        )
        return cast(AutoMLForecaster, self._keep(result, frame))

    def predict(self, X: Any, *, history: tuple[Any, Any] | None = None) -> np.ndarray:
        """Forecasts, (n_rows,).

        Parameters
        ----------
        X : table, (n_rows, n_columns)
            Times and series to forecast, with the columns that are known in advance.
        history : (X, y), optional
            Rows that became known after ``fit``; the model takes its origins from them.

        Raises
        ------
        SeriesError
            A series without history, or a time that is not within the horizon.
        """
        return self._with(history).predict(X)

    def explain(self, X: Any, *, history: tuple[Any, Any] | None = None) -> Explanation:
        """Exact Shapley values of each forecast, over raw features; see `AutoMLRegressor`.

        What is made of the target's past belongs to the target, what is made of the calendar and
        the step to the time column; ``.engineered`` tells them apart.
        """
        return self._with(history).explain(X)

    def forecast(self, X: Any = None, *, history: tuple[Any, Any] | None = None) -> pd.DataFrame:
        """Forecasts as a table of series, time and value.

        Parameters
        ----------
        X : table, optional
            Rows to forecast; the next ``horizon`` steps of each series by default, where nothing
            has to be known in advance.
        history : (X, y), optional
            As for `predict`.
        """
        return self._with(history).forecast(X)

    def _with(self, history: tuple[Any, Any] | None) -> ForecastPredictor:
        check_is_fitted(self)
        return self.predictor_ if history is None else self.predictor_.with_history(*history)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_whole("horizon", self.horizon, least=1)
        check_whole("season", self.season, least=1, optional=True)
        for name, least in (("lags", 0), ("windows", 1)):
            for value in getattr(self, name) or ():
                check_whole(f"each of {name}", value, least=least)

    def _read(self, frame: pd.DataFrame, y: Any) -> History:
        """The table as series."""
        values, target = values_of(y, n_rows=len(frame))
        while getattr(y, "name", None) is None and target in frame.columns:
            target += "_"
        return read_history(
            frame,
            values,
            target=target,
            time_column=str(self.time_column),
            series_columns=_names(self.series_columns),
            known=_names(self.known_in_advance),
            horizon=int(self.horizon),
            frequency=self.frequency,
            season=None if self.season is None else int(self.season),
            lags=self.lags,
            windows=self.windows,
        )

    def _series_options(self, rows: SeriesRows) -> Options:
        options, spec = self._options(rows.target), rows.history.spec
        given = options.featurization
        dropped = [*given.drop_columns]
        for name in given.drop_columns:
            dropped += spec.made.get(name, ())
        return replace(
            options,
            series=spec,
            featurization=replace(given, drop_columns=dropped),
            time_column=None,
        )


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)

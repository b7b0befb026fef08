"""Forecasts by the old names: of times ahead, and of known times from rolling origins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pellucid.azureml.engineered import old_names
from pellucid.azureml.fitted import FittedModel, as_rows
from pellucid.errors import PellucidError


class ForecastError(PellucidError):
    """A forecast that cannot be had."""


class FittedForecaster(FittedModel):
    """A fitted model whose rows are times ahead of a history that it keeps."""

    forecast_origin_column_name = "_automl_forecast_origin"
    forecast_column_name = "_automl_forecast_y"
    actual_column_name = "_automl_actual_y"
    target_column_name = "_automl_target_col"

    @property
    def time_column_name(self) -> str:
        """The column of times."""
        return str(self.predictor.spec.time.name)

    @property
    def grain_column_names(self) -> list[str]:
        """The columns that name a series."""
        return list(self.predictor.spec.series_columns)

    time_series_id_column_names = grain_column_names

    @property
    def max_horizon(self) -> int:
        """Most steps ahead that are forecast at once."""
        return int(self.predictor.spec.horizon)

    def forecast(
        self,
        X_pred: Any = None,
        y_pred: Any = None,
        forecast_destination: Any = None,
        ignore_data_errors: bool = False,
        **others: Any,
    ) -> tuple[np.ndarray, pd.DataFrame]:
        """Forecasts, and what the model saw of each row.

        Parameters
        ----------
        X_pred : table, (n_rows, n_columns), optional
            Rows to forecast; by default the steps ahead, up to ``forecast_destination``. Those
            beyond the horizon are forecast from forecasts, as they were.
        y_pred : array, (n_rows,), optional
            NaN where a forecast is wanted; other values are known, and looked back on.

        Returns
        -------
        (n_rows,) values, those that were given among them; a frame by time and series with the
        engineered columns and the values as ``_automl_target_col``.
        """
        rows = self._ahead(forecast_destination) if X_pred is None else as_rows(X_pred)
        values = np.full(len(rows), np.nan)
        if y_pred is not None:
            values = np.array(as_rows(y_pred), dtype=np.float64).ravel()
            if len(values) != len(rows):
                raise ForecastError(f"y_pred has {len(values)} values for {len(rows)} rows")
        seen = self._fill(rows, values)
        place = [self.time_column_name, *self.grain_column_names]
        made = pd.DataFrame(seen, columns=[_beside(each, place) for each in self._names])
        made.index = pd.MultiIndex.from_frame(rows[place])
        return values, made.assign(**{self.target_column_name: values})

    def rolling_forecast(
        self, X_pred: Any, y_pred: Any, step: int = 1, ignore_data_errors: bool = False
    ) -> pd.DataFrame:
        """Forecasts of rows whose values are known, from an origin every ``step`` steps.

        Returns
        -------
        DataFrame
            The rows, as often as they are forecast, with the time of the origin, the forecast and
            the value under the names that this object has for them.
        """
        rows, y = as_rows(X_pred), np.array(as_rows(y_pred), dtype=np.float64).ravel()
        spec, model = self.predictor.spec, self.predictor
        times = pd.to_datetime(rows[self.time_column_name])
        at = spec.frequency.positions(times.to_numpy())
        parts = []
        for origin in range(int(at.min()) - 1, int(at.max()), step):
            past, wanted = at <= origin, (at > origin) & (at <= origin + spec.horizon)
            known = model.with_history(rows[past], y[past]) if past.any() else model
            start = spec.frequency.later(times[wanted].to_numpy(), origin - at[wanted])
            found = {
                self.forecast_origin_column_name: start,
                self.forecast_column_name: known.predict(rows[wanted]),
                self.actual_column_name: y[wanted],
            }
            parts.append(rows[wanted].assign(**found))
        return pd.concat(parts, ignore_index=True)

    def forecast_quantiles(self, *arguments: Any, **others: Any) -> pd.DataFrame:
        """Always an error: there are no quantiles here.

        Raises
        ------
        ForecastError
        """
        raise ForecastError(
            "forecast_quantiles has no counterpart: models here forecast a mean, by forecast(...)"
        )

    @property
    def _names(self) -> list[str]:
        return old_names(self.predictor)

    def _ahead(self, destination: Any) -> pd.DataFrame:
        rows: pd.DataFrame = self.predictor.steps_ahead()
        if destination is None:
            return rows
        kept = pd.to_datetime(rows[self.time_column_name]) <= pd.Timestamp(destination)
        return rows[kept].reset_index(drop=True)

    def _fill(self, rows: pd.DataFrame, values: np.ndarray) -> np.ndarray:
        """Put forecasts where ``values`` are NaN; what was seen, (n_rows, n_engineered)."""
        model, known = self.predictor, ~np.isnan(values)
        seen = np.full((len(rows), len(self._names)), np.nan)
        if known.any():
            model = model.with_history(rows[known], values[known])
        left = np.flatnonzero(~known)
        while len(left):
            near = model.steps(rows.iloc[left]) <= self.max_horizon
            now = left[near] if near.any() else left  # none: the model says which row, and why
            values[now] = model.predict(rows.iloc[now])
            seen[now] = model.featurizer.transform(model.frame(rows.iloc[now]))
            left = left[~near]
            if len(left):
                model = model.with_history(rows.iloc[now], values[now])
        return seen


def _beside(name: str, taken: list[str]) -> str:
    """A name that is not among those of the index."""
    return f"{name}_" if name in taken else name

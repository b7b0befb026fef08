"""The ForecastPredictor: rows ahead in, forecasts and exact explanations out."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.predictor import Predictor
from pellucid.tabular.errors import SeriesError
from pellucid.tabular.read import parquet_frame, to_frame
from pellucid.tabular.reading.labels import read_labels
from pellucid.tabular.schema import Schema, align
from pellucid.tabular.series.history import (
    History,
    check_columns,
    name_series,
    read_keys,
    read_times,
    show_moment,
)
from pellucid.tabular.series.spec import SeriesSpec
from pellucid.tabular.series.table import make_table, supervise

_SPEC, _HISTORY = "series.json", "history.parquet"


@dataclass(frozen=True, eq=False)
class ForecastPredictor(Predictor):
    """A predictor whose rows are times ahead of a history that it keeps.

    history : History
        The last rows of each series, as many as features look back on.

    A row to forecast names a series and a time, and what is known in advance. Its origin is the
    last known value of the series; where that lies more than the horizon before it, the end of the
    whole history.
    """

    history: History

    @property
    def spec(self) -> SeriesSpec:
        """What the columns are, and what is made of them."""
        return self.history.spec

    @classmethod
    def of(cls, predictor: Predictor, history: History) -> ForecastPredictor:
        """Make one of a predictor of the rows that are made of a history."""
        given = {field.name: getattr(predictor, field.name) for field in fields(Predictor)}
        return cls(**given, history=_kept(history, predictor.schema))

    def with_history(self, X: Any, y: Any) -> ForecastPredictor:
        """The same model with later history; where both have a row, the new one counts.

        Parameters
        ----------
        X : table, (n_rows, n_columns)
            With all columns of the training table.
        y : array, (n_rows,); missing where not known.

        Raises
        ------
        SeriesError
            Rows that fit no history, or a ``y`` of another length.
        """
        frame = to_frame(X)
        later = History.read(frame, self._numbers(y, len(frame)), self.spec)
        moved = replace(self, history=_kept(self.history.then(later), self.schema))
        moved.__dict__["_shapley"] = self._shapley  # the model is the same: compiled once for all
        return moved

    def frame(self, X: Any) -> pd.DataFrame:
        """What the model sees of rows to forecast, (n_rows, n_columns of the schema).

        Raises
        ------
        SeriesError
            A column is absent, a series has no history, or a time is not within the horizon.
        """
        return align(self.seen(X), self.schema)

    def seen(self, X: Any) -> pd.DataFrame:
        """What is known of rows to forecast, (n_rows, the spec's table columns); see `frame`."""
        ahead = check_columns(to_frame(X), self.spec.needed)
        return make_table(self.history, ahead, *self._locate(ahead))

    def seen_before(self, X: Any, y: Any, *, seed: int = 0) -> pd.DataFrame:
        """What was known of rows whose values are known, each from an origin before it.

        Parameters
        ----------
        X : table, (n_rows, n_columns)
            A history of its own, with all columns of the training table.
        y : array, (n_rows,); missing where not known.

        Returns
        -------
        DataFrame, (n, the spec's table columns)
            At most a row for each value; values before which nothing is known have none.
        """
        frame = to_frame(X)
        past = History.read(frame, self._numbers(y, len(frame)), self.spec)
        return supervise(past, most_rows=len(frame), seed=seed).frame

    @property
    def of_seen(self) -> Predictor:
        """The same model for rows that `seen` and `seen_before` give."""
        return Predictor(**{field.name: getattr(self, field.name) for field in fields(Predictor)})

    def steps(self, X: Any) -> np.ndarray:
        """Steps from its origin to each row, int64 (n_rows,); beyond the horizon too."""
        _, origin, target = self._placed(check_columns(to_frame(X), self.spec.needed))
        return target - origin

    def forecast(self, X: Any = None) -> pd.DataFrame:
        """Forecasts with the series and times that they are of.

        Parameters
        ----------
        X : table, (n_rows, n_columns), optional
            Rows to forecast. The next ``horizon`` steps of each series by default, which needs no
            column that is known in advance.

        Returns
        -------
        DataFrame
            The series columns, the time column, and the forecast under the name of the target.
        """
        ahead = self.steps_ahead() if X is None else to_frame(X)
        values = self.predict(ahead)
        names = [*self.spec.series_columns, self.spec.time.name]
        return ahead[names].assign(**{self.spec.target: values})

    def steps_ahead(self) -> pd.DataFrame:
        """The next ``horizon`` steps of each series, from its last known value.

        Raises
        ------
        SeriesError
            If the model needs columns that are known in advance.
        """
        spec, history = self.spec, self.history
        if spec.known:
            raise SeriesError(
                f"the forecast needs {', '.join(map(repr, spec.known))} of the times ahead; give "
                f"rows with {', '.join(map(repr, spec.needed))}"
            )
        known = np.flatnonzero(~np.isnan(history.y))
        last = known[np.flatnonzero(np.diff(history.code[known], append=-1))]
        rows = np.repeat(last, spec.horizon)
        steps = np.tile(np.arange(1, spec.horizon + 1), len(last))
        ahead = history.rows[list(spec.series_columns)].iloc[rows].reset_index(drop=True)
        return ahead.assign(**{spec.time.name: spec.frequency.later(history.moments[rows], steps)})

    @staticmethod
    def _numbers(y: Any, n_rows: int) -> np.ndarray:
        """The values of a history, float64 (n_rows,)."""
        try:
            values = pd.to_numeric(pd.Series(np.asarray(y).ravel()))
        except (TypeError, ValueError) as error:
            raise SeriesError(f"the history's y must be numbers: {error}") from error
        if len(values) != n_rows:
            raise SeriesError(
                f"the history's X has {n_rows} rows but its y has {len(values)}; they must be "
                f"the same"
            )
        return values.to_numpy(np.float64, na_value=np.nan)

    def _placed(self, ahead: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Series, origin and target time of each row, int64 (n_rows,) each."""
        history, spec = self.history, self.spec
        moments = read_times(ahead, spec)
        target = spec.frequency.positions(moments)
        keys, own = read_keys(ahead, spec.series_columns)
        place = {key: i for i, key in enumerate(history.keys)}
        for key in keys if len(ahead) else ():
            code = place.get(key)
            if code is None or history.end[code] < history.first[code]:
                raise SeriesError(
                    f"{name_series(spec.series_columns, key)} has no known value in the history; "
                    f"give some with history=(X, y)"
                )
        code = np.array([place.get(key, 0) for key in keys], dtype=np.int64)[own]
        last, end = history.end[code], int(history.end.max())
        return code, np.where(target - last > spec.horizon, np.maximum(last, end), last), target

    def _locate(self, ahead: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same of rows within the horizon; an error names one that is not."""
        history, spec = self.history, self.spec
        code, origin, target = self._placed(ahead)
        step = target - origin
        wrong = (step < 1) | (step > spec.horizon)
        if wrong.any():
            row = int(wrong.argmax())
            series = name_series(spec.series_columns, history.keys[code[row]])
            moment = show_moment(read_times(ahead, spec)[row])
            raise SeriesError(
                f"{spec.time.name} {moment} lies {step[row]} steps of one "
                f"{spec.frequency.name} after the history of {series}, expected 1 to "
                f"{spec.horizon}: {_advice(int(step[row]))}"
            )
        return code, origin, target

    # -- on disk ------------------------------------------------------------------------------
    def to_files(self) -> dict[str, bytes]:
        """The predictor as named files that hold no code."""
        history = io.BytesIO()
        kept = self.history.rows.assign(**{self.spec.target: self.history.y})
        kept.to_parquet(history, index=False)
        return {
            **super().to_files(),
            _SPEC: json.dumps(self.spec.to_dict(), indent=1).encode(),
            _HISTORY: history.getvalue(),
        }

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> ForecastPredictor:
        """Rebuild a predictor from what `to_files` gave, bit for bit."""
        spec = SeriesSpec.from_dict(json.loads(files[_SPEC]))
        kept = parquet_frame(io.BytesIO(files[_HISTORY]))
        y = kept[spec.target].to_numpy(np.float64)
        return cls.of(Predictor.from_files(files), History.read(kept, y, spec))


def read_predictor(files: Mapping[str, bytes]) -> Predictor:
    """Rebuild a predictor of either kind from its files."""
    return (ForecastPredictor if _SPEC in files else Predictor).from_files(files)


def _kept(history: History, schema: Schema) -> History:
    """The tail of a history, with every column in a type that a file can keep."""
    tail = history.tail()
    spec = tail.spec
    own = Schema(tuple(schema[name] for name in spec.columns))
    rows = align(tail.rows, own).assign(**{spec.time.name: tail.moments})
    for column in own.columns:
        values = tail.rows[column.name]
        if column.name in spec.series_columns:  # as they were given: forecasts are told by them
            is_plain = values.dtype != object
            labels = values if is_plain else read_labels(values, name=column.name).texts()
            rows[column.name] = labels
        elif not column.used and values.dtype == object:
            rows[column.name] = None
    return replace(tail, rows=rows)


def _advice(step: int) -> str:
    if step < 1:
        return "what the history holds is not forecast; leave those rows out"
    return "give later history with history=(X, y), or fit with a longer horizon"

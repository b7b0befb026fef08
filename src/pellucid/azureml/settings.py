"""Settings of a training by the old names: columns, and what is known of series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pellucid.azureml.notes import note_once
from pellucid.errors import PellucidError
from pellucid.tabular import config as ours


class ConfigError(PellucidError):
    """A setting that cannot work."""


class ForecastingParameters:
    """What is known of the series, by the old names.

    As it was, columns are known for the times ahead unless ``features_unknown_at_forecast_time``
    names them.

    Examples
    --------
    >>> ForecastingParameters("week", 4, "store").options(["week", "store", "price"])["horizon"]
    4
    """

    _OLDER = {
        "max_horizon": "forecast_horizon",
        "grain_column_names": "time_series_id_column_names",
    }
    _TAKEN = (
        "time_column_name", "forecast_horizon", "time_series_id_column_names", "freq",
        "features_unknown_at_forecast_time",
    )  # fmt: skip
    _IDLE = (
        "group_column_names", "target_lags", "feature_lags", "target_rolling_window_size",
        "use_stl", "seasonality", "country_or_region_for_holidays", "country_or_region",
        "holiday_country", "short_series_handling_configuration", "short_series_handling",
        "target_aggregation_function", "cv_step_size", "validate_parameters",
    )  # fmt: skip

    def __init__(
        self,
        time_column_name: str | None = None,
        forecast_horizon: int | str = 1,
        time_series_id_column_names: str | Sequence[str] | None = None,
        **others: Any,
    ) -> None:
        self.time_column_name = time_column_name
        self.forecast_horizon = forecast_horizon
        self.time_series_id_column_names = time_series_id_column_names
        self.freq = others.pop("freq", None)
        self.features_unknown_at_forecast_time = others.pop(
            "features_unknown_at_forecast_time", None
        )
        self.others = others
        for name, value in others.items():
            if name not in self._IDLE:
                raise ConfigError(f"ForecastingParameters has no parameter {name!r}")
            if value is not None:
                note_once(f"ForecastingParameters({name}=...) changes nothing here")

    @classmethod
    def taken_from(cls, settings: dict[str, Any]) -> ForecastingParameters:
        """Those among the settings of a training, which loses them; older names too."""
        found = {
            cls._OLDER.get(name, name): settings.pop(name)
            for name in (*cls._OLDER, *cls._TAKEN, *cls._IDLE)
            if name in settings
        }
        return cls(**found)

    def options(self, columns: Sequence[str]) -> dict[str, Any]:
        """The same, as Pellucid's forecaster takes it, for a table with these columns.

        Raises
        ------
        ConfigError
            Without a column of times, or a horizon that is no number.
        """
        if self.time_column_name is None:
            raise ConfigError("forecasting needs time_column_name, the column of times")
        horizon = self.forecast_horizon
        if not isinstance(horizon, int):
            raise ConfigError(f"forecast_horizon is {horizon!r}; say how many steps, such as 4")
        ids = _listed(self.time_series_id_column_names)
        unknown = _listed(self.features_unknown_at_forecast_time)
        apart = {self.time_column_name, *ids, *unknown}
        return {
            "time_column": self.time_column_name, "horizon": horizon, "series_columns": ids,
            "frequency": self.freq,
            "known_in_advance": tuple(name for name in columns if name not in apart),
        }  # fmt: skip


def _listed(names: str | Sequence[str] | None) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names or ())


class FeaturizationConfig:
    """What a user decides about columns, by the old names.

    Examples
    --------
    >>> config = FeaturizationConfig()
    >>> config.add_column_purpose("zip", "Categorical")
    >>> config.add_transformer_params("Imputer", ["age"], {"strategy": "median"})
    >>> config.ours().column_kinds["zip"], config.ours().imputers["age"]
    ('categorical', 'median')
    """

    _KINDS = {
        "Numeric": "numeric", "Categorical": "categorical", "CategoricalHash": "categorical",
        "DateTime": "datetime", "Text": "text", "Hashes": "identifier", "Ignore": "constant",
    }  # fmt: skip
    _BLOCKS = {
        "OneHotEncoder": "onehot", "HashOneHotEncoder": "onehot", "CountVectorizer": "onehot",
        "LabelEncoder": "code", "TfIdf": "text", "DateTimeTransformer": "datetime",
    }  # fmt: skip
    _FILLS = {"mean": "mean", "median": "median", "most_frequent": "mode"}

    def __init__(
        self,
        blocked_transformers: Sequence[str] | None = None,
        column_purposes: Mapping[str, str] | None = None,
        transformer_params: Mapping[str, Any] | None = None,
        drop_columns: Sequence[str] | None = None,
        **others: Any,
    ) -> None:
        self.blocked_transformers = list(blocked_transformers or ())
        self.column_purposes = dict(column_purposes or {})
        self.transformer_params = {k: list(v) for k, v in (transformer_params or {}).items()}
        self.drop_columns = list(drop_columns or ())

    def add_column_purpose(self, column_name: str, feature_type: str) -> None:
        """What a column holds."""
        if feature_type not in self._KINDS:
            raise ConfigError(
                f"unknown purpose {feature_type!r} of column {column_name!r}; "
                f"expected one of {', '.join(self._KINDS)}"
            )
        self.column_purposes[column_name] = feature_type

    def remove_column_purpose(self, column_name: str) -> None:
        """Leave a column to be inferred."""
        self.column_purposes.pop(column_name, None)

    def add_blocked_transformers(self, transformers: str | Sequence[str]) -> None:
        """What is not made."""
        self.blocked_transformers += (
            [transformers] if isinstance(transformers, str) else list(transformers)
        )

    def add_drop_columns(self, drop_columns: str | Sequence[str]) -> None:
        """Columns that the model must not see."""
        self.drop_columns += [drop_columns] if isinstance(drop_columns, str) else list(drop_columns)

    def add_transformer_params(
        self, transformer: str, cols: Sequence[str], params: Mapping[str, Any]
    ) -> None:
        """Settings of a transformer for some columns."""
        self.transformer_params.setdefault(transformer, []).append((list(cols), dict(params)))

    def get_transformer_params(self, transformer: str, cols: Sequence[str]) -> dict[str, Any]:
        """What `add_transformer_params` was told."""
        for columns, params in self.transformer_params.get(transformer, []):
            if columns == list(cols):
                return dict(params)
        return {}

    def ours(self) -> ours.FeaturizationConfig:
        """The same, as Pellucid takes it."""
        imputers: dict[str, Any] = {}
        for columns, params in self.transformer_params.get("Imputer", []):
            strategy = params.get("strategy", "mean")
            fill = params.get("fill_value", 0) if strategy == "constant" else self._FILLS[strategy]
            imputers.update(dict.fromkeys(columns, fill))
        for name in set(self.transformer_params) - {"Imputer"}:
            note_once(f"the settings of transformer {name} are not used here")
        known = [self._BLOCKS[name] for name in self.blocked_transformers if name in self._BLOCKS]
        return ours.FeaturizationConfig(
            column_kinds={name: self._KINDS[kind] for name, kind in self.column_purposes.items()},
            drop_columns=tuple(self.drop_columns),
            imputers=imputers,
            blocked=tuple(dict.fromkeys(known)),
        )

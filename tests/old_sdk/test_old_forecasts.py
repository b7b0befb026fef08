"""Forecasts by the old names: ahead, beyond the horizon, from origins, and taken apart."""

import pickle

import numpy as np
import pandas as pd
import pytest

from pellucid import AutoMLForecaster
from pellucid.azureml.fitted import dressed
from pellucid.azureml.forecasting import ForecastError
from pellucid.azureml.settings import ConfigError, ForecastingParameters
from pellucid.azureml.setup import automl_setup_model_explanations

WEEKS = pd.date_range("2024-01-01", periods=50, freq="W-MON")
ROWS = pd.MultiIndex.from_product([["n", "s"], WEEKS], names=["store", "week"])
ROWS = ROWS.to_frame(index=False).assign(price=np.tile([1.0, 2.0, 1.5], 34)[:100])
SOLD = 50 - 10 * ROWS["price"] + np.random.default_rng(0).normal(0, 1, 100)
KNOWN = ROWS["week"] < WEEKS[-6]
AHEAD, TRUTH = ROWS[~KNOWN], SOLD[~KNOWN].to_numpy()


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    series = ForecastingParameters("week", 3, "store", freq="W-MON")
    model = AutoMLForecaster(
        **series.options(list(ROWS)), time_budget=None, max_trials=1,
        allowed_families=["linear"], store=str(tmp_path_factory.mktemp("store")),
    )  # fmt: skip
    return dressed(model.fit(ROWS[KNOWN], SOLD[KNOWN].rename("sold")).predictor_)


def test_what_is_beyond_the_horizon_is_forecast_from_forecasts(fitted):
    near = (AHEAD["week"] <= WEEKS[-4]).to_numpy()
    values, seen = fitted.forecast(AHEAD, np.full(12, np.nan))
    predictor = fitted.predictor
    np.testing.assert_array_equal(values[near], predictor.predict(AHEAD[near]))
    later = predictor.with_history(AHEAD[near], values[near])
    np.testing.assert_array_equal(values[~near], later.predict(AHEAD[~near]))
    again = AHEAD.merge(seen.reset_index()[["week", "store", "_automl_target_col"]])
    np.testing.assert_array_equal(again["_automl_target_col"], values)
    given = np.where(near, TRUTH, np.nan)
    same = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    known, _ = same.forecast(AHEAD, given)
    expected = predictor.with_history(AHEAD[near], TRUTH[near]).predict(AHEAD[~near])
    np.testing.assert_array_equal(known[near], TRUTH[near])
    np.testing.assert_array_equal(known[~near], expected)


def test_forecasts_from_rolling_origins(fitted):
    found = fitted.rolling_forecast(AHEAD, TRUTH, step=3)
    assert len(found) == 12
    origins = found[fitted.forecast_origin_column_name]
    assert sorted(origins.unique()) == [WEEKS[-7], WEEKS[-4]]
    together = found.merge(AHEAD.assign(sold=TRUTH))
    assert (together["sold"] == together[fitted.actual_column_name]).all()
    with pytest.raises(ForecastError, match="no counterpart"):
        fitted.forecast_quantiles(AHEAD)


def test_a_forecaster_is_taken_apart(fitted):
    near = AHEAD[AHEAD["week"] <= WEEKS[-4]]
    setup = automl_setup_model_explanations(
        fitted, X=ROWS[KNOWN], y=SOLD[KNOWN], X_test=near, task="forecasting"
    )
    np.testing.assert_allclose(
        setup.automl_estimator.predict(setup.X_test_transform), fitted.predict(near)
    )
    assert setup.X_transform.shape[1] == len(setup.engineered_feature_names)
    assert 0 < len(setup.X_transform) <= KNOWN.sum()
    assert setup.feature_map.shape == (4, len(setup.engineered_feature_names))
    assert (setup.feature_map.sum(axis=0) == 1).all()
    assert set(setup.raw_feature_names) == {"week", "store", "price", "sold"}
    names = fitted.named_steps["timeseriestransformer"].get_engineered_feature_names()
    assert names == setup.engineered_feature_names


def test_settings_of_series():
    left = {"time_column_name": "t", "max_horizon": 2, "grain_column_names": ["g"], "task": 1}
    options = ForecastingParameters.taken_from(left).options(["t", "g", "a"])
    assert (options["horizon"], options["series_columns"]) == (2, ("g",))
    assert (options["known_in_advance"], left) == (("a",), {"task": 1})
    with pytest.raises(ConfigError, match="no parameter 'horizont'"):
        ForecastingParameters("t", horizont=3)
    with pytest.raises(ConfigError, match="time_column_name"):
        ForecastingParameters().options(["t"])

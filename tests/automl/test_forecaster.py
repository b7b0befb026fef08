"""The forecaster, from a table of series to forecasts explained by its columns."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import pellucid
from pellucid import AutoMLForecaster, PellucidError
from pellucid.search.plan import PlanError
from pellucid.store.artifacts import load_predictor, save_predictor
from pellucid.tabular.errors import SeriesError

HORIZON = 5


def sales(seed=0, *, n_days=150, shops=("north", "south", "east")):
    """Daily sales by weekday and price; a price that is known ahead, a staff that is not."""
    rng = np.random.default_rng(seed)
    parts = []
    for i, shop in enumerate(shops):
        days = pd.date_range("2024-01-01", periods=n_days)
        price = rng.choice([1.0, 2.0, 4.0], n_days)
        level = 40.0 * (i + 1) + np.cumsum(rng.normal(size=n_days))
        y = level + 12.0 * (days.day_of_week == 5) - 5.0 * price + rng.normal(size=n_days)
        parts.append(
            pd.DataFrame(
                {"shop": shop, "day": days, "price": price, "staff": rng.integers(1, 9, n_days)}
            ).assign(sales=y)
        )
    table = pd.concat(parts, ignore_index=True)
    return table[rng.random(len(table)) > 0.03].reset_index(drop=True)


def forecaster(**options):
    given = {
        "time_column": "day",
        "series_columns": "shop",
        "horizon": HORIZON,
        "known_in_advance": ["price"],
        "time_budget": None,
        "max_trials": 7,
        "store": False,
    }
    return AutoMLForecaster(**{**given, **options})


def split(table):
    late = table["day"] > "2024-05-15"
    return table[~late], table[late]


@pytest.fixture(scope="module")
def fitted():
    before, after = split(sales())
    model = forecaster().fit(
        before.drop(columns="sales"), before["sales"],
        X_test=after.drop(columns="sales"), y_test=after["sales"],
    )  # fmt: skip
    return model, before, after


def ahead_of(after, n_days=HORIZON):
    return after[after["day"] <= pd.Timestamp("2024-05-15") + pd.Timedelta(days=n_days)]


def test_baselines_stand_on_the_leaderboard_and_are_beaten(fitted):
    model, _, _ = fitted
    board = model.leaderboard_.set_index("name")
    assert {"Seasonal naive", "Last value", "Prior", "Ensemble"} <= set(board.index)
    assert board["mean_absolute_scaled_error"].notna().all()
    error = board["root_mean_squared_error"]
    assert error["Ensemble"] < 0.8 * error[["Seasonal naive", "Last value"]].min()
    assert model.training_["folds"] == {"kind": "time", "n": 5}
    assert model.training_["metrics"]["test"]["mean_absolute_scaled_error"] < 0.8


def test_forecasts_are_explained_by_the_columns_of_the_table(fitted):
    model, _, after = fitted
    ahead = ahead_of(after)
    explanation = model.explain(ahead)
    margins = model.predictor_.margins(ahead)
    assert explanation.feature_names == ("shop", "day", "price", "staff", "sales")
    engineered = explanation.engineered
    assert {"sales.lag_1", "sales.mean_7", "day.step", "price.before"} <= set(
        engineered.feature_names
    )
    for level in (explanation, engineered):
        np.testing.assert_allclose(level.margins, margins, atol=1e-9)
    assert explanation.data["price"].tolist() == ahead["price"].tolist()
    importance = explanation.global_importance()
    assert importance[["sales", "price", "day"]].min() > 5 * importance["staff"]
    assert model.explanation_.rows_from == "test"
    raw_of = model.predictor_.feature_map
    assert {"sales", "sales.last"} <= set(raw_of.engineered_of("sales"))
    assert "day.week_sin1" in raw_of.engineered_of("day")


def test_the_naive_baseline_is_explained_by_the_past_alone(tmp_path):
    before, after = split(sales())
    store = str(tmp_path / "runs")
    forecaster(store=store, max_trials=3).fit(before.drop(columns="sales"), before["sales"])
    run = pellucid.load_run("latest", store=store)
    board = run.leaderboard.set_index("name")
    naive = run.model(iteration=int(board.loc["Seasonal naive", "iteration"]))
    ahead = ahead_of(after)
    explanation = naive.explain(ahead)
    assert set(np.flatnonzero(np.abs(explanation.values).sum(axis=0))) == {4}
    week_ago = before.set_index(["shop", "day"])["sales"]
    for (_, row), said in zip(ahead.iterrows(), naive.predict(ahead)):
        expected = week_ago.get((row["shop"], row["day"] - pd.Timedelta(days=7)))
        if expected is not None:
            assert said == pytest.approx(expected, rel=1e-6)


def test_rows_of_any_order_and_number_have_the_same_bits(fitted):
    model, _, after = fitted
    ahead = ahead_of(after)
    whole = model.predict(ahead)
    backwards = ahead[::-1]
    assert np.array_equal(model.predict(backwards), whole[::-1])
    explanation = model.explain(ahead)
    for i in (0, 7):
        assert np.array_equal(model.predict(ahead.iloc[[i]]), whole[[i]])
        assert np.array_equal(model.explain(ahead.iloc[[i]]).values[0], explanation.values[i])
    assert model.predict(ahead[:0]).shape == (0,)


def test_later_history_moves_the_origins_without_learning_anew(fitted):
    model, before, after = fitted
    seen = ahead_of(after, 10)
    history = (seen.drop(columns="sales"), seen["sales"])
    later = after[(after["day"] > seen["day"].max())]
    ahead = later[later["day"] <= seen["day"].max() + pd.Timedelta(days=HORIZON)]
    moved = model.predict(ahead, history=history)
    whole = pd.concat([before, seen])
    from_all = model.predictor_.with_history(whole.drop(columns="sales"), whole["sales"])
    assert np.array_equal(moved, from_all.predict(ahead))
    explanation = model.explain(ahead, history=history)
    np.testing.assert_allclose(explanation.margins[:, 0], moved, atol=1e-9)
    with pytest.raises(SeriesError, match=r"lies \d+ steps of one day after the history"):
        model.predict(ahead)


def test_a_forecaster_comes_back_from_its_files(fitted, tmp_path):
    model, _, after = fitted
    save_predictor(model.predictor_, tmp_path / "model")
    again = load_predictor(tmp_path / "model")
    ahead = ahead_of(after)
    assert np.array_equal(again.margins(ahead), model.predictor_.margins(ahead))
    ours, theirs = again.explain(ahead), model.explain(ahead)
    assert np.array_equal(ours.values, theirs.values)
    assert np.array_equal(ours.engineered.values, theirs.engineered.values)
    assert again.history.spec == model.predictor_.history.spec
    assert len(again.history.rows) < 0.8 * len(sales())


def test_a_stored_run_forecasts_and_replays(tmp_path):
    table = sales()
    X, y = table.drop(columns=["sales", "price"]), table["sales"]
    store = str(tmp_path / "runs")
    model = forecaster(known_in_advance=(), store=store, max_trials=5).fit(X, y)
    run = pellucid.load_run("latest", store=store)
    assert run.params["horizon"] == "5"
    assert run.model().forecast().equals(model.forecast())
    assert run.explanation().feature_names == ("shop", "day", "staff", "sales")
    again = pellucid.replay(run.plan, X, y)
    assert again.forecast().equals(model.forecast())
    with pytest.raises(PlanError, match="not the one of the plan"):
        pellucid.replay(run.plan, X[:-1], y[:-1])
    for entry in run.training["leaderboard"]:
        trial = run.model(iteration=entry["iteration"])
        explanation = trial.explain(trial.steps_ahead())
        np.testing.assert_allclose(
            explanation.margins, trial.margins(trial.steps_ahead()), atol=1e-9
        )


def test_the_next_steps_of_each_series_are_forecast():
    table = sales()
    cut = (table["shop"] == "south") & (table["day"] > "2024-05-20")
    model = forecaster(known_in_advance=(), max_trials=4).fit(
        table[~cut].drop(columns="sales"), table["sales"][~cut]
    )
    found = model.forecast()
    assert found.columns.tolist() == ["shop", "day", "sales"]
    first = found.groupby("shop")["day"].min()
    assert first["south"] == pd.Timestamp("2024-05-21")
    assert first["north"] == table["day"].max() + pd.Timedelta(days=1)
    assert (found.groupby("shop").size() == HORIZON).all()
    with_price = forecaster(max_trials=1).fit(table.drop(columns="sales"), table["sales"])
    with pytest.raises(SeriesError, match="needs 'price' of the times ahead"):
        with_price.forecast()
    # beyond its own horizon a series is forecast from the end of the others
    late = pd.DataFrame({"shop": ["south"], "day": [table["day"].max() + pd.Timedelta(days=2)]})
    assert np.isfinite(model.predict(late)).all()


def test_rows_that_cannot_be_forecast_are_refused_by_name(fitted):
    model, before, after = fitted
    ahead = ahead_of(after)
    with pytest.raises(SeriesError, match="series shop=west has no known value in the history"):
        model.predict(ahead.assign(shop="west"))
    with pytest.raises(SeriesError, match=r"day 2024-05-\d\d lies .* after the history of series"):
        model.predict(after)
    with pytest.raises(SeriesError, match="what the history holds is not forecast"):
        model.predict(before)
    with pytest.raises(SeriesError, match="lacks column 'price'"):
        model.predict(ahead.drop(columns="price"))
    with pytest.raises(SeriesError, match="X has 2 rows but its y has 1"):
        model.predict(ahead, history=(after[:2].drop(columns="sales"), [1.0]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": 0}, "horizon must be a whole number of at least 1"),
        ({"season": 0}, "season must be"),
        ({"windows": [0]}, "each of windows must be a whole number of at least 1"),
        ({"horizon": 140}, "too few to judge forecasts of 140"),
        ({"frequency": "moon"}, "frequency 'moon' is not known"),
        ({"time_column": "date"}, "lacks column 'date'"),
        ({"primary_metric": "accuracy"}, "'accuracy' is not a metric for regression"),
    ],
)
def test_parameters_that_cannot_work_are_refused_at_fit(options, message):
    table = sales()
    with pytest.raises(PellucidError, match=message):
        forecaster(**options).fit(table.drop(columns="sales"), table["sales"])


def test_the_same_seed_gives_the_same_forecaster(fitted):
    model, before, after = fitted
    again = clone(model).fit(before.drop(columns="sales"), before["sales"])
    ahead = ahead_of(after)
    assert np.array_equal(again.predict(ahead), model.predict(ahead))


def test_text_dates_whole_number_names_and_a_scaled_metric():
    table = sales()
    X = table.assign(
        day=table["day"].dt.strftime("%d/%m/%Y"), shop=table["shop"].map({"north": 1, "south": 2})
    )
    X["shop"] = X["shop"].fillna(3).astype(int)
    model = forecaster(primary_metric="mean_absolute_scaled_error", max_trials=3).fit(
        X.drop(columns="sales"), table["sales"]
    )
    ahead = pd.DataFrame({"day": ["30/05/2024"], "shop": ["2"], "price": [2.0]})
    assert model.forecast(ahead)["sales"].between(40, 140).all()
    assert model.leaderboard_.columns[3] == "mean_absolute_scaled_error"


def test_a_column_that_is_dropped_takes_what_is_made_of_it_along():
    table = sales()
    model = forecaster(drop_columns=["day", "staff"], max_trials=4).fit(
        table.drop(columns="sales"), table["sales"]
    )
    owned = model.predictor_.feature_map
    assert owned.engineered_of("day") == ()
    assert owned.engineered_of("staff") == ()
    assert model.explanation_.global_importance()["day"] == 0


def test_growing_series_are_forecast_beyond_their_highest_value():
    months = pd.date_range("2010-01-01", periods=120, freq="MS")
    y = np.exp(4 + 0.012 * np.arange(120) + 0.3 * np.sin(np.arange(120) * np.pi / 6))
    y = pd.Series(y * (1 + 0.01 * np.random.default_rng(0).normal(size=120)), name="sold")
    model = AutoMLForecaster(
        time_column="month", horizon=6, time_budget=None, max_trials=8, store=False
    ).fit(pd.DataFrame({"month": months[:108]}), y[:108])
    expected = y[108:114].to_numpy()
    found = model.forecast()["sold"].to_numpy()
    assert model.predictor_.spec.season == 12
    assert found.max() > y[:108].max()
    assert np.abs(found / expected - 1).max() < 0.1


def orange_juice(frame, card):
    cut = frame[card["time_col"]].max() - pd.Timedelta(weeks=12)
    return (
        frame,
        cut,
        {
            "time_column": card["time_col"],
            "series_columns": card["series"],
            "horizon": 4,
            "known_in_advance": ["Price", "Advert"],
        },
    )


def bikes(frame, card):
    at = frame["dteday"] + pd.to_timedelta(frame["hr"], "h")
    frame = frame.drop(columns=["dteday", "hr", "instant"]).assign(at=at)
    known = ["holiday", "workingday", "season", "weekday", "mnth", "yr"]
    return (
        frame,
        at.max() - pd.Timedelta(days=28),
        {
            "time_column": "at",
            "horizon": 24,
            "known_in_advance": known,
        },
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "read", "drivers"),
    [("orange_juice_azure", orange_juice, {"Price", "Advert"}), ("bike_hourly", bikes, {"cnt"})],
)
def test_real_series_are_forecast_better_than_by_the_season(shared_data, name, read, drivers):
    frame, card = shared_data(name)
    frame, cut, options = read(frame, card)
    target, time = card["target"], options["time_column"]
    before, after = frame[frame[time] <= cut], frame[frame[time] > cut]
    model = AutoMLForecaster(**options, time_budget=None, max_trials=5, store=False).fit(
        before.drop(columns=target), before[target],
        X_test=after.drop(columns=target), y_test=after[target],
    )  # fmt: skip
    board = model.leaderboard_.set_index("name")
    test = model.training_["metrics"]["test"]
    naive = seasonal_naive(model, before, after, target, options)
    for metric in ("root_mean_squared_error", "mean_absolute_error"):
        assert board.loc["Ensemble", metric] < 0.8 * board.loc["Seasonal naive", metric]
        assert test[metric] < 0.8 * naive[metric]
    explanation = model.explanation_
    assert set(explanation.feature_names) == set(frame.columns)
    assert set(explanation.feature_importance_dict(top_k=len(drivers))) == drivers
    assert explanation.details["additivity_error"] <= 1e-9 * max(
        1.0, np.abs(explanation.margins).max()
    )


def seasonal_naive(model, before, after, target, options):
    """Its errors on the test rows, found without the library: each row's value a season ago."""
    spec = model.predictor_.spec
    keys = [*options.get("series_columns", []), options["time_column"]]
    values = pd.concat([before, after]).set_index(keys)[target]
    step = pd.Timedelta(microseconds=spec.frequency.count)
    errors = []
    for _, row in after.iterrows():
        key = [row[name] for name in keys]
        ago = (*key[:-1], key[-1] - spec.season * step)
        found = values.get(ago if len(keys) > 1 else ago[0])
        if found is not None:
            errors.append(row[target] - found)
    return {
        "root_mean_squared_error": float(np.sqrt(np.mean(np.square(errors)))),
        "mean_absolute_error": float(np.mean(np.abs(errors))),
    }

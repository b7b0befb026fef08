"""The command line for series: from a table to forecasts, explained by its columns."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pellucid.cli import app
from pellucid.store.runs import load_run

CUT = pd.Timestamp("2024-05-15")


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def sales() -> pd.DataFrame:
    """Daily sales of two shops by weekday and price."""
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", "2024-05-29")
    parts = []
    for level, shop in ((40.0, "north"), (90.0, "south")):
        price = rng.choice([1.0, 2.0, 4.0], len(days))
        y = level + 12.0 * (days.day_of_week == 5) - 5.0 * price + rng.normal(size=len(days))
        parts.append(pd.DataFrame({"shop": shop, "day": days, "price": price, "sold": y.round(2)}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the past, the days ahead, and a store that holds one run."""
    folder = tmp_path_factory.mktemp("cli")
    table = sales()
    table[table["day"] <= CUT].to_csv(folder / "past.csv", index=False)
    later = table[table["day"] > CUT]
    later.to_csv(folder / "later.csv", index=False)
    ahead = later[later["day"] <= CUT + pd.Timedelta(days=4)]
    ahead.drop(columns="sold").to_csv(folder / "ahead.csv", index=False)
    done = invoke(
        *("train", folder / "past.csv", "--target", "sold", "--time-column", "day"),
        *("--series", "shop", "--known", "price", "--horizon", 4, "--trials", 5),
        *("--test", folder / "later.csv", "--store", folder / "store"),
    )
    assert done.exit_code == 0, done.output
    (folder / "output.txt").write_text(done.stdout)
    return folder


def test_train_says_what_drives_forecasts_and_what_they_beat(home: Path) -> None:
    said = (home / "output.txt").read_text()
    assert "sold: forecasts, up to 4 steps of one day ahead, 2 series, 270 values" in said
    (baseline,) = re.findall(r"_error of: seasonal naive +([\d.]+) +([\d.]+)", said)
    (ours,) = re.findall(r"normalized_root_mean_squared_error +([\d.]+) +([\d.]+)\n", said)[:1]
    assert all(float(one) < 0.8 * float(other) for one, other in zip(ours, baseline, strict=True))
    assert "DATA.csv" in said  # what it learned from is not forecast
    drivers = said[said.index("What drives it") :].splitlines()[1:5]
    assert {line.split()[0] for line in drivers} == {"sold", "price", "day", "shop"}
    shown = invoke("show", "--store", home / "store")
    assert shown.exit_code == 0, shown.output
    board = shown.stdout[shown.stdout.index("Leaderboard") :]
    assert "Seasonal naive" in board
    assert board.index("Ensemble") < board.index("Seasonal naive")
    assert "in order of time" in shown.stdout


def test_days_ahead_are_forecast_and_explained(home: Path) -> None:
    where = ("--store", home / "store")
    done = invoke("predict", "latest", home / "ahead.csv", "-o", home / "said.csv", *where)
    assert done.exit_code == 0, done.output
    ahead = pd.read_csv(home / "ahead.csv", parse_dates=["day"])
    found = pd.read_csv(home / "said.csv")["prediction"].to_numpy()
    actual = ahead.merge(sales(), on=["shop", "day", "price"])["sold"].to_numpy()
    assert np.abs(found - actual).mean() < 4.0
    done = invoke("explain", "latest", home / "ahead.csv", "-o", home / "why.csv", *where)
    assert done.exit_code == 0, done.output
    why = pd.read_csv(home / "why.csv")
    margins = load_run("latest", store=home / "store").model().margins(ahead)[:, 0]
    columns = ["base_value", "shop", "day", "price", "sold"]
    np.testing.assert_allclose(why[columns].sum(axis=1), margins, rtol=1e-6)


def test_days_beyond_the_horizon_are_refused(home: Path) -> None:
    done = invoke("predict", "latest", home / "later.csv", "--store", home / "store")
    assert done.exit_code == 2
    assert "after the history of series" in done.stderr


def test_a_forecast_run_is_replayed(home: Path) -> None:
    done = invoke("replay", "latest", home / "past.csv", "--store", home / "store")
    assert done.exit_code == 0, done.output
    assert "the same model, to the last bit" in done.stdout


def test_json_has_the_baselines(home: Path) -> None:
    done = invoke("show", "--json", "--store", home / "store")
    training = json.loads(done.stdout)["training"]
    board = {entry["name"]: entry for entry in training["leaderboard"]}
    error = "root_mean_squared_error"
    ours, naive = (board[name]["metrics"][error] for name in ("Ensemble", "Seasonal naive"))
    assert ours < 0.8 * naive


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--horizon", 4), "--horizon needs --time-column"),
        (("--horizon", 4, "--time-column", "dya"), "did you mean 'day'"),
        (("--horizon", 4, "--time-column", "day", "--series", "shops"), "did you mean 'shop'"),
        (("--horizon", 0, "--time-column", "day", "--series", "shop"), "at least 1"),
        (("--horizon", 4, "--time-column", "day", "--test-share", 0.3), "--test-share does not go"),
        (("--horizon", 4, "--time-column", "day", "--group", "shop"), "--group does not go"),
        (("--horizon", 4, "--time-column", "day"), "two rows of day 2024-01-01"),
        (("--series", "shop"), "--series goes with --horizon"),
        (("--known", "price"), "--known goes with --horizon"),
    ],
)
def test_train_refuses_what_cannot_be_forecast(
    home: Path, tmp_path: Path, arguments: tuple[object, ...], message: str
) -> None:
    where = ("--target", "sold", "--store", tmp_path / "store")
    done = invoke("train", home / "past.csv", *where, *arguments)
    assert done.exit_code == 2, done.output
    assert message in " ".join(done.stderr.split())
    assert not (tmp_path / "store").exists()

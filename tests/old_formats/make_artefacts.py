"""Write artefacts of the present formats: python tests/old_formats/make_artefacts.py VERSION.

Run it when a format gets a new version, never over a folder that is there: what is kept here was
written by the release that it names, and must be read by all that follow. The table is made up.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pellucid import AutoMLClassifier, AutoMLForecaster, AutoMLRegressor, shapley
from pellucid.models.packing import pack
from pellucid.search.kept import trial_to_files
from pellucid.search.trials import Trial, TrialRecord, TrialSpec
from pellucid.store.artifacts import load_files, save_files, save_predictor

HERE = Path(__file__).parent


def table(n: int = 120) -> tuple[pd.DataFrame, np.ndarray]:
    """Every kind of column, and a number to predict."""
    rng = np.random.default_rng(7)
    X = pd.DataFrame(
        {
            "age": np.where(rng.random(n) < 0.1, np.nan, rng.integers(18, 80, n)),
            "job": rng.choice(["cook", "clerk", "maid", None], n),
            "member": rng.random(n) < 0.5,
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "note": [f"was {'glad' if i % 2 else 'cross'} {i % 7} times today" for i in range(n)],
            "zip": rng.choice(["00010", "00100", "90210"], n),
        }
    )
    effect = X["age"].fillna(40) / 10 + 2 * (X["job"] == "cook") + X["member"]
    return X, effect.to_numpy() + rng.normal(scale=0.3, size=n)


def series(n: int = 80) -> tuple[pd.DataFrame, np.ndarray]:
    """Two daily series."""
    days = pd.date_range("2024-01-01", periods=n).tolist()
    X = pd.DataFrame({"day": days * 2, "shop": ["a"] * n + ["b"] * n})
    weekly = np.sin(np.arange(n) * 2 * np.pi / 7)
    return X, np.concatenate([10 + weekly, 20 + 2 * weekly])


def points() -> np.ndarray:
    """Rows for tables: numbers, one of them missing now and then, and a code."""
    rng = np.random.default_rng(11)
    X = rng.normal(size=(80, 4))
    X[rng.random(80) < 0.1, 1] = np.nan
    X[:, 3] = rng.integers(0, 5, 80)
    return X


def compiled(home: Path) -> None:
    """Tables of each class, with a background and without, and a scorer of another's model."""
    from lightgbm import Dataset, train
    from sklearn.linear_model import LogisticRegression

    from pellucid.serve.foreign.loading import scorer_of

    X = points()
    y = np.nan_to_num(X[:, 1]) * X[:, 0] + (X[:, 3] == 2)
    step = shapley.BinnedTable((np.array([-0.5, 0.5]),), np.array([1.0, 2.0, 4.0, 3.0]))
    few = {"verbose": -1, "seed": 1, "num_threads": 1, "min_data_in_leaf": 2, "num_leaves": 12}
    boosters = {
        name: train({**few, **own}, Dataset(X, y > 0, categorical_feature=[3]), 4)
        for name, own in {
            "trees": {"objective": "binary"},
            "linear_trees": {"objective": "regression", "linear_tree": True},
        }.items()
    }
    made = {
        "plain": shapley.compile(boosters["trees"], memory=3000),
        "trees": shapley.compile(boosters["trees"], memory=3000, background=X[:70]),
        "linear_trees": shapley.compile(boosters["linear_trees"], memory=3000, background=X[:70]),
        "additive": shapley.additive([shapley.Term((1,), step)], 0.5, background=X[:9]),
    }
    answers = {}
    for name, tables in made.items():
        tables.save(home / f"{name}.bin")
        answers[name] = tables.values(X[:10]).tolist()
    frame = pd.DataFrame(np.nan_to_num(X), columns=["a", "b", "c", "d"])
    scorer = scorer_of(LogisticRegression().fit(frame, y > 0), frame)
    scorer.save(home / "scorer")
    answers["scorer"] = scorer.score(frame[:10]).values.tolist()
    np.save(home / "points.npy", X)
    (home / "compiled.json").write_text(json.dumps(answers))


def packed(home: Path) -> None:
    """Members as a trial keeps them: in one zip, each in a folder of its number."""
    members = {
        name.removeprefix("members/"): data
        for name, data in load_files(home / "binary").items()
        if name.startswith("members/")
    }
    (home / "members.zip").write_bytes(pack(members))


def _told(model: Any, rows: pd.DataFrame) -> dict[str, Any]:
    told = model.explain(rows)
    return {
        "margins": model.predictor_.margins(rows).tolist(),
        "values": told.values.tolist(),
        "engineered": told.engineered.values.tolist(),
        "base_values": told.base_values.tolist(),
        "predicted": told.details["predicted"],
    }


def main(version: str) -> None:
    """Fit small models of all kinds, and write them with their answers."""
    home = HERE / version
    home.mkdir()
    X, effect = table()
    rows = X.head(10)
    few = {"time_budget": None, "n_jobs": 1, "store": False, "n_cross_validations": 2}
    binary = AutoMLClassifier(
        **few, max_trials=8, max_members=4,
        allowed_families=["linear", "lightgbm", "spline", "xgboost", "catboost"],
    ).fit(X, np.where(effect > 5, "yes", "no"))  # fmt: skip
    three = AutoMLClassifier(**few, max_trials=2, allowed_families=["linear"]).fit(
        X, np.digitize(effect, [4.5, 6.0])
    )
    amount = AutoMLRegressor(**few, max_trials=3, allowed_families=["linear", "spline"]).fit(
        X, effect
    )
    answers = {}
    for name, model in {"binary": binary, "three": three, "amount": amount}.items():
        save_predictor(model.predictor_, home / name)
        answers[name] = _told(model, rows)
    days, sold = series()
    ahead = days[days["day"] == days["day"].max()].assign(
        day=days["day"].max() + pd.Timedelta("1D")
    )
    forecaster = AutoMLForecaster(
        time_column="day", series_columns=["shop"], horizon=3, time_budget=None, max_trials=3,
        n_jobs=1, store=False, allowed_families=["linear"],
    ).fit(days, sold)  # fmt: skip
    save_predictor(forecaster.predictor_, home / "forecast")
    answers["forecast"] = {"predicted": forecaster.predict(ahead).tolist()}
    binary.explain(rows).save(home / "explanation.zip")
    (home / "plan.json").write_text(json.dumps(binary.plan_.to_dict(), indent=1))
    compiled(home)
    packed(home)
    tables = shapley.linear([1.0, 2.0, -3.0], 0.5, background=np.eye(3))
    tables.save(home / "tables.bin")
    answers["tables"] = tables.values(np.arange(6.0).reshape(2, 3)).tolist()
    record = TrialRecord(**{**_record(), "metrics": {"log_loss": 0.5}})
    trial = Trial(TrialSpec(**_spec()), record, np.ones((4, 1)), (3, 4), 0.7)
    save_files(home / "trial", trial_to_files(trial, None, link="log"))
    rows.to_parquet(home / "rows.parquet")
    ahead.to_parquet(home / "ahead.parquet")
    (home / "answers.json").write_text(json.dumps(answers))


def _spec() -> dict[str, Any]:
    return {"iteration": 3, "name": "Linear", "family": "linear", "config": {"l2": 0.1}, "seed": 5}


def _record() -> dict[str, Any]:
    return {
        "iteration": 3, "name": "Linear", "family": "linear", "config": {"l2": 0.1},
        "seconds": 1.5, "status": "completed", "note": "",
    }  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])

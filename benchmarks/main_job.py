"""One training on real tables: how good, how long, and what the explanation costs.

The peer is LightGBM with its default settings on ordinal-coded columns, in the same run and on the
same fixed 70/30 split. Data sets are read from ``../shared/data`` beside the repository.

    python benchmarks/main_job.py [--quick] [--budget SECONDS] [--json FILE] [NAME ...]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

import pellucid
from pellucid.models.problem import Problem
from pellucid.search.metrics import score

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
NAMES = ("bank_additional", "california_housing", "wine_quality")
SHOWN = {"binary": "AUC_weighted", "multiclass": "log_loss", "regression": "r2_score"}


def read(name: str) -> tuple[pd.DataFrame, pd.Series, str]:
    """Columns, target and task of a data set."""
    folder = SHARED / name
    card = json.loads((folder / "card.json").read_text())
    frame = pd.read_parquet(folder / f"{name}.parquet")
    return frame.drop(columns=[card["target"]]), frame[card["target"]], card["task"]


def lightgbm_defaults(split: list[Any], task: str) -> dict[str, float]:
    """Test metrics of LightGBM as it comes, text columns as its own categories."""
    X_train, X_test, y_train, y_test = split
    X_train, X_test = X_train.copy(), X_test.copy()
    for name in X_train.columns:
        if not pd.api.types.is_numeric_dtype(X_train[name]):
            X_train[name] = X_train[name].astype("category")
            X_test[name] = X_test[name].astype(X_train[name].dtype)
    if task == "regression":
        model = lgb.LGBMRegressor(verbosity=-1).fit(X_train, y_train)
        return score(y_test.to_numpy(float), model.predict(X_test)[:, None], Problem("regression"))
    model = lgb.LGBMClassifier(verbosity=-1).fit(X_train, y_train)
    y = pd.Index(model.classes_).get_indexer(pd.Index(y_test))
    if task == "binary":
        margins = model.predict(X_test, raw_score=True)[:, None]
    else:
        margins = np.log(np.clip(model.predict_proba(X_test), 1e-15, 1.0))
    return score(y, margins, Problem(task, len(model.classes_)))


def run(name: str, budget: float) -> dict[str, Any]:
    """Train on one data set and measure."""
    X, y, task = read(name)
    split = train_test_split(
        X, y, test_size=0.3, random_state=0, stratify=None if task == "regression" else y
    )
    X_train, X_test, y_train, y_test = split
    estimator = pellucid.AutoMLRegressor if task == "regression" else pellucid.AutoMLClassifier
    model = estimator(time_budget=budget, store=False)
    started = time.perf_counter()
    model.fit(X_train, y_train, X_test=X_test, y_test=y_test)
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    model.explain(X_test[:1000])
    again = time.perf_counter() - started
    shown = SHOWN[task]
    explanation = model.explanation_
    return {
        "data": name,
        "metric": shown,
        "pellucid": model.training_["metrics"]["test"][shown],
        "lightgbm": lightgbm_defaults(split, task)[shown],
        "budget": budget,
        "seconds": seconds,
        "trials": len(model.leaderboard_) - 1,
        "members": len(model.training_["ensemble"]),
        "explain_share": model.training_["seconds"]["explain"] / seconds,
        "explain_1000_rows": again,
        "additivity_error": max(
            explanation.details["additivity_error"],
            explanation.engineered.details["additivity_error"],
        ),
    }


def main() -> None:
    """Run and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="one data set, 15 seconds")
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    names = options.names or (NAMES[:1] if options.quick else NAMES)
    budget = 15.0 if options.quick else options.budget
    if not SHARED.is_dir():
        parser.exit(0, "skipped: the shared data sets are not on this machine\n")
    rows = [run(name, budget) for name in names]
    print(pd.DataFrame(rows).set_index("data").T.to_string(float_format="{:.4g}".format))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()

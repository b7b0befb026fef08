"""Counterfactuals of one classifier, beside DiCE: how many changes, how far, and how long.

A LightGBM classifier on adult, integer codes for its words, is asked as a black box by both. For
rows with a low predicted income the question is what would make it high, with age, sex, race,
country, marital status and relationship fixed. DiCE runs in a Python of its own::

    python -m venv peer && peer/bin/pip install dice-ml lightgbm pyarrow
    python benchmarks/responses.py --peer-python peer/bin/python

Distance is the one of `pellucid.explain.counterfactuals`: changes of numbers in median absolute
deviations of the training rows, 1 for another category. Every row that is claimed is asked again
here.

``--own`` measures CPU time on an ensemble of Pellucid's for german_credit instead.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

import lightgbm as lgb
import numpy as np
import pandas as pd

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
ADULT = SHARED / "adult" / "adult.parquet"
CREDIT = SHARED / "german_credit" / "german_credit.parquet"
FIXED = ["age", "sex", "race", "native_country", "marital_status", "relationship"]


class Coded:
    """A booster on integer codes, asked with words; what both explain."""

    classes_ = np.array([0, 1])

    def __init__(self, booster, levels, columns):
        self.booster, self.levels = booster, levels
        self.feature_names_in_ = np.array(columns)

    def codes(self, frame):
        """Words as integers, all as floats."""
        found = frame.copy()
        for name, levels in self.levels.items():
            found[name] = pd.Categorical(frame[name].astype(str), levels).codes
        return found.astype(float)

    def predict_proba(self, frame):
        """Chances of a low and of a high income, (n_rows, 2)."""
        chances = self.booster.predict(self.codes(frame), num_threads=1)
        return np.column_stack([1 - chances, chances])

    def predict(self, frame):
        """1 where the income is likely high."""
        return (self.predict_proba(frame)[:, 1] > 0.5).astype(int)


def data(folder):
    """Training rows, rows to ask about, and the model."""
    train, rows = (pd.read_parquet(folder / f"{name}.parquet") for name in ("train", "rows"))
    levels = json.loads((folder / "levels.json").read_text())
    booster = lgb.Booster(model_file=str(folder / "model.txt"))
    return train, rows, Coded(booster, levels, list(rows))


def prepare(folder, n_train, n_rows):
    """Train, and keep all that both sides read."""
    frame = pd.read_parquet(ADULT).dropna().reset_index(drop=True)
    frame = frame.sample(frac=1, random_state=0).reset_index(drop=True)
    y = (frame.pop("income") == ">50K").astype(int)
    words = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    frame[words] = frame[words].astype(str)
    numbers = [name for name in frame if name not in words]
    frame[numbers] = frame[numbers].astype(int)
    levels = {name: sorted(frame[name].unique()) for name in words}
    (folder / "levels.json").write_text(json.dumps(levels))
    train = frame[:n_train]
    coded = Coded(None, levels, list(frame))
    params = {"objective": "binary", "num_leaves": 31, "verbosity": -1, "num_threads": 1, "seed": 0}
    booster = lgb.train(params, lgb.Dataset(coded.codes(train), y[:n_train]), 100)
    booster.save_model(str(folder / "model.txt"))
    model = Coded(booster, levels, list(frame))
    rest = frame[n_train:]
    low = rest[model.predict(rest) == 0]
    train.assign(income=y[:n_train]).to_parquet(folder / "train.parquet")
    low[:n_rows].reset_index(drop=True).to_parquet(folder / "rows.parquet")


def ours(folder):
    """Our counterfactuals: for each row its cells or None, and CPU seconds."""
    from pellucid.explain import counterfactuals
    from pellucid.explain.alternatives import CounterfactualError

    train, rows, model = data(folder)
    train = train.drop(columns="income")
    found = []
    start = time.process_time()
    for i in range(len(rows)):
        try:
            best = counterfactuals(model, rows.iloc[[i]], X=train, wanted=1, immutable=FIXED, n=1)
            found.append(best[0].row.iloc[0].to_dict())
        except CounterfactualError:
            found.append(None)
    return found, time.process_time() - start


def theirs(folder, method):
    """DiCE's, the same."""
    import dice_ml

    warnings.simplefilter("ignore")
    train, rows, model = data(folder)
    numbers = [n for n in train if n not in model.levels and n != "income"]
    described = dice_ml.Data(dataframe=train, continuous_features=numbers, outcome_name="income")
    explainer = dice_ml.Dice(
        described, dice_ml.Model(model=model, backend="sklearn"), method=method
    )
    free = [name for name in rows if name not in FIXED]
    found = []
    start = time.process_time()
    for i in range(len(rows)):
        try:
            made = explainer.generate_counterfactuals(
                rows.iloc[[i]],
                total_CFs=1,
                desired_class="opposite",
                features_to_vary=free,
                **({"random_seed": 0} if method == "random" else {}),
            )
            cells = made.cf_examples_list[0].final_cfs_df
            found.append(None if cells is None or not len(cells) else cells.iloc[0].to_dict())
        except Exception as error:
            print(f"DiCE, {method}, row {i}: {type(error).__name__}: {error}", file=sys.stderr)
            found.append(None)
    return found, time.process_time() - start


def judged(found, seconds, folder):
    """What a set of counterfactuals comes to, by asking the model."""
    from pellucid.explain.moves import spread_of

    train, rows, model = data(folder)
    changes, far, unseen, valid = [], [], 0, 0
    for i, cells in enumerate(found):
        if cells is None:
            continue
        row = rows.iloc[i]
        new = pd.DataFrame([cells])[list(rows.columns)]
        for name in rows:
            new[name] = new[name].astype(str if name in model.levels else float)
        moved = [n for n in rows if str(new[n].iloc[0]) != str(row[n]) and new[n].iloc[0] != row[n]]
        if model.predict(new)[0] != 1 or set(moved) & set(FIXED):
            continue
        valid += 1
        changes.append(len(moved))
        far.append(
            sum(
                1.0 if n in model.levels else abs(new[n].iloc[0] - row[n]) / spread_of(train[n])
                for n in moved
            )
        )
        unseen += any(not (train[n] == new[n].iloc[0]).any() for n in moved)
    return {
        "flips": f"{valid} of {len(rows)}",
        "mean changes": round(float(np.mean(changes)), 2),
        "median distance": round(float(np.median(far)), 2),
        "with a value never seen": unseen,
        "CPU s a row": round(seconds / len(rows), 2),
    }


def own():
    """CPU seconds of what can be asked of an ensemble of ours."""
    from pellucid import AutoMLClassifier, explain

    table = pd.read_parquet(CREDIT)
    y = table.pop("credit_risk")
    clf = AutoMLClassifier(time_budget=None, max_trials=4, store=False).fit(table[:700], y[:700])
    known, rest = table[:700], table[700:]
    rare = y.value_counts().index[-1]
    rows = rest[clf.predict(rest) == rare][:20]
    fixed = ["age", "personal_status_sex", "foreign_worker"]
    actions = {
        "counterfactuals of a row": lambda: [
            explain.counterfactuals(clf, rows.iloc[[i]], X=known, immutable=fixed)
            for i in range(len(rows))
        ],
        "what if": lambda: explain.what_if(clf, rows.iloc[[0]], {"duration": 6}),
        "partial dependence, 300 rows": lambda: explain.partial_dependence(clf, rest, "amount"),
        "interactions, 100 rows": lambda: explain.interactions(clf, rest[:100]),
        "permutation importance, 300 rows": lambda: explain.permutation_importance(
            clf, rest, y[700:]
        ),
    }
    for name, action in actions.items():
        action()
        times = []
        for _ in range(3):
            start = time.process_time()
            action()
            times.append(time.process_time() - start)
        least = min(times) / (len(rows) if "of a row" in name else 1)
        print(f"{name:34} {least:.3f} s")


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peer-python", help="a Python with dice-ml, lightgbm and pyarrow")
    parser.add_argument("--rows", type=int, default=50)
    parser.add_argument("--own", action="store_true", help="time our own ensemble instead")
    parser.add_argument("--side", nargs=2, metavar=("METHOD", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        method, folder = options.side
        print(json.dumps(theirs(Path(folder), method), default=lambda value: value.item()))
        return
    if options.own:
        own()
        return
    if not ADULT.is_file():
        sys.exit("the shared data set adult is not here")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, 10_000, options.rows)
        table = {"Pellucid": judged(*ours(folder), folder)}
        for method in ("random", "genetic") if options.peer_python else ():
            command = [options.peer_python, __file__, "--side", method, name]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                print(done.stderr[-2000:], file=sys.stderr)
                continue
            found, seconds = json.loads(done.stdout.splitlines()[-1])
            table[f"DiCE, {method}"] = judged(found, seconds, folder)
    print(pd.DataFrame(table).T.to_string())


if __name__ == "__main__":
    main()

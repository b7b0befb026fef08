"""What explainers get wrong: base value plus Shapley values, against the model's own prediction.

They must be equal; that is the definition. Each row of the table is a fitted model and a game, each
figure the largest gap over the rows that are explained, and after it what of the gap differs
between rows, so that no other base value would mend it. Where the explainer's own check of the
sums, which is on as it is by default, notices the gap, the row says so. Run::

    python benchmarks/shapley_wrong.py            # 2,000 rows, under a minute
    python benchmarks/shapley_wrong.py --quick    # 300 rows
    python benchmarks/shapley_wrong.py --json FILE
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import catboost
import lightgbm
import numpy as np
import pandas as pd
import shap
import sklearn
import xgboost
from sklearn import ensemble

from pellucid import shapley

N_BACKGROUND = 50
GAMES = ("interventional", "path-dependent")


def table(n_rows, seed=0):
    """Six columns: numbers with zeros and missing cells, and last a code of 12 categories."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 6))
    X[:, 5] = rng.integers(0, 12, size=n_rows)
    X[rng.random(X.shape) < 0.1] = 0.0
    effect = np.array([0, 3, -2, 5, 1, -4, 2, 8, -1, 0, 4, -6])[X[:, 5].astype(int)]
    y = 10 + 4 * X[:, 0] * X[:, 1] + 3 * np.sin(2 * X[:, 2]) + effect + rng.normal(size=n_rows)
    return X, y


def with_missing(X, seed=1):
    """The same with one cell in ten missing, but for the codes."""
    X = X.copy()
    X[:, :5][np.random.default_rng(seed).random((len(X), 5)) < 0.1] = np.nan
    return X


def lightgbm_case(X, y, *, categorical=False, **params):
    """A LightGBM model and what it predicts itself."""
    params = {"verbosity": -1, "num_threads": 1, "num_leaves": 15, "seed": 0, **params}
    columns = [5] if categorical else []
    data = lightgbm.Dataset(X, y, categorical_feature=columns, params=params)
    booster = lightgbm.train(params, data, 60)
    return booster, booster.predict


def xgboost_case(X, y, **params):
    """An XGBoost model and its margin."""
    params = {"nthread": 1, "max_depth": 4, "seed": 0, **params}
    booster = xgboost.train(params, xgboost.DMatrix(X, y), 60)
    return booster, lambda rows: booster.predict(xgboost.DMatrix(rows), output_margin=True)


def catboost_case(X, y, **params):
    """A CatBoost model and what it predicts itself."""
    model = catboost.CatBoostRegressor(
        iterations=60, depth=5, thread_count=1, logging_level="Silent", allow_writing_files=False,
        **params,
    ).fit(X, y)  # fmt: skip
    return model, model.predict


def scikit_learn_case(X, y, name, **params):
    """A scikit-learn model and what it predicts itself."""
    model = getattr(ensemble, name)(random_state=0, **params).fit(X, y)
    return model, model.predict


def cases(n_rows):
    """Name, how to fit, rows to fit and to explain."""
    X, y = table(n_rows)
    holes = with_missing(X)
    dated = X.copy()
    dated[:, 0] = np.round(1.7e9 + 1000 * X[:, 0])
    named = pd.DataFrame(X, columns=list("abcdef"))
    reordered = named[list("fedcba")]  # CatBoost's own predict goes by name
    rf = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6}
    dart = {"rate_drop": 0.3, "booster": "dart"}
    return [
        ("LightGBM", lambda: lightgbm_case(X, y), X),
        ("LightGBM, missing cells", lambda: lightgbm_case(holes, y), holes),
        ("LightGBM, categories", lambda: lightgbm_case(X, y, categorical=True), X),
        ("LightGBM, zero_as_missing", lambda: lightgbm_case(X, y, zero_as_missing=True), X),
        ("LightGBM, linear_tree", lambda: lightgbm_case(X, y, linear_tree=True), X),
        ("LightGBM, a date in seconds", lambda: lightgbm_case(dated, y), dated),
        ("LightGBM, boosting=dart", lambda: lightgbm_case(X, y, boosting="dart"), X),
        ("LightGBM, boosting=rf", lambda: lightgbm_case(X, y, **rf), X),
        ("XGBoost", lambda: xgboost_case(X, y), X),
        ("XGBoost, missing cells", lambda: xgboost_case(holes, y), holes),
        ("XGBoost, booster=dart", lambda: xgboost_case(X, y, **dart), X),
        ("CatBoost", lambda: catboost_case(X, y), X),
        ("CatBoost, missing cells", lambda: catboost_case(holes, y), holes),
        ("CatBoost, columns in another order", lambda: catboost_case(named, y), reordered),
        (
            "HistGradientBoosting",
            lambda: scikit_learn_case(X, y, "HistGradientBoostingRegressor"),
            X,
        ),
        (
            "HistGradientBoosting, categories",
            lambda: scikit_learn_case(
                X, y, "HistGradientBoostingRegressor", categorical_features=[5]
            ),
            X,
        ),
        ("random forest", lambda: scikit_learn_case(X, y, "RandomForestRegressor", max_depth=8), X),
        (
            "extra trees, missing cells",
            lambda: scikit_learn_case(holes, y, "ExtraTreesRegressor", max_depth=8),
            holes,
        ),
        ("gradient boosting", lambda: scikit_learn_case(X, y, "GradientBoostingRegressor"), X),
    ]


def by_shap(model, background, X, game):
    """Base value and values of shap, and whether its own check noticed that they are wrong."""
    explainer = (
        shap.TreeExplainer(model, background, feature_perturbation="interventional")
        if game == "interventional"
        else shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    )
    noticed = False
    try:
        values = explainer.shap_values(X)
    except shap.utils._exceptions.ExplainerError:
        noticed, values = True, explainer.shap_values(X, check_additivity=False)
    values = np.asarray(values).reshape(X.shape)
    return float(np.ravel(explainer.expected_value)[0]), values, noticed


def by_pellucid(model, background, X, game):
    """Base value and values of ours; it has not noticed anything."""
    tables = shapley.compile(model, background=background, game=game)
    return float(tables.base_values[0]), tables.values(X), False


def gap(explain, model, background, X, game, own):
    """How far the explainer is off, or what it said instead of explaining."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            base, values, noticed = explain(model, background, X, game)
    except Exception as error:
        return {"refuses": f"{type(error).__name__}: {str(error).splitlines()[0]}"}
    off = base + values.sum(axis=1) - own
    return {
        "largest": float(np.abs(off).max()),
        "beyond_a_constant": float(np.abs(off - np.median(off)).max()),
        "rows_off": int((np.abs(off) > 1e-3).sum()),
        "noticed": noticed,
    }


def run(n_rows):
    """Every case, both games, both explainers."""
    results = []
    for name, fit, X in cases(n_rows):
        model, predict = fit()
        own = np.asarray(predict(X), dtype=np.float64)
        for game in GAMES:
            record = {"model": name, "game": game, "spread": float(own.std())}
            for who, explain in (("shap", by_shap), ("pellucid", by_pellucid)):
                record[who] = gap(explain, model, X[:N_BACKGROUND], X, game, own)
            results.append(record)
            print(line(record), flush=True)
    return results


def short(number):
    """Three digits, or a power of ten for what is next to nothing."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.2g}" if number >= 1e-3 else "0"


def cell(found):
    """One explainer's result in the table."""
    if "refuses" in found:
        return f"refuses ({found['refuses'].partition(':')[0]})"
    text = f"{found['largest']:.1e}"
    if found["rows_off"]:
        text = f"**{short(found['largest'])}** ({short(found['beyond_a_constant'])})"
        text += ", its check says so" if found["noticed"] else ", silently"
    return text


def line(record):
    """One row of the table."""
    head = f"| {record['model']} | {record['game']} | {record['spread']:.1f} | "
    return head + f"{cell(record['shap'])} | {cell(record['pellucid'])} |"


def main():
    """Measure, print, and write when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="300 rows")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE")
    options = parser.parse_args()
    logging.getLogger("lightgbm").setLevel(logging.CRITICAL)
    lightgbm.register_logger(logging.getLogger("lightgbm"))
    peers = (catboost, lightgbm, shap, sklearn, xgboost)
    versions = {module.__name__: module.__version__ for module in peers}
    print(", ".join(f"{name} {number}" for name, number in versions.items()))
    print("| model | game | spread | shap: largest gap (beyond a constant) | pellucid |")
    print("|---|---|---|---|---|")
    results = run(300 if options.quick else 2_000)
    if options.json:
        document = {"versions": versions, "results": results}
        Path(options.json).write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()

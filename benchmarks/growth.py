"""What training, explaining and serving one table cost as it grows, in processor time.

The table is made: half numbers, half categories of eight levels, as in Bank Marketing. The model is
one LightGBM member of a set number of trees, so that each thing grows alone. Called by `scale.py`.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from line_plots import draw

USUAL = {"rows": 20_000, "columns": 20, "trees": 200, "classes": 2, "background": 100}
GROWN = {
    "rows": (5_000, 80_000),
    "columns": (10, 40, 80),
    "trees": (50, 100, 400, 800),
    "classes": (3, 6),
    "background": (25, 400),
}
SMALL = {**USUAL, "rows": 2_000, "trees": 20}
SMALL_GROWN = {"columns": (40,), "trees": (40,)}
BATCH, ALONE = 4_000, 40  # rows explained at once, and one after the other
NIGHT = 8 * 3600
FIGURES = {
    "training": ("CPU seconds", {"learn": "learn_s", "compile for explanations": "compile_s"}),
    "explaining": (
        "CPU µs a row",
        {"raw": "raw_us", "engineered": "engineered_us", "both, from file to file": "file_us"},
    ),
    "serving": (
        "CPU µs a request of one row",
        {"predict": "predict_us", "predict and explain both": "serve_us"},
    ),
}


def growth(usual, grown, *, repeats, show):
    """Costs of the usual case, and of each thing grown from it."""
    from pellucid.shapley import warmup

    warmup()
    costs({**SMALL, "rows": 200}, 1)  # libraries and kernels are loaded by the first case
    found = []
    cases = [("usual", usual)]
    cases += [(name, {**usual, name: value}) for name, values in grown.items() for value in values]
    for name, case in cases:
        found.append({"grown": name, **case, **costs(case, repeats)})
        show(found[-1:])
    return found


def table(n, width, classes):
    """Rows of numbers and categories, and their classes."""
    rng = np.random.default_rng(0)
    numbers = {f"n{i}": rng.normal(size=n).round(3) for i in range(width // 2)}
    levels = {f"c{i}": rng.choice(list("abcdefgh"), n) for i in range(width - width // 2)}
    frame = pd.DataFrame({**numbers, **levels})
    signal = frame["n0"] * frame["n1"] + frame["n2"] + (frame["c0"] == "a") + rng.normal(size=n)
    return frame, np.searchsorted(np.quantile(signal, np.arange(1, classes) / classes), signal)


@dataclass
class Made:
    """A predictor, and what it took to learn it."""

    predictor: object
    learn_s: float


def made(case, repeats):
    """The predictor of a case."""
    from pellucid.automl.views import views_of
    from pellucid.explain.predictor import Predictor
    from pellucid.models.ensemble import Ensemble
    from pellucid.models.family import Rows, get_family
    from pellucid.models.problem import Problem
    from pellucid.tabular.config import FeaturizationConfig
    from pellucid.tabular.featurize import Featurizer
    from pellucid.tabular.schema import align

    frame, y = table(case["rows"], case["columns"], case["classes"])
    k = case["classes"]
    problem = Problem("binary" if k == 2 else "multiclass", k)
    schema = FeaturizationConfig().schema(frame)
    rows = align(frame, schema)
    featurizer = Featurizer.fit(rows, schema)
    X = featurizer.transform(rows)
    view = views_of(featurizer.feature_map, monotone={})["indicators"]
    config = {"family": "lightgbm", "config": {}, "columns": view.columns}
    learn, member = best(
        lambda: get_family("view").fit(Rows(X, y), problem, config, seed=0, rounds=case["trees"]),
        repeats,
    )
    outputs = 1 if k == 2 else k
    ensemble = Ensemble((member,), np.ones(1), np.zeros(outputs), ("lightgbm",))
    background = X[: case["background"]]
    classes = np.array([f"class {i}" for i in range(k)])
    return Made(Predictor(problem, "y", classes, schema, featurizer, ensemble, background), learn)


def costs(case, repeats):
    """Least processor seconds over some repeats."""
    import pyarrow.parquet as pq

    from pellucid.explain.answering import answer
    from pellucid.serve.scorer import Scorer

    own = made(case, repeats)
    model = own.predictor
    players = {level: model.feature_map.players(level) for level in ("raw", "engineered")}

    def compiled():
        for each in players.values():
            model.ensemble.shapley(background=model.background, players=each)

    compile_s, _ = best(compiled, repeats)
    scorer = Scorer(model).warm()
    frame, _ = table(BATCH, case["columns"], case["classes"])
    matrix = model.featurizer.transform(model.frame(frame))
    margins = model.ensemble.margins(matrix)
    raw, _ = best(lambda: model.importances("raw", matrix, margins), repeats)
    engineered, _ = best(lambda: model.importances("engineered", matrix, margins), repeats)
    stored, written = io.BytesIO(), io.BytesIO()
    frame.to_parquet(stored, index=False)

    def from_file_to_file():
        written.seek(0)
        written.truncate()
        rows = pq.read_table(io.BytesIO(stored.getvalue())).to_pandas()
        found = answer(
            model, rows, first=0, levels=["raw", "engineered"], predictions=True, identity=None
        )
        pq.write_table(found.table, written)

    file_s, _ = best(from_file_to_file, repeats)
    requests = frame[:ALONE].to_dict("records")
    predict, _ = best(lambda: [scorer.score(row, explain=()) for row in requests], repeats)
    serve, _ = best(lambda: [scorer.score(row) for row in requests], repeats)
    return {
        "engineered": len(model.feature_map.engineered_names),
        "learn_s": round(own.learn_s, 3),
        "compile_s": round(compile_s, 4),
        "raw_us": round(1e6 * raw / BATCH, 2),
        "engineered_us": round(1e6 * engineered / BATCH, 2),
        "file_us": round(1e6 * file_s / BATCH, 2),
        "bytes_a_row": round(written.tell() / BATCH),
        "predict_us": round(1e6 * predict / ALONE, 1),
        "serve_us": round(1e6 * serve / ALONE, 1),
    }


def best(call, repeats):
    """Least processor seconds of several calls, all threads', and what the last one gave."""
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        given = call()
        seconds.append(time.process_time() - started)
    return min(seconds), given


def night(found, rows=1_000_000_000):
    """What so many rows a night need, by the usual case."""
    usual = found[0]
    core_s = usual["file_us"] * rows / 1e6
    return {
        "rows": rows,
        "cpu_s_a_million_rows": round(usual["file_us"], 1),
        "core_hours": round(core_s / 3600, 1),
        "cores_for_8_hours": int(-(-core_s // NIGHT)),
        "written_gb": round(usual["bytes_a_row"] * rows / 1e9),
    }


def draw_figures(found, folder):
    """Three SVG files: training, explaining and serving, by what is grown."""
    for name, (unit, lines) in FIGURES.items():
        panels = {}
        for grown in dict.fromkeys(case["grown"] for case in found[1:]):
            cases = [case for case in found if case["grown"] in ("usual", grown)]
            cases.sort(key=lambda case: case[grown])
            panels[grown] = {
                line: [(case[grown], case[key]) for case in cases] for line, key in lines.items()
            }
        draw(folder / f"scaling-{name}.svg", f"Cost of {name} as a table grows", panels, unit)

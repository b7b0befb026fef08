"""What the page's own code says of rows, held to what the model says in Python."""

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from tests.view.conftest import table

from pellucid import AutoMLClassifier, AutoMLRegressor
from pellucid.view import carried
from pellucid.view.assets import _modules
from pellucid.view.linker import link
from pellucid.view.studio.form import cells_of, row_from

_PROBE = 'import { openModel } from "./carried/model.js";\nglobalThis.openModel = openModel;\n'
_ASK = """async ([text, rows]) => {
  const model = await openModel(text);
  const numbers = (array) => Array.from(array, String);  // JSON has no NaN
  return { base: numbers(model.base), rows: rows.map((cells) => {
    const { engineered, margins, raw, fine } = model.explain(cells);
    return [engineered, margins, raw, fine].map(numbers);
  }) };
}"""


def _table(task):
    """Every kind of column: numbers, truths, few levels and many, texts, times; all with gaps."""
    frame = table(task, 300)
    rng = np.random.default_rng(3)
    frame["city"] = [f"city {i}" for i in rng.geometric(0.03, len(frame))]
    words = np.array(["très", "good", "<b>bad</b>", "İstanbul", "x", "soup\u0085"])
    frame["review"] = [" ".join(rng.choice(words, rng.integers(3, 9))) for _ in range(len(frame))]
    frame["review"] += [f" {i}" for i in range(len(frame))]
    frame["member"] = rng.random(len(frame)) < 0.5
    frame["stamp"] = 1.7e9 + rng.integers(0, 10**5, len(frame))
    for i, name in enumerate(frame.columns.drop(["y", "member"])):
        frame.loc[i::23, name] = None
    return frame


@pytest.fixture(scope="module", params=["binary", "multiclass", "regression"])
def predictor(request, tmp_path_factory):
    frame = _table(request.param)
    kind = AutoMLRegressor if request.param == "regression" else AutoMLClassifier
    model = kind(
        max_trials=4, time_budget=None, store=tmp_path_factory.mktemp("store"), seed=0,
        model_explainability=False,
    )  # fmt: skip
    return model.fit(frame.drop(columns="y"), frame["y"]).run_.model()


def test_a_page_says_of_odd_rows_what_python_says(predictor, browser):
    frame = predictor.frame(_table("binary").drop(columns="y").iloc[:120])
    rows = [cells_of(predictor.schema, row) for _, row in frame.iterrows()]
    rng = np.random.default_rng(0)
    for cells in rows:
        for name in rng.choice(list(cells), 2):
            odd = isinstance(cells[name], str) and name != "joined" and rng.random() < 0.5
            cells[name] = "never seen" if odd else None
    given = carried.carried_model(predictor, frame)
    modules = _modules(files("pellucid.view").joinpath("web"), "") | {"probe.js": _PROBE}
    page = browser.new_page()
    page.add_script_tag(content=link(modules, entry="probe.js"))
    said = page.evaluate(_ASK, [given["gzip"], rows])
    page.close()

    asked = pd.concat([row_from(predictor.schema, cells) for cells in rows], ignore_index=True)
    truth = predictor.explain(asked)
    expected = [truth.engineered.data, truth.margins, truth.values, truth.engineered.values]
    for found, right in zip(zip(*said["rows"]), expected):
        right = np.asarray(right, dtype=np.float64).reshape(len(rows), -1)
        np.testing.assert_allclose(np.array(found, dtype=np.float64), right, atol=1e-9)
    np.testing.assert_allclose(np.array(said["base"], float), truth.base_values, atol=1e-9)


def test_a_model_that_takes_too_much_room_is_refused(predictor, monkeypatch):
    monkeypatch.setattr(carried, "MOST_CHARACTERS", 10)
    with pytest.raises(carried.CarriedError, match="a page carries at most"):
        carried.carried_model(predictor, pd.DataFrame(index=[0]))

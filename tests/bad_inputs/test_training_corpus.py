"""What broke other tools trains, or is refused by a sentence that says what to do."""

import numpy as np
import pandas as pd
import pytest
from tests.bad_inputs.training_frames import (
    COLUMNS,
    FEW_ROWS,
    FORMS,
    LABELS,
    NAMES,
    TARGETS,
    VALUES,
    A,
    beside,
)

from pellucid.errors import PellucidError
from pellucid.store.artifacts import load_predictor, save_predictor
from pellucid.tabular.read import to_frame

pytestmark = pytest.mark.filterwarnings("ignore")


def must_learn_or_refuse(learn, X, y, message, folder, **options):
    """Fit, predict, explain, save and load; the answers agree, or the refusal is ours."""
    if message is not None:
        with pytest.raises(PellucidError, match=message):
            learn(X, y, **options)
        return
    fitted = learn(X, y, **options)
    rows = to_frame(X)
    before = rows.copy(deep=True)
    explanation = fitted.explain(X)  # held against the margin within
    predictions = fitted.predict(X)
    assert len(predictions) == len(rows) == explanation.n_rows
    pd.testing.assert_frame_equal(rows, before)
    if options.get("regression"):
        assert np.isfinite(predictions).all()
    else:
        labels = pd.Series(y.iloc[:, 0] if isinstance(y, pd.DataFrame) else y).dropna()
        assert set(fitted.classes_.tolist()) == set(labels.tolist())
        assert set(predictions) <= set(fitted.classes_)
        assert np.allclose(fitted.predict_proba(X).sum(axis=1), 1.0)
    save_predictor(fitted.predictor_, folder / "model")
    loaded = load_predictor(folder / "model")
    assert np.array_equal(loaded.explain(rows).values, explanation.values)
    alone = loaded.explain(rows[1:2])
    assert np.array_equal(alone.values[0], explanation.values[1])


@pytest.mark.parametrize("name", COLUMNS)
def test_columns(learn, name, tmp_path):
    column, message = COLUMNS[name] if isinstance(COLUMNS[name], tuple) else (COLUMNS[name], None)
    must_learn_or_refuse(learn, beside(column), LABELS, message, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_columns(learn, name, tmp_path):
    must_learn_or_refuse(learn, beside(A[::-1], name=NAMES[name]), LABELS, None, tmp_path)


@pytest.mark.parametrize("name", FORMS)
def test_forms_of_a_table(learn, name, tmp_path):
    X, message = FORMS[name]
    must_learn_or_refuse(learn, X, LABELS, message, tmp_path)


@pytest.mark.parametrize("name", TARGETS)
def test_classes(learn, name, tmp_path):
    y, message = TARGETS[name]
    must_learn_or_refuse(learn, beside(A**2), y, message, tmp_path)


@pytest.mark.parametrize("name", VALUES)
def test_values(learn, name, tmp_path):
    y, message = VALUES[name]
    must_learn_or_refuse(learn, beside(A**2), y, message, tmp_path, regression=True)


@pytest.mark.parametrize("name", FEW_ROWS)
def test_few_rows(learn, name, tmp_path):
    X, y, message = FEW_ROWS[name]
    must_learn_or_refuse(learn, X, y, message, tmp_path)

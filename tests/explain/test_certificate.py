"""A certificate says what was done, judges it, and stays with the explanation."""

from __future__ import annotations

import inspect
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPRegressor

import pellucid
from pellucid.explain.certificate import Certificate, digest_of
from pellucid.explain.explanation import Explanation, ExplanationError


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(40, 12)), columns=[f"c{i}" for i in range(12)])


def test_an_exact_one_says_the_game(rows):
    model = LinearRegression().fit(rows, rows["c0"])
    found = pellucid.explain(model, rows[:9], background=rows[9:20], rows_from="test")
    certificate = found.certificate
    assert certificate.verdict == "ok"
    assert certificate.n_rows == 9
    assert certificate.n_players == 12
    assert certificate.background_rows == 11
    assert certificate.background == digest_of(rows[9:20])
    assert certificate.background != digest_of(rows[8:19])
    assert certificate.versions["sklearn"]
    assert certificate.rows_from == "test"
    for words in ("ok: exact", "12 raw players", "9 test rows", "background of 11 rows"):
        assert words in str(certificate)
    assert "ok" in repr(found)


def test_a_sampled_one_keeps_its_errors_in_the_file(rows, tmp_path):
    model = MLPRegressor(hidden_layer_sizes=(8,), max_iter=200, random_state=0).fit(
        rows, rows["c0"] * rows["c1"]
    )
    found = pellucid.explain(model, rows[:4], background=rows[9:20], random_state=3)
    assert found.method == "sampled"
    assert found.certificate.seed == 3
    assert found.certificate.standard_error == found.standard_errors.max()
    found.save(tmp_path / "found.pellucid")
    back = Explanation.load(tmp_path / "found.pellucid")
    assert back.certificate == found.certificate
    assert back.certificate.verdict == found.certificate.verdict
    np.testing.assert_array_equal(back.standard_errors, found.standard_errors)
    np.testing.assert_array_equal(found[1:3].standard_errors, found.standard_errors[1:3])
    assert found[1:3].certificate == found.certificate


def test_an_explanation_without_one_has_none_after_its_file(tmp_path):
    plain = Explanation(np.zeros((2, 1)), np.zeros(1), ("a",), pd.DataFrame({"a": [1, 2]}))
    plain.save(tmp_path / "plain.pellucid")
    back = Explanation.load(tmp_path / "plain.pellucid")
    assert back.certificate is None
    assert back.standard_errors is None


def test_engineered_twins_keep_theirs(rows, tmp_path):
    model = LinearRegression().fit(rows, rows["c0"])
    found = pellucid.explain(model, rows[:5])
    found.save(tmp_path / "found.pellucid")
    back = Explanation.load(tmp_path / "found.pellucid")
    assert back.engineered.certificate == found.engineered.certificate
    assert back.engineered.certificate.players == "engineered"
    assert dict(back.engineered.details) == dict(found.engineered.details)


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({"method": "exact"}, "ok"),
        ({"method": "exact", "additivity_error": 1.0}, "do-not-trust"),
        ({"method": "exact", "additivity_error": np.nan}, "do-not-trust"),
        ({"method": "exact", "additivity_error": 1e-5}, "ok"),  # each limit is within
        ({"method": "exact", "additivity_error": 1.01e-5}, "do-not-trust"),
        ({"method": "exact", "additivity_error": 1e-4, "scale": 10.0}, "ok"),
        ({"method": "exact", "additivity_error": 1.01e-4, "scale": 10.0}, "do-not-trust"),
        ({"method": "exact", "response_error": 1e-5}, "ok"),
        ({"method": "exact", "response_error": 1.01e-5}, "do-not-trust"),
        ({"method": "sampled", "standard_error": 1.0, "largest": 4.0}, "approximate"),
        ({"method": "sampled", "standard_error": 1.01, "largest": 4.0}, "do-not-trust"),
        ({"method": "mimic", "fidelity": {"r2": 0.8}}, "approximate"),
        ({"method": "exact", "response_error": 0.1}, "do-not-trust"),
        ({"method": "sampled", "standard_error": 0.01, "largest": 1.0}, "approximate"),
        ({"method": "sampled", "standard_error": 0.5, "largest": 1.0}, "do-not-trust"),
        ({"method": "sampled", "standard_error": 0.01, "largest": 1.0, "reached": True}, "ok"),
        ({"method": "mimic", "fidelity": {"r2": 0.95}}, "approximate"),
        ({"method": "mimic", "fidelity": {"r2": 0.5}}, "do-not-trust"),
        ({"method": "mimic", "fidelity": {"r2": 0.95, "labels": 0.6}}, "do-not-trust"),
    ],
)
def test_verdicts(facts, verdict):
    certificate = Certificate(how="", **facts)
    assert certificate.verdict == verdict
    assert (verdict == "do-not-trust") == bool(certificate.weaknesses)
    assert str(certificate).startswith(verdict)
    assert Certificate.from_dict(
        {**certificate.to_dict(), "of a later version": 1}
    ) == certificate or (certificate.additivity_error != certificate.additivity_error)


@pytest.mark.parametrize(
    "make",
    [
        lambda cells: pd.DataFrame({"a": cells}),
        lambda cells: pd.Series(cells),
        lambda cells: np.array(cells, dtype=np.float64)[:, None],
        lambda cells: np.array([str(cell) for cell in cells], dtype=object),
        lambda cells: sparse.csr_array(np.array(cells, dtype=np.float64)[:, None]),
    ],
    ids=["frame", "series", "numbers", "objects", "sparse"],
)
def test_the_same_rows_have_one_digest_and_others_another(make):
    assert digest_of(make([1, 0, 3])) == digest_of(make([1, 0, 3]))
    assert digest_of(make([1, 0, 3])) != digest_of(make([1, 0, 4]))
    assert digest_of(make([1, 0, 3])) != digest_of(make([1, 3]))


def test_standard_errors_must_fit_the_values():
    with pytest.raises(ExplanationError, match="standard errors of shape"):
        Explanation(
            np.zeros((2, 1)), np.zeros(1), ("a",), pd.DataFrame({"a": [1, 2]}),
            standard_errors=np.zeros((2, 2)),
        )  # fmt: skip


def test_the_door_stays_open_when_its_package_is_imported():
    code = (
        "import pellucid, pellucid.explain.explanation\n"
        "assert callable(pellucid.explain), pellucid.explain\n"
        "from pellucid import explain\n"
        "print(explain(lambda X: X['x0'], [[1.0, 2.0], [3.0, 4.0]]).values.tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "background" in inspect.signature(pellucid.explain).parameters
    assert done.stdout.strip() == "[[-1.0, 0.0], [1.0, 0.0]]"

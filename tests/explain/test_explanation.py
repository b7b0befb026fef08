"""An Explanation ranks, slices and turns into other forms without losing its sums."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from pellucid.explain.explanation import Explanation, ExplanationError

RNG = np.random.default_rng(0)


def make(n_rows=6, n_features=4, n_outputs=1, *, twin=True):
    shape = (n_rows, n_features) if n_outputs == 1 else (n_rows, n_features, n_outputs)
    names = tuple(f"f{i}" for i in range(n_features))
    return Explanation(
        values=RNG.normal(size=shape),
        base_values=RNG.normal(size=n_outputs),
        feature_names=names,
        data=pd.DataFrame(
            RNG.normal(size=(n_rows, n_features)),
            columns=list(names),
            index=[f"row {i}" for i in range(n_rows)],
        ),
        classes=tuple("abc"[:n_outputs]) if n_outputs > 1 else None,
        rows_from="test",
        background_size=100,
        engineered=make(n_rows, n_features + 2, n_outputs, twin=False) if twin else None,
        details={"predicted": list(range(n_rows)), "additivity_error": 0.0},
    )


def test_it_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make().level = "engineered"


def test_margins_are_base_plus_sum():
    explanation = make(n_outputs=3)
    expected = explanation.base_values + explanation.values.sum(axis=1)
    np.testing.assert_allclose(explanation.margins, expected)


def test_global_importance_is_the_mean_absolute_value_in_descending_order():
    explanation = make()
    ranked = explanation.global_importance()
    assert ranked.is_monotonic_decreasing
    i = explanation.feature_names.index(ranked.index[0])
    assert ranked.iloc[0] == pytest.approx(np.abs(explanation.values[:, i]).mean())
    assert explanation.feature_importance_dict(top_k=2) == ranked.iloc[:2].to_dict()


def test_global_importance_per_class_averages_to_the_overall_one():
    explanation = make(n_outputs=3)
    per_class = explanation.global_importance(per_class=True)
    assert per_class.columns.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(per_class.mean(axis=1), explanation.global_importance())


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("rows", [slice(1, 4), [4, 0], np.array([True, False] * 3), 2, -1])
def test_slices_keep_rows_twin_and_details_together(n_outputs, rows):
    explanation = make(n_outputs=n_outputs)
    part = explanation[rows]
    kept = np.atleast_1d(np.arange(6)[rows])
    np.testing.assert_array_equal(part.values, explanation.values[kept])
    assert part.data.index.tolist() == [f"row {i}" for i in kept]
    np.testing.assert_array_equal(part.engineered.values, explanation.engineered.values[kept])
    assert part.details["predicted"] == kept.tolist()


def test_local_importance_is_ordered_by_size():
    explanation = make(n_outputs=3)
    local = explanation.local_importance(2, output=1)
    assert np.abs(local).is_monotonic_decreasing
    assert local.sum() == pytest.approx(explanation.values[2, :, 1].sum())
    with pytest.raises(ExplanationError, match="pass output=0 to 2"):
        explanation.local_importance(2)
    with pytest.raises(ExplanationError, match="row 9 is not among the 6"):
        explanation.local_importance(9, output=0)


def test_frames_hold_every_value():
    binary, several = make(), make(n_outputs=3)
    np.testing.assert_array_equal(binary.to_frame().to_numpy(), binary.values)
    np.testing.assert_array_equal(several.to_frame()["b"].to_numpy(), several.values[:, :, 1])


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_shap_gets_the_same_numbers(n_outputs):
    pytest.importorskip("shap", reason="shap is not installed")
    explanation = make(n_outputs=n_outputs)
    theirs = explanation.to_shap()
    np.testing.assert_array_equal(theirs.values, explanation.values)
    totals = theirs.values.sum(axis=1) + theirs.base_values
    np.testing.assert_allclose(totals.reshape(6, -1), explanation.margins)


def test_what_is_shown_says_what_it_is_and_is_safe():
    explanation = make()
    assert "exact raw explanation of 6 test rows, 4 features" in repr(explanation)
    hostile = dataclasses.replace(
        explanation,
        feature_names=("<script>alert(1)</script>", *explanation.feature_names[1:]),
        engineered=None,
    )
    assert "<script>" not in hostile._repr_html_()
    assert "0 test rows" in repr(explanation[:0])
    explanation[:0]._repr_html_()


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ExplanationError, match="do not fit"):
        Explanation(np.zeros((2, 3)), np.zeros(1), ("a", "b"), pd.DataFrame({"a": [1, 2]}))


def test_no_rows_have_no_ranking():
    with pytest.raises(ExplanationError, match="no rows"):
        make()[:0].global_importance()

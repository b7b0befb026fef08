"""Featurizing is row by row, survives a reload bit for bit, and every column has one source."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pellucid.tabular.config import FeaturizationConfig
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.schema import Schema, SchemaError, align, infer_schema

from .frames import columns, frames

RELAXED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TABLES = [
    "adult", "bank_additional", "bike_hourly", "california_housing", "diamonds", "fine_foods",
    "german_credit", "hotel_rates", "machine_cpu", "orange_juice_azure", "telco_churn", "titanic",
    "wine_quality",
]  # fmt: skip


def fitted(frame, **options):
    schema = infer_schema(frame, **options)
    return schema, Featurizer.fit(frame, schema)


def fitted_or_skipped(frame):
    """Leave out random frames that have no column to learn from."""
    try:
        return fitted(frame)
    except SchemaError as error:
        assume("no column is left to learn from" not in str(error))
        raise


def same_bits(left, right):
    return left.shape == right.shape and left.tobytes() == right.tobytes()


@RELAXED
@given(frames())
def test_a_reloaded_featurizer_gives_the_same_bits(frame):
    schema, featurizer = fitted_or_skipped(frame)
    again = Featurizer.from_dict(json.loads(json.dumps(featurizer.to_dict())))
    assert same_bits(again.transform(frame), featurizer.transform(frame))
    assert again.feature_map.engineered_names == featurizer.feature_map.engineered_names
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema


@RELAXED
@given(frames())
def test_a_row_alone_gives_what_it_gives_in_a_batch(frame):
    schema, featurizer = fitted_or_skipped(frame)
    batch = featurizer.transform(frame)
    assert same_bits(featurizer.transform(align(frame, schema)), batch)
    for i in range(0, len(frame), 3):
        row = frame.iloc[[i]]
        assert same_bits(featurizer.transform(row)[0], batch[i])
        assert same_bits(featurizer.transform(align(row, schema))[0], batch[i])
        cells = pd.DataFrame({name: [frame[name].iloc[i]] for name in frame}, columns=frame.columns)
        assert same_bits(featurizer.transform(align(cells, schema))[0], batch[i])
        cells = {name: frame[name].iloc[i] for name in frame}
        assert same_bits(featurizer.transform_row(cells)[0], batch[i])
    assert same_bits(featurizer.transform(frame.iloc[::-1]), np.ascontiguousarray(batch[::-1]))


@RELAXED
@given(frames())
def test_every_engineered_column_has_one_source(frame):
    schema, featurizer = fitted_or_skipped(frame)
    features, matrix = featurizer.feature_map, featurizer.transform(frame)
    assert matrix.dtype == np.float32
    assert matrix.flags.c_contiguous
    assert not np.isinf(matrix).any()
    assert matrix.shape == (len(frame), len(features.engineered_names))
    assert features.raw_names == schema.names
    assert len(set(features.engineered_names)) == len(features.engineered_names)
    owned = [name for raw in features.raw_names for name in features.engineered_of(raw)]
    assert tuple(owned) == features.engineered_names
    used = {column.name for column in schema.columns if column.used}
    assert {features.raw_names[i] for i in features.raw_of} == used


@RELAXED
@given(frames())
def test_codes_are_whole_numbers_below_the_number_of_levels(frame):
    _, featurizer = fitted_or_skipped(frame)
    features, matrix = featurizer.feature_map, featurizer.transform(frame)
    view = matrix[:, features.columns_for("codes")]
    for position, n_levels in features.codes_in("codes").items():
        codes = view[:, position]
        assert set(codes[~np.isnan(codes)]) == set(range(n_levels))


@RELAXED
@given(frames())
def test_without_codes_the_matrix_is_the_view_of_indicators(frame):
    schema, featurizer = fitted_or_skipped(frame)
    plain = Featurizer.fit(frame, schema, config=FeaturizationConfig(blocked=["code"]))
    features = featurizer.feature_map
    columns = features.columns_for("indicators")
    assert same_bits(featurizer.transform(frame)[:, columns], plain.transform(frame))
    assert features.n_levels == tuple(
        n * (f == "code") for n, f in zip(features.n_levels, features.forms)
    )


@RELAXED
@given(st.data())
def test_unseen_values_are_encoded_or_refused_by_column(data):
    before = pd.DataFrame({"a": data.draw(columns()), "b": range(100, 148, 2)})
    after = pd.DataFrame({"a": data.draw(columns()), "b": range(100, 148, 2)})
    schema, featurizer = fitted(before, overrides={"b": "numeric"})
    try:
        matrix = featurizer.transform(align(after, schema))
    except SchemaError as error:
        if "column 'a'" not in str(error):
            raise
    else:
        assert matrix.shape == (len(after), len(featurizer.feature_map.engineered_names))


@RELAXED
@given(st.data())
def test_a_row_is_refused_when_a_frame_of_it_is(data):
    before = pd.DataFrame({"a": data.draw(columns()), "b": range(100, 148, 2)})
    schema, featurizer = fitted(before, overrides={"b": "numeric"})
    for cell in data.draw(columns(n_rows=12)):
        try:
            alone = align(pd.DataFrame({"a": [cell], "b": [7]}), schema)
        except SchemaError as error:
            said = str(error).partition(", but row 0 has")[0]  # what it has may show otherwise
            with pytest.raises(SchemaError, match=re.escape(said)):
                featurizer.transform_row({"a": cell, "b": 7})
        else:
            row = featurizer.transform_row({"a": cell, "b": 7})
            assert same_bits(row, featurizer.transform(alone))


def test_a_row_without_a_needed_cell_is_refused():
    frame = pd.DataFrame({"age": [1.5, 2.5, 3.0], "site": 1, "pay": [1, 5, 2]})
    _, featurizer = fitted(frame)
    assert featurizer.transform_row({"age": 1, "pay": 2, "more": 3}).tolist() == [[1, 2]]
    with pytest.raises(SchemaError, match="lacks 1 column that the model needs: 'pay'"):
        featurizer.transform_row({"age": 1, "site": 1})


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT], ids=str)
def test_rows_of_nothing_but_missing_values_are_encoded(shared_data, missing):
    for name in ("titanic", "hotel_rates"):
        frame, _ = shared_data(name)
        schema, featurizer = fitted(frame)
        nothing = pd.DataFrame({column: [missing, missing] for column in frame}, dtype=object)
        matrix = featurizer.transform(align(nothing, schema))
        assert same_bits(matrix[0], matrix[1])


def test_an_empty_batch_gives_an_empty_matrix(shared_data):
    frame, _ = shared_data("titanic")
    schema, featurizer = fitted(frame)
    matrix = featurizer.transform(align(frame.iloc[:0], schema))
    assert matrix.shape == (0, len(featurizer.feature_map.engineered_names))


@pytest.mark.parametrize("name", TABLES)
def test_real_tables_pass_through_whole(shared_data, name):
    frame, card = shared_data(name)
    frame = frame.drop(columns=card["target"]).iloc[:4000]
    schema, featurizer = fitted(frame)
    matrix = featurizer.transform(frame)
    again = Featurizer.from_dict(json.loads(json.dumps(featurizer.to_dict())))
    assert same_bits(again.transform(align(frame, schema)), matrix)
    for i in range(0, len(frame), max(1, len(frame) // 20)):
        assert same_bits(featurizer.transform(frame.iloc[[i]])[0], matrix[i])
        assert same_bits(featurizer.transform_row(frame.iloc[i].to_dict())[0], matrix[i])
    assert not (np.nan_to_num(matrix, nan=-1.0) == np.nan_to_num(matrix[0], nan=-1.0)).all(0).any()
    summary = featurizer.summary()
    assert [entry["name"] for entry in summary] == frame.columns.tolist()
    assert sum(entry["n_engineered"] for entry in summary) == matrix.shape[1]


def test_names_that_would_meet_are_told_apart():
    frame = pd.DataFrame({"job": ["a", "b", "c"] * 9, "job=a": np.arange(27) ** 2})
    _, featurizer = fitted(frame)
    names = ("job", "job=a", "job=b", "job=c", "job=a (2)")
    assert featurizer.feature_map.engineered_names == names


def test_names_can_be_printed_and_are_short():
    frame = pd.DataFrame({"line\nbreak": ["\x00odd", "x" * 5000, "y"] * 9})
    _, featurizer = fitted(frame)
    for name in featurizer.feature_map.engineered_names:
        assert name.isprintable()
        assert len(name) <= 130


def test_a_state_of_another_format_is_refused():
    with pytest.raises(SchemaError, match="format 99"):
        Featurizer.from_dict({"format": 99})
    with pytest.raises(SchemaError, match="format None"):
        Schema.from_dict({})


def test_a_frame_without_a_needed_column_is_refused():
    frame = pd.DataFrame({"age": [1.5, 2.5, 3.0], "pay": [1, 5, 2]})
    _, featurizer = fitted(frame)
    with pytest.raises(SchemaError, match="lacks column 'age'; did you mean 'Age'"):
        featurizer.transform(frame.rename(columns={"age": "Age"}))

"""What a user decides about featurization is done, or refused by name."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pellucid.tabular.config import IMPUTERS, TRANSFORMERS, FeaturizationConfig
from pellucid.tabular.errors import FeaturizationError
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.schema import SchemaError, align, infer_schema

from .frames import frames

RELAXED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FORMS = {
    "onehot": "indicator", "code": "code", "frequency": "share", "text": "word",
    "datetime": "part", "missing_mark": "missing",
}  # fmt: skip


def fitted(frame, **options):
    config = FeaturizationConfig(**options)
    schema = config.schema(frame)
    return schema, Featurizer.fit(frame, schema, config=config)


def table(n=60):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.choice([20.0, 31.0, 31.5, 47.0, np.nan], n),
            "paid": rng.choice([True, False], n),
            "job": rng.choice(["clerk", "nurse", "smith"], n),
            "city": [f"town {i}" for i in rng.permutation(n) // 5],
            "since": pd.date_range("2024-01-01", periods=n, freq="11D"),
            "note": [f"the {a} of {b}" for a, b in rng.choice(["soup", "tea", "pie"], (n, 2))],
        }
    )


KINDS = {"note": "text", "city": "categorical"}


@RELAXED
@given(st.data(), frames())
def test_what_is_blocked_is_not_made(data, frame):
    blocked = data.draw(st.lists(st.sampled_from(TRANSFORMERS), unique=True))
    try:
        schema, featurizer = fitted(frame, blocked=blocked, max_levels=data.draw(st.integers(1, 9)))
    except (SchemaError, FeaturizationError) as error:
        assume("no column is left to learn from" not in str(error))
        raise
    features = featurizer.feature_map
    made = {
        form
        for form, raw in zip(features.forms, features.raw_of)
        if form != "indicator" or schema.columns[raw].kind != "boolean"
    }
    assert not made & {FORMS[name] for name in blocked}
    used = {column.name for column in schema.columns if column.used}
    for view in ("indicators", "codes"):
        seen = features.raw_of[features.columns_for(view)]
        assert {features.raw_names[i] for i in seen} == used


@RELAXED
@given(st.data(), frames())
def test_rows_alone_and_reloaded_featurizers_give_the_same_bits(data, frame):
    try:
        numeric = [name for name, kind in infer_schema(frame).kinds.items() if kind == "numeric"]
    except SchemaError:
        assume(False)
    imputer = st.one_of(st.sampled_from(IMPUTERS), st.floats(allow_nan=False, allow_infinity=False))
    imputers = {name: data.draw(imputer) for name in numeric}
    schema, featurizer = fitted(frame, imputers=imputers, max_words=2, max_levels=2)
    batch = featurizer.transform(frame)
    again = Featurizer.from_dict(json.loads(json.dumps(featurizer.to_dict())))
    assert again.transform(frame).tobytes() == batch.tobytes()
    for i in range(0, len(frame), 5):
        row = align(frame.iloc[[i]], schema)
        assert featurizer.transform(row).tobytes() == batch[i].tobytes()
    names = list(featurizer.feature_map.engineered_names)
    for name in numeric:
        if schema[name].used:
            assert not np.isnan(
                batch[:, names.index(featurizer.feature_map.engineered_of(name)[0])]
            ).any()


@pytest.mark.parametrize(
    ("imputer", "filled"), [("mean", 2.5), ("median", 2.0), ("mode", 1.0), ("zero", 0), (-7, -7)]
)
def test_missing_numbers_become_what_is_asked(imputer, filled):
    frame = pd.DataFrame({"a": [1.0, 1.0, np.nan, 3.0, 5.0], "b": [1.5, 2.5, 3.5, 4.5, 5.5]})
    _, featurizer = fitted(frame, imputers={"a": imputer})
    assert featurizer.transform(frame)[:, 0].tolist() == [1, 1, filled, 3, 5]
    assert featurizer.feature_map.engineered_names == ("a", "a=(missing)", "b")
    facts = featurizer.summary()[0]
    assert facts["filler"] == filled
    assert facts["imputer"] == (imputer if isinstance(imputer, str) else "constant")
    assert facts["missing"] == 1
    assert "missing ones become" in facts["action"]


def test_off_makes_one_column_of_a_column():
    frame = table()
    config = FeaturizationConfig.of("off")
    schema = FeaturizationConfig(blocked=config.blocked, column_kinds=KINDS).schema(frame)
    featurizer = Featurizer.fit(frame, schema, config=config)
    assert featurizer.feature_map.engineered_names == ("age", "paid", "job", "city")
    assert featurizer.feature_map.forms == ("number", "indicator", "code", "code")
    matrix = featurizer.transform(frame)
    np.testing.assert_array_equal(matrix[:, 0], frame["age"].astype(np.float32))
    np.testing.assert_array_equal(matrix[:, 1], frame["paid"])
    by_count = frame["job"].value_counts().index.tolist()
    np.testing.assert_array_equal(matrix[:, 2], frame["job"].map(by_count.index))
    assert {c.name: c.reason for c in schema.columns if not c.used} == {
        "since": "datetime is blocked",
        "note": "text is blocked",
    }


def test_auto_is_the_default():
    assert FeaturizationConfig.of("auto") == FeaturizationConfig()
    config = FeaturizationConfig(max_words=5)
    assert FeaturizationConfig.of(config) is config


def test_words_and_levels_are_limited():
    frame = table()
    _, featurizer = fitted(frame, max_words=2, max_levels=5, column_kinds=KINDS)
    features = featurizer.feature_map
    owned = {name: features.engineered_of(name) for name in frame}
    texts_of = {word: frame["note"].str.contains(word).sum() for word in ("soup", "tea", "pie")}
    common = sorted(sorted(texts_of, key=texts_of.get)[1:])
    assert owned["note"] == (*(f"note~{word}" for word in common), "note.words")
    levels = frame["job"].value_counts().index
    assert owned["job"] == ("job", *(f"job={level}" for level in levels))
    assert owned["city"][:2] == ("city", "city#frequency")
    assert len(owned["city"]) == 7  # and 5 levels of their own
    facts = {entry["name"]: entry for entry in featurizer.summary()}
    assert facts["note"]["n_words"] == 2
    assert facts["city"]["n_levels"] == 12
    assert facts["city"]["forms"] == {"code": 1, "share": 1, "indicator": 5}


def test_many_levels_without_frequencies_get_columns_and_a_rare_one():
    _, featurizer = fitted(table(), max_levels=5, column_kinds=KINDS, blocked=["frequency", "code"])
    names = featurizer.feature_map.engineered_of("city")
    assert len(names) == 6
    assert names[-1] == "city=(rare)"


def test_kinds_and_dropped_columns():
    schema, featurizer = fitted(table(), column_kinds={"age": "categorical"}, drop_columns=["job"])
    assert schema["age"].kind == "categorical"
    assert featurizer.feature_map.engineered_of("job") == ()


def test_a_config_survives_json():
    config = FeaturizationConfig(
        column_kinds={"a": "text"}, drop_columns=["b"], imputers={"c": np.float32(2), "d": "mode"},
        blocked=("onehot",), max_words=np.int64(7), max_levels=3,
    )  # fmt: skip
    again = FeaturizationConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert again == config
    assert FeaturizationConfig.from_dict({}) == FeaturizationConfig()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"column_kinds": {"a": "number"}}, "column_kinds of column 'a' has 'number'"),
        ({"column_kinds": ["a"]}, "column_kinds must map column names to values"),
        ({"drop_columns": "job"}, "drop_columns must be a list of names, but is 'job'"),
        ({"imputers": {"a": "average"}}, r"'average'; there are .*'mode', 'zero' \(or a number\)"),
        ({"imputers": {"a": "medain"}}, "did you mean 'median'"),
        ({"imputers": {"a": np.nan}}, "imputers of column 'a' has nan; expected a finite number"),
        ({"imputers": {"a": True}}, "has True; expected a finite number"),
        ({"blocked": "text"}, "blocked must be a list of names"),
        ({"blocked": ["tfidf"]}, "blocked has 'tfidf'; there are 'onehot'"),
        ({"max_words": 0}, "max_words must be a whole number of at least 1, but is 0"),
        ({"max_levels": 2.5}, "max_levels must be a whole number of at least 1, but is 2.5"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(FeaturizationError, match=message):
        FeaturizationConfig(**options)


def test_unknown_entries_and_choices_are_refused():
    with pytest.raises(FeaturizationError, match="'max_word'; did you mean 'max_words'"):
        FeaturizationConfig.from_dict({"max_word": 3})
    with pytest.raises(FeaturizationError, match="featurization has 'on'; there are 'auto', 'off'"):
        FeaturizationConfig.of("on")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"imputers": {"agee": 0}}, FeaturizationError, "'agee', which is unknown; did you mean"),
        ({"imputers": {"job": 0}}, FeaturizationError, "'job', which is categorical; only numeric"),
        ({"column_kinds": {"agee": "text"}}, SchemaError, "'agee'; did you mean 'age'"),
        ({"drop_columns": ["jb"]}, SchemaError, "'jb'; did you mean 'job'"),
    ],
)
def test_columns_that_are_not_there_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        FeaturizationConfig(**options).schema(table())


@pytest.mark.parametrize(
    "options", [{"drop_columns": ["job"]}, {"column_kinds": {"age": "categorical"}},
                {"blocked": ["datetime"]}],
)  # fmt: skip
def test_a_schema_made_without_the_config_is_refused(options):
    frame = table()
    with pytest.raises(FeaturizationError, match=r"make the schema with config.schema\(frame\)"):
        Featurizer.fit(frame, infer_schema(frame), config=FeaturizationConfig(**options))


def test_blocking_everything_is_refused():
    frame = pd.DataFrame({"job": ["a", "b", "c"] * 9})
    with pytest.raises(FeaturizationError, match="no column is left to learn from when onehot"):
        FeaturizationConfig(blocked=["onehot", "code", "frequency"]).schema(frame)

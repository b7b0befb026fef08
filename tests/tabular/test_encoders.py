"""What each encoder makes of a column, down to names and values."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from pellucid.tabular.config import FeaturizationConfig
from pellucid.tabular.encoders.text import TextEncoder
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.schema import align, infer_schema


def column(cells, *, codes=False, **options):
    """Engineered names of a column, and what new cells become: name -> value."""
    frame = pd.DataFrame({"c": cells})
    frame["other"] = np.linspace(0, 1, len(frame))
    schema = infer_schema(frame, **options)
    config = FeaturizationConfig(blocked=[] if codes else ["code"])
    featurizer = Featurizer.fit(frame, schema, config=config)
    names = featurizer.feature_map.engineered_of("c")

    def encode(*new):
        rows = pd.DataFrame({"c": pd.Series(new, dtype=object), "other": 0.0})
        matrix = featurizer.transform(align(rows, schema))[:, : len(names)]
        return [dict(zip(names, row)) for row in matrix.tolist()]

    return names, encode


def test_numbers_are_kept_and_missing_ones_marked():
    names, encode = column([1.0, np.nan, 3.0] * 20)
    assert names == ("c", "c=(missing)")
    known, missing = encode(2.5, None)
    assert known == {"c": 2.5, "c=(missing)": 0}
    assert np.isnan(missing["c"])
    assert missing["c=(missing)"] == 1


def test_missing_numbers_that_training_did_not_have_are_only_nan():
    names, encode = column([1.5, 2.5, 3.5] * 20)
    assert names == ("c",)
    assert np.isnan(encode(None)[0]["c"])


def test_infinite_and_huge_numbers_become_the_extremes():
    _, encode = column([1.5, 2.5, np.inf, -7.0] * 20)
    values = [row["c"] for row in encode(np.inf, -np.inf, 1e308, -1e308, 9.0, 5e-324)]
    assert values == [2.5, -7.0, 2.5, -7.0, 9.0, 0.0]


def test_large_numbers_are_shifted_where_single_precision_would_merge_them():
    seconds = 1_700_000_000 + np.arange(500) * 7 % 499 * 3
    (name,), encode = column(seconds, overrides={"c": "numeric"})
    offset = float(name.removeprefix("c-"))
    values = [row[name] for row in encode(1_700_000_000, 1_700_000_003)]
    assert values == [1_700_000_000 - offset, 1_700_000_003 - offset]


def test_truth_values():
    names, encode = column([True, False, None] * 20)
    assert names == ("c", "c=(missing)")
    assert [row["c"] for row in encode(True, 0, "yes")] == [1, 0, 1]


def test_levels_get_columns_and_unseen_ones_are_rare():
    names, encode = column(["a"] * 50 + ["b"] * 40 + ["c"] * 30 + ["d", "e"] + [None] * 8)
    assert names == ("c=a", "c=b", "c=c", "c=(rare)", "c=(missing)")
    seen, rare, unseen, missing = encode("b", "d", "zzz", None)
    assert seen == {"c=a": 0, "c=b": 1, "c=c": 0, "c=(rare)": 0, "c=(missing)": 0}
    assert rare == unseen == dict.fromkeys(names, 0) | {"c=(rare)": 1}
    assert missing == dict.fromkeys(names, 0) | {"c=(missing)": 1}


def test_without_rare_levels_an_unseen_one_is_all_zeros():
    names, encode = column(["a", "b", "c"] * 20)
    assert encode("zzz", None) == [dict.fromkeys(names, 0)] * 2


@pytest.mark.parametrize(
    ("levels", "name"),
    [(["no", "yes"], "c=yes"), (["Yes", "No", "Yes"], "c=Yes"), (["m", "f", "m"], "c=f")],
)
def test_two_levels_need_one_column(levels, name):
    names, encode = column(levels * 20)
    assert names == (name,)
    level = name.removeprefix("c=")
    other = next(v for v in levels if v != level)
    assert [row[name] for row in encode(level, other)] == [1, 0]
    assert all(np.isnan(row[name]) for row in encode("zzz", None))


def test_many_levels_get_their_frequency_and_the_top_ones_columns():
    rng = np.random.default_rng(0)
    cells = [f"city{i}" for i in rng.zipf(1.3, size=3000) % 400]
    names, encode = column(cells, overrides={"c": "categorical"})
    assert names[:2] == ("c#frequency", "c=city1")
    assert len(names) <= 21
    share = np.float32(cells.count("city1") / len(cells))
    seen, unseen, missing = encode("city1", "nowhere", None)
    assert (seen["c#frequency"], seen["c=city1"]) == (share, 1)
    assert unseen == dict.fromkeys(names, 0)
    assert np.isnan(missing["c#frequency"])


def test_codes_count_levels_from_the_most_frequent():
    names, encode = column(["b", "a", "b", "c", None] * 12, codes=True)
    assert names == ("c", "c=b", "c=a", "c=c", "c=(missing)")
    codes = [row["c"] for row in encode("b", "a", "c", "unseen", None)]
    assert codes[:4] == [0, 1, 2, 3]
    assert np.isnan(codes[4])


def test_rare_levels_share_a_code_with_unseen_ones():
    _, encode = column(["a"] * 30 + ["b"] * 20 + ["c", "d"], codes=True)
    assert [row["c"] for row in encode("a", "b", "c", "d", "unseen")] == [0, 1, 2, 2, 2]


def test_codes_of_two_levels_would_repeat_the_one_column():
    names, _ = column(["no", "yes"] * 20, codes=True)
    assert names == ("c=yes",)


def test_whole_numbers_that_repeat_far_apart_get_codes():
    rng = np.random.default_rng(0)
    zips = rng.choice(rng.integers(10_000, 99_999, 150), 3000)
    zips[:1000] = 12_345
    names, encode = column(zips, codes=True)
    assert names == ("c", "c#code")
    seen, unseen, infinite, missing = encode(12_345, 5, np.inf, None)
    assert seen == {"c": 12_345, "c#code": 0}
    n_levels = len(np.unique(zips))
    assert unseen["c#code"] == infinite["c#code"] == n_levels
    assert np.isnan(missing["c#code"])


@pytest.mark.parametrize(
    "cells",
    [
        np.arange(3000) % 50,  # dense
        np.arange(3000) % 50 * 1000,  # round
        np.arange(3000) ** 2,  # no repetition
        np.arange(3000) % 5 * 12_345,  # few
        np.arange(3000) ** 2 % 50 + 0.5,  # not whole
        np.arange(3000) ** 2 % 50 * 2.0**53,  # too large to be exact
    ],
)
def test_amounts_get_no_codes(cells):
    names, _ = column(cells, codes=True, overrides={"c": "numeric"})
    assert not any("#code" in name for name in names)


def test_capital_gains_get_codes(shared_data):
    frame, _ = shared_data("adult")
    featurizer = Featurizer.fit(frame, infer_schema(frame))
    coded = [n for n in featurizer.feature_map.engineered_names if n.endswith("#code")]
    assert coded == ["capital_gain#code", "capital_loss#code"]


def test_dates_give_the_parts_that_vary_and_days():
    names, encode = column(pd.date_range("2024-03-01", periods=60, freq="D"))
    assert names == ("c.month", "c.day", "c.weekday", "c.days")
    assert encode(pd.Timestamp("2024-03-03"))[0] == dict(zip(names, [3, 3, 6, 2]))
    assert encode("2024-03-03")[0] == dict(zip(names, [3, 3, 6, 2]))
    assert all(np.isnan(v) for v in encode(None)[0].values())


def test_parts_of_dates_are_those_of_pandas():
    rng = np.random.default_rng(0)
    stamps = pd.Series(pd.to_datetime(rng.integers(-(10**10), 10**10, 500), unit="s"))
    frame = pd.DataFrame({"at": stamps})
    featurizer = Featurizer.fit(frame, infer_schema(frame))
    parts = ("year", "month", "day", "yearday", "weekday", "hour", "minute")
    pandas_name = {"yearday": "day_of_year", "weekday": "day_of_week"}
    assert featurizer.feature_map.engineered_names == (*[f"at.{p}" for p in parts], "at.days")
    matrix = featurizer.transform(frame)
    for i, part in enumerate(parts):
        np.testing.assert_array_equal(matrix[:, i], getattr(stamps.dt, pandas_name.get(part, part)))
    days = (stamps - stamps.min()) / pd.Timedelta(days=1)
    np.testing.assert_array_equal(matrix[:, -1], days.astype(np.float32))


def test_weights_of_words_are_those_of_scikit_learn(shared_data):
    frame, _ = shared_data("fine_foods")
    texts = frame["review"].iloc[:800].tolist()
    encoder = TextEncoder.from_dict(json.loads(json.dumps(TextEncoder.fit(texts).to_dict())))
    assert len(encoder.words) == 400
    vectorizer = TfidfVectorizer(
        vocabulary=list(encoder.words),
        sublinear_tf=True,
        preprocessor=lambda text: re.sub("<[^<>]*>", " ", text.lower()),
    ).fit(texts)
    np.testing.assert_allclose(encoder.idf, vectorizer.idf_, rtol=1e-14)
    unseen = ["", "Not good, NOT good at all", "zzz", *frame["review"].iloc[800:1000]]
    out = np.empty((len(unseen), len(encoder.words) + 1), dtype=np.float32)
    encoder.fill(unseen, out)
    expected = vectorizer.transform(unseen).toarray().astype(np.float32)
    np.testing.assert_allclose(out[:, :-1], expected, rtol=3e-7)
    assert out[:, -1].tolist() == [len(text.split()) for text in unseen]


def test_words_are_the_most_common_ones_and_no_markup():
    texts = ["<b>cold</b> soup<br />", "cold tea < 3", "hot soup", "hot tea", "cold pie"] * 20
    encoder = TextEncoder.fit(texts)
    assert encoder.words == ("cold", "hot", "pie", "soup", "tea")
    assert TextEncoder.fit(texts, max_words=2).words == ("cold", "hot")


def test_missing_texts():
    texts = [f"soup number {i} was cold" for i in range(60)] + [None] * 3
    names, encode = column(texts)
    assert names == ("c.words", "c=(missing)")  # each word is in every text, or in one
    missing = encode(None)[0]
    assert missing["c=(missing)"] == 1
    assert np.isnan(missing["c.words"])


def test_a_state_is_as_small_as_it_must_be():
    cells = [f"user {i}" for i in range(100_000)]
    schema = infer_schema(pd.DataFrame({"c": cells}), overrides={"c": "categorical"})
    featurizer = Featurizer.fit(pd.DataFrame({"c": cells}), schema)
    assert len(json.dumps(featurizer.to_dict())) < 2000

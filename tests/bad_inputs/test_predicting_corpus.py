"""Rows that differ from those of training: the same answer where they mean the same, else a word.

One model; each case gives the rows another form. What means the same has the same bits, what means
something else is refused with the column, and no input is changed.
"""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from pellucid.errors import PellucidError
from pellucid.tabular.read import to_frame

pytestmark = pytest.mark.filterwarnings("ignore")

N = 80
RNG = np.random.default_rng(3)
TRAIN = pd.DataFrame(
    {
        "age": RNG.integers(18, 80, N),
        "income": np.where(RNG.random(N) < 0.1, np.nan, RNG.lognormal(10, 1, N).round(2)),
        "job": RNG.choice(["cook", "clerk", "admin."], N),
        "member": RNG.random(N) < 0.5,
        "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 900, N), "D"),
        "zip": RNG.choice(["00010", "00100", "90210"], N),
    }
)
LABELS = np.where(TRAIN["age"] + 30 * TRAIN["member"] > 60, "yes", "no")
ROWS = TRAIN[:12]
COLUMNS = TRAIN.columns.tolist()


def with_(**columns):
    return ROWS.assign(**columns)


def text(column):
    return ROWS[column].astype(str).to_numpy()


ARROW = pa.Table.from_pandas(ROWS)
SAME = {
    "itself": ROWS,
    "columns backwards": ROWS[COLUMNS[::-1]],
    "another column": with_(more=1),
    "the target left in": with_(y=LABELS[:12]),
    "lists in another column": with_(more=[[1]] * 12),
    "index of text": ROWS.set_axis([f"r{i}" for i in range(12)]),
    "index that repeats": ROWS.set_axis([0] * 12),
    "index of two levels": ROWS.set_axis(pd.MultiIndex.from_product([range(3), range(4)])),
    "a view of a larger frame": TRAIN.iloc[:12],
    "every other column by loc": TRAIN.loc[:11, COLUMNS],
    "polars": pl.from_pandas(ROWS),
    "polars lazy": pl.from_pandas(ROWS).lazy(),
    "arrow": ARROW,
    "arrow dtypes": ROWS.convert_dtypes(dtype_backend="pyarrow"),
    "nullable dtypes": ROWS.convert_dtypes(dtype_backend="numpy_nullable"),
    "objects": ROWS.astype(object),
    "list of dicts": ROWS.to_dict("records"),
    "dict of columns": ROWS.to_dict("list"),
    "dict of Series": dict(ROWS.items()),
    "float age": with_(age=ROWS["age"].astype(float)),
    "int8 age": with_(age=ROWS["age"].astype(np.int8)),
    "float32 age": with_(age=ROWS["age"].astype(np.float32)),
    "age as text": with_(age=text("age")),
    "age as category": with_(age=ROWS["age"].astype("category")),
    "sparse age": with_(age=pd.arrays.SparseArray(ROWS["age"])),
    "age with blanks": with_(age=[f" {age} " for age in ROWS["age"]]),
    "job as category": with_(job=ROWS["job"].astype("category")),
    "job as another category": with_(
        job=pd.Categorical(ROWS["job"], categories=["other", "cook", "admin.", "clerk"])
    ),
    "job in blanks": with_(job=[f" {job} " for job in ROWS["job"]]),
    "job as string": with_(job=ROWS["job"].astype("string")),
    "job as bytes": with_(job=pd.Series([job.encode() for job in ROWS["job"]], dtype=object)),
    "member as text": with_(member=text("member")),
    "member as 0 and 1": with_(member=ROWS["member"].astype(int)),
    "member as yes and no": with_(member=np.where(ROWS["member"], "yes", "no")),
    "member as boolean": with_(member=ROWS["member"].astype("boolean")),
    "since as text": with_(since=ROWS["since"].dt.strftime("%Y-%m-%d").to_numpy()),
    "since as ISO": with_(since=[day.isoformat() for day in ROWS["since"]]),
    "since as dates": with_(since=pd.Series(ROWS["since"].dt.date, dtype=object)),
    "since in seconds": with_(since=ROWS["since"].astype("datetime64[s]")),
    "since in UTC": with_(since=ROWS["since"].dt.tz_localize("UTC")),
    "since in Tokyo": with_(since=ROWS["since"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")),
    "zip as category": with_(zip=ROWS["zip"].astype("category")),
}
SAME_AS = {  # what means the same as what
    "missing ages": (with_(age=[None] * 12), with_(age=np.full(12, np.nan))),
    "missing jobs": (with_(job=[None] * 12), with_(job=[""] * 12)),
    "pd.NA": (with_(age=pd.array([None] * 12, dtype="Int64")), with_(age=np.full(12, np.nan))),
    "NaT": (with_(since=pd.to_datetime([None] * 12)), with_(since=[None] * 12)),
    "n/a in numbers": (with_(age=["n/a"] * 12), with_(age=[None] * 12)),
    "unseen jobs": (with_(job=["pilot"] * 12), with_(job=["judge"] * 12)),
    "unseen zips": (with_(zip=["55555"] * 12), with_(zip=["66666"] * 12)),
    "truths and ones": (with_(age=ROWS["member"]), with_(age=ROWS["member"].astype(int))),
    "all missing": (
        pd.DataFrame([[None] * 6] * 12, columns=COLUMNS),
        pd.DataFrame(np.full((12, 6), np.nan), columns=COLUMNS),
    ),
}
REFUSED = {
    "a column missing": (ROWS.drop(columns="job"), "lacks 1 column .*: 'job'"),
    "all columns missing": (pd.DataFrame({"x": [1]}), "lacks 6 columns"),
    "another case of a name": (ROWS.rename(columns={"job": "Job"}), "did you mean 'Job'"),
    "columns twice": (pd.concat([ROWS, ROWS], axis=1), "columns are named 'age'"),
    "words for ages": (with_(age=["old"] * 12), "column 'age' must hold numbers, but row 0"),
    "days for ages": (with_(age=ROWS["since"]), "column 'age' must hold numbers"),
    "numbers for jobs": (with_(job=range(12)), "column 'job' must hold words"),
    "truths for jobs": (with_(job=ROWS["member"]), "column 'job'"),
    "words for members": (with_(member=["maybe"] * 12), "'member' must hold true or false"),
    "numbers for days": (with_(since=[5.5] * 12), "'since' must hold dates"),
    "words for days": (with_(since=["soon"] * 12), "'since' must hold dates"),
    "lists": (with_(age=pd.Series([[1]] * 12)), "column 'age' holds a list"),
    "dicts": (with_(job=pd.Series([{"a": 1}] * 12)), "column 'job' holds a dict"),
    "complex": (with_(age=[1 + 2j] * 12), "column 'age'"),
    "zips as numbers": (with_(zip=ROWS["zip"].astype(int)), "column 'zip' must hold words"),
    "a narrower array": (ROWS[["age"]].to_numpy(), "has 1 features, but .* is expecting 6"),
    "a flat array": (np.zeros(5), "Reshape your data"),
    "text": ("rows.csv", "no table"),
    "nothing": (None, "no table"),
    "a number": (5, "no table"),
    "ragged rows": ([[1, 2], [1]], "row 1 has 1 cells"),
}


@pytest.fixture(scope="module")
def model(learn):
    return learn(TRAIN, LABELS)


def answers(model, X):
    told = model.explain(X)
    return model.predict_proba(X), told.values, told.engineered.values, told.base_values


def assert_same(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", SAME)
def test_what_means_the_same_has_the_same_bits(model, name):
    assert_same(answers(model, SAME[name]), answers(model, ROWS))


@pytest.mark.parametrize("name", SAME_AS)
def test_two_forms_of_one_thing(model, name):
    one, other = SAME_AS[name]
    assert_same(answers(model, one), answers(model, other))


@pytest.mark.parametrize("name", REFUSED)
def test_what_means_something_else_is_refused(model, name):
    X, message = REFUSED[name]
    for ask in (model.predict, model.predict_proba, model.explain):
        with pytest.raises(PellucidError, match=message):
            ask(X)


@pytest.mark.parametrize("name", [n for n, X in SAME.items() if isinstance(X, pd.DataFrame)])
def test_the_caller_s_rows_are_not_changed(model, name):
    X = SAME[name]
    before = X.copy(deep=True)
    model.explain(X)
    pd.testing.assert_frame_equal(X, before)


@pytest.mark.parametrize(
    "row",
    [
        ROWS.iloc[3],
        ROWS.iloc[3].to_dict(),
        ROWS.iloc[3].tolist(),
        [ROWS.iloc[3].to_dict()],
        ROWS[3:4],
        pl.from_pandas(ROWS[3:4]),
    ],
    ids=["Series", "dict", "list", "list of a dict", "frame", "polars"],
)
def test_one_row_in_any_form_is_that_row_of_the_batch(model, row):
    whole = answers(model, ROWS)
    assert_same(answers(model, row)[:3], [part[3:4] for part in whole[:3]])


def test_rows_in_any_order_and_number_have_the_same_bits(model):
    whole = answers(model, TRAIN)
    order = RNG.permutation(N)
    assert_same(answers(model, TRAIN.iloc[order])[:3], [part[order] for part in whole[:3]])
    for start in range(0, N, 17):
        part = answers(model, TRAIN[start : start + 17])
        assert_same(part[:3], [each[start : start + 17] for each in whole[:3]])


@pytest.mark.parametrize("X", [ROWS[:0], [], pd.DataFrame(columns=COLUMNS)])
def test_no_rows_give_no_answers(model, X):
    assert len(model.predict(X)) == 0
    assert model.predict_proba(X).shape == (0, 2)
    assert model.explain(X).values.shape == (0, 6)


def test_infinite_and_huge_numbers_are_the_extremes(model):
    extremes = answers(model, with_(age=[np.inf] * 12))
    assert_same(extremes, answers(model, with_(age=[1e308] * 12)))
    assert np.isfinite(extremes[0]).all()


def test_a_time_of_day_is_no_day(model):
    with pytest.raises(PellucidError, match="'since' must hold dates"):
        model.predict(with_(since=pd.Series([dt.time(7)] * 12, dtype=object)))


def test_forms_of_rows_are_at_least_sixty():
    assert len(SAME) + len(SAME_AS) + len(REFUSED) >= 60
    assert to_frame(ROWS).equals(ROWS)

"""The feature map knows the one source of every engineered column."""

import json

import pytest

from pellucid.tabular.lineage import Feature, FeatureMap
from pellucid.tabular.schema import SchemaError

JOB = (Feature("job=a", "indicator"), Feature("job=b", "indicator"))
FEATURES = FeatureMap.build(["id", "job", "age"], {"job": JOB, "age": [Feature("age")]})
CODED = FeatureMap.build(
    ["job", "age", "paid", "zip"],
    {
        "job": [Feature("job", "code", 3), *JOB, Feature("job=(missing)", "missing")],
        "age": [Feature("age"), Feature("age=(missing)", "missing")],
        "paid": [Feature("paid=yes", "indicator")],
        "zip": [
            Feature("zip"),
            Feature("zip=(missing)", "missing"),
            Feature("zip#code", "code", 9),
        ],
    },
)


def test_players_and_names_of_both_levels():
    assert FEATURES.players("raw").tolist() == [1, 1, 2]
    assert FEATURES.players("engineered").tolist() == [0, 1, 2]
    assert FEATURES.names("raw") == ("id", "job", "age")
    assert FEATURES.names("engineered") == ("job=a", "job=b", "age")


def test_columns_own_their_engineered_ones():
    assert FEATURES.engineered_of("job") == ("job=a", "job=b")
    assert FEATURES.engineered_of("id") == ()
    with pytest.raises(SchemaError, match="no raw column 'x'; there are id, job, age"):
        FEATURES.engineered_of("x")


def test_a_map_survives_json():
    again = FeatureMap.from_dict(json.loads(json.dumps(FEATURES.to_dict())))
    assert again.to_dict() == FEATURES.to_dict()
    assert again.raw_of.dtype == FEATURES.raw_of.dtype
    again = FeatureMap.from_dict(json.loads(json.dumps(CODED.to_dict())))
    assert again.codes_in("codes") == CODED.codes_in("codes")


def test_players_are_a_copy():
    FEATURES.players("raw")[:] = 7
    assert FEATURES.raw_of.tolist() == [1, 1, 2]


def test_one_view_leaves_out_codes_the_other_what_codes_say():
    def names(view):
        return [CODED.engineered_names[i] for i in CODED.columns_for(view)]

    assert names("indicators") == [
        *("job=a", "job=b", "job=(missing)", "age", "age=(missing)", "paid=yes"),
        *("zip", "zip=(missing)"),
    ]
    assert names("codes") == ["job", "age", "paid=yes", "zip", "zip#code"]
    assert CODED.codes_in("indicators") == {}
    assert CODED.codes_in("codes") == {0: 3, 4: 9}
    with pytest.raises(SchemaError, match="unknown view 'all'; expected one of indicators, codes"):
        CODED.columns_for("all")

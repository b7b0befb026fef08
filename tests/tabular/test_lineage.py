"""The feature map knows the one source of every engineered column."""

import json

import pytest

from pellucid.tabular.lineage import FeatureMap
from pellucid.tabular.schema import SchemaError

FEATURES = FeatureMap.build(["id", "job", "age"], {"job": ["job=a", "job=b"], "age": ["age"]})


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


def test_players_are_a_copy():
    FEATURES.players("raw")[:] = 7
    assert FEATURES.raw_of.tolist() == [1, 1, 2]

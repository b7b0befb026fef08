"""What a trial costs to explain: no more than the leaves that its settings allow."""

import numpy as np
import pytest

from pellucid.search.cost import explanation_cost
from pellucid.search.trials import Trial, TrialRecord, TrialSpec


def trial(family, config, rounds=(10, 20)):
    spec = TrialSpec(0, family, family, config, 0)
    record = TrialRecord(0, family, family, config, {}, 1.0, "completed")
    return Trial(spec, record, np.zeros((100, 1)), rounds)


@pytest.mark.parametrize(
    ("config", "leaves"),
    [
        ({}, 31),
        ({"max_leaves": 62}, 62),
        ({"max_depth": 3}, 8),
        ({"max_depth": 6, "max_leaves": 0}, 64),
        ({"max_depth": 20, "max_leaves": 0}, 255),
    ],
)
def test_xgboost_costs_as_many_leaves_as_its_trees_may_have(config, leaves):
    assert explanation_cost(trial("xgboost", config)) == pytest.approx(15 * leaves / 31)


def test_closed_forms_cost_nothing():
    assert explanation_cost(trial("linear", {"strength": 1.0})) == 0.0

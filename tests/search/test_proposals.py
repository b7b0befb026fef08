"""Proposals: the portfolio in order, then what the trials before say, and the seed."""

import numpy as np
import pytest

from pellucid.models.problem import Problem
from pellucid.search.portfolio import PORTFOLIO, Facts, portfolio
from pellucid.search.proposals import Proposer, Wait
from pellucid.search.trials import Trial, TrialRecord

FACTS = Facts(Problem("binary", 2), n_rows=5000, n_columns=10, n_levels=(5, 300))


def ended(spec, loss):
    record = TrialRecord(
        spec.iteration, spec.name, spec.family, dict(spec.config), {"log_loss": loss}, 1.0,
        "completed",
    )  # fmt: skip
    return Trial(spec, record, np.zeros((2, 1)), (10,))


def sequence(seed, n, **options):
    proposer = Proposer(FACTS, seed=seed, loss="log_loss", patient=True, **options)
    trials = []
    for _ in range(n):
        spec = proposer.propose(trials)
        if spec is None:
            break
        trials.append(ended(spec, 1.0 / (1 + len(trials) % 7)))
    return [trial.spec for trial in trials]


def test_the_same_results_and_seed_give_the_same_proposals():
    n = len(portfolio(FACTS, seed=0)) + 9
    assert sequence(1, n) == sequence(1, n)
    assert sequence(1, n)[-1].config != sequence(2, n)[-1].config


def test_iterations_count_and_configurations_differ():
    specs = sequence(0, len(PORTFOLIO) + 12)
    assert [spec.iteration for spec in specs] == list(range(len(specs)))
    tried = {(s.family, s.view, s.repeat, s.seed, str(sorted(s.config.items()))) for s in specs}
    assert len(tried) == len(specs) == len({spec.name for spec in specs})


def test_a_patient_proposer_waits_for_the_portfolio():
    proposer = Proposer(FACTS, seed=0, loss="log_loss", patient=True)
    specs = [proposer.propose([]) for _ in range(proposer.n_portfolio)]
    with pytest.raises(Wait):
        proposer.propose([ended(spec, 1.0) for spec in specs[:-1]])
    assert proposer.propose([ended(spec, 1.0) for spec in specs]).iteration == len(specs)


def test_the_best_is_tried_again_on_other_folds():
    proposer = Proposer(FACTS, seed=0, loss="log_loss", patient=False)
    specs = [proposer.propose([]) for _ in range(proposer.n_portfolio)]
    trials = [ended(spec, 0.1 if spec.name == "LightGBM wide" else 0.5) for spec in specs]
    again = proposer.propose(trials)
    wide = next(spec for spec in specs if spec.name == "LightGBM wide")
    assert (again.config, again.repeat) == (wide.config, 1)
    assert again.seed != wide.seed


def test_families_can_be_allowed_and_blocked():
    only = sequence(0, 40, allowed=("linear",))
    assert {spec.family for spec in only} == {"prior", "linear"}
    assert len({spec.name for spec in only}) == len(only)
    assert "catboost" not in {spec.family for spec in sequence(0, 30, blocked=("catboost",))}


def test_averages_of_trees_are_not_offered_behind_a_log_link():
    log = Facts(Problem("regression", link="log"), n_rows=5000, n_columns=10)
    assert "forest" not in {spec.family for spec in portfolio(log, seed=0)}

"""The search: keeps its clock, loses only the trial that fails, repeats itself."""

import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from pellucid.models.problem import Problem
from pellucid.search.deadline import Deadline
from pellucid.search.interrupt import InterruptGuard
from pellucid.search.metrics import get_metric
from pellucid.search.portfolio import PORTFOLIO, proposals
from pellucid.search.search import SearchPlan, choose, refit_chosen, run_search
from pellucid.search.trials import DataRef, TrialSpec, folds, run_trial
from pellucid.search.workers import Workers


@pytest.fixture(scope="module")
def workers():
    with Workers(2) as pool:
        yield pool


def write(folder, *, n_rows=2000, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 6)).astype(np.float32)
    y = (X[:, 0] + X[:, 1] * X[:, 2] + rng.normal(size=n_rows) > 0).astype(np.int64)
    problem = Problem("binary", 2)
    return DataRef.write(folder, X, y, folds(y, problem, seed=seed), problem), X, y


def plan(*, budget=None, max_trials=None, reserve=0.0):
    return SearchPlan(
        metric=get_metric(None, Problem("binary", 2)),
        deadline=Deadline.after(budget),
        max_trials=max_trials,
        seed=0,
        reserve=reserve,
    )


@pytest.mark.parametrize(
    ("y", "problem"),
    [
        (np.repeat([0, 1], [190, 10]), Problem("binary", 2)),
        (np.repeat([0, 1, 2], [5, 100, 95]), Problem("multiclass", 3)),
        (np.random.default_rng(0).gamma(1.0, size=200), Problem("regression")),
    ],
)
def test_folds_are_even_and_alike(y, problem):
    fold_of = folds(y, problem, seed=3)
    sizes = np.bincount(fold_of)
    assert sizes.max() - sizes.min() <= 1
    for k in range(len(sizes)):
        if problem.is_classification:
            for c in np.unique(y):
                assert abs((y[fold_of == k] == c).sum() - (y == c).sum() / len(sizes)) <= 1
        else:
            assert abs(y[fold_of == k].mean() - y.mean()) < 0.1


def test_every_row_is_predicted_by_the_fold_that_did_not_see_it(tmp_path):
    data, X, y = write(tmp_path, n_rows=400)
    fold_of = data.arrays()[2]
    spec = TrialSpec(0, "LightGBM", "lightgbm", {"num_leaves": 7}, 0)
    trial = run_trial(data, spec, None)
    assert trial.record.status == "completed"
    # a fold's own labels must not move its margins
    flipped = np.where(fold_of == 0, 1 - y, y)
    other = DataRef.write(tmp_path, X, flipped, fold_of, data.problem)
    from pellucid.search.trials import _load

    _load.cache_clear()
    constant = TrialSpec(0, "Prior", "prior", {}, 0)
    before, after = run_trial(data, constant, None), run_trial(other, constant, None)
    assert np.array_equal(before.margins[fold_of == 0], after.margins[fold_of == 0])
    _load.cache_clear()


def test_a_failing_trial_is_a_line_on_the_leaderboard(tmp_path):
    data, _, _ = write(tmp_path, n_rows=100)
    trial = run_trial(data, TrialSpec(0, "odd", "lightgbm", {"no_such": 1}, 0), None)
    assert trial.record.status == "failed"
    assert "no_such" in trial.record.note
    assert not trial.usable


def test_the_same_seed_and_trials_give_the_same_bits(tmp_path, workers):
    data, X, y = write(tmp_path)
    results = []
    for _ in range(2):
        trials = run_search(data, plan(max_trials=5), workers, InterruptGuard(), lambda _: None)
        chosen = choose(trials, y, data.problem)
        ensemble, _ = refit_chosen(data, chosen, workers, Deadline.after(None))
        results.append(ensemble.margins(X))
    assert np.array_equal(*results)


def test_the_budget_ends_the_search(tmp_path, workers):
    data, _, _ = write(tmp_path, n_rows=20_000)
    started = time.monotonic()
    trials = run_search(
        data, plan(budget=5.0, reserve=0.5), workers, InterruptGuard(), lambda _: None
    )
    assert time.monotonic() - started < 5.0
    assert any(trial.usable and trial.spec.family == "linear" for trial in trials)


def test_without_a_limit_the_portfolio_is_tried_once(tmp_path, workers):
    data, _, _ = write(tmp_path, n_rows=200)
    trials = run_search(data, plan(), workers, InterruptGuard(), lambda _: None)
    assert [trial.spec.iteration for trial in trials] == list(range(len(PORTFOLIO)))


def test_proposals_depend_on_the_seed_alone():
    def first(seed):
        source = proposals(seed=seed)
        return [next(source) for _ in range(len(PORTFOLIO) + 3)]

    assert first(1) == first(1)
    assert first(1)[-1].config != first(2)[-1].config


def test_a_killed_worker_costs_its_trial_only(tmp_path):
    data, _, _ = write(tmp_path, n_rows=20_000)
    with Workers(2) as pool:
        victim = pool.submit(os.getpid).result()
        killer = threading.Timer(1.0, os.kill, (victim, signal.SIGKILL))
        killer.start()
        trials = run_search(data, plan(max_trials=9), pool, InterruptGuard(), lambda _: None)
    assert len(trials) == 9
    lost = [trial for trial in trials if not trial.usable]
    assert 1 <= len(lost) <= 2  # a broken pool takes the trial beside it along
    assert all("worker process" in trial.record.note for trial in lost)


def test_ctrl_c_ends_the_search_and_keeps_what_is_done(tmp_path, workers):
    data, _, y = write(tmp_path)
    with InterruptGuard() as guard:
        seen = []

        def interrupt_after_two(trial):
            seen.append(trial)
            if len(seen) == 2:
                os.kill(os.getpid(), signal.SIGINT)

        trials = run_search(data, plan(budget=60.0), workers, guard, interrupt_after_two)
    assert guard.raised
    assert 2 <= len(trials) <= 4
    assert choose(trials, y, data.problem).trials


def test_a_member_that_cannot_be_refitted_is_left_out(tmp_path, workers):
    data, X, y = write(tmp_path)
    trials = run_search(data, plan(max_trials=3), workers, InterruptGuard(), lambda _: None)
    chosen = choose(trials, y, data.problem)
    assert len(chosen.trials) == 2
    broken = replace(chosen.trials[0], spec=replace(chosen.trials[0].spec, config={"no_such": 1}))
    ensemble, kept = refit_chosen(
        data,
        replace(chosen, trials=(broken, chosen.trials[1])),
        workers,
        Deadline.after(None),
    )
    assert ensemble.names == (chosen.trials[1].spec.name,)
    assert kept.trials == (chosen.trials[1],)
    assert ensemble.margins(X).shape == (len(X), 1)

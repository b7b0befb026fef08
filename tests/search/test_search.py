"""The search: keeps its clock, loses only the trial that fails, repeats itself."""

import os
import signal
import sys
import threading
import time
from concurrent.futures import wait
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pellucid.models.problem import Problem
from pellucid.search.deadline import Deadline
from pellucid.search.ensemble import EnsembleError, build_ensemble, choose
from pellucid.search.folds import random_folds
from pellucid.search.interrupt import InterruptGuard
from pellucid.search.metrics import get_metric
from pellucid.search.portfolio import Facts
from pellucid.search.proposals import Proposer
from pellucid.search.search import Search, SearchPlan
from pellucid.search.trials import DataRef, TrialSpec, run_trial
from pellucid.search.workers import _SPARE, Workers

BINARY = Problem("binary", 2)
QUICK = ("linear", "lightgbm")


@pytest.fixture(scope="module")
def workers():
    with Workers(2) as pool:
        yield pool


def write(folder, *, n_rows=2000, seed=0, weight=None):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 6)).astype(np.float32)
    y = (X[:, 0] + X[:, 1] * X[:, 2] + rng.normal(size=n_rows) > 0).astype(np.int64)
    folds = random_folds(y, BINARY, n_folds=5, seed=seed)
    return DataRef.write(folder, X, y, folds, BINARY, weight=weight), X, y


def search(
    data,
    workers,
    *,
    budget=None,
    max_trials=None,
    reserve=0.0,
    guard=None,
    on_trial=None,
    allowed=QUICK,
):
    plan = SearchPlan(
        metric=get_metric(None, BINARY),
        deadline=Deadline.after(budget),
        max_trials=max_trials,
        seed=0,
        reserve=reserve,
    )
    facts = Facts(BINARY, n_rows=len(data.rows().y), n_columns=6)
    proposer = Proposer(facts, seed=0, loss="log_loss", patient=budget is None, allowed=allowed)
    started = Search(
        data, plan, proposer, workers, guard or InterruptGuard(), on_trial or (lambda _: None)
    )
    return started


def run(*args, **options):
    return search(*args, **options).run()


def test_every_row_is_predicted_by_the_fold_that_did_not_see_it(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    data, X, y = write(tmp_path / "a", n_rows=400)
    spec = TrialSpec(0, "LightGBM", "lightgbm", {"num_leaves": 7}, 0)
    trial = run_trial(data, spec, None)
    assert trial.record.status == "completed"
    folds = data.folds()
    # a fold's own labels must not move its margins
    flipped = np.where(folds.of_row == 0, 1 - y, y)
    other = DataRef.write(tmp_path / "b", X, flipped, folds, data.problem)
    constant = TrialSpec(0, "Prior", "prior", {}, 0)
    before, after = run_trial(data, constant, None), run_trial(other, constant, None)
    mine = folds.of_row == 0
    assert np.array_equal(before.margins[mine], after.margins[mine])


def test_a_trial_leaves_the_members_that_made_its_margins(tmp_path):
    data, X, _ = write(tmp_path, n_rows=400)
    spec = TrialSpec(3, "LightGBM", "lightgbm", {"num_leaves": 7}, 0)
    trial = run_trial(data, spec, None)
    members, folds = data.members(spec), data.folds()
    assert [member.rounds for member in members] == list(trial.rounds)
    for k, member in enumerate(members):
        held_out = folds.of_row == k
        assert np.array_equal(member.margins(X[held_out]), trial.margins[held_out])


def test_a_failing_trial_is_a_line_on_the_leaderboard(tmp_path):
    data, _, _ = write(tmp_path, n_rows=100)
    trial = run_trial(data, TrialSpec(0, "odd", "lightgbm", {"no_such": 1}, 0), None)
    assert trial.record.status == "failed"
    assert "no_such" in trial.record.note
    assert not trial.usable


def test_weights_reach_learning_and_scores(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    rng = np.random.default_rng(0)
    weight = rng.integers(0, 2, size=600).astype(float)
    weighted, _, y = write(tmp_path / "a", n_rows=600, weight=weight)
    plain, _, _ = write(tmp_path / "b", n_rows=600)
    spec = TrialSpec(0, "Prior", "prior", {}, 0)
    ours, theirs = run_trial(weighted, spec, None), run_trial(plain, spec, None)
    assert not np.array_equal(ours.margins, theirs.margins)
    p = 1 / (1 + np.exp(-ours.margins[:, 0]))
    loss = -np.log(np.where(y == 1, p, 1 - p))
    assert ours.record.metrics["log_loss"] == pytest.approx(np.average(loss, weights=weight))


@pytest.mark.parametrize("max_trials", [4, 14])
def test_the_same_seed_and_trials_give_the_same_bits_for_any_number_of_workers(
    tmp_path, workers, max_trials
):
    results = []
    with Workers(1) as alone:
        for pool in (workers, alone):
            folder = tmp_path / str(pool.n_jobs)
            folder.mkdir()
            data, X, _ = write(folder, n_rows=600)
            trials = run(data, pool, max_trials=max_trials)
            assert len(trials) == max_trials
            ensemble, parts, _ = build_ensemble(data, choose(trials, data), pool, end=None)
            assert not any(part.by_fold for part in parts)
            results.append(([(t.spec, t.record.metrics) for t in trials], ensemble.margins(X)))
    assert results[0][0] == results[1][0]
    assert np.array_equal(results[0][1], results[1][1])


def test_the_budget_ends_the_search(tmp_path, workers):
    data, _, _ = write(tmp_path, n_rows=20_000)
    started = time.monotonic()
    trials = run(data, workers, budget=6.0, reserve=0.5)
    assert time.monotonic() - started < 6.0
    assert any(trial.usable and trial.spec.family == "linear" for trial in trials)


def test_a_search_that_is_late_from_the_start_ends_with_a_model_that_learned(tmp_path, workers):
    data, _, _ = write(tmp_path)
    trials = run(data, workers, budget=0.0, reserve=1.0)
    assert {trial.spec.family for trial in trials if trial.usable} - {"prior"}
    assert all(trial.spec.iteration < 3 for trial in trials)


def test_a_search_for_the_prior_alone_does_not_wait_for_more(tmp_path, workers):
    data, _, _ = write(tmp_path)
    trials = run(data, workers, budget=0.0, reserve=1.0, allowed=("prior",))
    assert [trial.spec.family for trial in trials] == ["prior"]


def test_without_a_limit_the_portfolio_is_tried_once(tmp_path, workers):
    data, _, _ = write(tmp_path, n_rows=200)
    started = search(data, workers)
    trials = started.run()
    assert [trial.spec.iteration for trial in trials] == list(range(started.proposer.n_portfolio))


def test_a_search_goes_on_from_the_trials_of_an_earlier_one(tmp_path, workers):
    data, _, _ = write(tmp_path, n_rows=300)
    whole = run(data, workers, max_trials=8)
    later = search(data, workers, max_trials=8)
    later.trials = list(whole[:3])
    ran = []
    later.on_trial = ran.append
    again = later.run()
    assert sorted(trial.spec.iteration for trial in ran) == [3, 4, 5, 6, 7]
    assert [t.record.metrics for t in again] == [t.record.metrics for t in whole]


def test_workers_tell_when_their_libraries_are_there():
    _SPARE.end()
    with Workers(2) as pool:
        assert not pool.are_ready(within=0.0)
        assert pool.are_ready(within=None)
        assert pool.submit(sum, [1, 2]).result() == 3


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_that_is_idle_at_the_end_serves_the_next_search_and_then_ends(monkeypatch):
    monkeypatch.setattr("pellucid.search.workers._KEPT", 0.5)
    _SPARE.end()
    with Workers(1) as pool:
        assert pool.are_ready(within=None)
        process = pool.submit(os.getpid).result()
    with Workers(1) as pool:
        assert pool.submit(os.getpid).result() == process
        os.kill(process, signal.SIGKILL)  # one that dies is not kept
        pool.submit(os.getpid).exception()
    with Workers(1) as pool:
        assert pool.are_ready(within=None)
        process = pool.submit(os.getpid).result()
    until = time.monotonic() + 30
    while Path(f"/proc/{process}").exists() and time.monotonic() < until:
        time.sleep(0.1)
    assert not Path(f"/proc/{process}").exists()


def test_a_worker_that_is_ended_with_tasks_in_line_ends_without_a_word(monkeypatch):
    said = []
    monkeypatch.setattr(threading, "excepthook", said.append)
    with Workers(1) as pool:
        assert pool.are_ready(within=None)
        tasks = [pool.submit(time.sleep, 60.0) for _ in range(8)]
        manager = pool._slots[0]._pool._executor_manager_thread
    assert not wait(tasks, timeout=30.0).not_done
    assert all(task.exception() is not None for task in tasks)
    manager.join(timeout=30.0)
    assert not said


@pytest.mark.posix
def test_a_killed_worker_costs_its_trial_only(tmp_path):
    data, _, _ = write(tmp_path, n_rows=20_000)
    with Workers(2) as pool:
        victim = pool.submit(os.getpid).result()
        killer = threading.Timer(1.0, os.kill, (victim, signal.SIGKILL))
        killer.start()
        trials = run(data, pool, max_trials=8)
    assert len(trials) == 8
    lost = [trial for trial in trials if not trial.usable]
    assert len(lost) == 1
    assert "worker process" in lost[0].record.note


def test_a_trial_that_does_not_end_is_ended(tmp_path):
    data, _, _ = write(tmp_path, n_rows=200)
    with Workers(1) as pool:
        started = search(data, pool, budget=60.0)
        hung = pool.submit(time.sleep, 60)
        spec = TrialSpec(0, "hangs", "linear", {}, 0)
        from pellucid.search.search import _Running

        started.trials.append(run_trial(data, TrialSpec(1, "Prior", "prior", {}, 0), None))
        started._running[hung] = _Running(spec, time.monotonic() - 5.0)
        started._end_overdue()
        assert hung in started._running  # nothing that has learned is there yet
        started._running[hung] = _Running(spec, time.monotonic() - 35.0)
        started._end_overdue()
        assert started.trials[1].record.status == "failed"
        assert "time was up" in started.trials[1].record.note
        assert pool.submit(os.getpid).result(timeout=30) != os.getpid()


@pytest.mark.posix
def test_ctrl_c_ends_the_search_and_keeps_what_is_done(tmp_path, workers):
    data, _, _ = write(tmp_path)
    with InterruptGuard() as guard:
        seen = []

        def interrupt_after_two(trial):
            seen.append(trial)
            if len(seen) == 2:
                os.kill(os.getpid(), signal.SIGINT)

        trials = run(data, workers, budget=60.0, guard=guard, on_trial=interrupt_after_two)
    assert guard.raised
    assert 2 <= len(trials) <= 4
    assert choose(trials, data).trials


def test_a_member_without_a_refit_is_the_sum_of_its_folds(tmp_path, workers):
    data, X, _ = write(tmp_path)
    trials = run(data, workers, max_trials=3)
    chosen = choose(trials, data)
    assert len(chosen.trials) == 2
    broken = replace(chosen.trials[0], spec=replace(chosen.trials[0].spec, config={"no_such": 1}))
    mixed = replace(chosen, trials=(broken, chosen.trials[1]))
    ensemble, parts, _ = build_ensemble(data, mixed, workers, end=None)
    assert [part.by_fold for part in parts] == [True, False]
    assert len(ensemble.members) == 6
    expected = chosen.stack.intercept + chosen.stack.weights[0] * np.mean(
        [member.margins(X) for member in data.members(chosen.trials[0].spec)], axis=0
    )
    expected = expected + chosen.stack.weights[1] * ensemble.members[5].margins(X)
    np.testing.assert_allclose(ensemble.margins(X), expected, rtol=1e-12)


def test_time_that_is_up_leaves_the_folds_own_members(tmp_path, workers):
    data, X, _ = write(tmp_path)
    chosen = choose(run(data, workers, max_trials=3), data)
    ensemble, parts, _ = build_ensemble(data, chosen, workers, end=time.monotonic() - 1.0)
    assert all(part.by_fold for part in parts)
    assert np.isfinite(ensemble.margins(X)).all()
    past = time.monotonic() - 1.0
    _, parts, anew = build_ensemble(data, chosen, workers, end=past, latest=past)
    assert [part.spec.family for part in parts] == ["linear"]  # no tree takes time to explain
    assert anew.trials == tuple(t for t in chosen.trials if t.spec.family == "linear")
    data.member_file(chosen.trials[0].spec.iteration).unlink()  # as if it were very large
    _, parts, _ = build_ensemble(data, chosen, workers, end=None, bagged=True)
    assert [part.by_fold for part in parts] == [False, True]


def test_no_clock_ends_the_search_before_there_is_an_answer(tmp_path):
    data, _, _ = write(tmp_path, n_rows=200)
    with Workers(1) as pool:
        trials = run(data, pool, budget=0.05, reserve=0.01)
    assert trials[0].usable


def test_a_trial_that_is_far_behind_ends_after_one_fold(tmp_path):
    data, _, _ = write(tmp_path, n_rows=400)
    spec = TrialSpec(5, "Linear", "linear", {"strength": 1.0}, 0)
    whole = run_trial(data, spec, None)
    assert whole.usable
    assert run_trial(data, spec, None, whole.first_loss * 1.01).usable
    behind = run_trial(data, spec, None, whole.first_loss * 0.99)
    assert not behind.usable
    assert behind.record.status == "stopped"
    assert "far behind" in behind.record.note


def test_a_member_that_is_nowhere_is_left_out_and_the_others_weighed_anew(tmp_path, workers):
    data, X, _ = write(tmp_path)
    chosen = choose(run(data, workers, max_trials=3), data)
    first, second = chosen.trials
    broken = replace(first, spec=replace(first.spec, config={"no_such": 1}))
    data.member_file(first.spec.iteration).unlink()
    mixed = replace(chosen, trials=(broken, second))
    ensemble, parts, anew = build_ensemble(data, mixed, workers, end=None)
    assert [part.spec for part in parts] == [second.spec]
    assert anew.trials == (second,)
    assert np.isfinite(ensemble.margins(X)).all()
    for trial in chosen.trials:
        data.member_file(trial.spec.iteration).unlink(missing_ok=True)
    with pytest.raises(EnsembleError, match="allow more time"):
        build_ensemble(data, chosen, workers, end=time.monotonic() - 1.0)

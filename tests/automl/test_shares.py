"""Workers that learn together, each from its share of the files, give a member like any other."""

import itertools
import math
import os
import signal
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.dask_cluster import two_workers

import pellucid
from pellucid import AutoMLClassifier
from pellucid.automl.asides import Asides
from pellucid.automl.gang import LATE
from pellucid.automl.preparing import Settings, prepare
from pellucid.automl.shares import Rows, learn_shared
from pellucid.automl.target import TargetError, read_classes
from pellucid.automl.whole import WholeTable, write_whole
from pellucid.models.family import Rows as FamilyRows
from pellucid.models.family import get_family
from pellucid.models.problem import Problem
from pellucid.models.shared_view import add, agree, share_sums
from pellucid.models.statistics import code_sums
from pellucid.models.stored import StoredRows
from pellucid.search.cluster import ClusterError
from pellucid.search.ensemble import Part
from pellucid.search.plan import PlanError
from pellucid.search.trials import TrialSpec, refit, view_config
from pellucid.search.whole import learn_whole

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow
LABELS = ("high", "low", "mid")


def table(n=2400, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=n),
            "kind": rng.choice(["a", "b", "c", None], n),
            "zip": rng.choice([f"z{i}" for i in range(60)], n),
            "counts": rng.uniform(0.5, 2, n),
        }
    )
    signal_ = frame["size"] + (frame["kind"] == "a") + (frame["zip"] < "z3")
    noisy = signal_ + 0.3 * rng.normal(size=n)
    frame["y"] = np.select([noisy > 1.2, noisy < 0.2], ["high", "low"], "mid")
    return frame


@pytest.fixture(scope="module")
def client():
    with two_workers(set_as_default=False) as client:
        yield client


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of unequal length, in the order of the target: no worker sees all classes."""
    home = tmp_path_factory.mktemp("rows")
    rows = table().sort_values("y")
    for name, start, stop in (
        ("a", 0, 500),
        ("b", 500, 1200),
        ("c", 1200, 1300),
        ("d", 1300, 2400),
    ):
        rows[start:stop].to_parquet(home / f"{name}.parquet", index=False)
    return home


@pytest.fixture(scope="module")
def asked(folder, tmp_path_factory):
    """What training hands to the workers, and a member of each kind to learn."""
    whole = WholeTable.draw(folder, "y", n=600, stratified=True, weight="counts")
    target = read_classes(whole.y, n_rows=len(whole.sample))
    weight = Asides(weight=whole.beside("counts").to_numpy())
    made = prepare(whole.X, target, weight, Settings(), tmp_path_factory.mktemp("sample"))
    specs = [
        TrialSpec(0, "plain", "lightgbm", {}, 1),
        TrialSpec(1, "statistics", "lightgbm", {"feature_fraction": 0.7}, 2, "statistics"),
        TrialSpec(2, "codes", "xgboost", {}, 3, "codes"),
    ]
    parts = tuple(Part(spec, 1.0, (20,), False) for spec in specs)
    return Rows.of(whole, made.schema, made.featurizer, target, made.data), parts


@dataclass(frozen=True, eq=False)
class InMemory:
    X: np.ndarray

    @property
    def shape(self):
        return self.X.shape

    def read(self, start, stop):
        return self.X[start:stop]


def learn(client, asked):
    rows, parts = asked
    wanted = dict.fromkeys(range(len(parts)), 20)
    return learn_shared(client, rows, parts, wanted, np.zeros(3), end=None)


@pytest.fixture(scope="module")
def learned(client, asked):
    return learn(client, asked)


def brute(margins, row, background, players):
    """Shapley values by all coalitions, (n_players, n_outputs)."""
    n = players.max() + 1
    worth = {}
    for size in range(n + 1):
        for inside in itertools.combinations(range(n), size):
            mixed = np.where(np.isin(players, inside), row, background)
            worth[inside] = margins(mixed).mean(axis=0)
    found = np.zeros((n, len(worth[()])))
    for inside, value in worth.items():
        for i in set(range(n)) - set(inside):
            share = math.factorial(len(inside)) * math.factorial(n - len(inside) - 1)
            gain = worth[tuple(sorted({*inside, i}))] - value
            found[i] += share / math.factorial(n) * gain
    return found


def engineered(asked, rows):
    return asked[0].featurizer.transform(rows[list(asked[0].table.columns)])


def test_each_kind_of_member_is_learned_by_all_and_explained_exactly(learned, asked):
    assert learned.shares == 2
    assert learned.why_not == {}
    assert [part.whole for part in learned.parts] == [True] * 3
    X = engineered(asked, table(100, seed=1))
    players = asked[0].featurizer.feature_map.players("raw")
    background = X[50:]
    for member in (*learned.ensemble.members, learned.ensemble):
        tables = member.shapley(background=background, players=players)
        for i in range(2):
            expected = brute(member.margins, X[i], background, players)
            values = tables.values(X[i : i + 1])[0]
            np.testing.assert_allclose(values, expected, atol=1e-6)
            total = tables.base_values + values.sum(axis=0)
            np.testing.assert_allclose(total, member.margins(X[i : i + 1])[0], atol=1e-6)


def test_it_is_the_member_of_all_rows_and_not_of_the_sample(learned, asked, tmp_path):
    rows, parts = asked
    whole, _ = write_whole(
        rows.table, rows.schema, rows.featurizer, rows.target, rows.sample, tmp_path
    )
    X = engineered(asked, table(500, seed=2))
    for part, member in zip(parts, learned.ensemble.members, strict=True):
        learn_whole(whole, part.spec, 20, None)
        here = whole.member(part.spec).margins(X)
        config = view_config(rows.sample, part.spec)
        of_sample = get_family("view").fit(
            rows.sample.rows(), rows.sample.problem, config, seed=part.spec.seed, rounds=20
        )
        gap, usual = (np.square(each.margins(X) - here).mean() for each in (member, of_sample))
        assert gap < 0.5 * usual


def test_sums_of_shares_are_those_of_all_rows():
    rng = np.random.default_rng(0)
    X = rng.choice([0, 1, 2, np.nan], (900, 1)).astype(np.float32)
    y, weight, problem = rng.integers(0, 3, 900), rng.uniform(1, 2, 900), Problem("multiclass", 3)
    n_codes, frequent = agree(FamilyRows(X, y, weight), problem, [0])
    shares = [
        StoredRows(InMemory(X[own]), y[own], weight[own], Path())
        for own in (slice(0, 100), slice(100, None))
    ]
    found = add(
        [
            share_sums(share, {"encoded": [0]}, n_codes, frequent, seed=0, rank=rank)
            for rank, share in enumerate(shares)
        ]
    )
    whole = code_sums(
        X[:, 0], np.zeros(900, dtype=np.int8), FamilyRows(X, y, weight), n_codes[0], frequent
    )
    for ours, theirs in zip(found[0], whole, strict=True):
        np.testing.assert_allclose(ours.sum(axis=0), theirs.sum(axis=0))
        assert (ours != 0).any(axis=tuple(range(1, ours.ndim))).all()  # in every part


@pytest.mark.posix
def test_a_worker_that_dies_makes_the_others_begin_again(client, asked):
    pids = client.run(os.getpid)
    killer = threading.Timer(0.7, lambda: os.kill(min(pids.values()), signal.SIGKILL))
    killer.start()
    rows, parts = asked
    found = learn_shared(client, rows, parts[:1], {0: 300}, np.zeros(3), end=None)
    killer.join()
    assert found.why_not == {}
    assert found.ensemble.members[0].rounds == 300
    client.wait_for_workers(2, timeout=60)
    assert set(client.run(os.getpid).values()) != set(pids.values())


def test_a_training_learns_together_and_says_so(client, folder):
    with pellucid.cluster(client, learn="together"):
        clf = AutoMLClassifier(
            time_budget=None, max_trials=2, store=False, sample_rows=600,
            model_explainability=False, allowed_families=["lightgbm"],
        ).fit(folder, "y", sample_weight="counts")  # fmt: skip
    told = clf.training_["whole"]
    assert told["shares"] == 2
    assert {part.spec.family for part in clf.plan_.members if part.whole} == {"lightgbm"}
    rows = table(40, seed=3)
    explained = clf.explain(rows)
    total = explained.values.sum(axis=1) + explained.base_values
    np.testing.assert_allclose(total, clf.predictor_.margins(rows), atol=1e-6)
    with pytest.raises(PlanError, match="learned on 2 workers together"):
        pellucid.replay(clf.plan_, folder, "y", "counts")


def test_what_cannot_work_is_named(client, asked, tmp_path):
    rows, parts = asked
    other = table(30).assign(y="unknown")
    other.to_parquet(tmp_path / "other.parquet")
    wrong = replace(rows, table=replace(rows.table, source=tmp_path / "other.parquet"))
    with pytest.raises(TargetError, match="'unknown'"):
        learn(client, (wrong, parts))
    refit(rows.sample, parts[0].spec, 5, None)
    late = learn_shared(client, rows, parts[:1], {0: 20}, np.zeros(3), end=time.monotonic())
    assert late.why_not == {"plain": LATE}
    assert (late.shares, late.ensemble.members[0].rounds) == (0, 5)
    with (
        pytest.raises(ClusterError, match="learn must be one of 'auto', 'together', 'here'"),
        pellucid.cluster(client, learn="away"),
    ):
        pass

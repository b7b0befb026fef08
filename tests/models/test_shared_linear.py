"""Linear members that processes learn together, each from its share, are those of one machine."""

import secrets
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from pellucid.models.boosting import Start
from pellucid.models.family import Rows, get_family
from pellucid.models.problem import Problem
from pellucid.models.reduction import reduction
from pellucid.models.shared import Peers, shared_family
from pellucid.models.stored import OnDisk, StoredRows

PROBLEMS = {
    "two classes": (Problem("binary", 2), load_breast_cancer),
    "three classes": (Problem("multiclass", 3), load_wine),
    "values": (Problem("regression"), load_diabetes),
    "values behind a log": (Problem("regression", link="log"), load_diabetes),
}


def free_addresses(n):
    found = []
    for _ in range(n):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            found.append(f"127.0.0.1:{free.getsockname()[1]}")
    return tuple(found)


def real_rows(load, weighted):
    """A real table in the order of its target, with gaps."""
    X, y = load(return_X_y=True)
    order = np.argsort(y, kind="stable")
    X, y = X[order].astype(np.float32), y[order]
    rng = np.random.default_rng(0)
    X[rng.random(X.shape) < 0.05] = np.nan
    return Rows(X, y, rng.uniform(0.5, 2, len(X)) if weighted else None)


def learn_together(rows, problem, config, cuts, folder):
    """Members of all processes, whose shares end where it is cut."""
    addresses, secret = free_addresses(len(cuts)), secrets.token_bytes(32)

    def learn(rank):
        own = slice(cuts[rank - 1] if rank else 0, cuts[rank])
        home = folder / str(rank)
        home.mkdir()
        rows.X[own].tofile(home / "matrix.bin")
        train = StoredRows(
            OnDisk(home / "matrix.bin", rows.X[own].shape),
            rows.y[own],
            None if rows.weight is None else rows.weight[own],
            home,
            words=rows.words,
        )
        start = Start.of(rows, problem)
        peers = Peers(addresses, rank, {}, len(rows.y), start, secret=secret)
        return shared_family("linear").fit_shared(
            train, problem, config, seed=1, rounds=300, peers=peers
        )

    with ThreadPoolExecutor(len(cuts)) as pool:
        return list(pool.map(learn, range(len(cuts))))


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("name", list(PROBLEMS))
def test_shares_give_the_optimum_of_one_machine(tmp_path, name, weighted):
    problem, load = PROBLEMS[name]
    rows, config = real_rows(load, weighted), {"strength": 1.0}
    n = len(rows.y)
    members = learn_together(
        rows, problem, config, [n // 20, n // 4, n // 3, n // 2, n], tmp_path
    )  # the first shares have one class only
    one = get_family("linear").fit(rows, problem, config, seed=1, rounds=300)
    for member in members:
        np.testing.assert_allclose(member.low, one.low)
        np.testing.assert_allclose(member.high, one.high)
        spread = one.margins(rows.X).std()
        np.testing.assert_allclose(
            member.margins(rows.X), one.margins(rows.X), rtol=0, atol=1e-6 * spread
        )
        assert np.array_equal(member.coef, members[0].coef)
        assert member.rounds == one.rounds
    players = np.arange(rows.X.shape[1]) % 7
    values, theirs = (
        each.shapley(background=rows.X[::9], players=players).values(rows.X[:40])
        for each in (members[0], one)
    )
    np.testing.assert_allclose(values, theirs, rtol=0, atol=1e-6 * spread)


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_numbers_are_added_up_and_told(n):
    addresses, secret = free_addresses(n), b"a" * 32

    def work(rank):
        with reduction(addresses, rank, secret) as together:
            own = np.array([[rank, 1.0], [0.5, -rank]])
            return together.add(own), together.least(own), together.told(own)

    with ThreadPoolExecutor(n) as pool:
        found = list(pool.map(work, range(n)))
    total = n * (n - 1) / 2
    for added, least, told in found:
        assert added.tolist() == [[total, n], [n / 2, -total]]
        assert least.tolist() == [[0.0, 1.0], [0.5, 1.0 - n]]
        assert told.tolist() == [[0.0, 1.0], [0.5, 0.0]]


def test_who_does_not_know_the_secret_adds_nothing():
    addresses, secret = free_addresses(2), secrets.token_bytes(32)
    refused = threading.Event()

    def lead():
        with reduction(addresses, 0, secret) as together:
            return together.add(np.array([1.0]))

    def stranger():
        host, _, port = addresses[0].rpartition(":")
        while True:
            try:
                who = socket.create_connection((host, int(port)), timeout=5)
                break
            except ConnectionRefusedError:
                continue
        with who:
            who.sendall(b"x" * 32 + (1).to_bytes(8, "big") + np.array([1e9]).tobytes())
            with suppress(ConnectionResetError):
                assert who.recv(1) == b""
        refused.set()

    with ThreadPoolExecutor(2) as pool:
        total = pool.submit(lead)
        pool.submit(stranger).result()
        assert refused.is_set()
        with reduction(addresses, 1, secret) as together:
            together.add(np.array([2.0]))
        assert total.result().tolist() == [3.0]


def test_one_that_goes_away_ends_the_others():
    addresses, secret = free_addresses(2), secrets.token_bytes(32)

    def go_away():
        with reduction(addresses, 1, secret):
            pass

    with ThreadPoolExecutor(1) as pool:
        gone = pool.submit(go_away)
        with reduction(addresses, 0, secret) as together:
            gone.result()
            with pytest.raises(ConnectionError):
                together.add(np.zeros(3))

"""What has waited too long is refused at once, so that what is accepted is answered in time."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pellucid.serve.engine import Engine
from pellucid.serve.errors import RequestError
from pellucid.serve.formats import Asked
from pellucid.serve.holder import Served
from pellucid.serve.metrics import Metrics
from pellucid.serve.options import Options
from pellucid.serve.patience import Patience
from pellucid.serve.scorer import Scorer
from pellucid.serve.scores import Scores
from pellucid.serve.security import ARRIVED, Guard
from pellucid.serve.settings import Limits, Settings


def run(coroutine):
    """Its result, from a thread of its own: a browser's loop may run in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def ask(guard, waited):
    sent = []

    async def send(message):
        sent.append(message)

    headers = [(b"host", b"127.0.0.1")]
    scope = {"type": "http", "path": "/score", "method": "POST", "headers": headers,
             ARRIVED: time.perf_counter() - waited}  # fmt: skip
    run(guard(scope, None, send))
    return sent[0]["status"], dict(sent[0]["headers"])


def test_a_request_that_has_waited_too_long_is_refused():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    guard = Guard(app, settings=Settings("x"), keys=frozenset(), metrics=Metrics())
    assert ask(guard, 0.1)[0] == 200
    status, headers = ask(guard, 0.6)
    assert (status, headers[b"retry-after"]) == (503, b"1")


def answered(rate, *, burst=0, seconds=10.0):
    """Times of answers, and of refusals, by one worker that takes 2 ms for an answer."""
    rng = np.random.default_rng(0)
    came = np.cumsum(rng.exponential(1 / rate, int(rate * seconds)))
    came = np.sort(np.append(came, np.full(burst, seconds / 2)))
    patience, now, place, taken, refused = Patience(0.5), 0.0, 0, [], []
    while place < len(came):
        now = max(now, came[place])
        ready = max(place + 1, int(np.searchsorted(came, now, side="right")))
        for each in came[place:ready]:  # as a loop reads what there is, then works it off
            if patience.ends(now - each, now):
                now += 0.0002
                refused.append(now - each)
            else:
                now += 0.002
                taken.append(now - each)
        place = ready
    return np.array(taken), np.array(refused)


def test_three_times_what_can_be_answered_makes_nobody_wait():
    usual, none = answered(300)
    assert len(none) == 0
    taken, refused = answered(1500)
    assert np.percentile(taken, 99) < 5 * np.percentile(usual, 99)  # 52 ms, 11 ms
    assert np.percentile(refused, 99) < 0.06
    assert len(taken) > 0.7 * 500 * 10  # the worker is not idle: a refusal takes a tenth


def test_a_burst_is_no_queue_that_stays():
    taken, refused = answered(100, burst=50)
    assert len(refused) == 0
    assert taken.max() > 0.09


def test_one_client_on_a_slow_machine_is_no_queue():
    patience = Patience(0.5)
    assert not any(patience.ends(0.4, now=0.4 * k) for k in range(1000))


def test_batches_beyond_the_queue_are_refused_and_room_comes_back(clf, people):
    held = threading.Event()

    class Slow(Scorer):
        def score(self, rows, **options) -> Scores:
            held.wait(20)
            return super().score(rows, **options)

    served = Served(Slow(clf.predictor_), "people", "1")
    engine = Engine(Limits(batches=2), Metrics())
    asked = Asked(people, len(people), range(len(people)))

    async def go():
        first = [asyncio.create_task(engine.score(served, asked, Options())) for _ in range(2)]
        await asyncio.sleep(0.05)
        with pytest.raises(RequestError) as refused:
            await engine.score(served, asked, Options())
        assert (refused.value.status, refused.value.code) == (503, "busy")
        held.set()
        both = await asyncio.gather(*first)
        third = await engine.score(served, asked, Options())
        for scores in both:
            np.testing.assert_array_equal(scores.margins, third.margins)

    run(go())
    engine.close()

"""A service under a steady load and under three times what it can answer.

Requests of one row, with its prediction and both importances, are sent at fixed times whether or
not earlier ones were answered, as many clients would. First 300 a second for a while, to one worker
on one core; then three times as many as it answers to one client; then 300 again. Run::

    python benchmarks/serve_load.py --store FOLDER              # of serve.py; 10 minutes steady
    python benchmarks/serve_load.py --store FOLDER --seconds 10 --json FILE

Without a store a model is trained first. Held to: no error but 503, each with Retry-After; under
the steady load no 503 either. Other programs on the machine lengthen the times: where requests were
sent long after they were due (``sent late``), they are those of the machine. The client's own share
of a core is told; it costs little, since answers are not parsed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from serve import JSON, ask_for, cpu_seconds, free_port, read_bank, running, store_of

RATE = 300  # requests a second of the steady load
OVERLOAD = 3  # times what is answered at best
IDLE = 5.0  # seconds after which a connection is not used again; the service keeps it for 15


class Connection(asyncio.Protocol):
    """One kept connection: a request at a time, its answer read as bytes and no further."""

    def __init__(self):
        self.data, self.answer, self.used = b"", None, 0.0

    def connection_made(self, transport):
        """Ready for a request."""
        self.transport = transport

    def ask(self, request):
        """Send a request; what will hold the head of its answer."""
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.answer

    def data_received(self, data):
        """Part of an answer, or all of it."""
        self.data += data
        head, end, body = self.data.partition(b"\r\n\r\n")
        if not end:
            return
        head = head.lower()
        if len(body) >= int(head.partition(b"content-length:")[2].split(None, 1)[0]):
            self.data = b""
            self.answer.set_result(head)

    def connection_lost(self, error):
        """No answer will come."""
        self.used = -IDLE
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(ConnectionError("closed"))


class Client:
    """Connections to a service, and what it answered.

    seen : of each request when it was due, how late it was sent, how long it took, and its status,
        or the name of an error
    blunt : refusals that do not say when to ask again
    """

    def __init__(self, port, row):
        kind = "Content-Type: application/json"
        head = f"POST /score HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{kind}\r\n"
        self.request = f"{head}Content-Length: {len(row)}\r\n\r\n".encode() + row
        self.port, self.free, self.seen, self.blunt = port, [], [], 0

    async def ask(self, due):
        """One request, over a connection that is free or new."""
        loop = asyncio.get_running_loop()
        sent = loop.time()
        try:
            connection = await self.connected()
            head = await connection.ask(self.request)
            status = int(head[9:12])
            self.blunt += status == 503 and b"retry-after:" not in head
            connection.used = loop.time()
            self.free.append(connection)
        except OSError as error:
            status = type(error).__name__
        self.seen.append((due, sent - due, loop.time() - sent, status))

    async def connected(self):
        """A connection that was used lately, or a new one."""
        loop = asyncio.get_running_loop()
        while self.free:
            connection = self.free.pop()
            if loop.time() - connection.used < IDLE:
                return connection
            connection.transport.close()
        return (await loop.create_connection(Connection, "127.0.0.1", self.port))[1]

    async def load(self, rate, seconds):
        """Requests at a rate; what was seen of them, by when they were due."""
        loop = asyncio.get_running_loop()
        start, tasks, self.seen = loop.time(), set(), []
        for k in range(int(rate * seconds)):
            due = start + k / rate
            await asyncio.sleep(max(0.0, due - loop.time()))
            task = asyncio.create_task(self.ask(due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        return [(due - start, *rest) for due, *rest in sorted(self.seen)]


def told(seen):
    """Figures of a load."""
    statuses = Counter(status for *_, status in seen)
    figures = {"requests": len(seen), "status": dict(statuses)}
    lists = {"sent late": [late for _, late, _, _ in seen]}
    for name, wanted in (("answered", 200), ("refused", 503)):
        lists[name] = [took for *_, took, status in seen if status == wanted]
    for name, times in lists.items():
        if times:
            middle, last = np.percentile(times, [50, 99])
            figures[name] = {"p50_ms": 1e3 * float(middle), "p99_ms": 1e3 * float(last)}
    return figures


def recovered(seen, usual):
    """Seconds after which all that follow are answered within five times the usual 99 %."""
    slow = [due + took for due, _, took, status in seen if status != 200 or took > 5 * usual]
    return max(slow, default=0.0)


async def measure(port, row, pid, options):
    """Every load, one after the other."""
    client, figures = Client(port, row), {}
    before, own, began = cpu_seconds(pid), time.process_time(), time.monotonic()
    steady = await client.load(RATE, options.seconds)
    figures["steady"] = told(steady)
    figures["steady"]["cpu_ms"] = 1e3 * (cpu_seconds(pid) - before) / len(steady)
    figures["steady"]["client's share of a core"] = (time.process_time() - own) / (
        time.monotonic() - began
    )
    times = await asyncio.to_thread(ask_for, port, "/score", row, JSON, 3.0)
    figures["answered a second by one client, at best"] = best = 1 / float(np.percentile(times, 10))
    over = await client.load(OVERLOAD * best, options.overload)
    figures["overload"] = told(over)
    after = await client.load(RATE, 5.0)
    usual = figures["steady"]["answered"]["p99_ms"] / 1e3
    figures["after it"] = {**told(after), "seconds_to_recover": recovered(after, usual)}
    refused = figures["overload"].get("refused", {"p99_ms": 0.0})["p99_ms"]
    figures["is held"] = {
        "steady: 99 % in 25 ms, no error": usual < 0.025 and {each[-1] for each in steady} == {200},
        "overload: accepted in 5 times the usual": figures["overload"]["answered"]["p99_ms"]
        < 5e3 * usual,
        "overload: refused in 50 ms": refused < 50.0,
        "recovered in 2 s": figures["after it"]["seconds_to_recover"] < 2.0,
    }
    wrong = [status for *_, status in steady if status != 200]
    wrong += [status for *_, status in (*over, *after) if status not in (200, 503)]
    return figures, len(wrong) + client.blunt


def main():
    """Serve on one core, load, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600.0, help="of the steady load")
    parser.add_argument("--overload", type=float, default=10.0, help="seconds of it")
    parser.add_argument("--store", type=Path, help="one that holds bank@champion")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    X, y = read_bank()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        store = store_of(options.store, home, X, y)
        row, port = X[:1].to_json(orient="records").encode(), free_port()
        words = [sys.executable, "-m", "pellucid", "serve", "bank@champion", "--store",
                 str(store), "--port", str(port)]  # fmt: skip
        mine = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {max(mine)})  # the service inherits it
        with running(words, port, "/health/ready", home / "serve.log") as (_, process):
            os.sched_setaffinity(0, mine - {max(mine)} or mine)
            figures, wrong = asyncio.run(measure(port, row, process.pid, options))
    for name, values in figures.items():
        print(f"{name:<42}{values}")
    print(f"{wrong} wrong")
    if options.json:
        Path(options.json).write_text(json.dumps({**figures, "wrong": wrong}, indent=1))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()

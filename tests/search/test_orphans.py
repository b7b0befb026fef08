"""Workers do not outlive the process that they work for, however it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = """
import os, time
from pellucid.search.workers import Workers
with Workers(1) as workers:
    print(workers.submit(os.getpid).result(), flush=True)
    workers.submit(time.sleep, 600)
    time.sleep(600)
"""


def lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_that_starts_when_its_caller_is_gone_ends_too():
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], text=True,
                          capture_output=True, check=True)  # fmt: skip
    code = f"import time\nfrom pellucid.search.workers import _settle\n_settle({gone.stdout})\n"
    done = subprocess.run([sys.executable, "-c", code + "time.sleep(60)"], timeout=30, check=False)
    assert done.returncode == 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_ends_when_its_caller_is_killed():
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    worker = int(process.stdout.readline())
    assert lives(worker)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    until = time.monotonic() + 30
    while lives(worker) and time.monotonic() < until:
        time.sleep(0.1)
    assert not lives(worker)

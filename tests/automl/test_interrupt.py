"""Ctrl-C during fit: the best model so far is finished, explained and stored."""

import os
import signal
import subprocess
import sys

import pytest

SCRIPT = """
import numpy as np, pandas as pd, pellucid

def tell(progress):
    print(progress.stage, progress.n_trials, flush=True)

rng = np.random.default_rng(0)
X = pd.DataFrame(rng.normal(size=(20_000, 12)), columns=[f"x{i}" for i in range(12)])
y = X["x0"] * X["x1"] + X["x2"] + rng.normal(size=20_000) > 0
clf = pellucid.AutoMLClassifier(time_budget=3600, store="runs", progress=tell).fit(X, y)
assert clf.training_["interrupted"]
error = np.abs(clf.explain(X[:50]).margins - clf.predictor_.margins(X[:50])).max()
assert error < 1e-6, error
run = pellucid.load_run("latest", store="runs")
print("kept", run.status, len(run.leaderboard), run.explanation().n_rows, flush=True)
"""


@pytest.mark.slow
@pytest.mark.posix
def test_ctrl_c_keeps_the_best_so_far(tmp_path):
    # kernels that are not compiled yet must not make rows seem slow, and fewer be explained
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kernels")},
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if line.startswith("search 3"):
            os.kill(process.pid, signal.SIGINT)
            break
    rest = process.stdout.read()
    assert process.wait(timeout=120) == 0
    assert "kept FINISHED" in rest
    assert rest.split("kept FINISHED")[1].split()[1] == "1000"

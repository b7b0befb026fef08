"""The smallest whole use: train, explain, keep, and come back. ``python examples/smallest.py``."""

from __future__ import annotations

import tempfile

from sklearn.datasets import load_iris

import pellucid


def main() -> None:
    """Print a leaderboard and what matters."""
    X, y = load_iris(return_X_y=True, as_frame=True)
    with tempfile.TemporaryDirectory() as store:
        clf = pellucid.AutoMLClassifier(time_budget=None, max_trials=3, store=store).fit(X, y)
        explanation = pellucid.load_run("latest", store=store).model().explain(X[:50])
    print(clf.leaderboard_[["name", "log_loss", "weight"]])
    print(explanation)
    assert explanation.certificate.verdict == "ok"


if __name__ == "__main__":  # processes are started
    main()

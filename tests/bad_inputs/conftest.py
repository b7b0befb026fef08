"""What the corpus shares: one pool of workers, so that a fit costs no new processes."""

import pytest

from pellucid import AutoMLClassifier, AutoMLRegressor
from pellucid.automl import training
from pellucid.search.workers import Workers


class _Lent(Workers):
    """Workers that outlive the training that borrowed them."""

    def __exit__(self, *exc_info):
        self.restart()


@pytest.fixture(scope="module")
def learn():
    """Fit on a small table within a second: (X, y, regression, **options) -> estimator."""
    lent = _Lent(1)
    patch = pytest.MonkeyPatch()
    patch.setattr(training, "open_workers", lambda n_jobs: lent)

    def fit(X, y, *, regression=False, **options):
        kind = AutoMLRegressor if regression else AutoMLClassifier
        defaults = {
            "time_budget": None,
            "max_trials": 2,  # the first one learns nothing
            "store": False,
            "n_cross_validations": 2,
            "allowed_families": ["linear"],
        }
        return kind(**{**defaults, **options}).fit(X, y)

    yield fit
    patch.undo()
    lent.close()

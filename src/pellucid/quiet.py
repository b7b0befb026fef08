"""What other packages say, and that is nothing to our users."""

from __future__ import annotations

import warnings


def hush() -> None:
    """Leave out that bars of optuna and MLflow would need ipywidgets, and that workers are gone.

    A worker that is gone was ended, at its deadline, or its trial says what happened to it.
    """
    warnings.filterwarnings("ignore", message="IProgress not found")
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")

"""What other packages say while they are imported, and that is nothing to our users."""

from __future__ import annotations

import warnings


def hush() -> None:
    """Leave out that progress bars of optuna and MLflow would need ipywidgets in a notebook."""
    warnings.filterwarnings("ignore", message="IProgress not found")

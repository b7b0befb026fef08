"""The names of the retired Azure ML SDK v1, a few lines each over ours, on this machine alone.

Two ways in: put ``pellucid.`` before ``azureml`` in a script's imports; or leave the script as it
is and run ``python -m pellucid.azureml script.py``, or ``%load_ext pellucid.azureml`` in a
notebook, which let ``import azureml...`` find these names in that process only.

What names there are stands in `pellucid.azureml.names`; the modules under the old paths are made
from that table when they are imported.
"""

from __future__ import annotations

from typing import Any

from pellucid.azureml.aliases import install, install_here

install_here()


def load_ipython_extension(shell: Any) -> None:
    """Let a notebook's ``import azureml...`` find these names: ``%load_ext pellucid.azureml``."""
    from pellucid.azureml.bygone import restore

    install()
    restore()


__all__ = ["install", "load_ipython_extension"]

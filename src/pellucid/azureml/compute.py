"""Compute targets: every one exists, and is this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pellucid.azureml.notes import note_once
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.azureml.workspace import Workspace


class ComputeTargetException(PellucidError):
    """Never raised here: every compute target exists, and is this machine."""


class ComputeTarget:
    """A cluster by its name; it is this machine."""

    def __init__(self, workspace: Workspace | None = None, name: str = "local") -> None:
        self.name = name
        self.type = "local"
        note_once(f"the compute target {name} is this machine")

    @classmethod
    def create(cls, workspace: Workspace, name: str, configuration: Any = None) -> ComputeTarget:
        """The same: there is nothing to create."""
        return cls(workspace, name)

    def wait_for_completion(self, show_output: bool = False, **others: Any) -> None:
        """It is there."""

    def get_status(self) -> Any:
        """It is there."""
        return "Succeeded"

    def delete(self) -> None:
        """There is nothing to delete."""


class AmlCompute(ComputeTarget):
    """A cluster by its name; it is this machine."""

    @staticmethod
    def provisioning_configuration(**settings: Any) -> dict[str, Any]:
        """What a cluster would be like; not used here."""
        return settings


class Anywhere(dict[str, Any]):
    """Compute targets by name: any name is this machine."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> ComputeTarget:
        return AmlCompute(None, name)

"""The plan of a search: all that is needed to make its model again, without a clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pellucid.errors import PellucidError
from pellucid.search.ensemble import Part
from pellucid.search.trials import TrialSpec

_FORMAT = 1


class PlanError(PellucidError):
    """A plan is damaged, or does not fit the rows it is replayed on."""


@dataclass(frozen=True)
class Plan:
    """What a search decided.

    members : in the order of the ensemble, with what each learned.
    intercept : (n_outputs,)
    link : of a regression.
    data : fingerprint and size of the table; of one on disk, of the sample that was searched on.
    settings : the options that shape the data: seed, kinds, dropped columns, featurization.
    versions : of the packages.
    """

    members: tuple[Part, ...]
    intercept: tuple[float, ...]
    link: str
    data: Mapping[str, Any]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, which keeps every bit of a float."""
        return {"format": _FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Plan:
        """Rebuild a plan from what `to_dict` gave, or from its JSON.

        Raises
        ------
        PlanError
            If the facts are of another format, or incomplete.
        """
        if facts.get("format") != _FORMAT:
            raise PlanError(
                f"the plan has format {facts.get('format')!r}, but only {_FORMAT} is known; replay "
                f"it with the version of Pellucid that wrote it"
            )
        try:
            members = tuple(
                Part(
                    TrialSpec(**member["spec"]),
                    float(member["weight"]),
                    tuple(int(n) for n in member["rounds"]),
                    bool(member["by_fold"]),
                    bool(member.get("whole", False)),
                )
                for member in facts["members"]
            )
            return cls(
                members,
                tuple(float(value) for value in facts["intercept"]),
                str(facts["link"]),
                *(dict(facts[name]) for name in ("data", "settings", "versions")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise PlanError(f"the plan is incomplete: {error!r}; use the run's own") from error

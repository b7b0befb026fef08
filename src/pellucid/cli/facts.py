"""What a run comes to, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pellucid.cli.summary import explanation_of
from pellucid.store.run import Run
from pellucid.store.writer import plain

if TYPE_CHECKING:
    from pellucid.explain.explanation import Explanation
    from pellucid.store.runs import Store


def to_json(run: Run | None, training: Mapping[str, Any], explanation: Explanation | None) -> str:
    """All facts of a training as one JSON object."""
    facts = {
        "run": None if run is None else run.id,
        "name": None if run is None else run.name,
        "store": None if run is None else str(run.store.location),
        "status": None if run is None else run.status,
        "training": training,
        "importance": None if explanation is None else explanation.feature_importance_dict(),
    }
    return _dump(facts)


def details_json(run: Run) -> str:
    """A run as one JSON object; of one that is not finished, what is known."""
    if run.status == "FINISHED":
        return to_json(run, run.training, explanation_of(run))
    return _dump(_line(run))


def runs_json(store: Store) -> str:
    """The runs as a JSON array."""
    return _dump([_line(run) for run in store.runs()])


def _line(run: Run) -> dict[str, Any]:
    return {
        "run": run.id,
        "name": run.name,
        "store": str(run.store.location),
        "status": run.status,
        "reason": run.reason,
        "started": run.started.isoformat(),
        "ended": run.ended.isoformat() if run.ended else None,
        "params": run.params,
        "metrics": run.metrics,
    }


def _dump(value: Any) -> str:
    return json.dumps(plain(value), allow_nan=False, ensure_ascii=False)

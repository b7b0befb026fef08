"""ExplanationClient: the explanations of a run, listed, kept and read again."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.azureml.engineered import old_names
from pellucid.azureml.explanations import OldExplanation
from pellucid.errors import PellucidError
from pellucid.explain.explanation import Explanation
from pellucid.files import write_file

if TYPE_CHECKING:
    from pellucid.azureml.runs import Run
    from pellucid.azureml.workspace import Workspace

_FOLDER = "explanation"
_TRAINED = "made during training"


class NoExplanationError(PellucidError):
    """A run has no explanation of the wanted sort."""


class ExplanationClient:
    """Explanations of one run: those made during training, and those that were uploaded."""

    def __init__(self, run: Run) -> None:
        self.run = run

    @classmethod
    def from_run(cls, run: Run, **others: Any) -> ExplanationClient:
        """The client of a run; of a whole training, that of its best model."""
        best = getattr(run, "get_best_child", None)
        return cls(best() if best is not None else run)

    @classmethod
    def from_run_id(
        cls, workspace: Workspace, experiment_name: str, run_id: str, **others: Any
    ) -> ExplanationClient:
        """The client of a run by its id."""
        from pellucid.azureml.runs import Run
        from pellucid.azureml.workspace import Experiment

        return cls.from_run(Run.load(Experiment(workspace, experiment_name), run_id))

    def upload_model_explanation(
        self, explanation: Any, *, comment: str = "", top_k: int | None = None, **others: Any
    ) -> str:
        """Keep an explanation with the run, whole; give its id.

        Ranked names and values of what is downloaded end after ``top_k``.
        """
        ours = getattr(explanation, "explanation", explanation)
        name = uuid.uuid4().hex
        folder = self._folder / name[:8]
        folder.mkdir(parents=True)
        ours.save(folder / "explanation.pellucid")
        names = getattr(explanation, "features", None)
        classes = getattr(explanation, "classes", None)
        facts = {
            "top_k": top_k, "features": names,
            "classes": None if classes is None else [_plain(each) for each in classes],
            "id": name, "comment": comment, "data_type": "tabular", "explain_type": "local, global",
            "model_type": "regression" if ours.classes is None else "classification",
            "is_raw": ours.level == "raw", "is_engineered": ours.level == "engineered",
            "upload_time": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        # an explanation without facts is not listed
        write_file(folder / "facts.json", json.dumps(facts).encode())
        self.run.tag("model_explanation", "True")
        return name

    def list_model_explanations(
        self, comment: str | None = None, raw: bool | None = None, engineered: bool | None = None,
        **others: Any,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """What there is, oldest first."""
        files = self._folder.glob("*/facts.json")
        kept = sorted((json.loads(each.read_text("utf-8")) for each in files), key=_time)
        found = [*self._trained(), *kept]
        if comment is not None:
            found = [each for each in found if each["comment"] == comment]
        if raw is not None:
            found = [each for each in found if each["is_raw"] == raw]
        if engineered is not None:
            found = [each for each in found if each["is_engineered"] == engineered]
        return found

    def download_model_explanation(
        self, explanation_id: str | None = None, top_k: int | None = None,
        comment: str | None = None, raw: bool | None = None, engineered: bool | None = None,
        **others: Any,
    ) -> OldExplanation:  # fmt: skip
        """The latest explanation that fits what is asked for.

        Its ranked names and values end after ``top_k``.

        Raises
        ------
        NoExplanationError
            If there is none; the message lists what there is.
        """
        found = self.list_model_explanations(comment, raw, engineered)
        if explanation_id is not None:
            found = [each for each in found if each["id"] == explanation_id]
        if not found:
            known = "; ".join(
                f"{'raw' if e['is_raw'] else 'engineered'} {e['comment']!r}"
                for e in self.list_model_explanations()
            )
            raise NoExplanationError(
                f"run {self.run.id} has no such explanation; it has: {known or 'none'}"
            )
        facts, names = found[-1], None
        if facts["id"].startswith("trained-"):
            stored = self.run.stored  # type: ignore[attr-defined]
            ours = stored.explanation(raw=facts["is_raw"])
            names = None if facts["is_raw"] else old_names(stored.model())
        else:
            ours = Explanation.load(self._folder / facts["id"][:8] / "explanation.pellucid")
            names = facts.get("features")
        return OldExplanation(
            ours, id=facts["id"], comment=facts["comment"], features=names,
            classes=facts.get("classes"), top_k=top_k or facts.get("top_k"),
        )  # fmt: skip

    @property
    def _folder(self) -> Path:
        return self.run.directory / _FOLDER

    def _trained(self) -> list[dict[str, Any]]:
        facts = self.run.facts
        if facts.get("family") != "ensemble":
            return []
        stored = self.run.stored  # type: ignore[attr-defined]
        try:
            raw = stored.explanation(raw=True)
        except PellucidError:  # trained without
            return []
        levels = ["engineered", "raw"] if raw.engineered is not None else ["raw"]
        return [
            {
                "id": f"trained-{level}", "comment": _TRAINED, "data_type": "tabular",
                "explain_type": "local, global",
                "model_type": "regression" if raw.classes is None else "classification",
                "is_raw": level == "raw", "is_engineered": level == "engineered",
                "upload_time": facts.get("ended"),
            }
            for level in levels
        ]  # fmt: skip


def _plain(label: Any) -> Any:
    """A label as JSON has it."""
    return label.item() if hasattr(label, "item") else label


def _time(facts: dict[str, Any]) -> str:
    return str(facts["upload_time"])

"""The runs of AutoML: a training in Pellucid's store, and its trials with their models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.azureml import artefacts
from pellucid.azureml.faults import faults_of
from pellucid.azureml.fitted import FittedModel, dressed
from pellucid.azureml.runs import MODEL_FILE, Run, RunError

if TYPE_CHECKING:
    from pellucid.azureml.models import Model
    from pellucid.azureml.workspace import Experiment


class _StoredRun(Run):
    """A run, or a part of one, that Pellucid's store has."""

    @property
    def stored(self) -> Any:
        """The training in Pellucid's store."""
        from pellucid.store.runs import load_run

        return load_run(self.facts["pellucid"])


class AutoMLRun(_StoredRun):
    """A training with its trials, in Pellucid's store."""

    kind = "automl"

    @classmethod
    def of(
        cls, experiment: Experiment, estimator: Any, *, task: str, tags: Mapping[str, str]
    ) -> AutoMLRun:
        """The run of a fitted estimator, with a child for each trial."""
        run = cls(experiment, f"AutoML_{estimator.run_.id}")
        entries = estimator.training_["leaderboard"]
        children = []
        for entry in entries:
            child = TrialRun(experiment, f"{run.id}_{entry['iteration']}")
            child.fill(estimator.run_.id, entry, task)
            children.append(child.id)
        facts = run.facts
        facts |= {"children": children, "tags": dict(tags), "pellucid": estimator.run_.id}
        facts["properties"] = {"num_iterations": str(len(entries)), "task": task}
        facts["metrics"] = dict(estimator.training_["metrics"]["cv"])
        run._write(facts)
        run._end("Completed")
        Run(experiment, f"{run.id}_ModelExplain").complete()  # scripts wait for it by this name
        return run

    def get_output(
        self,
        iteration: int | None = None,
        metric: str | None = None,
        return_onnx_model: bool = False,
        **others: Any,
    ) -> tuple[TrialRun, Any]:
        """A trial and its fitted model: the best, the best by a metric, or one by its number.

        With ``return_onnx_model`` the model is an ONNX graph.
        """
        child = self._child(iteration, metric)
        return child, child.fitted.to_onnx() if return_onnx_model else child.fitted

    def get_best_child(self, metric: str | None = None, **others: Any) -> TrialRun:
        """The best trial: the ensemble, or the best by a metric."""
        return self._child(None, metric)

    def _child(self, iteration: int | None, metric: str | None) -> TrialRun:
        children = [TrialRun(self.experiment, each) for each in self.facts["children"]]
        if iteration is not None:
            found = [each for each in children if each.facts["iteration"] == iteration]
            if not found:
                known = ", ".join(str(each.facts["iteration"]) for each in children)
                raise RunError(f"the run has no iteration {iteration}; it has {known}")
            return found[0]
        if metric is None:
            return next(each for each in children if each.facts["family"] == "ensemble")
        from pellucid.search.metrics import get_metric

        stored = self.stored
        wanted = get_metric(metric, stored.model().problem, scaled=True)
        scored = [each for each in children if metric in each.facts["metrics"]]
        if not scored:
            raise RunError(f"no iteration has a value of {metric!r}")
        return min(scored, key=lambda each: wanted.loss(each.facts["metrics"][metric]))

    def summary(self) -> list[list[Any]]:
        """Number, name and primary metric of the trials."""
        metric = self.stored.training["primary_metric"]
        children = (each.facts for each in self.get_children())
        return [[c["iteration"], c["algorithm"], c["metrics"].get(metric)] for c in children]

    def summary_text(self) -> str:
        """The same as a table to read."""
        lines = [f"{'iteration':>9}  {'metric':>10}  algorithm"]
        for iteration, name, value in self.summary():
            shown = "" if value is None else f"{value:.5f}"
            lines.append(f"{iteration:>9}  {shown:>10}  {name}")
        return "\n".join(lines)

    def get_guardrails(self, to_console: bool = True) -> dict[str, Any]:
        """What was found in the data, and what was done about it."""
        training = self.stored.training
        found = faults_of(training)
        if to_console:
            for each in training.get("guardrails", []):
                print(f"{each['level']}: {each['column'] or 'table'}: {each['message']}")
        return {"schema_type": "fault_verifier", "schema_version": "1.0.0", "faults": found}

    def register_model(
        self,
        model_name: str | None = None,
        model_path: str | None = None,
        *,
        iteration: int | None = None,
        metric: str | None = None,
        **others: Any,
    ) -> Model:
        """Register the model of a trial, the best by default."""
        if model_path is not None:
            try:
                return super().register_model(str(model_name), model_path, **others)
            except RunError:
                pass  # a file of the best trial
        child = self._child(iteration, metric)
        name = model_name or child.properties["model_name"]
        self.add_properties({"model_id": name})
        return child.register_model(name, model_path or MODEL_FILE, **others)

    @property
    def model_id(self) -> str | None:
        """The name under which a model of it was registered last."""
        return self.properties.get("model_id")


class TrialRun(_StoredRun):
    """One trial of a training, with its model."""

    kind = "trial"

    def fill(self, run_id: str, entry: Mapping[str, Any], task: str) -> None:
        """Keep what the leaderboard says of it."""
        facts = self.facts
        facts |= {
            "pellucid": run_id, "iteration": entry["iteration"], "family": entry["family"],
            "algorithm": entry["name"], "metrics": dict(entry["metrics"]),
        }  # fmt: skip
        facts["properties"] = {
            "run_algorithm": entry["name"], "iteration": str(entry["iteration"]),
            "model_name": f"AutoML{run_id[:8]}{entry['iteration']}",
        }  # fmt: skip
        facts["tags"] = {"model_explanation": str(entry["family"] == "ensemble")}
        facts["task"] = task
        self._write(facts)
        self._end("Completed" if entry["status"] != "failed" else "Failed")

    @property
    def fitted(self) -> FittedModel:
        """The model of this trial."""
        return dressed(self.stored.model(iteration=self.facts["iteration"]))

    def _existing(self, name: str) -> Path:
        """A file; the model's own are made when they are asked for."""
        place = self._files.place(name)
        if not place.exists() and name in artefacts.NAMES:
            artefacts.make(name, self.fitted, place)
        return super()._existing(name)

    def get_file_names(self) -> list[str]:
        """Names of its files, those that are made when they are asked for among them."""
        return sorted(artefacts.NAMES | set(super().get_file_names()))

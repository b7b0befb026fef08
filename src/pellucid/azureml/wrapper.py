"""MimicWrapper: a surrogate of a run's model, and its explanations kept with the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pellucid.azureml.explanations import OldExplanation
from pellucid.azureml.fitted import as_rows
from pellucid.azureml.mimic import (
    ExplainableModel,
    LGBMExplainableModel,
    MimicError,
    MimicExplainer,
)

if TYPE_CHECKING:
    from pellucid.azureml.runs import Run
    from pellucid.azureml.workspace import Workspace


class MimicWrapper:
    """A surrogate of a run's model, whose explanations are kept with the run."""

    def __init__(
        self,
        workspace: Workspace,
        model: Any,
        explainable_model: type[ExplainableModel] = LGBMExplainableModel,
        explainer_kwargs: dict[str, Any] | None = None,
        init_dataset: Any = None,
        run: Run | None = None,
        features: Sequence[str] | None = None,
        classes: Sequence[Any] | None = None,
        model_task: Any = None,
        explain_subset: Any = None,
        transformations: Any = None,
        feature_maps: Sequence[Any] | None = None,
        allow_all_transformations: Any = None,
        **others: Any,
    ) -> None:
        if init_dataset is None:
            raise MimicError(
                "MimicWrapper needs init_dataset, the rows that a surrogate learns from"
            )
        if isinstance(model, str):
            from pellucid.azureml.models import Model

            model = Model(workspace, model).load()
        self.run = run
        self.feature_map = feature_maps[0] if feature_maps else None
        self.explainer = MimicExplainer(
            model, init_dataset, explainable_model, features=features, classes=classes,
            **(explainer_kwargs or {}),
        )  # fmt: skip

    def explain(
        self,
        explanation_types: Sequence[str] = ("local", "global"),
        eval_dataset: Any = None,
        top_k: int | None = None,
        upload: bool = True,
        upload_datasets: bool = False,
        tag: str = "",
        get_raw: bool = False,
        raw_feature_names: Sequence[str] | None = None,
        experiment_name: str = "explain_model",
        raw_eval_dataset: Any = None,
        true_ys: Any = None,
        **others: Any,
    ) -> OldExplanation:
        """Importances of rows, over engineered columns or, with ``get_raw``, over raw ones.

        Raises
        ------
        MimicError
            Raw importances without a feature map, or rows that do not fit.
        """
        if eval_dataset is None:
            raise MimicError("explain needs eval_dataset, the rows to explain")
        maps: dict[str, Any] = {}
        if get_raw:
            if self.feature_map is None:
                raise MimicError("raw importances need feature_maps; give them to MimicWrapper")
            maps = {"feature_map": self.feature_map, "raw_names": raw_feature_names}
            maps["data"] = None if raw_eval_dataset is None else as_rows(raw_eval_dataset)
        found = self.explainer.explanation_of(eval_dataset, **maps)
        shown = ", ".join(f"{name} {value:.3f}" for name, value in self.explainer.fidelity.items())
        print(f"fidelity of the surrogate on rows that it did not learn from: {shown}")
        identity = ""
        if upload and self.run is not None:
            from pellucid.azureml.client import ExplanationClient

            identity = ExplanationClient(self.run).upload_model_explanation(found, comment=tag)
        return OldExplanation(found, id=identity, comment=tag)

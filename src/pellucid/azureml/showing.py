"""What old notebooks looked at: a run's details, and the dashboard of an explanation."""

from __future__ import annotations

from typing import Any

from pellucid.azureml.fitted import FittedModel


class RunDetails:
    """A run's trials."""

    def __init__(self, run: Any) -> None:
        self.run = run

    def show(self, **others: Any) -> None:
        """Print the trials, best first."""
        text = getattr(self.run, "summary_text", None)
        print(self.run if text is None else text())

    def get_widget_data(self) -> dict[str, Any]:
        """What is known of the run."""
        return dict(self.run.get_details())


class ExplanationDashboard:
    """The page of an explanation; in a notebook it shows itself."""

    def __init__(
        self, explanation: Any, model: Any = None, dataset: Any = None, true_y: Any = None,
        **others: Any,
    ) -> None:  # fmt: skip
        self.explanation = getattr(explanation, "explanation", explanation)
        self.model = model.predictor if isinstance(model, FittedModel) else model
        self.dataset = dataset
        self.true_y = true_y

    def _repr_html_(self) -> str:
        from pellucid.view.notebook import ExplanationDashboard as Dashboard

        return Dashboard(self.explanation, self.model, self.dataset, self.true_y)._repr_html_()

    def __repr__(self) -> str:
        return repr(self.explanation)

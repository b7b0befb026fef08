"""Pages in a notebook: each in a frame of its own, that needs neither a server nor an extension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.errors import PellucidError
from pellucid.explain.explanation import Explanation
from pellucid.files import write_file
from pellucid.view.carried import carried_model
from pellucid.view.payload import (
    Reportable,
    build_payload,
    explanation_payload,
    plain,
    shown_rows,
)
from pellucid.view.report import render_explanation, render_report
from pellucid.view.responding import own_predictor

_HEIGHT = 760  # pixels of the frame


class PageError(PellucidError):
    """A page cannot be made of what is given."""


@dataclass(frozen=True, eq=False)
class Page:
    """A page that notebooks show when it is what a cell ends with, and that can be saved.

    The page stands in a sandboxed frame, so it sees nothing of the notebook, and the notebook's
    styles do not reach it. All it needs is in it, so it also shows with the network off, in a
    notebook that was converted to HTML, and in Jupyter, VS Code and Colab alike.

    Attributes
    ----------
    html : str
        The whole page.
    height : int
        Of the frame, in pixels; its lower edge can be dragged.
    """

    html: str
    height: int = _HEIGHT

    def save(self, path: str | Path) -> Path:
        """Write the page to a file that opens anywhere, without a network."""
        target = Path(path).expanduser().absolute()
        try:
            write_file(target, self.html.encode())
        except OSError as error:
            raise PageError(f"cannot write {target}: {error.strerror or error}") from error
        return target

    def _repr_html_(self) -> str:
        inner = self.html.replace("&", "&amp;").replace('"', "&quot;")
        return (
            f'<iframe sandbox="allow-scripts allow-downloads" title="Pellucid" srcdoc="{inner}" '
            'style="width:100%;'
            f"height:{int(self.height)}px;border:1px solid #8884;border-radius:8px;"
            f'box-sizing:border-box;resize:vertical;overflow:auto"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<Page of {len(self.html) // 1024} KB; a notebook shows it, .save(path) keeps it>"


def run_page(run: Reportable, *, height: int = _HEIGHT, what_if: bool = True) -> Page:
    """The report of a run as a page; with `what_if` the model travels in it."""
    return Page(render_report(build_payload(run, what_if=what_if)), height)


def explanation_page(
    explanation: Explanation,
    *,
    target: str | None = None,
    height: int = _HEIGHT,
    model: Any = None,
    live: bool = False,
) -> Page:
    """An explanation as a page: importance, dependence, and every row.

    Parameters
    ----------
    explanation : Explanation
    target : str, optional
        What the model predicts, for the texts.
    height : int
    model : optional
        Who made the explanation. One of our own travels in the page, which asks it for curves and
        for what would change a row's answer.
    live : bool
        Whether whoever holds the page answers its questions to the model, as the widget does.

    Raises
    ------
    PageError
        If there are no rows to show.
    """
    if explanation.n_rows == 0 or explanation.n_features == 0:
        raise PageError(
            f"the explanation has {explanation.n_rows} rows and {explanation.n_features} features; "
            f"explain at least one row"
        )
    task = "regression"
    if explanation.classes is not None:
        task = "binary" if explanation.n_outputs == 1 else "multiclass"
    training = {"task": task, "target": target or "the outcome"}
    certificate = explanation.certificate
    payload = {
        "format": 1,
        "run": {"id": "", "name": "", "status": "", "started": None},
        "training": training,
        "explanation": explanation_payload(explanation, training),
        "live": live,
        "model": None if model is None else _page_model(model, shown_rows(explanation)),
        "certificate": None if certificate is None else plain(str(certificate)),
    }
    return Page(render_explanation(payload), height)


def _page_model(model: Any, shown: Explanation) -> dict[str, Any] | None:
    """One of our own models for the page to ask, or why it cannot come along."""
    try:
        predictor = own_predictor(model, shown)
        return None if predictor is None else carried_model(predictor, shown.data)
    except PellucidError as error:
        return {"why": str(error)}


class ExplanationDashboard:
    """An explanation as a page, under the name and with the arguments of the retired SDK.

    Parameters
    ----------
    explanation : Explanation
    model : optional
        Asked for what the explanation does not say of its rows: ``predict`` and, for classes,
        ``predict_proba``. One of our own travels in the page, which then shows its curves over a
        feature and what would change a row's answer.
    dataset : table, (n_rows, n_columns), optional
        The rows that were explained, for ``model`` to predict; the explanation's own by default.
    true_y : array, (n_rows,), optional
        The truth, beside the predictions.

    Raises
    ------
    PageError
        If ``dataset`` or ``true_y`` has another number of rows than the explanation.

    Examples
    --------
    >>> import pandas as pd
    >>> explanation = Explanation(
    ...     values=np.array([[0.5], [-1.0]]), base_values=np.array([0.25]),
    ...     feature_names=("age",), data=pd.DataFrame({"age": [31, 40]}))
    >>> ExplanationDashboard(explanation, true_y=[1.0, 0.0]).explanation.details
    {'y_true': [1.0, 0.0]}
    """

    def __init__(
        self,
        explanation: Explanation,
        model: Any = None,
        dataset: Any = None,
        true_y: Sequence[Any] | np.ndarray | None = None,
    ) -> None:
        self.explanation = _told(explanation, model, dataset, true_y)
        self.page = explanation_page(self.explanation, model=model)

    def _repr_html_(self) -> str:
        return self.page._repr_html_()


def _told(
    explanation: Explanation, model: Any, dataset: Any, true_y: Sequence[Any] | np.ndarray | None
) -> Explanation:
    """The explanation with what else is known of its rows."""
    for what, given in (("dataset", dataset), ("true_y", true_y)):
        if given is not None and len(given) != explanation.n_rows:
            raise PageError(
                f"{what} has {len(given)} rows, the explanation {explanation.n_rows}; give the "
                f"rows that were explained"
            )
    more: dict[str, Any] = {}
    if model is not None and "predicted" not in explanation.details:
        rows = explanation.data if dataset is None else dataset
        more["predicted"] = np.asarray(model.predict(rows)).tolist()
        if explanation.classes is not None and hasattr(model, "predict_proba"):
            more["probability"] = np.asarray(model.predict_proba(rows)).tolist()
    if true_y is not None:
        more["y_true"] = np.asarray(true_y).tolist()
    details: Mapping[str, Any] = {**explanation.details, **more}
    return replace(explanation, details=details)

"""An explanation in a notebook whose selection Python can read; needs the package anywidget."""

from __future__ import annotations

from functools import cache
from typing import Any

from pellucid.explain.explanation import Explanation
from pellucid.view.assets import asset
from pellucid.view.notebook import PageError, explanation_page
from pellucid.view.payload import shown_positions


def explanation_widget(
    explanation: Explanation, *, target: str | None = None, height: int = 760
) -> Any:
    """The page of an explanation as a widget.

    Parameters
    ----------
    explanation : Explanation
    target : str, optional
        What the model predicts, for the texts.
    height : int
        In pixels.

    Returns
    -------
    widget
        ``selected_rows`` are positions in the explanation: the rows of the cohort that is chosen
        in the page, else the one row that is looked at. ``selected`` is the explanation of those
        rows. ``observe(callback, "rows")`` tells when they change.

    Raises
    ------
    PageError
        If anywidget is not installed, or there are no rows to show.
    """
    page = explanation_page(explanation, target=target, height=height)
    return _widget_class()(explanation, page=page.html, height=height)


@cache
def _widget_class() -> Any:
    try:
        import anywidget
        import traitlets
    except ImportError as error:
        raise PageError(
            "a widget needs the package anywidget: pip install 'pellucid[notebook]'; "
            "explanation.show() needs nothing"
        ) from error

    class ExplanationWidget(anywidget.AnyWidget):
        _esm = asset("widget.js")
        page = traitlets.Unicode().tag(sync=True)
        height = traitlets.Int().tag(sync=True)
        rows = traitlets.List(traitlets.Int()).tag(sync=True)  # as the page counts them

        def __init__(self, explanation: Explanation, **traits: Any) -> None:
            super().__init__(**traits)
            self.explanation = explanation
            self._positions = shown_positions(explanation)

        @property
        def selected_rows(self) -> list[int]:
            """Positions of the selected rows in the explanation."""
            return [int(self._positions[row]) for row in self.rows]

        @property
        def selected(self) -> Explanation:
            """The explanation of the selected rows."""
            return self.explanation[self.selected_rows]

    return ExplanationWidget

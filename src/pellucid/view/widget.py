"""An explanation in a notebook whose selection Python can read; needs the package anywidget."""

from __future__ import annotations

from functools import cache
from typing import Any

from pellucid.explain.explanation import Explanation
from pellucid.view.asking import answer_page
from pellucid.view.assets import asset
from pellucid.view.notebook import PageError, explanation_page
from pellucid.view.payload import shown_positions, shown_rows


def explanation_widget(
    explanation: Explanation,
    model: Any = None,
    *,
    target: str | None = None,
    height: int = 760,
) -> Any:
    """The page of an explanation as a widget.

    Parameters
    ----------
    explanation : Explanation
    model : whatever `pellucid.explain` takes, optional
        Who made the explanation: it is asked for curves over a feature and for what would change
        a row's answer. Without it the page says that nobody can be asked.
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
    live = model is not None
    page = explanation_page(explanation, target=target, height=height, live=live)
    return _widget_class()(explanation, model, page=page.html, height=height)


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

        def __init__(self, explanation: Explanation, model: Any, **traits: Any) -> None:
            super().__init__(**traits)
            self.explanation = explanation
            self._positions = shown_positions(explanation)
            self._model = model
            self._shown = shown_rows(explanation)
            self.on_msg(self._hear)

        def _hear(self, _: Any, said: Any, buffers: Any) -> None:
            """Answer a question of the page, in the notebook's own thread."""
            asked = said.get("pellucidAsk") if isinstance(said, dict) else None
            if not isinstance(asked, dict) or self._model is None:
                return
            answer: dict[str, Any] = {"id": asked.get("id")}
            try:
                answer["answer"] = answer_page(self._model, self._shown, asked["question"])
            except Exception as error:  # the model is the user's: the page shows what it raises
                answer["error"] = str(error) or type(error).__name__
            self.send({"pellucidAnswer": answer})

        @property
        def selected_rows(self) -> list[int]:
            """Positions of the selected rows in the explanation."""
            return [int(self._positions[row]) for row in self.rows]

        @property
        def selected(self) -> Explanation:
            """The explanation of the selected rows."""
            return self.explanation[self.selected_rows]

    return ExplanationWidget

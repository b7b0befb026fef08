"""The model card of a run (Mitchell et al. 2019), from what the run holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.errors import PellucidError
from pellucid.store.card.document import Document, to_html, to_markdown
from pellucid.store.card.sections import Words, headline, sections

if TYPE_CHECKING:
    from pellucid.explain.explanation import Explanation

__all__ = ["Card", "CardError", "Words", "make_card"]


class CardError(PellucidError):
    """A card cannot be written."""


@dataclass(frozen=True)
class Card:
    """A model card; print it, let a notebook show it, or save it.

    Attributes
    ----------
    markdown : str
    html : str
        A whole page, which loads nothing.
    """

    markdown: str
    html: str

    def save(self, path: str | Path) -> Path:
        """Write it: a page to .html or .htm, Markdown to .md.

        Raises
        ------
        CardError
            Another suffix, or a place that cannot be written.
        """
        from pellucid.files import write_file

        target = Path(path).expanduser().absolute()
        forms = {".html": self.html, ".htm": self.html, ".md": self.markdown}
        if target.suffix.lower() not in forms:
            raise CardError(f"a card is a .md or .html file, not {target.name!r}")
        try:
            write_file(target, forms[target.suffix.lower()].encode())
        except OSError as error:
            raise CardError(f"cannot write {target}: {error.strerror or error}") from error
        return target

    def __str__(self) -> str:
        return self.markdown

    def __repr__(self) -> str:
        return f"<Card: {self.markdown.splitlines()[0].removeprefix('# ')}>"

    def _repr_markdown_(self) -> str:
        return self.markdown


def make_card(
    training: Mapping[str, Any],
    explanation: Explanation | None,
    *,
    run: str = "",
    name: str = "",
    words: Words | None = None,
) -> Card:
    """The card of a training, from its facts and the explanation that it made.

    Parameters
    ----------
    training : mapping
        As `Run.training` has them.
    explanation : Explanation or None
        Over raw features.
    run, name : str
        Of the run.
    words : Words, optional
        What only people know.
    """
    document = Document(
        f"Model card: {training['target']}",
        headline(training),
        tuple(sections(training, explanation, run=run, name=name, words=words or Words())),
    )
    return Card(to_markdown(document), to_html(document))

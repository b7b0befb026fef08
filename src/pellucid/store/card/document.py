"""A document of headings, paragraphs, lists and tables, as Markdown and as one HTML page."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Paragraph:
    """A few sentences."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Literal:
    """Lines that stay as they are, such as a command."""

    text: str


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes
    ----------
    head : tuple of str
    rows : tuple of tuples of str
    numbers : tuple of int
        Positions of columns that are set to the right.
    shares : tuple of float or None
        For each row the length of a bar, 0 to 1, in a column of its own; pages have it alone.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()
    shares: tuple[float, ...] | None = None


Block = Paragraph | Items | Literal | Table


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A title, a line below it, and sections."""

    title: str
    lede: str
    sections: tuple[Section, ...]


# -- Markdown -------------------------------------------------------------------------------------
def to_markdown(document: Document) -> str:
    r"""The document as GitHub's Markdown; names and cells are text, whatever they spell.

    Examples
    --------
    >>> table = Table(("name", "share"), (("a|b", "1"),), numbers=(1,))
    >>> print(to_markdown(Document("Of *y*", "", (Section("Columns", (table,)),))))
    # Of \*y\*
    <BLANKLINE>
    ## Columns
    <BLANKLINE>
    | name | share |
    |---|--:|
    | a\|b | 1 |
    <BLANKLINE>
    """
    parts = [f"# {_plain(document.title)}", _plain(document.lede)]
    for section in document.sections:
        parts.append(f"## {_plain(section.title)}")
        parts += [_markdown(block) for block in section.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown(block: Block) -> str:
    if isinstance(block, Paragraph):
        return _plain(block.text)
    if isinstance(block, Items):
        return "\n".join(f"- {_plain(item)}" for item in block.items)
    if isinstance(block, Literal):
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", block.text)), default=0))
        return f"{fence}\n{block.text}\n{fence}"
    ruler = ["--:" if i in block.numbers else "---" for i in range(len(block.head))]
    lines = [_line(block.head), f"|{'|'.join(ruler)}|", *map(_line, block.rows)]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_plain(cell) for cell in cells)} |"


def _plain(text: str) -> str:
    """Text that Markdown takes for nothing else, on one line."""
    text = re.sub(r"([\\`*\[\]<>|~&])", r"\\\1", " ".join(text.split()))
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)
    return re.sub(r"^([#+-]|\d+[.)])(?= |$)", r"\\\1", text)


# -- HTML -----------------------------------------------------------------------------------------
_STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#1b1c1e, #ececea);
  --muted: light-dark(#5f6368, #a3a7ad); --line: light-dark(#e5e5df, #30333a);
  --sunk: light-dark(#f4f4f0, #212328); --bar: light-dark(#2f5f9e, #7aa9e6);
  --paper: light-dark(#fdfdfb, #16171a); }
body { font: 15px/1.55 system-ui, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif;
  color: var(--ink); background: var(--paper); margin: 0; overflow-wrap: break-word; }
main { max-width: 820px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 32px; line-height: 1.15; letter-spacing: -.02em; margin: 0 0 8px; }
h2 { font-size: 20px; margin: 40px 0 12px; padding-top: 24px; border-top: 1px solid var(--line); }
.lede { color: var(--muted); font-size: 17px; margin: 0; }
.wide { overflow-x: auto; margin: 12px 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; min-width: 60%; }
th { text-align: left; color: var(--muted); font-weight: 600; font-size: 13px; }
th, td { padding: 5px 20px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:last-child:not(.n, .bar) { min-width: 170px; }
.n { text-align: right; white-space: nowrap; }
.bar { min-width: 120px; padding-right: 0; vertical-align: middle; }
svg { display: block; } rect { fill: var(--bar); }
pre { background: var(--sunk); border-radius: 8px; padding: 12px 14px; white-space: pre-wrap;
  font: 13px/1.5 ui-monospace, Menlo, Consolas, "Liberation Mono", monospace; }
li { margin: 4px 0; } ul { padding-left: 20px; }
@media print { main { padding: 0; } h2 { break-after: avoid; } tr { break-inside: avoid; } }
"""


def to_html(document: Document) -> str:
    """The document as one page that loads nothing and runs nothing.

    Examples
    --------
    >>> page = to_html(Document("<y>", "", (Section("Columns", (Paragraph("a & b"),)),)))
    >>> "<h1>&lt;y&gt;</h1>" in page, "<p>a &amp; b</p>" in page
    (True, True)
    """
    title = html.escape(document.title)
    body = [f"<h1>{title}</h1>", f'<p class="lede">{html.escape(document.lede)}</p>']
    for section in document.sections:
        body.append(f"<section>\n<h2>{html.escape(section.title)}</h2>")
        body += [_html(block, section.title) for block in section.blocks]
        body.append("</section>")
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>",
            *body,
            "</main>\n</body>\n</html>\n",
        ]
    )


def _html(block: Block, title: str) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{html.escape(block.text)}</p>"
    if isinstance(block, Items):
        items = "".join(f"<li>{html.escape(item)}</li>" for item in block.items)
        return f"<ul>{items}</ul>"
    if isinstance(block, Literal):
        return f"<pre>{html.escape(block.text)}</pre>"
    head = "".join(
        f'<th scope="col"{_aligned(i, block)}>{html.escape(name)}</th>'
        for i, name in enumerate(block.head)
    )
    if block.shares is not None:
        head += "<td></td>"
    rows = []
    for at, row in enumerate(block.rows):
        cells = "".join(
            f"<td{_aligned(i, block)}>{html.escape(cell)}</td>" for i, cell in enumerate(row)
        )
        if block.shares is not None:
            cells += f'<td class="bar">{_bar(block.shares[at])}</td>'
        rows.append(f"<tr>{cells}</tr>")
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{html.escape(title)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _aligned(column: int, table: Table) -> str:
    return ' class="n"' if column in table.numbers else ""


def _bar(share: float) -> str:
    width = max(0.0, min(share, 1.0)) * 120
    return (
        f'<svg width="120" height="10" aria-hidden="true"><rect width="{width:.1f}" height="10" '
        f'rx="2"/></svg>'
    )

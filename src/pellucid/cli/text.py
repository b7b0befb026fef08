"""Plain text that reads well: tables and bars."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, width: int, *, blocks: bool = True) -> str:
    """A bar of ``share`` (0 to 1) of ``width`` characters, to an eighth of one.

    Examples
    --------
    >>> [bar(0.5, 4), bar(0.3, 4), bar(0.0, 4), bar(0.5, 4, blocks=False)]
    ['██', '█▎', '', '##']
    """
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    if not blocks:
        return "#" * round(eighths / 8)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def can_draw_blocks() -> bool:
    """Whether standard output can show what `bar` draws."""
    try:
        _EIGHTHS.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def near(path: Path) -> str:
    """A path as one would type it: relative when it is below the working folder."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), indent: int = 2) -> str:
    """Columns of text, the first row being their names; ``right`` are aligned to the right.

    Examples
    --------
    >>> print(table([["name", "score"], ["a", "0.5"], ["longer", "12"]], right=[1]))
      name    score
      a         0.5
      longer     12
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]
    return "\n".join(" " * indent + line for line in lines)


def number(value: float | None) -> str:
    """Four decimals, or as many as are worth reading; a dash for what is not known.

    Examples
    --------
    >>> [number(0.9), number(123.456), number(12345.6), number(0.000012), number(None)]
    ['0.9000', '123.5', '12346', '1.2e-05', '-']
    """
    if value is None or value != value:
        return "-"
    size = abs(value)
    if 0 < size < 0.0001:
        return f"{value:.2g}"
    return f"{value:.4f}" if size < 10 else f"{value:.4g}" if size < 10_000 else f"{value:.0f}"


def shorten(text: str, width: int) -> str:
    """A text cut to ``width`` characters, with an ellipsis when it was longer."""
    return text if len(text) <= width else text[: width - 3] + "..."

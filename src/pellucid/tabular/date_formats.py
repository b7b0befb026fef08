"""Which date formats the texts of a column are written in."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from pellucid.tabular.reading.moments import ISO, parse_moments

_MOST = 3  # formats in one column
_SAMPLE = 300  # texts on which formats are tried before the whole column
_ENOUGH = 0.95  # share of texts that must read as dates

# Month first where day and month could be exchanged; a column with a 13th month settles it.
_DAYS = (
    *("%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d-%b-%Y", "%d/%b/%Y", "%Y-%m", "%Y/%m", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%d-%b-%y"),
    *("%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%b %Y", "%B %Y", "%a, %d %b %Y"),
)
_TIMES = ("", "%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%H:%M:%S %z")
_DATE_LIKE = re.compile(r"\d.*[-/.:, ].*\d|[^\W\d]+ \d{4}")


def find_date_formats(texts: Sequence[str]) -> tuple[str, ...]:
    """The formats, at most three, in which nearly all texts read as dates; empty if they do not.

    Examples
    --------
    >>> find_date_formats(["2026-03-31", "2026-04-01"]), find_date_formats(["31/03/2026"])
    (('iso',), ('%d/%m/%Y',))
    >>> find_date_formats(["red", "green"])
    ()
    """
    sample = list(texts[:: max(1, len(texts) // _SAMPLE)])
    if np.mean([_is_date_like(text) for text in sample]) < _ENOUGH:
        return ()
    left = np.array(sample, dtype=object)
    formats: list[str] = []
    while len(left) and len(formats) < _MOST:
        fits = {fmt: _fits(left, (fmt,)) for fmt in _candidates()}
        best = max(fits, key=lambda fmt: int(fits[fmt].sum()))
        if not fits[best].any():
            break
        formats.append(best)
        left = left[~fits[best]]
    if len(left) > (1 - _ENOUGH) * len(sample):
        return ()
    return tuple(_settle(formats, texts))


def _is_date_like(text: str) -> bool:
    return 6 <= len(text) <= 40 and _DATE_LIKE.search(text) is not None


def _candidates() -> list[str]:
    return [ISO, *(f"{day} {time}".strip() for day in _DAYS for time in _TIMES)]


def _fits(texts: Sequence[str] | np.ndarray, formats: Sequence[str]) -> np.ndarray:
    return ~np.isnat(parse_moments(list(texts), formats=formats))


def _settle(formats: list[str], texts: Sequence[str]) -> list[str]:
    """Day first where the whole column says so and the sample did not."""
    settled = []
    for fmt in formats:
        swapped = fmt.replace("%m/%d", "%d/%m") if "%m/%d" in fmt else fmt
        if swapped != fmt and not fmt.startswith("%Y"):
            better = _fits(texts, (swapped,)).sum() > _fits(texts, (fmt,)).sum()
            fmt = swapped if better else fmt
        settled.append(fmt)
    return list(dict.fromkeys(settled))

"""Where a moment lies in its day, week and year: what comes round again, and nothing else.

The year itself and the days since a date are left out: trees would take the last level that they
saw for the level of all that is to come.
"""

from __future__ import annotations

import numpy as np

from pellucid.tabular.encoders.datetime import calendar_part
from pellucid.tabular.series.frequency import Frequency, Span

_SPANS: dict[Span, int] = {  # microseconds
    "day": 86_400_000_000,
    "week": 604_800_000_000,
    "year": 31_556_952_000_000,
}
_WAVES: dict[Span, int] = {"day": 3, "week": 3, "year": 2}  # harmonics
_PARTS: dict[Span, tuple[str, ...]] = {
    "day": ("hour", "minute"),
    "week": ("weekday", "day"),
    "year": ("month", "yearday"),
}


def calendar_names(frequency: Frequency) -> tuple[str, ...]:
    """Names of what `calendar_features` gives.

    Examples
    --------
    >>> calendar_names(Frequency("month", 1, 0))
    ('month', 'yearday', 'year_sin1', 'year_cos1', 'year_sin2', 'year_cos2')
    """
    parts = [part for span in frequency.spans for part in _PARTS[span]]
    waves = [
        f"{span}_{wave}{k}"
        for span in frequency.spans
        for k in range(1, _WAVES[span] + 1)
        for wave in ("sin", "cos")
    ]
    return (*parts, *waves)


def calendar_features(moments: np.ndarray, frequency: Frequency) -> np.ndarray:
    """Calendar parts, then sine and cosine of the phase in each span, float64 (n, n_names).

    Parameters
    ----------
    moments : datetime64[us] (n,)
    """
    since = moments.astype("datetime64[us]").astype(np.int64)
    columns = [
        calendar_part(moments, part).astype(np.float64)
        for span in frequency.spans
        for part in _PARTS[span]
    ]
    for span in frequency.spans:
        phase = 2.0 * np.pi * (since % _SPANS[span]) / _SPANS[span]
        for k in range(1, _WAVES[span] + 1):
            columns += [np.sin(k * phase), np.cos(k * phase)]
    return np.stack(columns, axis=1) if columns else np.empty((len(moments), 0))

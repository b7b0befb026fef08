"""Where a moment lies in its day, week and year, as waves that a linear model can add up."""

from __future__ import annotations

import numpy as np

from pellucid.tabular.series.frequency import Span

_SPANS: dict[Span, int] = {
    "day": 86_400_000_000,
    "week": 604_800_000_000,
    "year": 31_556_952_000_000,
}  # us
_WAVES: dict[Span, int] = {"day": 3, "week": 3, "year": 2}  # harmonics


def calendar_names(spans: tuple[Span, ...]) -> tuple[str, ...]:
    """Names of what `calendar_features` gives.

    Examples
    --------
    >>> calendar_names(("year",))
    ('year_sin1', 'year_cos1', 'year_sin2', 'year_cos2')
    """
    return tuple(
        f"{span}_{wave}{k}"
        for span in spans
        for k in range(1, _WAVES[span] + 1)
        for wave in ("sin", "cos")
    )


def calendar_features(moments: np.ndarray, spans: tuple[Span, ...]) -> np.ndarray:
    """Sine and cosine of the phase in each span, float64 (n, n_names).

    Parameters
    ----------
    moments : datetime64[us] (n,)
    """
    since = moments.astype("datetime64[us]").astype(np.int64)
    columns = []
    for span in spans:
        phase = 2.0 * np.pi * (since % _SPANS[span]) / _SPANS[span]
        for k in range(1, _WAVES[span] + 1):
            columns += [np.sin(k * phase), np.cos(k * phase)]
    return np.stack(columns, axis=1) if columns else np.empty((len(moments), 0))

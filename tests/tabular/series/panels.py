"""Panels of series with gaps, for tests."""

import numpy as np
import pandas as pd

from pellucid.tabular.series.infer import read_history


def panel(seed=0, *, n_series=3, n_steps=60, gap=0.15):
    """Daily series of one name each, with missing rows, missing values and a price."""
    rng = np.random.default_rng(seed)
    parts = []
    for i in range(n_series):
        start = int(rng.integers(0, 5))
        steps = np.arange(start, n_steps)
        steps = steps[rng.random(len(steps)) > gap]
        parts.append(
            pd.DataFrame(
                {
                    "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(steps, "D"),
                    "shop": i,
                    "price": rng.integers(1, 9, len(steps)).astype(float),
                    "staff": rng.integers(1, 9, len(steps)).astype(float),
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    y = 10.0 * (table["shop"] + 1) + table["day"].dt.day_of_week + rng.normal(size=len(table))
    y[rng.random(len(table)) < 0.05] = np.nan
    return table, y.to_numpy()


def history_of(table, y, **options):
    given = {
        "target": "sales",
        "time_column": "day",
        "series_columns": ["shop"],
        "known": ["price"],
        "horizon": 4,
    }
    return read_history(table, y, **{**given, **options})

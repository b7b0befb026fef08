"""The leaderboard: trials and the ensemble, best first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd


def leaderboard_frame(training: Mapping[str, Any]) -> pd.DataFrame:
    """The leaderboard of a training's facts as a table, the primary metric's column first."""
    primary = training["primary_metric"]
    rows = []
    for entry in training["leaderboard"]:
        metrics = dict(entry["metrics"])
        rows.append(
            {
                "iteration": entry["iteration"],
                "name": entry["name"],
                "family": entry["family"],
                primary: metrics.pop(primary, float("nan")),
                "weight": entry["weight"],
                "seconds": entry["seconds"],
                "status": entry["status"],
                **metrics,
                "note": entry["note"],
            }
        )
    return pd.DataFrame(rows)

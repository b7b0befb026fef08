"""What a user should know of the data before trusting the model: one sentence a finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from pellucid.automl.target import Target
from pellucid.tabular.schema import Schema

_IMBALANCE = 0.05  # share of the rarest class below which accuracy misleads
_FEW_ROWS = 200
_MANY_LEVELS = 100


@dataclass(frozen=True)
class Guardrail:
    """level : "info", or "warning" for what may need action; column : None for the whole table."""

    level: Literal["info", "warning"]
    column: str | None
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def check_target(target: Target) -> list[Guardrail]:
    """Missing targets, few rows, rare classes."""
    found = []
    n_missing = int((~target.known).sum())
    if n_missing:
        found.append(
            Guardrail("warning", target.name, f"{n_missing} rows without a target were left out.")
        )
    if len(target.y) < _FEW_ROWS:
        found.append(
            Guardrail(
                "warning",
                None,
                f"Only {len(target.y)} rows to learn from: scores and importances are uncertain.",
            )
        )
    if target.classes is not None:
        counts = np.bincount(target.y, minlength=len(target.classes))
        rarest = int(counts.argmin())
        share = counts[rarest] / counts.sum()
        if share < _IMBALANCE:
            found.append(
                Guardrail(
                    "warning",
                    target.name,
                    f"Class {target.classes[rarest]!s} has {counts[rarest]} rows ({share:.2%}): "
                    f"read AUC or log loss rather than accuracy.",
                )
            )
    return found


def check_columns(schema: Schema) -> list[Guardrail]:
    """Columns that the model does not see, and columns with missing values."""
    found = []
    sources = {column.source for column in schema.columns}
    for column in schema.columns:
        if column.source or column.name in sources:
            continue
        if not column.used:
            found.append(Guardrail("info", column.name, f"Not used: {column.reason}."))
        elif column.kind == "categorical" and column.n_unique > _MANY_LEVELS:
            found.append(
                Guardrail(
                    "info",
                    column.name,
                    f"{column.n_unique} levels: rare ones are read together, or by their mean "
                    f"target.",
                )
            )
        if column.used and column.missing:
            found.append(
                Guardrail(
                    "info",
                    column.name,
                    f"{column.missing} missing values, kept as a value of their own.",
                )
            )
    return found


def check_trials(leaderboard: Sequence[dict[str, Any]]) -> list[Guardrail]:
    """Trials that failed or ended early."""
    failed = [row for row in leaderboard if row["status"] == "failed"]
    stopped = [row for row in leaderboard if "no time left" in row["note"]]
    found = []
    if failed:
        reasons = "; ".join(sorted({row["note"] for row in failed}))
        found.append(Guardrail("warning", None, f"{_trials(failed)} failed: {reasons}"))
    if stopped:
        told = f"{_trials(stopped)} ended early, for lack of time."
        found.append(Guardrail("info", None, told))
    return found


def _trials(rows: Sequence[dict[str, Any]]) -> str:
    return f"{len(rows)} trial{'s' * (len(rows) != 1)}"

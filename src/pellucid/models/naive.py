"""Forecasts that learn nothing: the value of one column, the baseline that others must beat."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pellucid import shapley
from pellucid.models.family import Config, Rows
from pellucid.models.prepared import Prepared
from pellucid.models.problem import Problem

_LEAST = 1e-3  # of the mean target, for which zeros stand behind a log link


@dataclass(frozen=True)
class NaiveMember:
    """The margin is one column's value, or its logarithm behind a log link.

    n_columns : of the rows.
    offset : what was subtracted in the column.
    fill : for a missing value.
    least : behind a log link, the value that smaller ones count as; None for the value itself.
    """

    column: int
    n_columns: int
    offset: float
    fill: float
    least: float | None
    family: str = "naive"
    rounds: int = 1

    def margins(self, X: np.ndarray) -> np.ndarray:
        """Margins, float64 (n_rows, 1)."""
        values = X[:, self.column].astype(np.float64) + self.offset
        values = np.where(np.isnan(values), self.fill, values)
        return (values if self.least is None else np.log(np.maximum(values, self.least)))[:, None]

    def shapley(self, *, background: np.ndarray, players: np.ndarray) -> Any:
        """Closed form: all of the margin is the column's."""
        coef = np.zeros((1, self.n_columns))
        coef[0, self.column] = 1.0
        tables = shapley.linear(
            coef, np.zeros(1), background=self._spread(background), players=players
        )
        return Prepared(tables, self._spread, self.family)

    def _spread(self, X: np.ndarray) -> np.ndarray:
        """Rows with nothing but the margin, in the column's place."""
        rows = np.zeros((len(X), self.n_columns))
        rows[:, self.column] = self.margins(X)[:, 0]
        return rows

    def to_files(self) -> dict[str, bytes]:
        """One JSON file."""
        return {"naive.json": json.dumps(asdict(self)).encode()}


class NaiveFamily:
    """Takes a column for the forecast.

    Config: ``column``, its position; ``offset``, what was subtracted in it.
    """

    name = "naive"

    def fit(
        self,
        train: Rows,
        problem: Problem,
        config: Config,
        *,
        seed: int,
        valid: Rows | None = None,
        rounds: int | None = None,
        deadline: float | None = None,
    ) -> NaiveMember:
        """Learn nothing but what stands for a missing value: the mean target."""
        mean = float(np.average(train.y, weights=train.weight))
        return NaiveMember(
            column=int(config["column"]),
            n_columns=train.X.shape[1],
            offset=float(config.get("offset", 0.0)),
            fill=mean,
            least=_LEAST * mean if problem.link == "log" else None,
        )

    def from_files(self, files: Mapping[str, bytes]) -> NaiveMember:
        """Rebuild a member from its file."""
        return NaiveMember(**json.loads(files["naive.json"]))


FAMILY = NaiveFamily()

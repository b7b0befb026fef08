"""The Scorer: raw rows in, predictions and their exact reasons out, in one pass.

It answers what `Predictor.explain` answers, bit for bit, without the frames around it: those cost
more than a row does.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.explanation import Level
from pellucid.explain.forecast import ForecastPredictor
from pellucid.explain.predictor import Predictor
from pellucid.models.ensemble import available_cores
from pellucid.serve.checking import Gate, Policy
from pellucid.serve.errors import RowsError
from pellucid.serve.table import Cells, columns_of
from pellucid.store.artifacts import load_predictor
from pellucid.tabular.errors import ReadError, SchemaError, SeriesError
from pellucid.tabular.frames import to_frame

_PART = 200  # rows that are worth a thread
LEVELS: tuple[Level, ...] = ("raw", "engineered")


@dataclass(frozen=True, eq=False)
class Importances:
    """Local importances of some rows at one level.

    values : float64, (n_rows, n_features), or (n_rows, n_features, n_classes) of three classes on
    base_values : float64, (n_outputs,)
    names : of the features
    cells : what each row has for each feature, one sequence a feature
    error : the most that base value and importances of a row miss its margin by
    space : in what they add up
    method : "exact", or "sampled" with the largest standard error
    """

    values: np.ndarray
    base_values: np.ndarray
    names: tuple[str, ...]
    cells: Sequence[Any]
    error: float
    space: str = "margin"
    method: str = "exact"
    standard_error: float | None = None


@dataclass(frozen=True, eq=False)
class Scores:
    """What a scorer says of rows.

    predictions : (n_rows,), labels or values
    probabilities : (n_rows, n_classes), or None for values
    margins : (n_rows, n_outputs)
    levels : importances by level, of those that were asked for
    explained : (n_rows,) of bool, which rows are explained, the others' importances being NaN;
        None where all are
    notes : what was left out of the rows, or read as another sort of cell
    """

    predictions: np.ndarray
    probabilities: np.ndarray | None
    margins: np.ndarray
    levels: Mapping[Level, Importances]
    notes: tuple[str, ...] = ()
    explained: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.predictions)

    def reasons(self, level: Level = "raw", *, top: int = 5) -> list[list[dict[str, Any]]]:
        """The features that count most in each row, by absolute importance.

        Of three classes or more, importances are those of the class that is predicted.

        Returns
        -------
        list, one a row, of at most ``top`` dicts with ``feature``, ``value`` and ``importance``.
        """
        found = self.levels[level]
        values = found.values
        if values.ndim == 3:
            winners = self.margins.argmax(axis=1)
            values = np.take_along_axis(values, winners[:, None, None], axis=2)[:, :, 0]
        order = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :top]
        return [
            [
                {
                    "feature": found.names[k],
                    "value": found.cells[k][row],
                    "importance": float(values[row, k]),
                }
                for k in best.tolist()
                if self.explained is None or self.explained[row]
            ]
            for row, best in enumerate(order)
        ]


@dataclass(frozen=True, eq=False)
class Scorer:
    """A model with all that it takes to score raw rows and to explain them.

    Parameters
    ----------
    predictor : Predictor

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from pellucid import AutoMLClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> clf = AutoMLClassifier(time_budget=None, max_trials=1, store=False).fit(X, y)
    >>> scores = Scorer(clf.predictor_).score(X[:1])
    >>> scores.predictions.tolist(), scores.levels["raw"].values.shape
    ([0], (1, 4, 3))
    """

    predictor: Predictor

    @classmethod
    def load(cls, folder: str | Path) -> Scorer:
        """Read the folder of a model; no code in it is run, for there can be none.

        Raises
        ------
        ArtifactError
            If the folder is damaged or holds something else.
        """
        return cls(load_predictor(folder))

    def warm(self) -> Scorer:
        """Compile the tables of both levels, so that the first row waits for nothing."""
        for level in LEVELS:
            self.predictor.shapley(level)
        matrix = self.predictor.background[:1]
        for rows in (matrix, np.repeat(matrix, 2, axis=0)):  # one row has kernels of its own
            margins = self.predictor.ensemble.margins(rows)
            for level in LEVELS:
                self.predictor.importances(level, rows, margins)
        return self

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns that a row must have."""
        if isinstance(self.predictor, ForecastPredictor):
            return tuple(self.predictor.spec.needed)
        return tuple(column.name for column in self.predictor.schema.columns if column.used)

    def score(
        self,
        rows: Any,
        *,
        explain: Collection[Level] = LEVELS,
        policy: Policy = "lenient",
        checked: bool = True,
        above: float | None = None,
        until: float | None = None,
    ) -> Scores:
        """Predict rows and explain them.

        Parameters
        ----------
        rows : table, (n_rows, n_columns)
            Or one row as a mapping of column name to cell.
        explain : which importances to give: "raw", "engineered", both or none.
        policy : "lenient" or "strict"
            Strict refuses unknown columns, and cells of another sort than in training; lenient
            leaves out the ones and reads the others where nothing is lost, and says so.
        checked : bool
            False for rows of a file that holds nothing but text, such as CSV, whose cells have no
            sort to look at.
        above : float, optional
            Explain only rows whose score is at least this: the probability of the second of two
            classes, that of the predicted one of more, or the predicted value.
        until : float, optional
            Begin no level of importances after this time, by `time.perf_counter`; ``notes`` says
            which were left out.

        Raises
        ------
        RowsError
            Names the column, and the row where there is one.
        ExplanationError
            If importances do not add up to the margin; nothing is returned then.
        """
        try:
            if isinstance(rows, Mapping) and type(self.predictor) is Predictor and checked:
                return self._score_row(rows, explain, policy, above, until)
            return self._score_table(rows, explain, policy, checked, above, until)
        except (SchemaError, ReadError, SeriesError) as error:
            raise RowsError(str(error), code="wrong_rows", status=422) from error

    @cached_property
    def _gates(self) -> dict[Policy, Gate]:
        schema = self.predictor.schema
        return {"lenient": Gate(schema, "lenient"), "strict": Gate(schema, "strict")}

    def _score_row(
        self,
        row: Mapping[str, Any],
        explain: Collection[Level],
        policy: Policy,
        above: float | None,
        until: float | None,
    ) -> Scores:
        notes = self._gates[policy].check_row(row)
        matrix = self.predictor.featurizer.transform_row(row)
        cells = [(row.get(name),) for name in self.predictor.feature_map.raw_names]
        return self._answer(matrix, cells, explain, notes, above, until)

    def _score_table(
        self,
        rows: Any,
        explain: Collection[Level],
        policy: Policy,
        checked: bool,
        above: float | None,
        until: float | None,
    ) -> Scores:
        predictor = self.predictor
        table = self.table(rows)
        notes: tuple[str, ...] = ()
        if checked and type(predictor) is Predictor:
            notes = self._gates[policy].check_frame(table)
        frame = predictor.frame(table)
        matrix = predictor.featurizer.transform(frame)
        given = frame if isinstance(predictor, ForecastPredictor) else table
        cells = Cells(given, predictor.feature_map.raw_names)
        return self._answer(matrix, cells, explain, notes, above, until)

    def _margins(self, matrix: np.ndarray) -> np.ndarray:
        """A row's margin depends on that row alone, so many rows are shared out among threads."""
        ensemble = self.predictor.ensemble
        n_parts = len(matrix) // _PART
        if n_parts > 1:  # counting cores costs as much as a row
            n_parts = min(available_cores(), n_parts)
        if n_parts < 2:
            return ensemble.margins(matrix)
        with ThreadPoolExecutor(max_workers=n_parts) as pool:
            return np.concatenate(list(pool.map(ensemble.margins, np.array_split(matrix, n_parts))))

    def table(self, rows: Any) -> pd.DataFrame:
        """Rows in any form as a table of cells as they were given."""
        if isinstance(rows, Mapping):
            rows = [rows]
        if isinstance(rows, list) and rows and isinstance(rows[0], Mapping):
            rows = columns_of(rows, self.predictor.schema.kinds)
        return to_frame(rows, feature_names=self.predictor.schema.names)

    def _answer(
        self,
        matrix: np.ndarray,
        cells: Sequence[Any],
        explain: Collection[Level],
        notes: tuple[str, ...],
        above: float | None,
        until: float | None,
    ) -> Scores:
        predictor = self.predictor
        margins = self._margins(matrix)
        predictions, probabilities = predictor.labels(margins), None
        if predictor.problem.is_classification:
            probabilities = predictor.problem.probabilities(margins)
        told = None if above is None else row_scores(predictions, probabilities) >= above
        seen, sums = (matrix, margins) if told is None else (matrix[told], margins[told])
        levels: dict[Level, Importances] = {}
        for level in explain:
            if until is not None and time.perf_counter() >= until:
                notes = (*notes, left_out(level))
                continue
            other = levels.get("engineered" if level == "raw" else "raw")
            same = other and predictor.shapley("raw") is predictor.shapley("engineered")
            if same and other and len(other.names) == len(predictor.names_of(level)):
                values, error = other.values, other.error
            else:
                values, error = predictor.importances(level, seen, sums)
                values = values if told is None else among(values, told)
            levels[level] = Importances(
                values=values,
                base_values=predictor.shapley(level).base_values,
                names=predictor.names_of(level),
                cells=cells if level == "raw" else list(matrix.T),
                error=error,
            )
        return Scores(
            predictions=predictions,
            probabilities=probabilities,
            margins=margins,
            levels=levels,
            notes=notes,
            explained=told,
        )


def row_scores(predictions: np.ndarray, probabilities: np.ndarray | None) -> np.ndarray:
    """What the score of each row is that ``above`` speaks of, (n_rows,)."""
    if probabilities is None:
        return predictions
    return probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities.max(axis=1)


def left_out(level: Level) -> str:
    """What an answer says of importances that there was no time for."""
    return f"{level} importances were left out: the deadline had passed"


def among(values: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Values of some rows among all, with NaN for the others."""
    out = np.full((len(told), *values.shape[1:]), np.nan)
    out[told] = values
    return out

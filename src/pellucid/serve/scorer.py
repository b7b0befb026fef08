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
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pellucid.explain.explanation import Level
from pellucid.explain.forecast import ForecastPredictor
from pellucid.explain.predictor import Predictor
from pellucid.models.ensemble import available_cores
from pellucid.serve.checking import Gate, Policy
from pellucid.serve.errors import RowsError
from pellucid.serve.scores import LEVELS, Importances, Scores, among, left_out, row_scores
from pellucid.serve.table import Cells, columns_of
from pellucid.store.artifacts import load_predictor
from pellucid.tabular.errors import ReadError, SchemaError, SeriesError
from pellucid.tabular.frames import to_frame

if TYPE_CHECKING:
    from pellucid.explain.ground import Ground

_PART = 200  # rows that are worth a thread


@dataclass(frozen=True)
class _Wanted:
    """Which importances are to be given: levels, of rows with which score, begun until when."""

    levels: Collection[Level]
    above: float | None
    until: float | None


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
    def load(cls, folder: str | Path, *, trust: str | Path | None = None) -> Scorer:
        """Read the folder of a model; no code in it is run, for there can be none.

        Raises
        ------
        SignatureError
            If public keys are given as ``trust`` and none of them signed the folder.
        ArtifactError
            If the folder is damaged or holds something else.
        """
        return cls(load_predictor(folder, trust=trust))

    def warm(self) -> Scorer:
        """Compile the tables of both levels, so that the first row waits for nothing."""
        for level in LEVELS:
            self.predictor.shapley(level)
        matrix = self.predictor.background[:1]
        for rows in (matrix, np.repeat(matrix, 2, axis=0)):  # one row has kernels of its own
            margins = self.predictor.ensemble.margins(rows)
            for level in LEVELS:
                self.predictor.importances(level, rows, margins)
            self.predictor.both_importances(rows, margins)
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
        wanted = _Wanted(explain, above, until)
        try:
            if isinstance(rows, Mapping) and type(self.predictor) is Predictor and checked:
                return self._score_row(rows, wanted, policy)
            return self._score_table(rows, wanted, policy, checked)
        except (SchemaError, ReadError, SeriesError) as error:
            raise RowsError(str(error), code="wrong_rows", status=422) from error

    @cached_property
    def ground(self) -> Ground:
        """The model as `pellucid.explain` takes it, prepared once."""
        from pellucid.explain.ground import prepare

        return prepare(self.predictor)

    @cached_property
    def _gates(self) -> dict[Policy, Gate]:
        schema = self.predictor.schema
        return {"lenient": Gate(schema, "lenient"), "strict": Gate(schema, "strict")}

    def _score_row(self, row: Mapping[str, Any], wanted: _Wanted, policy: Policy) -> Scores:
        notes = self._gates[policy].check_row(row)
        matrix = self.predictor.featurizer.transform_row(row)
        cells = [(row.get(name),) for name in self.predictor.feature_map.raw_names]
        return self._answer(matrix, cells, wanted, notes)

    def _score_table(self, rows: Any, wanted: _Wanted, policy: Policy, checked: bool) -> Scores:
        predictor = self.predictor
        table = self.table(rows)
        notes: tuple[str, ...] = ()
        if checked and type(predictor) is Predictor:
            notes = self._gates[policy].check_frame(table)
        frame = predictor.frame(table)
        matrix = predictor.featurizer.transform(frame)
        given = frame if isinstance(predictor, ForecastPredictor) else table
        cells = Cells(given, predictor.feature_map.raw_names)
        return self._answer(matrix, cells, wanted, notes)

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
        wanted: _Wanted,
        notes: tuple[str, ...],
    ) -> Scores:
        predictor = self.predictor
        margins = self._margins(matrix)
        predictions, probabilities = predictor.labels(margins), None
        if predictor.problem.is_classification:
            probabilities = predictor.problem.probabilities(margins)
        told = None
        if wanted.above is not None:
            told = row_scores(predictions, probabilities) >= wanted.above
        seen, sums = (matrix, margins) if told is None else (matrix[told], margins[told])
        levels: dict[Level, Importances] = {}
        both = wanted.until is None and set(wanted.levels) == set(LEVELS)
        found = predictor.both_importances(seen, sums) if both else {}
        for level in wanted.levels:
            if wanted.until is not None and time.perf_counter() >= wanted.until:
                notes = (*notes, left_out(level))
                continue
            values, error = found.get(level) or predictor.importances(level, seen, sums)
            levels[level] = Importances(
                values=values if told is None else among(values, told),
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

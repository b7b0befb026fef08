"""The Explanation: local importances of some rows, frozen, with all that is needed to read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pellucid.errors import PellucidError
from pellucid.explain.certificate import Certificate

if TYPE_CHECKING:
    from pathlib import Path

    from pellucid.view.notebook import Page

Level = Literal["raw", "engineered"]
_PER_ROW = ("predicted", "probability", "y_true")  # details that hold one entry a row


class ExplanationError(PellucidError):
    """An explanation was asked for something that it does not hold."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """Shapley values of a set of rows.

    For every row and output, ``base_values + values.sum(axis=1)`` is the model's answer in
    ``space``, unless ``method`` is ``"mimic"``: then it is the surrogate's.

    Attributes
    ----------
    values : ndarray of float64, (n_rows, n_features) or (n_rows, n_features, n_classes)
        Local importances. Three axes for multi-class models, two otherwise; for a binary
        classifier they speak of the second class.
    base_values : ndarray of float64, (n_outputs,)
        The mean answer over the background.
    feature_names : tuple of str
    data : DataFrame, (n_rows, n_features)
        The value of each feature in each row; its index is the identity of the rows.
    level : "raw" or "engineered"
        Whether the features are the user's columns or those the model sees.
    classes : tuple or None
        Class labels, for classifiers.
    space : str
        The space in which the values add up: ``"margin"``, ``"probability"`` or ``"response"``.
    method : str
        How the values were made: ``"exact"``, ``"sampled"`` or ``"mimic"``.
    background_size : int
        Number of rows that stand for "feature absent".
    rows_from : str
        Which rows these are: ``"train"``, ``"test"`` or ``"new"``.
    engineered : Explanation or None
        The same rows explained over engineered features, when this one is raw.
    details : mapping
        What else is known: ``additivity_error``, and per row ``predicted``, ``probability`` and
        ``y_true``.
    certificate : Certificate or None
        What game was played, how, and how far off the values may be.
    standard_errors : ndarray of float64, of the shape of values, or None
        Of sampled values.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> explanation = Explanation(
    ...     values=np.array([[0.5, -1.0], [0.1, 2.0]]), base_values=np.array([0.25]),
    ...     feature_names=("age", "job"), data=pd.DataFrame({"age": [31, 40], "job": ["a", "b"]}))
    >>> explanation.feature_importance_dict()
    {'job': 1.5, 'age': 0.3}
    >>> explanation.margins.ravel().tolist()
    [-0.25, 2.35]
    >>> explanation[1:].n_rows
    1
    """

    values: np.ndarray
    base_values: np.ndarray
    feature_names: tuple[str, ...]
    data: pd.DataFrame
    level: Level = "raw"
    classes: tuple[Any, ...] | None = None
    space: str = "margin"
    method: str = "exact"
    background_size: int = 0
    rows_from: str = "new"
    engineered: Explanation | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    certificate: Certificate | None = None
    standard_errors: np.ndarray | None = None

    def __post_init__(self) -> None:
        n_outputs = self.values.shape[2] if self.values.ndim == 3 else 1
        expected = (len(self.data), len(self.feature_names))
        if self.values.shape[:2] != expected or self.base_values.shape != (n_outputs,):
            raise ExplanationError(
                f"values of shape {self.values.shape} and base values of shape "
                f"{self.base_values.shape} do not fit {expected[0]} rows, {expected[1]} features "
                f"and {n_outputs} outputs"
            )
        errors = self.standard_errors
        if errors is not None and errors.shape != self.values.shape:
            raise ExplanationError(
                f"standard errors of shape {errors.shape} do not fit values of shape "
                f"{self.values.shape}"
            )

    # -- size and shape ---------------------------------------------------------------------
    @property
    def n_rows(self) -> int:
        """Number of explained rows."""
        return self.values.shape[0]

    @property
    def n_features(self) -> int:
        """Number of features, the players of the game."""
        return self.values.shape[1]

    @property
    def n_outputs(self) -> int:
        """Number of margins per row: the classes of a multi-class model, otherwise 1."""
        return self.base_values.shape[0]

    def __len__(self) -> int:
        return self.n_rows

    @property
    def margins(self) -> np.ndarray:
        """Base value plus the sum of importances, (n_rows, n_outputs): the answers in ``space``."""
        totals = self.values.sum(axis=1)  # (n_rows,) or (n_rows, n_outputs)
        return self.base_values + totals.reshape(self.n_rows, self.n_outputs)

    # -- reading ----------------------------------------------------------------------------
    def global_importance(self, *, per_class: bool = False) -> pd.Series | pd.DataFrame:
        """Mean absolute local importance of each feature, in descending order.

        Parameters
        ----------
        per_class : bool
            For multi-class models: one column per class instead of the mean over classes.

        Returns
        -------
        Series or DataFrame, indexed by feature name. Ties keep the order of the columns.
        """
        if self.n_rows == 0:
            raise ExplanationError("there are no rows to take the mean over; explain some rows")
        mean = np.abs(self.values).mean(axis=0)  # (n_features,) or (n_features, n_outputs)
        overall = mean if mean.ndim == 1 else mean.mean(axis=1)
        order = np.argsort(-overall, kind="stable")
        names = pd.Index([self.feature_names[i] for i in order], name="feature")
        if per_class and mean.ndim == 2:
            return pd.DataFrame(mean[order], index=names, columns=list(self.classes or ()))
        return pd.Series(overall[order], index=names, name="importance")

    def feature_importance_dict(self, *, top_k: int | None = None) -> dict[str, float]:
        """Global importance as a dict in descending order, ``top_k`` entries or all."""
        ranked = self.global_importance()
        top = ranked.iloc[:top_k]
        return {str(name): float(value) for name, value in zip(top.index, top.to_numpy())}

    def local_importance(self, row: int, *, output: int | None = None) -> pd.Series:
        """One row's importances, the largest absolute value first.

        Parameters
        ----------
        row : int
            Position of the row in this explanation.
        output : int, optional
            Position of the class, needed for multi-class models.
        """
        if not -self.n_rows <= row < self.n_rows:
            raise ExplanationError(f"row {row} is not among the {self.n_rows} explained rows")
        values = self._output(output)[row]
        order = np.argsort(-np.abs(values), kind="stable")
        names = pd.Index([self.feature_names[i] for i in order], name="feature")
        return pd.Series(values[order], index=names, name=self.data.index[row])

    def _output(self, output: int | None) -> np.ndarray:
        if self.values.ndim == 2:
            return self.values
        if output is None or not 0 <= output < self.n_outputs:
            raise ExplanationError(
                f"this explanation has one set of values per class; pass output=0 to "
                f"{self.n_outputs - 1} for one of {list(self.classes or ())}, not {output!r}"
            )
        return self.values[:, :, output]

    def __getitem__(self, rows: Any) -> Explanation:
        """Rows by slice, by positions or by a boolean mask; one integer keeps the row axis."""
        if isinstance(rows, (int, np.integer)):
            if not -self.n_rows <= rows < self.n_rows:
                raise IndexError(f"row {rows} is not among the {self.n_rows} explained rows")
            rows = [int(rows)]
        kept = np.arange(self.n_rows)[rows]
        details = dict(self.details)
        for key in _PER_ROW:
            if key in details:
                details[key] = [details[key][i] for i in kept]
        return replace(
            self,
            values=self.values[kept],
            data=self.data.iloc[kept],
            engineered=None if self.engineered is None else self.engineered[kept],
            details=details,
            standard_errors=None if self.standard_errors is None else self.standard_errors[kept],
        )

    # -- other forms ------------------------------------------------------------------------
    def to_frame(self) -> pd.DataFrame:
        """Importances as a table: a row per row, a column per feature.

        Multi-class explanations have two column levels, class and feature.
        """
        if self.values.ndim == 2:
            return pd.DataFrame(
                self.values, index=self.data.index, columns=list(self.feature_names)
            )
        columns = pd.MultiIndex.from_product(
            [list(self.classes or ()), list(self.feature_names)], names=["class", "feature"]
        )
        wide = np.swapaxes(self.values, 1, 2).reshape(self.n_rows, -1)
        return pd.DataFrame(wide, index=self.data.index, columns=columns)

    def to_shap(self) -> Any:
        """Give the same as a ``shap.Explanation``, for shap's plots; needs the shap package."""
        try:
            import shap
        except ImportError as error:
            raise ExplanationError("to_shap() needs the shap package: pip install shap") from error
        base = self.base_values if self.values.ndim == 3 else self.base_values[0]
        return shap.Explanation(
            values=self.values,
            base_values=np.broadcast_to(base, (self.n_rows, *np.shape(base))),
            data=self.data.to_numpy(),
            feature_names=list(self.feature_names),
            output_names=None if self.values.ndim == 2 else [str(c) for c in self.classes or ()],
        )

    def save(self, path: str | Path) -> None:
        """Write the explanation, and its engineered twin, to one file that holds no code."""
        from pellucid.explain.persistence import save_explanation

        save_explanation(self, path)

    @staticmethod
    def load(path: str | Path) -> Explanation:
        """Read what `save` wrote; raises an `ExplanationError` for anything else."""
        from pellucid.explain.persistence import load_explanation

        return load_explanation(path)

    # -- seen in a console or a notebook ------------------------------------------------------
    def show(self, *, model: Any = None, target: str | None = None, height: int = 760) -> Page:
        """An interactive page, which a notebook shows and ``save(path)`` writes to a file.

        Parameters
        ----------
        model : optional
            A model of Pellucid's that made it: it travels in the page, which asks it for curves
            over a feature and for what would change a row's answer.
        target : str, optional
            What the model predicts, for the texts.
        height : int
            Of the page in a notebook, in pixels.
        """
        from pellucid.view.notebook import explanation_page

        return explanation_page(self, model=model, target=target, height=height)

    def __repr__(self) -> str:
        from pellucid.explain.shown import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from pellucid.explain.shown import as_html

        return as_html(self)

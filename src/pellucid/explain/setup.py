"""Everything that explains a fitted model by hand: its parts, and the data between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils.metaestimators import available_if

from pellucid.explain.adapters import predictor_of
from pellucid.explain.assembly import raw_table
from pellucid.explain.explanation import ExplanationError
from pellucid.explain.forecast import ForecastPredictor
from pellucid.explain.setting import Setting, make_setting
from pellucid.explain.subject import Subject

Task = Literal["classification", "regression", "forecasting"]


@dataclass(frozen=True, eq=False)
class EngineeredModel:
    """The last part of a model, which takes engineered columns.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> line = LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])
    >>> setup = setup_explanations(line, X=[[2.0], [3.0]])
    >>> [round(value, 6) for value in EngineeredModel(setup.subject).predict([[2.0]])]
    [5.0]
    """

    subject: Subject

    def predict(self, rows: Any) -> list[Any]:
        """Labels, or values, one a row."""
        ask = self.subject.ask("response", depth=self.subject.depth)
        return self.subject.labels(ask(rows))

    @available_if(lambda self: self.subject.is_classifier)
    def predict_proba(self, rows: Any) -> np.ndarray:
        """Probabilities, (n_rows, n_classes)."""
        ask = self.subject.ask("probability", depth=self.subject.depth)
        return self.subject.probabilities(ask(rows))


@dataclass(frozen=True, eq=False)
class ExplanationSetup:
    """A fitted model split into what makes columns and what predicts, with data and names.

    Attributes
    ----------
    X_transform, X_test_transform : rows as the estimator takes them, or None
        Training and test rows after all steps: frame, array or CSR matrix.
    X_test_raw : DataFrame or None
        The test rows as the user knows them; their index is that of ``X_test``.
    engineered_feature_names, raw_feature_names : tuple of str
    feature_map : CSR of 0 and 1, (n_raw, n_engineered)
        Which raw columns each engineered one is made of.
    classes : tuple or None
    estimator : fitted estimator
        Takes engineered columns.
    pipeline : the model as it was given
        Takes raw columns.
    subject : Subject
        What `pellucid.explain` sees of it; it may be passed on in place of the model.
    """

    X_transform: Any
    X_test_transform: Any
    X_test_raw: pd.DataFrame | None
    engineered_feature_names: tuple[str, ...]
    raw_feature_names: tuple[str, ...]
    feature_map: sparse.csr_array
    classes: tuple[Any, ...] | None
    estimator: Any
    pipeline: Any
    subject: Subject

    def __str__(self) -> str:
        task = "classes " + ", ".join(map(str, self.classes)) if self.classes else "values"
        return (
            f"{self.subject.label}: {len(self.raw_feature_names)} raw features, "
            f"{len(self.engineered_feature_names)} engineered ones, predicts {task}"
        )


def setup_explanations(
    fitted: Any, *, X: Any, X_test: Any = None, y: Any = None, task: Task | None = None
) -> ExplanationSetup:
    """Take a fitted model apart, and put data through its parts.

    Parameters
    ----------
    fitted : fitted model
        Whatever `pellucid.explain` takes.
    X : table, (n_rows, n_columns)
        Training rows. All of them are kept, in their order. Of a forecaster, a history with its
        ``y``, of which each known value is a row, seen from an origin before it; without ``y``,
        rows to forecast.
    X_test : table, optional
        Rows to explain.
    y : array, (n_rows,), optional
        Checked against X.
    task : "classification", "regression" or "forecasting", optional
        Checked against the model.

    Raises
    ------
    ExplanationError
        Rows that do not fit the model, ``y`` of another length, or a task that is not the
        model's.

    Examples
    --------
    >>> from sklearn.compose import make_column_transformer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> people = pd.DataFrame({"age": [31, 45, 22], "job": ["a", "b", "b"]})
    >>> make = make_column_transformer((OneHotEncoder(), ["job"]), remainder="passthrough")
    >>> pipe = make_pipeline(make, LogisticRegression()).fit(people, [0, 1, 1])
    >>> setup = setup_explanations(pipe, X=people, task="classification")
    >>> setup.engineered_feature_names
    ('onehotencoder__job_a', 'onehotencoder__job_b', 'remainder__age')
    >>> setup.feature_map.toarray().astype(int).tolist()
    [[0, 0, 1], [1, 1, 0]]
    """
    model, own = fitted, predictor_of(fitted)
    if isinstance(own, ForecastPredictor):
        model = own.of_seen
        X, y = own.seen(X) if y is None else own.seen_before(X, y), None
        X_test = None if X_test is None else own.seen(X_test)
    setting = make_setting(model, X, background=X)
    subject = setting.subject
    _check_task(subject, task)
    if y is not None and len(y) != setting.n_rows:
        raise ExplanationError(f"y has {len(y)} values for {setting.n_rows} rows of X")
    asked = None if X_test is None else make_setting(setting.ground, X_test)
    core = subject.core.model
    return ExplanationSetup(
        X_transform=setting.rows_at(subject.depth),
        X_test_transform=None if asked is None else asked.rows_at(subject.depth),
        X_test_raw=None if asked is None else raw_table(asked),
        engineered_feature_names=setting.engineered_names,
        raw_feature_names=setting.raw_names,
        feature_map=_feature_map(setting),
        classes=subject.classes,
        estimator=core if hasattr(core, "predict") else EngineeredModel(subject),
        pipeline=fitted,
        subject=subject,
    )


def _feature_map(setting: Setting) -> sparse.csr_array:
    """Raw by engineered columns, 1 where one is made of the other."""
    raw_of = setting.raw_of
    shape = (len(setting.raw_names), len(raw_of))
    joins = sparse.csr_array((np.ones(len(raw_of)), (raw_of, np.arange(len(raw_of)))), shape=shape)
    return sparse.csr_array((joins @ setting.lineages[-1].parents) > 0, dtype=np.int8)


def _check_task(subject: Subject, task: Task | None) -> None:
    if task is None:
        return
    if task not in ("classification", "regression", "forecasting"):
        raise ExplanationError(
            f"unknown task {task!r}; expected 'classification', 'regression' or 'forecasting'"
        )
    if (task == "classification") != subject.is_classifier:
        what = "classes" if subject.is_classifier else "values"
        raise ExplanationError(f"the task is {task!r}, but {subject.label} predicts {what}")

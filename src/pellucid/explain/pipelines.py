"""Lineage of any fitted transformer: pipelines and column transformers are walked to their parts.

Leaves are read from their structure; a leaf that has no rule is probed. Rows are carried along, so
that a part is probed on what reaches it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.lineage import (
    Lineage,
    identity,
    mixed,
    of_pairs,
    placed,
    side_by_side,
)
from pellucid.explain.matrices import known, width
from pellucid.explain.probing import probe
from pellucid.explain.structure import read_structure


def trace(transformer: Any, rows: Any, names: Sequence[str]) -> Lineage:
    """Lineage of a fitted transformer.

    Parameters
    ----------
    transformer : fitted transformer, "passthrough", "drop" or None
    rows : DataFrame, Series, array or CSR, (n_rows, n_inputs)
        Some rows in the form that it takes, to carry along and to probe with. Some tens do.
    names : sequence of str, (n_inputs,)

    Examples
    --------
    >>> from sklearn.compose import make_column_transformer
    >>> from sklearn.preprocessing import OneHotEncoder, StandardScaler
    >>> people = pd.DataFrame({"age": [31, 45, 22], "job": ["a", "b", "b"]})
    >>> pipe = make_column_transformer((OneHotEncoder(), ["job"]), (StandardScaler(), ["age"]))
    >>> found = trace(pipe.fit(people), people, ["age", "job"])
    >>> found.outputs
    ('onehotencoder__job_a', 'onehotencoder__job_b', 'standardscaler__age')
    >>> found.parents_of(1)
    ('job',)
    """
    lineage = _walk(transformer, rows, tuple(names))
    found = _names_out(transformer, names, len(lineage.outputs))
    return lineage if found is None else lineage.named(found)


def _walk(transformer: Any, rows: Any, names: tuple[str, ...]) -> Lineage:
    if transformer is None or transformer == "passthrough":
        return identity(names)
    if transformer == "drop":
        return of_pairs(names, (), [])
    if hasattr(transformer, "steps"):
        lineage, reached = identity(names), rows
        for _, step in transformer.steps:
            if hasattr(step, "fit_resample") and not hasattr(step, "transform"):
                continue  # a sampler, which leaves rows to predict alone
            lineage = lineage.then(trace(step, reached, lineage.outputs))
            reached = _through(step, reached)
        return lineage
    if hasattr(transformer, "transformers_") and hasattr(transformer, "output_indices_"):
        return _columns(transformer, rows, names)
    if hasattr(transformer, "transformer_list"):
        parts = [
            trace(part, rows, names) for _, part in transformer.transformer_list if part != "drop"
        ]
        return side_by_side(parts, names)
    return _leaf(transformer, rows, names)


def _through(step: Any, rows: Any) -> Any:
    return rows if step is None or step == "passthrough" else known(step.transform(rows))


def _columns(transformer: Any, rows: Any, names: tuple[str, ...]) -> Lineage:
    """A ColumnTransformer: its outputs lie where ``output_indices_`` says."""
    whole = transformer.transform(rows)
    labels = list(rows.columns) if isinstance(rows, pd.DataFrame) else list(range(len(names)))
    parts: list[tuple[int, Lineage]] = []
    for name, part, columns in transformer.transformers_:
        place = transformer.output_indices_.get(name, slice(0, 0))
        size = place.stop - place.start
        if size == 0:
            continue
        at = _positions(columns, labels)
        own = tuple(names[i] for i in at)
        lineage = trace(part, _pick(rows, columns, at), own)
        if len(lineage.outputs) != size:  # it says one thing and does another
            lineage = mixed(own, tuple(f"{name}__{i}" for i in range(size)))
        parts.append((place.start, placed(lineage, names, at)))
    parts.sort(key=lambda each: each[0])
    joined = side_by_side([part for _, part in parts], names)
    if len(joined.outputs) != width(whole):
        return mixed(names, tuple(f"x{i}" for i in range(width(whole))))
    return joined


def _positions(columns: Any, labels: list[Any]) -> list[int]:
    """Where the columns that a ColumnTransformer names lie."""
    if isinstance(columns, slice):
        start, stop = columns.start, columns.stop
        if isinstance(start, str) or isinstance(stop, str):  # by label both ends count
            first = 0 if start is None else labels.index(start)
            last = len(labels) if stop is None else labels.index(stop) + 1
            return list(range(first, last))
        return list(range(len(labels)))[columns]
    if np.ndim(columns) == 0:
        columns = [columns]
    found = list(columns)
    if found and all(isinstance(each, (bool, np.bool_)) for each in found):
        return [int(i) for i in np.flatnonzero(found)]
    return [
        labels.index(each) if isinstance(each, str) else range(len(labels))[each] for each in found
    ]


def _pick(rows: Any, columns: Any, at: list[int]) -> Any:
    scalar = np.ndim(columns) == 0 and not isinstance(columns, slice)
    if isinstance(rows, pd.DataFrame):
        return rows.iloc[:, at[0]] if scalar else rows.iloc[:, at]
    return rows[:, at[0]] if scalar else rows[:, at]


def _leaf(transformer: Any, rows: Any, names: tuple[str, ...]) -> Lineage:
    n_outputs = width(transformer.transform(rows))
    generic = tuple(f"x{i}" for i in range(n_outputs))
    if type(transformer).__name__ == "FunctionTransformer" and transformer.func is None:
        return identity(names)
    pairs = read_structure(transformer, len(names), n_outputs)
    if pairs is not None:
        return of_pairs(names, generic, pairs)
    found = of_pairs(names, generic, probe(lambda some: known(transformer.transform(some)), rows))
    return Lineage(found.inputs, found.outputs, found.parents, probed=True)


def _names_out(transformer: Any, names: Sequence[str], n_outputs: int) -> tuple[str, ...] | None:
    """What the transformer calls its outputs, when it says so for each of them."""
    asked = getattr(transformer, "get_feature_names_out", None)
    if asked is None:
        return None
    for arguments in ((np.asarray(names, dtype=object),), ()):
        try:
            found = tuple(str(name) for name in asked(*arguments))
        except Exception:  # nosec B112: others' code, asked twice, may raise what it likes
            continue
        if len(found) == n_outputs and len(set(found)) == n_outputs:
            return found
    return None

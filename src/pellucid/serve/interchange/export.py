"""Export a predictor to ONNX, and hold the graph to the predictor."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.answering import free_name
from pellucid.explain.predictor import Predictor
from pellucid.serve.errors import ServeError

_TOLERANCE = 1e-9  # of a margin's scale: runtimes add in an order of their own
_LARGEST_LOG = 700.0


@dataclass(frozen=True, eq=False)
class Exported:
    """A predictor as ONNX.

    model : the file
    left_out : raw columns whose engineered columns the graph takes as they are, and why
    inputs : names of what the graph takes
    """

    model: bytes
    left_out: dict[str, str]
    inputs: tuple[str, ...]


def export_onnx(predictor: Predictor, *, featurizer: bool = True) -> Exported:
    """Write prediction, without importances, as an ONNX graph.

    Parameters
    ----------
    predictor : Predictor
    featurizer : bool
        Whether the graph takes raw columns, each an input (n_rows, 1): numbers and truth values in
        double precision with NaN for missing, labels as text with "" for missing. Else it takes
        ``engineered``, float32 (n_rows, n_engineered).

    Returns
    -------
    Exported
        Its graph gives ``prediction``, ``margin`` and, of classes, ``probabilities``.

    Raises
    ------
    ServeError
        ONNX is not installed, or the model has a member that has no form in it; the message names
        the member.
    """
    if find_spec("onnx") is None:
        raise ServeError("the export needs onnx: pip install 'pellucid[onnx]'")
    if type(predictor) is not Predictor:
        raise ServeError("a forecast has no form in ONNX: its rows are made of earlier rows")
    from onnx import TensorProto

    from pellucid.serve.interchange.features import engineered
    from pellucid.serve.interchange.graph import Graph
    from pellucid.serve.interchange.members import margins
    from pellucid.serve.interchange.trees import CannotExportError

    graph = Graph()
    left_out: dict[str, str] = {}
    if featurizer:
        rows, left_out = engineered(graph, predictor.featurizer)
    else:
        rows = graph.input("engineered", TensorProto.FLOAT, predictor.background.shape[1])
    try:
        margin = margins(graph, predictor.ensemble, rows)
    except CannotExportError as error:
        raise ServeError(f"the model cannot be exported to ONNX: {error}") from None
    taken = set(predictor.schema.names) if featurizer else set()
    outputs = [
        (what, free_name(name, taken), kind, width)
        for what, name, kind, width in _outputs(graph, predictor, margin)
    ]
    facts = {"pellucid": version("pellucid"), "target": predictor.target}
    facts |= {f"engineered by the caller: {name}": why for name, why in left_out.items()}
    return Exported(graph.model(outputs, facts), left_out, graph.inputs)


def _outputs(graph: Any, predictor: Predictor, margin: str) -> list[tuple[str, str, int, int]]:
    from onnx import TensorProto

    problem, classes = predictor.problem, predictor.classes
    told = [(margin, "margin", TensorProto.DOUBLE, problem.n_outputs)]
    if classes is None:
        value = margin
        if problem.link == "log":
            most = graph.constant(_LARGEST_LOG, np.float64)
            value = graph.add("Exp", graph.add("Min", margin, most))
        return [(value, "prediction", TensorProto.DOUBLE, 1), *told]
    if problem.task == "binary":
        half = graph.constant(0.5, np.float64)
        turned = graph.add("Tanh", graph.add("Mul", margin, half))
        one = graph.constant(1.0, np.float64)
        second = graph.add("Mul", half, graph.add("Add", one, turned))
        shares = graph.join([graph.add("Sub", one, second), second])
    else:
        shares = graph.add("Softmax", margin, axis=1)
    winner = graph.add("ArgMax", shares, axis=1, keepdims=0)
    labels, kind = _labels(classes)
    label = graph.add("Gather", graph.constant(labels), winner, axis=0)
    return [
        (label, "prediction", kind, 0),
        (shares, "probabilities", TensorProto.DOUBLE, len(classes)),
        *told,
    ]


def _labels(classes: np.ndarray) -> tuple[np.ndarray, int]:
    from onnx import TensorProto

    if classes.dtype.kind in "iu":
        return classes.astype(np.int64), TensorProto.INT64
    if classes.dtype.kind == "b":
        return classes, TensorProto.BOOL
    if classes.dtype.kind == "f":
        return classes.astype(np.float64), TensorProto.DOUBLE
    return np.array([str(label) for label in classes.tolist()], dtype=object), TensorProto.STRING


def feed(exported: Exported, predictor: Predictor, X: Any) -> dict[str, np.ndarray]:
    """Raw rows as a runtime takes them for this graph."""
    from pellucid.serve.interchange.features import ENGINEERED
    from pellucid.tabular.reading.cells import read_cells

    frame = predictor.frame(X)
    matrix = predictor.featurizer.transform(frame)
    if exported.inputs == ("engineered",):
        return {"engineered": matrix}
    found = {}
    for name in exported.inputs:
        raw = name.removesuffix(ENGINEERED) if name not in predictor.schema.kinds else name
        if raw != name:
            places = predictor.featurizer.places(raw)
            found[name] = np.ascontiguousarray(matrix[:, places[0][1].start : places[-1][1].stop])
            continue
        cells = read_cells(frame[name], predictor.schema[name])
        if predictor.schema[name].kind == "categorical":
            found[name] = np.array([[text or ""] for text in cells.texts()], dtype=object)
        else:
            found[name] = np.asarray(cells, dtype=np.float64)[:, None]
    return found


def check_onnx(exported: Exported, predictor: Predictor, X: Any) -> float:
    """Run the graph on raw rows and hold it to the predictor; the most that a margin differs by.

    Raises
    ------
    ServeError
        onnxruntime is not installed, or margins or predictions differ.
    """
    if find_spec("onnxruntime") is None:
        raise ServeError("the check needs onnxruntime: pip install 'pellucid[onnx]'")
    import onnxruntime

    session = onnxruntime.InferenceSession(exported.model, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    given = dict(zip(names, session.run(None, feed(exported, predictor, X))))
    margin = next(name for name in names if name.rstrip("_") == "margin")
    own = predictor.margins(X)
    scale = np.maximum(1.0, np.abs(own))
    gap = float((np.abs(given[margin] - own) / scale).max(initial=0.0))
    predicted = np.asarray(given[names[0]]).ravel()
    wanted = predictor.labels(own)
    same = (
        np.allclose(predicted, wanted, rtol=1e-9)
        if predictor.classes is None
        else [str(one) for one in predicted] == [str(other) for other in wanted]
    )
    if not gap <= _TOLERANCE or not same:
        raise ServeError(
            f"the ONNX graph does not predict what the model does: margins differ by {gap:.3g} of "
            "their scale; do not use it, and report it"
        )
    return gap


def trial_rows(predictor: Predictor, n_rows: int = 200) -> pd.DataFrame:
    """Rows to check a graph with: values near those of training, unseen and missing ones."""
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {}
    for column in predictor.schema.columns:
        places = predictor.featurizer.places(column.name)
        if not places:
            continue
        seen = predictor.background[rng.integers(len(predictor.background), size=n_rows)]
        absent = rng.random(n_rows) < 0.1
        if column.kind == "numeric":
            encoder, place = places[0]
            cells = seen[:, place.start].astype(np.float64) + getattr(encoder, "offset", 0.0)
            odd = rng.choice([np.inf, -np.inf, 1e300, 0.5, -1.0], n_rows)
            cells = np.where(rng.random(n_rows) < 0.1, odd, cells)
            columns[column.name] = pd.Series(cells).mask(absent)
        elif column.kind == "boolean":
            columns[column.name] = pd.Series(rng.random(n_rows) < 0.5, dtype=object).mask(absent)
        elif column.kind == "datetime":
            days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500, n_rows), "D")
            columns[column.name] = pd.Series(days).mask(absent)
        else:
            levels = [level for encoder, _ in places for level in getattr(encoder, "levels", ())]
            known = np.array([*levels[:500], "never seen", *column.examples], dtype=object)
            columns[column.name] = pd.Series(rng.choice(known, n_rows)).mask(absent)
    return pd.DataFrame(columns)

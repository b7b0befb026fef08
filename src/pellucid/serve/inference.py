"""The Open Inference Protocol, version 2: columns as tensors in, answers as tensors out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from pellucid.explain.explanation import Level
from pellucid.serve.checking import trained_as
from pellucid.serve.errors import RequestError
from pellucid.serve.formats import Asked
from pellucid.serve.holder import Served
from pellucid.serve.scorer import Scorer
from pellucid.serve.scores import LEVELS, Scores

_INTEGERS = {f"{u}INT{bits}" for u in ("", "U") for bits in (8, 16, 32, 64)}
_TYPES = {"truth": "BOOL", "number": "FP64"}  # of columns; the rest are BYTES
DATATYPES: dict[str, tuple[type, ...]] = {
    "BOOL": (bool,), "BYTES": (str,), "FP16": (int, float), "FP32": (int, float),
    "FP64": (int, float), **dict.fromkeys(_INTEGERS, (int,)),
}  # fmt: skip
OUTPUTS = ("predictions", "probabilities", *(f"{level}_importance" for level in LEVELS))


def read_infer(value: Any) -> tuple[Asked, tuple[Level, ...] | None]:
    """Rows of a request, one tensor a column, and the levels that its outputs ask for.

    Parameters
    ----------
    value : the request's JSON
        Each input's ``name`` is a column, its shape (n,) or (n, 1); null stands for a cell that
        is not known.

    Returns
    -------
    Asked, and the levels; None for levels if the request names no outputs.

    Raises
    ------
    RequestError
        Names the input that is not as the protocol has it.

    Examples
    --------
    >>> age = {"name": "age", "shape": [2, 1], "datatype": "INT64", "data": [31, 52]}
    >>> read_infer({"inputs": [age]})[0].rows["age"].tolist()
    [31, 52]
    """
    inputs = value.get("inputs") if isinstance(value, dict) else None
    if not isinstance(inputs, list) or not inputs:
        _refuse('the request must have "inputs", a list of tensors')
    columns = dict(map(_read_tensor, inputs))
    if len(columns) < len(inputs):
        _refuse("two inputs have one name")
    lengths = {len(cells) for cells in columns.values()}
    if len(lengths) > 1:
        _refuse("the inputs differ in length; each must have one value a row")
    n_rows = lengths.pop()
    params, name = value.get("parameters"), value.get("id")
    params = {} if params is None else params
    if not isinstance(params, dict) or not isinstance(name, (str, type(None))):
        _refuse("parameters must be an object, and the id text")
    rows: Any = pd.DataFrame(columns)
    if n_rows == 1:
        rows = {name: cells[0] for name, cells in columns.items()}
    return Asked(rows, n_rows, range(n_rows), "own", params), _levels(value.get("outputs"))


def _read_tensor(tensor: Any) -> tuple[str, list[Any]]:
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        _refuse("each input must be an object with name, shape, datatype and data")
    name, cells, kind = tensor["name"], tensor.get("data"), tensor.get("datatype")
    if not isinstance(kind, str) or kind not in DATATYPES:
        _refuse(
            f"the datatype of input {name[:100]!r} must be one of {', '.join(sorted(DATATYPES))}"
        )
    if not isinstance(cells, list):
        _refuse(f"the data of input {name[:100]!r} must be a list")
    if cells and all(isinstance(cell, list) and len(cell) == 1 for cell in cells):
        cells = [cell[0] for cell in cells]
    if tensor.get("shape") not in ([len(cells)], [len(cells), 1]):
        _refuse(f"the shape of input {name[:100]!r} must be [{len(cells)}] or [{len(cells)}, 1]")
    for row, cell in enumerate(cells):
        if cell is not None and (
            not isinstance(cell, DATATYPES[kind]) or (isinstance(cell, bool) and kind != "BOOL")
        ):
            _refuse(f"input {name[:100]!r} is {kind}, which row {row} is not", name, row)
    return name, cells


def _levels(outputs: Any) -> tuple[Level, ...] | None:
    if outputs is None:
        return None
    if not isinstance(outputs, list) or not all(isinstance(each, dict) for each in outputs):
        _refuse("outputs must be a list of objects with a name")
    names = [each.get("name") for each in outputs]
    for name in names:
        if name not in OUTPUTS:
            _refuse(f"an output is unknown; there are {', '.join(OUTPUTS)}")
    return tuple(level for level in LEVELS if f"{level}_importance" in names)


def infer_answer(scores: Scores, served: Served, request: Mapping[str, Any]) -> dict[str, Any]:
    """The response: predictions, probabilities, and of each level importances and base values."""
    predictions = scores.predictions.tolist()
    kind = "FP64"
    if served.scorer.predictor.classes is not None:
        sort = served.scorer.predictor.classes.dtype.kind
        kind = {"i": "INT64", "u": "INT64", "b": "BOOL", "f": "FP64"}.get(sort, "BYTES")
    outputs = [_tensor("predictions", kind, [len(predictions)], predictions)]
    if scores.probabilities is not None:
        outputs.append(_floats("probabilities", scores.probabilities))
    for level, found in scores.levels.items():
        importance = _floats(f"{level}_importance", found.values)
        importance["parameters"] = {"feature_names": found.names, "space": found.space}
        outputs += [importance, _floats(f"{level}_base_values", found.base_values)]
    answer = {
        "model_name": served.name,
        "model_version": served.version,
        "outputs": outputs,
    }
    if request.get("id") is not None:
        answer["id"] = request["id"][:200]
    return answer


def model_metadata(served: Served) -> dict[str, Any]:
    """What the protocol tells of a model."""
    return {
        "name": served.name,
        "versions": [served.version],
        "platform": "pellucid",
        "inputs": [
            {"name": column["name"], "datatype": column["datatype"], "shape": [-1, 1]}
            for column in describe(served.scorer)
        ],
        "outputs": [
            {"name": "predictions", "datatype": "BYTES", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP64", "shape": [-1, -1]},
            *(
                {"name": f"{level}_importance", "datatype": "FP64",
                 "shape": [-1, len(served.scorer.predictor.names_of(level))]}
                for level in LEVELS
            ),
        ],
    }  # fmt: skip


def describe(scorer: Scorer) -> list[dict[str, Any]]:
    """The raw columns that a row must have, in order: name, kind, datatype, some values."""
    schema = scorer.predictor.schema
    return [
        {
            "name": name,
            "kind": schema.kinds.get(name, "unknown"),
            "datatype": _TYPES.get(trained_as(schema[name]), "BYTES")
            if name in schema.kinds
            else "BYTES",
            "examples": list(schema[name].examples) if name in schema.kinds else [],
        }
        for name in scorer.needed
    ]


def _tensor(name: str, kind: str, shape: list[int], data: list[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": kind, "shape": shape, "data": data}


def _floats(name: str, values: np.ndarray) -> dict[str, Any]:
    return _tensor(name, "FP64", list(values.shape), values.ravel().tolist())


def _refuse(message: str, column: str | None = None, row: int | None = None) -> NoReturn:
    raise RequestError(message, code="wrong_shape", column=column, row=row)

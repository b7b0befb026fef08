"""The model as a page carries it: what the page's own code needs to predict and explain a row.

It is the arrays of the members, the states of the encoders and the background, nothing else:
``web/carried/`` evaluates them, by the formulas that `pellucid.shapley` evaluates in Python.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pellucid.errors import PellucidError
from pellucid.explain.predictor import Predictor
from pellucid.models.family import Member
from pellucid.models.linear import LinearMember
from pellucid.models.spline import SplineMember
from pellucid.models.trees import TreeMember
from pellucid.models.view import ViewMember
from pellucid.shapley.trees import TreeEnsemble
from pellucid.view.pack import LONGEST_CELL, pack_column
from pellucid.view.studio.form import form_of, plain_cell

MOST_CHARACTERS = 2 * 2**20  # of a page; without its model a report takes less than 1 MB


class CarriedError(PellucidError):
    """A model cannot travel in a page."""


def carried_model(predictor: Predictor, seen: pd.DataFrame) -> dict[str, Any]:
    """A model as a value of a page's payload.

    Parameters
    ----------
    predictor : Predictor
    seen : DataFrame, (n_rows, n_columns)
        The rows that the page shows, which its form edits.

    Returns
    -------
    dict
        ``gzip``: base64 of what `pack` gives of the model, compressed.

    Raises
    ------
    CarriedError
        Forecasts and other models that the page cannot evaluate, and models that take more than
        `MOST_CHARACTERS`.
    """
    schema = predictor.schema
    if any(column.source for column in schema.columns):
        raise CarriedError("a forecast's row stands on the past of its series, which a form lacks")
    ensemble, features = predictor.ensemble, predictor.feature_map
    facts = {
        "task": predictor.problem.task,
        "link": predictor.problem.link,
        "encoders": predictor.featurizer.to_dict()["encoders"],
        "raw_names": features.raw_names,
        "engineered_names": features.engineered_names,
        "raw_of": features.raw_of.astype(np.int32),
        "background": predictor.background.astype(np.float32),
        "weights": ensemble.weights,
        "intercept": ensemble.intercept,
        "members": [_member(member) for member in ensemble.members],
        "fields": form_of(schema, seen),
        "whole": _whole_cells(seen),
    }
    text = base64.b64encode(gzip.compress(pack(facts), 9, mtime=0)).decode("ascii")
    if len(text) > MOST_CHARACTERS:
        raise CarriedError(
            f"the model takes {len(text) / 2**20:.1f} MB, and a page carries at most "
            f"{MOST_CHARACTERS / 2**20:.0f} MB"
        )
    return {"gzip": text}


def pack(value: Any) -> bytes:
    r"""Nested values as JSON, whose arrays lie behind it byte by byte.

    The first four bytes are the length of the JSON. An array is ``{"type", "shape", "at"}``: first
    all lowest bytes of its numbers, then all second ones, and so on, since bytes of one rank are
    alike and compress better together.

    Examples
    --------
    >>> pack({"a": np.array([1, 256], dtype=np.int16)})[-4:]
    b'\x01\x00\x00\x01'
    """
    parts: list[bytes] = []
    size = 0

    def plain(item: Any) -> Any:
        nonlocal size
        if isinstance(item, np.ndarray):
            little = np.ascontiguousarray(item, dtype=item.dtype.newbyteorder("<"))
            planes = little.reshape(-1).view(np.uint8).reshape(-1, little.itemsize).T.tobytes()
            at, size = size, size + len(planes)
            parts.append(planes)
            return {"type": item.dtype.str[1:], "shape": list(item.shape), "at": at}
        if isinstance(item, Mapping):
            return {str(key): plain(each) for key, each in item.items()}
        return [plain(each) for each in item] if isinstance(item, (list, tuple)) else item

    header = json.dumps(plain(value), allow_nan=False, separators=(",", ":")).encode()
    return len(header).to_bytes(4, "little") + header + b"".join(parts)


def _member(member: Member) -> dict[str, Any]:
    """A member's arrays; of a view also which columns it sees."""
    if isinstance(member, ViewMember):
        seen = {
            "columns": member.columns.astype(np.int32),
            "encoded": member.encoded.astype(np.int32),
            "tables": list(member.tables),
            "widths": [table.shape[1] for table in member.tables],
        }
        return {**_member(member.inner), "view": seen}
    if isinstance(member, TreeMember):
        return {"kind": "trees", **_trees(member.trees)}
    if isinstance(member, LinearMember):
        return {"kind": "linear", **_linear(member)}
    if isinstance(member, SplineMember):
        names = ("column", "start", "knot", "height")
        curves = {name: _narrow(getattr(member.curves, name)) for name in names}
        return {"kind": "linear", **_linear(member.linear), "curves": curves}
    raise CarriedError(f"a page cannot evaluate models of the family {member.family!r}")


def _linear(member: LinearMember) -> dict[str, Any]:
    return {name: getattr(member, name) for name in ("coef", "intercept", "fill", "low", "high")}


def _trees(trees: TreeEnsemble) -> dict[str, Any]:
    """Thresholds of inner nodes, values of leaves, and children as distances from their parents."""
    if trees.linear is not None:
        raise CarriedError("a page cannot evaluate trees with linear leaves")
    inner = trees.feature >= 0
    at = np.arange(trees.n_nodes)[inner]
    sets = ("cat_start", "cat_size", "cat_bits")
    return {
        "roots": trees.roots,
        "output": trees.tree_output,
        "feature": trees.feature,
        "flags": trees.flags[inner],
        "threshold": trees.threshold[inner],
        "left": (trees.left[inner] - at).astype(np.int32),
        "right": (trees.right[inner] - at).astype(np.int32),
        "value": trees.value[~inner],
        "intercept": trees.intercept,
        "divisor": trees.divisor,
        **({name: _narrow(getattr(trees, name)) for name in sets} if len(trees.cat_bits) else {}),
    }


def _narrow(array: np.ndarray) -> np.ndarray:
    """Positions in 32 bits; other arrays as they are."""
    return array.astype(np.int32) if array.dtype == np.int64 else array


def _whole_cells(seen: pd.DataFrame) -> dict[str, list[Any]]:
    """Columns that the page's own columns hold only nearly: long texts, numbers of many digits."""
    found: dict[str, list[Any]] = {}
    for name in seen:
        cells = [plain_cell(cell) for cell in seen[name]]
        packed = pack_column(seen[name])
        near = "f32" in packed and any(
            isinstance(cell, float) and cell != _seven_digits(cell) for cell in cells
        )
        if near or any(isinstance(cell, str) and len(cell) > LONGEST_CELL for cell in cells):
            found[str(name)] = cells
    return found


def _seven_digits(number: float) -> float:
    """What the page reads of a number that it holds in single precision."""
    return float(f"{np.float32(number):.7g}")

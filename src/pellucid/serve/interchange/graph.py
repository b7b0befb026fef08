"""An ONNX graph while it is built: nodes and constants under names of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ML = "ai.onnx.ml"
_OPSETS = (("", 21), (ML, 5))  # ONNX 1.16, the first with TreeEnsemble
_IR = 10


class Graph:
    """Nodes in order; every method gives the name of what a node makes."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of what is given."""
        return tuple(each.name for each in self._inputs)

    def input(self, name: str, kind: int, width: int) -> str:
        """Something that is given with each run, (n_rows, width)."""
        self._inputs.append(helper.make_tensor_value_info(name, kind, ["rows", width]))
        return name

    def constant(self, values: Any, dtype: Any = None) -> str:
        """A constant."""
        array = np.asarray(values, dtype=dtype)
        name = f"/constant/{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, kind: str, *inputs: str, domain: str = "", **settings: Any) -> str:
        """A node with one output."""
        name = f"/{kind}/{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], domain=domain, **settings))
        return name

    def cast(self, name: str, kind: int) -> str:
        """The same numbers in another type."""
        return self.add("Cast", name, to=kind)

    def double(self, name: str) -> str:
        """The same numbers in double precision."""
        return self.cast(name, TensorProto.DOUBLE)

    def join(self, names: Sequence[str]) -> str:
        """Columns side by side."""
        return names[0] if len(names) == 1 else self.add("Concat", *names, axis=1)

    def row(self, values: Any, like: str) -> str:
        """The same numbers, float64 (width,), in each row of ``like``."""
        width = np.asarray(values, dtype=np.float64)
        n_rows = self.add("Shape", like, start=0, end=1)
        shape = self.add("Concat", n_rows, self.constant([len(width)], np.int64), axis=0)
        return self.add("Expand", self.constant(width[None, :]), shape)

    def look_up(self, table: np.ndarray, places: str) -> str:
        """Rows of ``table`` (n_places, width) at places, int64 (n_rows, 1): (n_rows, width)."""
        flat = self.add("Reshape", places, self.constant([-1], np.int64))
        return self.add("Gather", self.constant(table), flat, axis=0)

    def model(self, outputs: Sequence[tuple[str, str, int, int]], facts: dict[str, str]) -> bytes:
        """The whole as a file; ``outputs`` are (what, name, type, width or 0 for (n_rows,))."""
        told = []
        for what, name, kind, width in outputs:
            self._nodes.append(helper.make_node("Identity", [what], [name]))
            shape: list[Any] = ["rows", width] if width else ["rows"]
            told.append(helper.make_tensor_value_info(name, kind, shape))
        graph = helper.make_graph(self._nodes, "pellucid", self._inputs, told, self._constants)
        opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=_IR, producer_name="pellucid"
        )
        helper.set_model_props(model, facts)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())

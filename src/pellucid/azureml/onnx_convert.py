"""ONNX under the old names: graphs saved, and asked for predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


class OnnxConverter:
    """Writes graphs."""

    @staticmethod
    def save_onnx_model(onnx_model: Any, file_path: str) -> None:
        """Write a graph to a file."""
        Path(file_path).write_bytes(onnx_model.SerializeToString())


class OnnxInferenceHelper:
    """Predicts by a graph, with onnxruntime.

    onnx_model_bytes : bytes, what `OnnxConverter.save_onnx_model` wrote.
    resource : not needed; the graph knows its columns.
    """

    def __init__(self, onnx_model_bytes: bytes, resource: Any = None, **others: Any) -> None:
        from onnxruntime import InferenceSession

        self._session = InferenceSession(onnx_model_bytes, providers=["CPUExecutionProvider"])

    def predict(self, X: Any, with_prob: bool = True) -> tuple[np.ndarray, np.ndarray | None]:
        """Labels or values (n_rows,), and probabilities (n_rows, n_classes) of classes."""
        from pellucid.azureml.fitted import as_rows

        rows = as_rows(X)
        fed = {each.name: _cells(rows[each.name], each.type) for each in self._session.get_inputs()}
        told = dict(
            zip((o.name for o in self._session.get_outputs()), self._session.run(None, fed))
        )
        chances = told.get("probabilities") if with_prob else None
        return np.ravel(told["prediction"]), chances


def _cells(column: Any, kind: str) -> np.ndarray:
    """A column as the graph takes it: text with "" for missing, or doubles with NaN."""
    if kind == "tensor(string)":
        return np.array(
            ["" if cell is None or cell != cell else str(cell) for cell in column], dtype=object
        )[:, None]
    return np.asarray(column, dtype=np.float64)[:, None]

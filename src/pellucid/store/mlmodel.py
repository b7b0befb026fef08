"""A model as the folder that MLflow calls a model: it loads by the name of our module, no pickle.

`mlflow models serve`, `mlflow.pyfunc` and the clouds that take MLflow models read it as it is.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING, Any

from pellucid.store.artifacts import MANIFEST, manifest_of

if TYPE_CHECKING:
    from pellucid.explain.predictor import Predictor
    from pellucid.tabular.columns import Column

LOADER = "pellucid.serve.flavor"  # the module whose _load_pyfunc MLflow calls
DATA = "model"  # the folder in the folder
_TYPES = {  # of training columns, as MLflow names them
    "bool": "boolean",
    "float64": "double",
    "float32": "double",
}


def mlmodel_files(predictor: Predictor, *, run_id: str | None = None) -> dict[str, bytes]:
    """An MLflow model of a predictor, as named files that hold no code.

    Parameters
    ----------
    predictor : Predictor
    run_id : str, optional
        The run that made it.
    """
    own = predictor.to_files()
    files = {f"{DATA}/{name}": data for name, data in own.items()}
    files[f"{DATA}/{MANIFEST}"] = manifest_of(own)
    pins = pinned_requirements()
    environment = {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}
    facts = {
        "flavors": {
            "python_function": {
                "loader_module": LOADER,
                "data": DATA,
                "env": environment,
                "python_version": _python(),
            },
            "pellucid": {"pellucid_version": version("pellucid"), "data": DATA},
        },
        "mlflow_version": version("mlflow-skinny"),
        "model_uuid": uuid.uuid4().hex,
        "run_id": run_id,
        "signature": signature_of(predictor),
        "utc_time_created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
    }
    files["MLmodel"] = json.dumps(facts, indent=1).encode()  # JSON is YAML too
    files["requirements.txt"] = "".join(f"{pin}\n" for pin in pins).encode()
    files["conda.yaml"] = conda_yaml().encode()
    files["python_env.yaml"] = json.dumps(
        {"python": _python(), "build_dependencies": [], "dependencies": ["-r requirements.txt"]},
        indent=1,
    ).encode()
    return files


def signature_of(predictor: Predictor) -> dict[str, str]:
    """Columns, answers and parameters in MLflow's form, which holds JSON in text."""
    inputs = [
        {"type": _type(column), "name": column.name, "required": column.used}
        for column in predictor.schema.columns
        if not column.source
    ]
    label = "double" if predictor.classes is None else _label_type(predictor)
    outputs = [{"type": label, "name": "prediction", "required": True}]
    if predictor.classes is not None:
        outputs += [
            {"type": "double", "name": f"probability_{each}", "required": True}
            for each in predictor.classes.tolist()
        ]
    params = [{"name": "explain", "type": "string", "default": "none", "shape": None}]
    return {
        "inputs": json.dumps(inputs),
        "outputs": json.dumps(outputs),
        "params": json.dumps(params),
    }


def pinned_requirements() -> list[str]:
    """Pellucid and the packages that it asks for, each as it is installed here.

    Examples
    --------
    >>> [pin.partition("==")[0] for pin in pinned_requirements()][:2]
    ['pellucid', 'alembic']
    """
    from packaging.requirements import Requirement

    wanted = [Requirement(text) for text in requires("pellucid") or ()]
    names = sorted({each.name for each in wanted if each.marker is None})
    pins = []
    for name in ["pellucid", *names]:
        try:
            pins.append(f"{name}=={version(name)}")
        except PackageNotFoundError:
            continue
    return pins


def conda_yaml(*, requirements: str = "requirements.txt") -> str:
    """An environment of conda that takes its packages from the pinned list beside it."""
    return (
        "name: pellucid\nchannels:\n- conda-forge\ndependencies:\n"
        f"- python={_python()}\n- pip\n- pip:\n  - -r {requirements}\n"
    )


def _python() -> str:
    return ".".join(map(str, sys.version_info[:3]))


def _type(column: Column) -> str:
    name = column.dtype.lower()
    if name.startswith("datetime"):
        return "datetime"
    if name.startswith(("int", "uint")):
        return "long" if column.missing == 0 else "double"
    return _TYPES.get(name, "double" if column.kind == "numeric" and not name else "string")


def _label_type(predictor: Predictor) -> str:
    classes: Any = predictor.classes
    kinds: Mapping[str, str] = {"i": "long", "u": "long", "b": "boolean", "f": "double"}
    return kinds.get(classes.dtype.kind, "string")

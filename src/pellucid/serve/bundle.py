"""The folder that one ships: a model, its pinned environment, and what runs it elsewhere."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files as resources
from pathlib import Path
from string import Template

from pellucid.serve.errors import ServeError
from pellucid.serve.example import example_row
from pellucid.serve.scorer import Scorer
from pellucid.store.artifacts import save_files
from pellucid.store.mlmodel import conda_yaml, mlmodel_files, pinned_requirements
from pellucid.store.registry import Registry
from pellucid.store.runs import Store
from pellucid.store.versions import ModelVersion

_SERVING = ("httptools", "orjson", "starlette", "uvicorn", "uvloop")
_TEMPLATES = ("Dockerfile", "README.md", "inferenceservice.yaml", "kubernetes.yaml")


def write_bundle(
    reference: str,
    folder: str | Path,
    *,
    store: str | Path | None = None,
    image: str | None = None,
    wheel: str | Path | None = None,
    trust: str | Path | None = None,
) -> ModelVersion:
    """Write all that it takes to serve a registered model somewhere else.

    Parameters
    ----------
    reference : str
        Such as "bank@champion".
    folder : str or Path
        A new folder, or an empty one; it appears whole or not at all.
    store : str, Path or None
        As for `pellucid.load_run`.
    image : str, optional
        What the container image is called; the model's name and version by default.
    wheel : str or Path, optional
        Pellucid itself as a wheel, to be installed from the bundle instead of an index.
    trust : str or Path, optional
        File of public keys; a model that none of them signed is not bundled. The bundle is a folder
        of its own: sign it too, where it goes through others' hands.

    Returns
    -------
    ModelVersion
        What was bundled.

    Raises
    ------
    RegistryError, ArtifactError
        No such model, or a folder that cannot be written.
    SignatureError
        If keys were given and none of them signed the model.
    ServeError
        A wheel that is none.
    """
    found = Registry(Store(store, trust=trust)).get(reference)
    predictor = found.model()
    slug = slug_of(found.name)
    pins = [*pinned_requirements(), *_pins(_SERVING)]
    content: dict[str, bytes] = {}
    if wheel is not None:
        path = Path(wheel)
        if path.suffix != ".whl" or not path.is_file():
            raise ServeError(f"{path} is no wheel; expected a file that ends in .whl")
        content[f"wheels/{path.name}"] = path.read_bytes()
        pins = [f"./wheels/{path.name}" if pin.startswith("pellucid==") else pin for pin in pins]
    values = {
        "name": found.name,
        "slug": slug,
        "version": str(found.version),
        "run": found.run_id,
        "image": image or f"{slug}:{found.version}",
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "copy_wheels": "COPY wheels ./wheels" if wheel is not None else "",
        "row": json.dumps([example_row(Scorer(predictor))]).replace("'", "\\u0027"),
    }
    for name in _TEMPLATES:
        content[name] = _filled(name, values).encode()
    content["requirements.txt"] = "".join(f"{pin}\n" for pin in pins).encode()
    content["conda.yml"] = conda_yaml().encode()
    content[".dockerignore"] = b"README.md\n*.yaml\nconda.yml\n"
    model = mlmodel_files(predictor, run_id=found.run_id)
    content |= {f"model/{name}": data for name, data in model.items()}
    save_files(folder, content)
    return found


def slug_of(name: str) -> str:
    """A model's name as the name of an image or of a Kubernetes object.

    Examples
    --------
    >>> slug_of("Bank Marketing_2")
    'bank-marketing-2'
    """
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50].rstrip("-")
    return slug if slug[:1].isalpha() else f"model-{slug}".rstrip("-")


def _filled(name: str, values: dict[str, str]) -> str:
    text = (resources("pellucid.serve") / "templates" / name).read_text("utf-8")
    return re.sub(r"\n\n\n+", "\n\n", Template(text).substitute(values))


def _pins(names: tuple[str, ...]) -> list[str]:
    pins = []
    for name in names:
        try:
            pins.append(f"{name}=={version(name)}")
        except PackageNotFoundError:
            continue
    return pins

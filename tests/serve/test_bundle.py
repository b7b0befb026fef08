import ast
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.serve.process import serving
from typer.testing import CliRunner

from pellucid.cli import app
from pellucid.serve.bundle import write_bundle
from pellucid.serve.errors import ServeError
from pellucid.store.artifacts import ArtifactError, load_files


@pytest.fixture(scope="module")
def bundle(clf, home):
    clf.run_.register("Bank of people", alias="champion")
    store = str(clf.run_.store.location.folder)
    words = ["bundle", "Bank of people@champion", "-o", str(home / "bundle"), "--store", store]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    return home / "bundle"


def test_what_is_in_it(bundle):
    names = set(load_files(bundle))
    assert {"Dockerfile", "README.md", "conda.yml", "kubernetes.yaml", "inferenceservice.yaml",
            "requirements.txt", "model/MLmodel"} <= names  # fmt: skip
    assert not [name for name in names if name.endswith((".py", ".pkl", ".joblib"))]
    pins = (bundle / "requirements.txt").read_text().split()
    assert all("==" in pin for pin in pins)
    assert {pin.partition("==")[0] for pin in pins} >= {"pellucid", "numpy", "starlette", "orjson"}
    for name in ("Dockerfile", "README.md", "kubernetes.yaml"):
        assert "$" not in (bundle / name).read_text()


def test_the_manifests_are_of_one_image_and_run_without_root(bundle):
    manifests = (bundle / "kubernetes.yaml").read_text()
    deployment, service, scaler = yaml.safe_load_all(manifests)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    predictor = yaml.safe_load((bundle / "inferenceservice.yaml").read_text())["spec"]["predictor"]
    assert predictor["containers"][0]["image"] == container["image"]
    assert predictor["securityContext"] == deployment["spec"]["template"]["spec"]["securityContext"]
    assert predictor["containers"][0]["securityContext"] == container["securityContext"]
    assert container["image"] == "bank-of-people:1"
    assert deployment["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True
    assert service["spec"]["selector"] == deployment["spec"]["template"]["metadata"]["labels"]
    assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert container["resources"]["requests"]["cpu"]  # use is counted as a share of it
    assert "replicas" not in deployment["spec"]  # or each apply would undo the scaling
    lines = (bundle / "Dockerfile").read_text().splitlines()
    assert "USER 10001" in lines
    command = json.loads(lines[-1].removeprefix("CMD "))
    assert command[:5] == ["pellucid", "serve", "model", "--name", "Bank of people"]


def kserve_model(name):
    """The fields of one of KServe's models, by their names in a manifest, and its types.

    Read from the source, since the package needs others that it does not need here.
    """
    folder = Path(importlib.util.find_spec("kserve").origin).parent / "models"
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and node.name == name:
                facts = {
                    each.targets[0].id: ast.literal_eval(each.value)
                    for each in node.body
                    if isinstance(each, ast.Assign) and isinstance(each.value, ast.Dict)
                }
                names = facts["attribute_map"]
                return {names[own]: kind for own, kind in facts["openapi_types"].items()}
    return None  # Kubernetes' own


def check_fields(value, kind):
    """Hold a manifest to a model's fields, all the way down."""
    if kind.startswith("list["):
        assert isinstance(value, list)
        for each in value:
            check_fields(each, kind[5:-1])
    elif (fields := kserve_model(kind)) is not None:
        assert value.keys() <= fields.keys()
        for name, inner in value.items():
            check_fields(inner, fields[name])
    elif kind in ("str", "int", "bool"):
        assert type(value).__name__ == kind


@pytest.mark.skipif(importlib.util.find_spec("kserve") is None, reason="KServe's package is absent")
def test_kserve_knows_what_its_manifest_says(bundle):
    inference = yaml.safe_load((bundle / "inferenceservice.yaml").read_text())
    check_fields(inference, "V1beta1InferenceService")
    with pytest.raises(AssertionError):
        check_fields({"spec": {"predictor": {"container": []}}}, "V1beta1InferenceService")


def test_the_bundle_serves_what_the_model_says(bundle, clf, people, home):
    options = ("--name", "people", "--reload", 0)
    with serving(bundle / "model", options=options, log=home / "bundle.log") as client:
        rows = people.to_json(orient="records", date_format="iso")
        answer = client.post("/score", content=rows, headers={"content-type": "application/json"})
        told = answer.json()
        np.testing.assert_array_equal(
            told["raw_local_importance_values"], clf.explain(people).values
        )
        assert told["model"]["name"] == "people"
        readme = (bundle / "README.md").read_text()
        row = readme.partition("-d '")[2].partition("'")[0]
        answer = client.post("/score", content=row, headers={"content-type": "application/json"})
        assert answer.status_code == 200


def test_a_changed_file_is_not_served(bundle, home, tmp_path):
    import shutil

    shutil.copytree(bundle / "model", tmp_path / "model")
    path = tmp_path / "model" / "model" / "background.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    words = [sys.executable, "-m", "pellucid", "serve", str(tmp_path / "model"), "--port", "1"]
    ended = subprocess.run(words, capture_output=True, text=True, env=os.environ, check=False)
    assert ended.returncode == 2
    assert "background.npy does not match its SHA-256" in ended.stderr


def test_what_cannot_be_written(bundle, clf, tmp_path):
    store = clf.run_.store.location.folder
    with pytest.raises(ArtifactError, match="already holds files"):
        write_bundle("Bank of people", bundle, store=store)
    with pytest.raises(ServeError, match="no wheel"):
        write_bundle("Bank of people", tmp_path / "b", store=store, wheel="nothing.whl")
    assert not (tmp_path / "b").exists()


def test_a_wheel_of_pellucid_is_installed_from_the_bundle(clf, bundle, tmp_path):
    wheel = tmp_path / "pellucid-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"content of a wheel")
    store = clf.run_.store.location.folder
    write_bundle("Bank of people", tmp_path / "b", store=store, wheel=wheel)
    assert (tmp_path / "b" / "wheels" / wheel.name).read_bytes() == b"content of a wheel"
    assert f"./wheels/{wheel.name}" in (tmp_path / "b" / "requirements.txt").read_text()
    assert "COPY wheels ./wheels" in (tmp_path / "b" / "Dockerfile").read_text()

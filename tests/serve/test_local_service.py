import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import pellucid
from pellucid.serve.errors import RequestError, ServeError
from pellucid.store.registry import RegistryError


@pytest.fixture
def store(clf, tmp_path, monkeypatch):
    monkeypatch.setenv("PELLUCID_SERVICES", str(tmp_path / "services"))
    clf.run_.register("local", alias="champion")
    yield clf.run_.store.location.folder
    for service in pellucid.services():
        service.delete()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_service_from_deploy_to_delete(clf, store, people):
    service = pellucid.deploy(
        "local@champion", name="scoring", cpu_cores=1, memory_gb=2, tags={"a": "b"}, store=store
    ).wait()
    assert service.state == "Healthy"
    own = clf.explain(people)
    answer = service.run(people)
    np.testing.assert_array_equal(answer["raw_local_importance_values"], own.values)
    assert answer["predictions"] == own.details["predicted"]
    text = people[:1].to_json(orient="records", date_format="iso")
    assert service.run(text, explain="none")["predictions"] == own.details["predicted"][:1]
    with pytest.raises(RequestError, match="'age' is absent") as caught:
        service.run(people.drop(columns="age"))
    assert caught.value.column == "age"
    assert [each.name for each in pellucid.services()] == ["scoring"]
    with pytest.raises(ServeError, match="already"):
        pellucid.deploy("local@champion", name="scoring", store=store)
    assert "/score" in service.logs()

    pid = int(service.facts["process"].split("/")[-2])
    assert len(os.sched_getaffinity(pid)) == 1
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert f"Max data size             {2 * 2**30}" in limits

    before = service.url
    service.update(tags={"a": "c"})
    assert service.tags == {"a": "c"}
    assert int(service.facts["process"].split("/")[-2]) == pid
    service.update("local/1", memory_gb=3).wait()
    assert service.url == before
    assert service.run(people[:1])["predictions"] == own.details["predicted"][:1]

    service.delete()
    assert pellucid.services() == []
    with pytest.raises(ServeError, match="deleted"):
        service.run(people)


def test_a_service_outlives_the_process_that_deployed_it(store, people):
    code = f"import pellucid; pellucid.deploy('local', name='kept', store={str(store)!r})"
    subprocess.run([sys.executable, "-c", code], check=True)
    (service,) = pellucid.services()
    assert service.wait().state == "Healthy"
    os.kill(int(service.facts["process"].split("/")[-2]), 9)
    time.sleep(0.2)
    assert service.state == "Failed"
    with pytest.raises(ServeError, match="cannot be reached"):
        service.run(people)


def test_what_cannot_be_deployed(store):
    for name in ("../x", "", "a/b", "a\0b", ".hidden", "x" * 65):
        with pytest.raises(ServeError, match="cannot name"):
            pellucid.deploy("local", name=name, store=store)
    with pytest.raises(RegistryError, match="no registered model"):
        pellucid.deploy("nobody", name="x", store=store)
    with pytest.raises(ServeError, match="memory_gb"):
        pellucid.deploy("local", name="x", memory_gb=0, store=store)
    assert pellucid.services() == []


def test_only_what_a_trusted_key_signed_is_served(store, tmp_path):
    key = Ed25519PrivateKey.generate().public_key()
    (tmp_path / "keys.pem").write_bytes(
        key.public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo)
    )
    service = pellucid.deploy("local", name="held", store=store, trust=tmp_path / "keys.pem")
    with pytest.raises(ServeError, match=r"(?s)has ended.*is not signed"):
        service.wait()


def test_too_little_memory_is_told(store):
    service = pellucid.deploy("local", name="small", memory_gb=0.02, store=store)
    with pytest.raises(ServeError, match="has ended"):
        service.wait(30)
    assert json.dumps(service.facts["settings"])

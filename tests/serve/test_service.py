"""The service as its clients meet it: a process, over HTTP."""

import gzip
import io
import json
import socket
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.serve.process import serving

JSON = {"content-type": "application/json"}


def records(frame):
    return json.loads(frame.to_json(orient="records", date_format="iso"))


@pytest.fixture(scope="module")
def store(clf):
    clf.run_.register("bank", alias="served")
    clf.run_.register("bank", iteration=1)
    return clf.run_.store.location.folder


@pytest.fixture(scope="module")
def service(store, home):
    options = ("--max-body", 200_000, "--max-rows", 100, "--reload", 0.2)
    with serving("bank@served", store=store, options=options, log=home / "service.log") as client:
        yield client


def same(body, explanation):
    for level, told in (("raw", explanation), ("engineered", explanation.engineered)):
        np.testing.assert_array_equal(body[f"{level}_local_importance_values"], told.values)
        assert tuple(body[f"{level}_feature_names"]) == told.feature_names
    np.testing.assert_array_equal(body["base_values"], explanation.base_values)
    assert body["predictions"] == explanation.details["predicted"]
    assert body["probabilities"] == explanation.details["probability"]


def forms(frame):
    rows = records(frame)
    split = {"columns": list(frame.columns), "data": [list(row.values()) for row in rows]}
    return {
        "records": rows,
        "data": {"data": rows},
        "split": {"dataframe_split": split},
        "dataframe_records": {"dataframe_records": rows},
        "instances": {"instances": rows},
        "cells": [list(row.values()) for row in rows],
    }


@pytest.mark.parametrize("n_rows", [1, 3, 40])
@pytest.mark.parametrize("path", ["/score", "/invocations"])
def test_every_form_has_the_bits_of_explain(service, clf, people, path, n_rows):
    frame = people[:n_rows]
    explanation = clf.explain(frame)
    for name, form in forms(frame).items():
        answer = service.post(path, json=form)
        assert answer.status_code == 200, (name, answer.text)
        same(answer.json(), explanation)


def test_csv_and_arrow_have_the_bits_of_explain(service, clf, people):
    explanation = clf.explain(people)
    text = people.to_csv(index=False)
    answer = service.post("/score", content=text, headers={"content-type": "text/csv"})
    same(answer.json(), explanation)
    sink = io.BytesIO()
    table = pa.Table.from_pandas(people, preserve_index=False)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    arrow = "application/vnd.apache.arrow.stream"
    headers = {"content-type": arrow, "accept": arrow}
    answer = service.post("/score?explain=raw", content=sink.getvalue(), headers=headers)
    told = pa.ipc.open_stream(answer.content).read_all().to_pandas()
    names = [f"raw.{name}" for name in explanation.feature_names]
    np.testing.assert_array_equal(told[names].to_numpy(), explanation.values)
    headers = {"content-type": "text/csv", "accept": "text/csv"}
    answer = service.post("/score?explain=raw", content=text, headers=headers)
    told = pd.read_csv(io.StringIO(answer.text))
    np.testing.assert_array_equal(told[names].to_numpy(), explanation.values)


def test_the_inference_protocol(service, clf, people):
    rows = records(people[:3])
    kinds = {"age": "INT64", "income": "FP64", "member": "BOOL"}
    inputs = [
        {"name": name, "shape": [3, 1], "datatype": kinds.get(name, "BYTES"),
         "data": [row[name] for row in rows]}
        for name in rows[0]
    ]  # fmt: skip
    body = {"id": "7", "inputs": inputs, "outputs": [{"name": "raw_importance"}]}
    told = service.post("/v2/models/bank/infer", json=body).json()
    assert (told["model_name"], told["model_version"], told["id"]) == ("bank", "1", "7")
    outputs = {each["name"]: each for each in told["outputs"]}
    raw = outputs["raw_importance"]
    own = clf.explain(people[:3])
    np.testing.assert_array_equal(np.reshape(raw["data"], raw["shape"]), own.values)
    assert outputs["predictions"]["data"] == own.details["predicted"]
    assert "engineered_importance" not in outputs
    assert service.get("/v2/models/bank").json()["inputs"][0]["name"] == "age"
    assert service.get("/v2/models/shop").status_code == 404
    body["inputs"][0]["data"] = [1, True, 3]
    answer = service.post("/v2/models/bank/infer", json=body)
    assert (answer.status_code, answer.json()["column"], answer.json()["row"]) == (400, "age", 1)


def test_the_old_forms(service, clf, people):
    rows = records(people[:2])
    labels, shares = clf.predict(people[:2]).tolist(), clf.predict_proba(people[:2]).tolist()
    for method, told in (("predict", labels), ("predict_proba", shares)):
        answer = service.post("/score", json={"data": rows, "method": method})
        assert answer.json() == {"result": told}
        body = {"Inputs": {"data": rows}, "GlobalParameters": {"method": method}}
        assert service.post("/score", json=body).json() == {"Results": told}


def test_options(service, clf, people):
    row = records(people[:1])
    plain = service.post("/score?explain=none", json=row).json()
    assert not [name for name in plain if "importance" in name]
    raw = service.post("/score?explain=raw", json=row).json()
    assert "engineered_local_importance_values" not in raw
    top = service.post("/score?explain=raw&top=2", json=row).json()["raw_reasons"][0]
    assert [each["value"] for each in top] == [row[0][each["feature"]] for each in top]
    series = clf.explain(people[:1]).local_importance(0)
    assert [each["importance"] for each in top] == series.tolist()[:2]
    params = {"dataframe_records": row, "params": {"explain": "raw", "top": 2}}
    assert service.post("/invocations", json=params).json()["raw_reasons"][0] == top
    other = service.post("/score?explain=raw&space=probability", json=row).json()
    total = other["base_values"][0] + sum(other["raw_local_importance_values"][0])
    assert other["space"] == "probability"
    assert total == pytest.approx(other["probabilities"][0][1], abs=1e-6)
    extra = service.post("/score", json=[row[0] | {"more": 1}])
    assert "more" in extra.json()["notes"][0]


BAD = [
    (b"", "bad_json"),
    (b"nonsense", "bad_json"),
    (b"\xff\xfe", "bad_json"),
    (b"[" * 100_000, "bad_json"),
    (b'{"a":' * 100 + b"1" + b"}" * 100, "bad_json"),
    (b'[{"age": NaN}]', "bad_json"),
    (b'[{"age": -Infinity}]', "bad_json"),
    (b'[{"age": 1e999}]', "bad_json"),
    (b'[{"age": ' + b"9" * 5000 + b"}]", "bad_json"),
    (b'[{"age": ' + b"9" * 350 + b"}]", "bad_json"),
    (b'[{"age": 1, "age": 2}]', "bad_json"),
    (b'[{"job": "\\ud800"}]', "bad_json"),
    (b"5", "wrong_shape"),
    (b'"text"', "wrong_shape"),
    (b"null", "wrong_shape"),
    (b"[5]", "wrong_shape"),
    (b"[[1, 2]]", "wrong_shape"),
    (b'{"dataframe_split": {"columns": ["age", "age"], "data": []}}', "wrong_shape"),
    (b'{"data": [{}], "params": 5}', "wrong_shape"),
    (b'{"dataframe_split": []}', "wrong_shape"),
    (b'{"dataframe_split": {"columns": ["age"], "data": [[1]], "index": 5}}', "wrong_shape"),
    (b'{"Inputs": 5}', "wrong_shape"),
    (b'{"Inputs": {"data": 5}}', "wrong_shape"),
    (b'{"Inputs": {"data": []}, "GlobalParameters": [1]}', "wrong_shape"),
    (b'{"data": {"age": [1, 2], "job": ["cook"]}}', "wrong_shape"),
    (b"{}", "missing_column"),
    (b"[{}]", "missing_column"),
]


@pytest.mark.parametrize(("body", "code"), BAD, ids=[str(i) for i in range(len(BAD))])
@pytest.mark.parametrize("path", ["/score", "/v2/models/bank/infer"])
def test_what_is_no_request(service, path, body, code):
    answer = service.post(path, content=body, headers=JSON)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if path == "/score":
        assert answer.json()["code"] == code
    assert "Traceback" not in answer.text


CELLS = [
    ("age", True), ("age", "abc"), ("age", [1]), ("age", {"a": 1}), ("job", 5),
    ("job", []), ("member", "maybe"), ("member", 3), ("since", 12345), ("since", "no date"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "cell"), CELLS, ids=str)
@pytest.mark.parametrize("n_rows", [1, 3])
@pytest.mark.parametrize("policy", ["lenient", "strict"])
def test_a_cell_that_does_not_fit_is_named(service, people, column, cell, n_rows, policy):
    rows = records(people[:n_rows])
    rows[-1][column] = cell
    answer = service.post(f"/score?policy={policy}", json=rows)
    assert answer.status_code in (400, 422), answer.text
    assert column in answer.json()["detail"]
    assert f"row {n_rows - 1}" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": ""}, 415),
        ({**JSON, "content-encoding": "br"}, 415),
        ({**JSON, "content-encoding": "gzip"}, 400),
        ({**JSON, "host": "evil.example"}, 421),
        ({**JSON, "origin": "http://evil.example"}, 403),
        ({**JSON, "origin": "null"}, 403),
    ],
)
def test_who_may_not_ask(service, people, headers, status):
    body = json.dumps(records(people[:1]))
    assert service.post("/score", content=body, headers=headers).status_code == status


@pytest.mark.parametrize(
    "query",
    [
        "explain=all",
        "top=0",
        "top=x",
        "top=-1",
        "space=none",
        "policy=5",
        "explain_above=x",
        "explain_above=nan",
        "deadline_ms=0",
        "deadline_ms=inf",
    ],
)
def test_unknown_options(service, people, query):
    answer = service.post(f"/score?{query}", json=records(people[:1]))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_option")


def test_only_rows_above_a_score_are_explained(service, people, clf):
    told = service.post("/score?explain_above=0.5", json=records(people)).json()
    above = np.array(told["probabilities"])[:, 1] >= 0.5
    assert told["explained"] == above.tolist()
    assert 0 < above.sum() < len(people)
    own = clf.explain(people).values
    values = np.array(told["raw_local_importance_values"], dtype=float)
    np.testing.assert_array_equal(values[above], own[above])
    assert np.isnan(values[~above]).all()
    reasons = service.post("/score?explain_above=2&top=2", json=records(people[:2])).json()
    assert reasons["raw_reasons"] == [[], []]
    few = people[:6]
    shares = clf.predict_proba(few)[:, 1]
    least = float(np.sort(shares)[-2])
    path = f"/score?space=probability&explain=raw&explain_above={least!r}&top=1"
    told = service.post(path, json=records(few)).json()
    assert told["explained"] == (shares >= least).tolist()
    assert [len(each) for each in told["raw_reasons"]] == (shares >= least).astype(int).tolist()
    none = service.post("/score?space=probability&explain_above=2", json=records(few)).json()
    assert none["explained"] == [False] * 6


@pytest.mark.parametrize("space", ["margin", "probability"])
def test_a_column_that_is_not_the_models_may_hold_anything(service, people, space):
    row = {**records(people[:1])[0], "note": [1, {"a": None}], "more": []}
    for rows in (row, [row], [records(people[:1])[0], row]):
        answer = service.post(f"/score?space={space}", json=rows)
        assert answer.status_code == 200, answer.text
        assert any("'note'" in note for note in answer.json()["notes"])


def test_after_a_deadline_there_are_predictions_alone(service, people):
    for rows in (people[:1], people):
        full = service.post("/score?deadline_ms=20000", json=records(rows)).json()
        assert "raw_local_importance_values" in full
        for space in ("margin", "probability"):
            path = f"/score?deadline_ms=0.001&space={space}"
            late = service.post(path, json=records(rows)).json()
            assert late["predictions"] == full["predictions"]
            assert not any(name.endswith("importance_values") for name in late)
            assert sum("left out" in note for note in late["notes"]) == 2


def test_a_body_that_gzip_packed(service, people):
    plain = json.dumps(records(people)).encode()
    packed = {**JSON, "content-encoding": "gzip"}
    answer = service.post("/score", content=gzip.compress(plain), headers=packed)
    assert (
        answer.json()["predictions"]
        == service.post("/score", content=plain, headers=JSON).json()["predictions"]
    )
    for body, status in (
        (gzip.compress(b" " * 5_000_000), 413),
        (gzip.compress(plain)[:-5], 400),
        (gzip.compress(plain) + gzip.compress(plain), 400),
    ):
        assert service.post("/score", content=body, headers=packed).status_code == status


def test_limits(service, people):
    rows = records(people) * 3
    answer = service.post("/score", json=rows)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_rows")
    answer = service.post("/score", content=b"x" * 300_000, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_long")
    answer = service.post("/score", content=(b"x" * 1000 for _ in range(300)), headers=JSON)
    assert answer.status_code == 413


def test_no_rows(service):
    answer = service.post("/score", json=[])
    assert (answer.status_code, answer.json()["predictions"]) == (200, [])


def test_pages_and_papers(service, people):
    document = service.get("/openapi.json").json()
    score = document["paths"]["/score"]["post"]
    for example in score["requestBody"]["content"]["application/json"]["examples"].values():
        assert service.post("/score", json=example["value"]).status_code == 200
    told = score["responses"]["200"]["content"]["application/json"]["example"]
    assert told["predictions"]
    tensors = document["paths"]["/v2/models/bank/infer"]["post"]["requestBody"]["content"]
    example = tensors["application/json"]["example"]
    assert service.post("/v2/models/bank/infer", json=example).status_code == 200
    assert [each["name"] for each in service.get("/schema").json()["columns"]] == list(people)
    assert "Try a row" in service.get("/").text
    assert "script-src" not in service.get("/").headers["content-security-policy"]
    for path in ("/health/live", "/health/ready", "/ping", "/v2/health/ready", "/page.js"):
        assert service.get(path).status_code == 200
    numbers = service.get("/metrics").text
    assert 'pellucid_requests_total{route="/score",status="200"}' in numbers
    assert service.get("/../../etc/passwd").status_code == 404
    refused = service.put("/score")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


def test_the_log_tells_requests_but_no_cells(service, people):
    secret = "a very private job"
    row = records(people[:1])[0]
    service.post("/score", json=[row | {"job": secret}], headers={"x-request-id": "abc-1"})
    service.post("/score", json=[row | {"age": secret}])
    time.sleep(0.2)
    log = service.log.read_text()
    assert '"request": "abc-1"' in log
    assert secret not in log


def test_a_client_that_leaves_harms_nobody(service, people):
    for text in (
        b"POST /score HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nhalf",
        b"GE",
    ):
        with socket.create_connection(("127.0.0.1", service.port)) as connection:
            connection.sendall(text)
    half_open = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(50)]
    for connection in half_open:
        connection.sendall(b"POST /score HTTP/1.1\r\nHo")
    assert service.post("/score", json=records(people[:1])).status_code == 200
    deadline = time.monotonic() + 14
    for connection in half_open:
        connection.settimeout(max(0.1, deadline - time.monotonic()))
        assert connection.recv(100) == b""  # closed by the service
        connection.close()


def test_when_the_alias_moves_the_service_follows(service, store, clf, people):
    from pellucid.store.registry import Registry

    row = records(people[:1])
    other = clf.run_.model(iteration=1).predict_proba(people[:1])[0].tolist()
    own = clf.predict_proba(people[:1])[0].tolist()
    assert own != other
    Registry(store).promote("bank/2", alias="served")
    versions = set()
    for _ in range(400):
        body = service.post("/score?explain=none", json=row).json()
        versions.add(body["model"]["version"])
        assert body["probabilities"][0] == (own if body["model"]["version"] == "1" else other)
        if body["model"]["version"] == "2":
            break
        time.sleep(0.02)
    Registry(store).promote("bank/1", alias="served")
    assert versions == {"1", "2"}
    for _ in range(400):
        if service.get("/health/ready").json()["model"]["version"] == "1":
            break
        time.sleep(0.02)


def test_keys(store, home, people):
    key = "0123456789abcdef-secret"
    (home / "keys.txt").write_text(f"# ours\n{key}\n")
    options = ("--keys", home / "keys.txt")
    with serving("bank/1", store=store, options=options, log=home / "keys.log") as client:
        row = records(people[:1])
        for path in ("/schema", "/metrics", "/openapi.json", "/v2", "/v2/models/bank", "/nothing"):
            assert client.get(path).status_code == 401
        for path in ("/health/live", "/ping"):
            assert client.get(path).status_code == 200
        assert client.post("/score", json=row).headers["www-authenticate"] == "Bearer"
        for headers in ({"x-api-key": key}, {"authorization": f"Bearer {key}"}):
            assert client.post("/score", json=row, headers=headers).status_code == 200
        wrong = {"authorization": f"Bearer {key}x"}
        assert client.post("/score", json=row, headers=wrong).status_code == 401
        assert key not in (home / "keys.log").read_text()


def test_what_should_not_start(store, home):
    for options, words in (
        (("--host", "0.0.0.0"), "no API key"),
        (("--tls-cert", "x.pem"), "both"),
        (("--keys", home / "none.txt"), "cannot be read"),
    ):
        starting = serving("bank/1", store=store, options=options, log=home / "bad.log")
        with pytest.raises(AssertionError, match=words), starting:
            pass
    starting = serving("nobody", store=store, log=home / "bad.log")
    with pytest.raises(AssertionError, match="no registered model"), starting:
        pass

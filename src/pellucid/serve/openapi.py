"""The OpenAPI document of a service: the model's own columns, and an example that works."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from pellucid.serve.answers import answer, to_json
from pellucid.serve.checking import trained_as
from pellucid.serve.example import example_row
from pellucid.serve.formats import ARROW, CSV, JSON, Asked
from pellucid.serve.holder import Served
from pellucid.serve.options import Options
from pellucid.serve.settings import Settings

_JSON_TYPES = {"truth": "boolean", "number": "number"}


def document(served: Served, settings: Settings) -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    import json

    row = example_row(served.scorer)
    body = _request(served, row)
    try:
        scores = served.scorer.score(row, policy=settings.policy)
        told: Any = json.loads(to_json(answer(scores, served, Asked(row, 1, [0]), Options())))
    except Exception:  # a forecast's rows have no example of their own
        told = None
    answers = {
        "200": {
            "description": "Predictions and importances.",
            "content": {
                JSON: {"schema": {"$ref": "#/components/schemas/Answer"}}
                | ({"example": told} if told else {}),
                CSV: {"schema": {"type": "string"}},
                ARROW[0]: {"schema": {"type": "string", "format": "binary"}},
            },
        },
        **_problems(400, 401, 403, 408, 413, 415, 421, 422, 503),
    }
    score = {
        "post": {
            "summary": "Score rows and explain them",
            "operationId": "score",
            "parameters": _parameters(),
            "requestBody": body,
            "responses": answers,
        }
    }
    invocations = {"post": {**score["post"], "operationId": "invocations"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{served.name}, served by Pellucid", "version": version("pellucid")},
        "paths": {
            "/score": score,
            "/invocations": invocations,
            f"/v2/models/{served.name}/infer": {"post": _infer(served, row)},
            "/schema": {"get": _get("schema", "The columns of a row")},
            f"/v2/models/{served.name}": {"get": _get("metadata", "What the model takes")},
            "/health/live": {"get": _get("live", "Whether the service is up")},
            "/health/ready": {"get": _get("ready", "Whether it answers")},
            "/ping": {"get": _get("ping", "Whether it answers")},
            "/metrics": {"get": _get("metrics", "Numbers for Prometheus", "text/plain")},
        },
        "components": {
            "schemas": {"Row": _row_schema(served), "Answer": _ANSWER, "Problem": _PROBLEM},
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{}, {"key": []}, {"bearer": []}],
    }


def _row_schema(served: Served) -> dict[str, Any]:
    scorer = served.scorer
    schema = scorer.predictor.schema
    properties = {
        name: {
            "type": [_JSON_TYPES.get(trained_as(schema[name]), "string"), "null"],
            "description": schema[name].kind,
        }
        for name in scorer.needed
        if name in schema.kinds
    }
    return {"type": "object", "properties": properties, "required": list(scorer.needed)}


def _request(served: Served, row: dict[str, Any]) -> dict[str, Any]:
    rows = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}
    shapes = [
        rows,
        {"$ref": "#/components/schemas/Row"},
        *(
            {"type": "object", "properties": {key: rows}, "required": [key]}
            for key in ("data", "dataframe_records", "instances")
        ),
        {"type": "object", "properties": {"dataframe_split": _SPLIT},
         "required": ["dataframe_split"]},
        {"type": "object", "properties": {"Inputs": _held(rows)}, "required": ["Inputs"]},
    ]  # fmt: skip
    split = {"columns": list(row), "data": [list(row.values())]}
    examples = {
        "records": {"value": [row]},
        "data": {"value": {"data": [row]}},
        "split": {"value": {"dataframe_split": split, "params": {"explain": "raw"}}},
        "inputs": {"value": {"Inputs": {"data": [row]}, "GlobalParameters": {"method": "predict"}}},
    }
    content = {JSON: {"schema": {"anyOf": shapes}, "examples": examples},
               CSV: {"schema": {"type": "string"}},
               ARROW[0]: {"schema": {"type": "string", "format": "binary"}}}  # fmt: skip
    return {"required": True, "content": content}


def _infer(served: Served, row: dict[str, Any]) -> dict[str, Any]:
    kinds = {bool: "BOOL", int: "INT64", float: "FP64"}
    tensors = [
        {"name": name, "shape": [1], "datatype": kinds.get(type(cell), "BYTES"), "data": [cell]}
        for name, cell in row.items()
    ]
    asked = {"inputs": tensors, "outputs": [{"name": "raw_importance"}]}
    inputs = {"type": "array", "items": _TENSOR, "minItems": 1}
    schema = {"type": "object", "properties": {"inputs": inputs}, "required": ["inputs"]}
    content = {JSON: {"schema": schema, "example": asked}}
    return {
        "summary": "The Open Inference Protocol",
        "operationId": "infer",
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": {"description": "Tensors.", "content": {JSON: {"schema": {"type": "object"}}}},
            **_problems(400, 401, 403, 404, 408, 413, 415, 421, 422, 503),
        },
    }


def _parameters() -> list[dict[str, Any]]:
    kinds = {
        "explain": ({"type": "string"}, "raw, engineered, both (the default) or none"),
        "top": ({"type": "integer", "minimum": 1}, "Only so many reasons a row, with their values"),
        "space": ({"enum": ["margin", "probability", "response"]}, "In what importances add up"),
        "policy": ({"enum": ["lenient", "strict"]}, "How exact the types of cells must be"),
        "explain_above": ({"type": "number"}, "Explain only rows whose score is at least this"),
        "deadline_ms": (
            {"type": "number", "exclusiveMinimum": 0},
            "Milliseconds after which an answer is of no use: 503 instead",
        ),
    }
    return [
        {"name": name, "in": "query", "required": False, "schema": schema, "description": words}
        for name, (schema, words) in kinds.items()
    ]


def _held(rows: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"data": rows}, "required": ["data"]}


def _get(name: str, words: str, kind: str = JSON) -> dict[str, Any]:
    answers = {
        "200": {"description": words, "content": {kind: {}}},
        **_problems(401, 403, 421, 503),
    }
    return {"summary": words, "operationId": name, "responses": answers}


def _problems(*codes: int) -> dict[str, Any]:
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        str(code): {"description": "Why not.", "content": {"application/problem+json": schema}}
        for code in codes
    }


_PROBLEM = {
    "type": "object",
    "properties": {
        "title": {"type": "string"}, "status": {"type": "integer"}, "code": {"type": "string"},
        "detail": {"type": "string"}, "column": {"type": "string"}, "row": {"type": "integer"},
        "request": {"type": "string"},
    },
    "required": ["title", "status", "code", "detail", "request"],
}  # fmt: skip
_SPLIT = {
    "type": "object",
    "properties": {
        "columns": {"type": "array", "items": {"type": "string"}},
        "data": {"type": "array", "items": {"type": "array"}},
    },
    "required": ["columns", "data"],
}
_TENSOR = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
        "datatype": {"type": "string"},
        "data": {"type": "array"},
    },
    "required": ["name", "shape", "datatype", "data"],
}
_ANSWER = {
    "type": "object",
    "properties": {
        "predictions": {"type": "array"},
        "probabilities": {"type": "array", "items": {"type": "array"}},
        "classes": {"type": "array"},
        "raw_local_importance_values": {"type": "array"},
        "engineered_local_importance_values": {"type": "array"},
        "base_values": {"type": "array", "items": {"type": "number"}},
        "explained": {"type": "array", "items": {"type": "boolean"}},
        "row_ids": {"type": "array"},
        "model": {"type": "object"},
    },
}

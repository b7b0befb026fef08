"""The OpenAPI document of a service: the model's own columns, and an example that works."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from pellucid.serve.answers import answer, to_json
from pellucid.serve.checking import Policy, allowed
from pellucid.serve.example import example_row
from pellucid.serve.formats import ARROW, CSV, JSON, Asked
from pellucid.serve.holder import Served
from pellucid.serve.inference import DATATYPES, OUTPUTS
from pellucid.serve.options import MOST_REASONS, Options
from pellucid.serve.settings import Settings
from pellucid.tabular.columns import Column


def document(served: Served, settings: Settings) -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    import json

    row = example_row(served.scorer)
    body = _request(served, row, settings.policy)
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
            "schemas": {
                "Row": _row_schema(served, settings.policy),
                "Answer": _ANSWER,
                "Problem": _PROBLEM,
            },
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{}, {"key": []}, {"bearer": []}],
    }


def _row_schema(served: Served, policy: Policy) -> dict[str, Any]:
    scorer = served.scorer
    schema = scorer.predictor.schema
    properties = {
        name: {"description": schema[name].kind, "anyOf": _cells(schema[name], policy)}
        for name in scorer.needed
        if name in schema.kinds
    }
    return {"type": "object", "properties": properties, "required": list(scorer.needed)}


def _cells(column: Column, policy: Policy) -> list[dict[str, Any]]:
    """What a column's cells may be."""
    sorts, found = allowed(column, policy), [_NULL]
    if column.kind == "datetime":
        return [*found, {"type": "string", "format": "date-time"}]
    for sort, kind in (("truth", "boolean"), ("number", "number"), ("text", "string")):
        if sort in sorts:
            found.append(_READ.get((column.kind, kind), {"type": kind}))
    return found


def _split(served: Served, policy: Policy) -> dict[str, Any]:
    """A frame: the columns by name, here in the model's order, and rows of cells."""
    properties = _row_schema(served, policy)["properties"]
    names = list(served.scorer.needed)
    cells = {
        "type": "array",
        "prefixItems": [properties.get(name, {}) for name in names],
        "minItems": len(names),
        "maxItems": len(names),
    }
    return {
        "type": "object",
        "properties": {"columns": {"const": names}, "data": {"type": "array", "items": cells}},
        "required": ["columns", "data"],
    }


def _request(served: Served, row: dict[str, Any], policy: Policy) -> dict[str, Any]:
    rows = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}
    params = {"type": ["object", "null"], "description": "The query's parameters, by name."}
    method = {"enum": ["predict", "predict_proba"]}
    old = {"anyOf": [{"type": ["object", "null"], "properties": {"method": method}}, method]}
    shapes = [
        rows,
        {"$ref": "#/components/schemas/Row"},
        _closed({"data": rows, "params": params, "method": method}, "data"),
        _closed({"dataframe_records": rows, "params": params}, "dataframe_records"),
        _closed({"instances": rows, "params": params}, "instances"),
        _closed({"dataframe_split": _split(served, policy), "params": params}, "dataframe_split"),
        _closed(
            {"Inputs": _closed({"data": rows}, "data"),
             "GlobalParameters": old},
            "Inputs",
        ),
    ]  # fmt: skip
    split = {"columns": list(row), "data": [list(row.values())]}
    examples = {
        "records": {"value": [row]},
        "data": {"value": {"data": [row]}},
        "split": {"value": {"dataframe_split": split, "params": {"explain": "raw"}}},
        "inputs": {"value": {"Inputs": {"data": [row]}, "GlobalParameters": {"method": "predict"}}},
    }
    content = {JSON: {"schema": {"anyOf": shapes}, "examples": examples}}
    return {"required": True, "description": _OTHER_FORMS, "content": content}


def _infer(served: Served, row: dict[str, Any]) -> dict[str, Any]:
    kinds = {bool: "BOOL", int: "INT64", float: "FP64"}
    tensors = [
        {"name": name, "shape": [1], "datatype": kinds.get(type(cell), "BYTES"), "data": [cell]}
        for name, cell in row.items()
    ]
    asked = {"inputs": tensors, "outputs": [{"name": "raw_importance"}]}
    inputs = {"type": "array", "items": _TENSOR, "minItems": 1, "description": _TENSORS}
    output = {"type": "object", "properties": {"name": {"enum": list(OUTPUTS)}},
              "required": ["name"]}  # fmt: skip
    properties = {
        "inputs": inputs,
        "outputs": {"type": ["array", "null"], "items": output},
        "parameters": {"type": ["object", "null"]},
        "id": {"type": ["string", "null"]},
    }
    schema = {"type": "object", "properties": properties, "required": ["inputs"]}
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
    return [
        {"name": name, "in": "query", "required": False, "schema": schema, "description": words}
        for name, (schema, words) in _PARAMETERS.items()
    ]


def _closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """An object that has these properties and no other."""
    found: dict[str, Any] = {"type": "object", "properties": properties}
    return {**found, "required": list(required), "additionalProperties": False}


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
# beside them ``policy``, with which rows of another schema than this one are taken
_PARAMETERS: dict[str, tuple[dict[str, Any], str]] = {
    "explain": (
        {"enum": ["raw", "engineered", "both", "raw,engineered", "none", ""]},
        "Levels of importances; both by default",
    ),
    "top": (
        {"type": "integer", "minimum": 1, "maximum": MOST_REASONS},
        "Only so many reasons a row, with their values",
    ),
    "space": ({"enum": ["margin", "probability", "response"]}, "In what importances add up"),
    "explain_above": ({"type": "number"}, "Explain only rows whose score is at least this"),
    "deadline_ms": (
        {"type": "number", "exclusiveMinimum": 0},
        "Milliseconds after which no more importances are begun",
    ),
}
_NULL = {"type": "null"}
_READ: dict[tuple[str, str], dict[str, Any]] = {  # what a kind's reader takes of another type
    ("numeric", "string"): {"type": "string", "pattern": r"^(-?[0-9]{1,15}(\.[0-9]{1,9})?)?$"},
    ("boolean", "string"): {"enum": ["yes", "no", "true", "false"]},
    ("boolean", "number"): {"enum": [0, 1]},
}
_OTHER_FORMS = (
    f"{CSV} (a header and rows) and {ARROW[0]} (a table) are read too; no schema can say of these "
    "which are of this model's columns."
)
_TENSORS = (
    "One tensor for each column that /schema names, all of one length n: shape [n] or [n, 1], and "
    "n values of the datatype, or null."
)
_CELL = {"type": ["boolean", "number", "string", "null", "array"]}
_TENSOR = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1,
                  "maxItems": 2},
        "datatype": {"enum": sorted(DATATYPES)},
        "data": {"type": "array", "items": _CELL},
    },
    "required": ["name", "shape", "datatype", "data"],
}  # fmt: skip
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

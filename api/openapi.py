"""The Swagger 2.0 document as OpenAPI 3.0, for the tools that read only that. Pure: a document in, a document out."""

from typing import Any

Json = dict[str, Any]

JSON = "application/json"
PROBLEM = "application/problem+json"
FORM = "multipart/form-data"
BINARY: Json = {"type": "string", "format": "binary"}
NOT_SCHEMA = ("name", "in", "description", "required", "x-example", "collectionFormat")
# A browser's login travels in a cookie, which Swagger 2.0 has no word for.
COOKIE: Json = {"type": "apiKey", "in": "cookie", "name": "ringnode", "description": "Of `POST /auth/login?cookie=1`"}
LOGINS: Json = {"token": {"type": "http", "scheme": "bearer"}, "basic": {"type": "http", "scheme": "basic"}}


def converted(swagger: Json) -> Json:
    """The same API in OpenAPI 3.0.3."""
    models = swagger["definitions"]
    return {
        "openapi": "3.0.3",
        "info": swagger["info"],
        "servers": [{"url": swagger["basePath"], "description": "Any node of the ring"}],
        "tags": swagger["tags"],
        "security": [*swagger["security"], {"cookie": []}],
        "paths": {path: _path(item, swagger) for path, item in swagger["paths"].items()},
        "components": {
            "schemas": {name: _schema(model) for name, model in models.items()},
            "securitySchemes": LOGINS | {"cookie": COOKIE},
        },
    }


def _path(item: Json, swagger: Json) -> Json:
    shared = [_parameter(p) for p in item.get("parameters", [])]
    operations = {method: _operation(o, swagger) for method, o in item.items() if method != "parameters"}
    return operations | ({"parameters": shared} if shared else {})


def _operation(operation: Json, swagger: Json) -> Json:
    copied = ("operationId", "summary", "description", "tags", "deprecated", "security")
    made = {name: operation[name] for name in copied if name in operation}
    given = operation.get("parameters", [])
    made["parameters"] = [_parameter(p) for p in given if p["in"] not in ("body", "formData")]
    content = _content(operation, swagger)
    if content:
        required = any(p.get("required") for p in given if p["in"] in ("body", "formData"))
        made["requestBody"] = {"content": content, "required": required}
    produces = operation.get("produces", [JSON])
    answers = operation["responses"].items()
    made["responses"] = {status: _answer(answer, produces, swagger) for status, answer in answers}
    return made


def _content(operation: Json, swagger: Json) -> Json:
    """What may be sent, by media type: a body, a form, or beside a form, for which Swagger 2.0 allows no other body,
    the plain bytes that `x-raw-body` names."""
    content: Json = {}
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "body":
            content |= dict.fromkeys(operation.get("consumes", [JSON]), _media(parameter["schema"], swagger))
        if parameter["in"] == "formData":
            form = content.setdefault(FORM, {"schema": {"type": "object", "properties": {}}})
            form["schema"]["properties"][parameter["name"]] = _parameter(parameter)["schema"]
    if "x-raw-body" in operation:
        content[operation["x-raw-body"]] = {"schema": BINARY}
    return content


def _parameter(parameter: Json) -> Json:
    if parameter["in"] == "body":
        return parameter
    known: Json = {name: parameter[name] for name in ("name", "in", "description", "required") if name in parameter}
    schema = {name: value for name, value in parameter.items() if name not in NOT_SCHEMA}
    if "x-example" in parameter:
        known["example"] = parameter["x-example"]
    if parameter.get("collectionFormat") == "multi":
        known |= {"style": "form", "explode": True}
    return known | {"schema": _schema(schema)}


def _answer(answer: Json, produces: list[str], swagger: Json) -> Json:
    made: Json = {"description": answer["description"]}
    if "headers" in answer:
        heads = answer["headers"].items()
        made["headers"] = {
            name: {"description": head.get("description", ""), "schema": {"type": head.get("type", "string")}}
            for name, head in heads
        }
    if "schema" in answer:
        problem = answer["schema"].get("$ref", "").endswith("/Problem")
        media = [PROBLEM] if problem else [kind for kind in produces if kind != PROBLEM]
        made["content"] = dict.fromkeys(media, _media(answer["schema"], swagger))
    return made


def _media(schema: Json, swagger: Json) -> Json:
    name = schema.get("$ref", "").rpartition("/")[2]
    example = swagger["definitions"].get(name, {}).get("example")
    return {"schema": _schema(schema)} | ({} if example is None else {"example": example})


def _schema(schema: Any) -> Any:
    """A schema, all the way down: references, files, and values that may be null."""
    if isinstance(schema, list):
        return [_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "file":
        return BINARY | {name: text for name, text in schema.items() if name == "description"}
    made = {
        name: value if name in ("example", "default", "enum") else _schema(value) for name, value in schema.items()
    }
    nullable = made.pop("x-nullable", False)
    if "$ref" in made:  # whatever stands beside a reference is ignored there
        ref = {"$ref": made.pop("$ref").replace("#/definitions/", "#/components/schemas/")}
        made = {"allOf": [ref], **made} if made or nullable else ref
    return made | ({"nullable": True} if nullable else {})

import re
from dataclasses import dataclass, field, fields
from importlib.resources import files
from json import loads

import jsonschema
import openapi_spec_validator
import pytest
from flask_restx import Namespace

from api.auth import ADMIN, PUBLIC, UPLOADER, needed
from api.models import model_of
from ringnode.catalogue.model import EDITABLE, Song
from ringnode.services.overview import NodeView

HEADERS_ONLY = ("post /uploads", "head /uploads/{id}")  # as tus has it
NO_BODY = ("202", "204", "302", "304", "414")


@pytest.fixture
def swagger(client):
    return client.get("/api/v1/swagger.json", raw=True).json


def operations(swagger):
    for path, item in swagger["paths"].items():
        for method in set(item) - {"parameters"}:
            yield method, path, item[method], item.get("parameters", []) + item[method].get("parameters", [])


def test_the_document_is_valid_swagger(swagger):
    schema = loads((files("flask_restx") / "schemas" / "oas-2.0.json").read_text("utf-8"))
    jsonschema.Draft4Validator(schema).validate(swagger)
    refs = set(re.findall(r"#/definitions/(\w+)", str(swagger)))
    assert refs <= set(swagger["definitions"])


def test_every_route_is_documented(app, swagger):
    known = {(method, path) for method, path, *_ in operations(swagger)}
    prefix = "/api/v1"
    for rule in app.url_map.iter_rules():
        path = rule.rule.removeprefix(prefix).replace("<", "{").replace(">", "}")
        if rule.rule.startswith(prefix + "/") and path not in ("/swagger.json", "/openapi.json"):
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                assert (method.lower(), path) in known


def test_every_operation_says_what_it_does_and_what_may_happen(swagger):
    for method, path, operation, parameters in operations(swagger):
        where = f"{method} {path}"
        answers = operation["responses"]
        role = needed(method.upper(), "/api/v1" + path.replace("{", "<").replace("}", ">"))
        assert operation["summary"], where
        assert operation["operationId"], where
        assert {"422", "429", "500", "503"} <= set(answers), where
        assert any(status < "400" for status in answers), where
        assert all(answer["description"] for answer in answers.values()), where
        assert all(parameter.get("description") or "schema" in parameter for parameter in parameters), where
        assert "404" in answers or "{" not in path, where
        assert ("414" in answers) == any(parameter["in"] == "query" for parameter in parameters), where
        assert (operation.get("security") == []) == (role == PUBLIC), where
        assert ("401" in answers) == (role != PUBLIC) or role == PUBLIC, where
        assert ("Role:" in operation.get("description", "")) == (role != PUBLIC), where
        assert "403" in answers or role not in (UPLOADER, ADMIN), where
        empty = ("200", "201", "204") if where in HEADERS_ONLY else NO_BODY
        assert all("schema" in answer for status, answer in answers.items() if status not in empty), where
        assert "X-Fields" not in [parameter["name"] for parameter in parameters]


def test_every_json_body_and_answer_has_an_example(swagger):
    for method, path, operation, parameters in operations(swagger):
        bodies = [parameter["schema"] for parameter in parameters if parameter["in"] == "body"]
        answers = [a["schema"] for status, a in operation["responses"].items() if status < "300" and "schema" in a]
        for schema in bodies + answers:
            name = schema.get("items", schema).get("$ref", "").rpartition("/")[2]
            model = swagger["definitions"].get(
                name, {"example": schema.get("example") or schema.get("type") == "file"}
            )
            assert model.get("example"), f"{method} {path}: give {name} an example in model_of"


def test_every_field_says_what_it_is(swagger):
    for name, model in swagger["definitions"].items():
        for field_name, schema in model["properties"].items():
            assert schema.get("description"), f"{name}.{field_name} has no help"


def test_the_openapi_document_is_valid_and_says_the_same(client, swagger):
    document = client.get("/api/v1/openapi.json", raw=True).json
    openapi_spec_validator.validate(document)
    assert not re.search("x-nullable|#/definitions/|formData|x-example", str(document))
    assert set(document["components"]["schemas"]) == set(swagger["definitions"])
    for method, path, operation, _ in operations(swagger):
        other = document["paths"][path][method]
        assert set(other["responses"]) == set(operation["responses"])
        assert other["operationId"] == operation["operationId"]
    schemes = document["components"]["securitySchemes"]
    assert {name: (s["type"], s.get("scheme")) for name, s in schemes.items()} == {
        "token": ("http", "bearer"), "basic": ("http", "basic"), "cookie": ("apiKey", None)
    }  # fmt: skip
    stream = document["paths"]["/songs/{id}/stream"]["get"]["responses"]
    assert stream["200"]["content"]["audio/*"]["schema"] == {"type": "string", "format": "binary"}
    assert list(stream["404"]["content"]) == ["application/problem+json"]
    add = document["paths"]["/songs"]["post"]["requestBody"]["content"]
    assert add["multipart/form-data"]["schema"]["properties"]["file"] == {"type": "string", "format": "binary"}
    assert add["application/octet-stream"]["schema"] == {"type": "string", "format": "binary"}
    song = document["components"]["schemas"]["Song"]["properties"]
    assert song["track_gain_db"]["nullable"] is True
    limit = next(p for p in document["paths"]["/songs"]["get"]["parameters"] if p["name"] == "limit")
    assert limit["schema"] == {"type": "integer", "default": 50, "minimum": 1, "maximum": 500}


def test_identities_of_operations_are_unique(swagger):
    ids = [operation["operationId"] for _, _, operation, _ in operations(swagger)]
    assert len(ids) == len(set(ids))


def test_songs_are_documented_from_their_definition(swagger):
    song = swagger["definitions"]["Song"]
    assert list(song["properties"]) == [f.name for f in fields(Song)]
    assert set(song["required"]) == set(song["properties"]) == set(song["example"])
    assert song["properties"]["size_bytes"] == {"type": "integer", "description": "Size of the file in bytes"}
    assert song["properties"]["track_gain_db"]["x-nullable"] is True
    assert song["properties"]["genres"]["items"] == {"type": "string"}
    edit = swagger["definitions"]["SongEdit"]
    assert set(edit["properties"]) == set(EDITABLE)
    assert "required" not in edit
    problem = swagger["definitions"]["Problem"]
    assert set(problem["properties"]) - set(problem["required"]) == {"field", "errors"}


def test_parameters_are_documented(swagger):
    found = {(method, path, p["name"], p["in"]) for method, path, _, ps in operations(swagger) for p in ps}
    for name in ("limit", "cursor", "q"):
        assert ("get", "/songs", name, "query") in found
    assert ("post", "/songs", "file", "formData") in found
    assert ("get", "/songs/{id}/stream", "Range", "header") in found
    assert ("patch", "/songs/{id}", "If-Match", "header") in found
    limit = next(p for _, path, o, ps in operations(swagger) for p in ps if p["name"] == "limit")
    assert (limit["default"], limit["minimum"], limit["maximum"]) == (50, 1, 500)


def test_models_of_dataclasses():
    @dataclass(frozen=True)
    class Outer:
        """A sample."""

        name: str = field(metadata={"help": "Its name"})
        nodes: tuple[NodeView, ...] = field(metadata={"help": "Its nodes"})
        share: float | None = field(default=None, metadata={"help": "Its share"})
        good: bool = field(default=True, metadata={"help": "Is it?", "optional": True})

    ns = Namespace("sample")
    assert model_of(ns, Outer).__schema__ == {
        "type": "object",
        "description": "A sample.",
        "properties": {
            "name": {"type": "string", "description": "Its name"},
            "nodes": {"type": "array", "items": {"$ref": "#/definitions/NodeView"}, "description": "Its nodes"},
            "share": {"type": "number", "x-nullable": True, "description": "Its share"},
            "good": {"type": "boolean", "description": "Is it?"},
        },
        "required": ["name", "nodes", "share"],
    }
    assert set(ns.models) == {"Outer", "NodeView", "Work", "LoopView"}


def test_the_page_loads_and_asks_nobody_else(client):
    answer = client.get("/api/docs", raw=True)
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    links = re.findall(r"""(?:src|href)\s*=\s*["']([^"'#]+)""", answer.text)
    links += re.findall(r'url: "([^"]+)"', answer.text)
    assert len(links) >= 6
    for link in links:
        assert link.startswith("/api/"), link
        assert client.get(link, raw=True).status_code == 200
    assert 'validatorUrl: "" || null' in answer.text
    for css in (link for link in links if link.endswith(".css")):
        for url in re.findall(r"""url\(["']?([^"')]+)""", client.get(css, raw=True).text):
            assert url.startswith(("data:", "./files/")), url
    csp = answer.headers["Content-Security-Policy"]
    assert "script-src 'self' 'sha256-" in csp
    assert "http" not in csp


def test_the_docs_are_found_with_a_slash_too(client):
    assert client.get("/api/docs/", raw=True).status_code == 200


def test_bodies_are_documented_as_what_they_are_sent_as(client, swagger):
    """What is no JSON must not be called so: a client made from the document would be refused with 415."""
    document = client.get("/api/v1/openapi.json", raw=True).json
    taken = {
        (method, path): set(document["paths"][path][method]["requestBody"]["content"])
        for method, path, _, parameters in operations(swagger)
        if any(p["in"] in ("body", "formData") for p in parameters)
    }
    for method, path in (("put", "/songs/{id}/cover"), ("put", "/albums/{id}/cover")):
        assert taken.pop((method, path)) == {f"image/{kind}" for kind in ("jpeg", "png", "gif", "webp", "bmp")}
    for method, path in (("post", "/uploads"), ("patch", "/uploads/{id}")):
        assert taken.pop((method, path)) == {"application/offset+octet-stream"}
    assert "text/plain" in taken.pop(("put", "/songs/{id}/lyrics"))
    assert "audio/x-mpegurl" in taken.pop(("post", "/playlists/import"))
    assert taken.pop(("post", "/songs")) == {"multipart/form-data", "application/octet-stream"}
    patch = {"application/json", "application/merge-patch+json"}
    assert taken.pop(("patch", "/playlists/{id}/entries")) == {"application/json"}
    for (method, path), media in taken.items():
        assert media == (patch if method == "patch" else {"application/json"}), path


def test_summaries_are_whole_sentences(swagger):
    for method, path, operation, _ in operations(swagger):
        summary = operation["summary"]
        assert summary.count("`") % 2 == 0 and summary.count("(") == summary.count(")"), f"{method} {path}: {summary}"
        assert summary[0].isupper() and not summary.endswith(",") and len(summary) < 130, (
            f"{method} {path}: {summary}"
        )
        assert not (operation.get("description") or "X")[0].islower(), f"{method} {path}: the summary is cut"

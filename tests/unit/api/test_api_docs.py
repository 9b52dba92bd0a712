import re
from dataclasses import dataclass, field, fields
from importlib.resources import files
from json import loads

import jsonschema
import pytest
from flask_restx import Namespace

from api.models import model_of
from ringnode.catalogue.model import EDITABLE, Song
from ringnode.services.overview import NodeView


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
        if rule.rule.startswith(prefix + "/") and path != "/swagger.json":
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                assert (method.lower(), path) in known


def test_every_operation_names_its_errors_and_its_role(swagger):
    seen = set()
    for method, path, operation, parameters in operations(swagger):
        where = f"{method} {path}"
        answers = operation["responses"]
        assert {"422", "500", "503"} <= set(answers), where
        assert operation["summary"], where
        assert all(answer["description"] for answer in answers.values()), where
        assert all(parameter.get("description") or "schema" in parameter for parameter in parameters), where
        assert ("{id}" in path) == ("404" in answers), where
        public = operation.get("security") == []
        assert public or "401" in answers
        assert public or "Role:" in operation["description"]
        assert ("403" in answers) == (where in ("post /songs", "patch /songs/{id}", "delete /songs/{id}")), where
        assert all("schema" in answer for status, answer in answers.items() if status not in ("204", "304")), where
        assert "X-Fields" not in [parameter["name"] for parameter in parameters]
        seen |= set(answers)
    assert seen == {"200", "201", "204", "206", "304", "400", "401", "403", "404", "411", "412", "413", "415", "416",
                    "422", "429", "500", "503", "507"}  # fmt: skip


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
    names = {"Song", "SongEdit", "SongPage", "Copies", "Copy", "RingView", "NodeView", "Health", "Version", "Login",
             "User", "Credentials", "Owners", "Owner", "Problem", "Ticket"}  # fmt: skip
    assert names == set(swagger["definitions"])
    problem = swagger["definitions"]["Problem"]
    assert set(problem["properties"]) - set(problem["required"]) == {"field"}


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
    assert set(ns.models) == {"Outer", "NodeView"}


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

"""What strangers, and people with the wrong role, may send to any route there is, and what they get.

Never a 500, never anything of another's, always problem+json. The routes are the application's own, so a new one is
covered at once.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from alone import Alone, add_song, open_catalogue
from itsdangerous import URLSafeTimedSerializer

from api.auth import ADMIN, PUBLIC, needed
from api.resources import JSON_LIMIT_BYTES
from ringnode.services.browse import Browse
from ringnode.services.editing import Editing
from ringnode.services.sessions import Client

V1 = "/api/v1"
READING = ("GET", "HEAD", "OPTIONS")
SECRET_OF_EVE = "a secret of eve"

# In place of a part of a path.
PATHS = ("", ".", "..", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%00", "%0d%0aX-Injected: 1", "x" * 5000, "5e" * 32, "-1",
         "0", "'; DROP TABLE record; --", "%F0%9F%8E%B5", "%ff%fe", "null", "*", "5E" * 32, "%25", "a/b",
         "%u0000")  # fmt: skip
# In place of a value in JSON.
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 10**30, 1e-320, "", "\x00\x1b[2J", "\ud800", "x" * 5000, [], {}, [None], [[]],
    ["\x00"] * 50, {"a": {"b": 1}}, "\u202e", "' OR 1=1 --", "../../etc/passwd", ["5e" * 32] * 600, "5e" * 32,
    "admin", "2026-13-45",
)  # fmt: skip
# In place of a query parameter.
QUERIES = ("", "-1", "0", "9" * 400, "1e9", "%00", "%ff", "x" * 5000, "null", "[]", "%0d%0aX-Injected:%201", "true",
           "..", "title,-artist,year", "' OR 1=1 --", "W10", "e30", "WyJhIl0")  # fmt: skip
HEADERS: tuple[dict[str, str], ...] = (
    {"If-Match": "nonsense"}, {"If-Match": '"'}, {"If-Match": '""'}, {"If-None-Match": 'W/"x", *'},
    {"Range": "bytes=9-1,0-,-5"},
    {"Range": "bytes=-" + "9" * 30}, {"X-Request-ID": "a" * 500}, {"Accept": "text/html"},
    {"Last-Event-ID": "x" * 900}, {"Content-Encoding": "gzip"}, {"X-Forwarded-For": "\x00, , x"}, {"Origin": "null"},
    {"Cookie": "ringnode=\x00; =; x"},
    {"Content-Length": "-5"}, {"Content-Length": "x"}, {"If-Modified-Since": "yesterday"}, {"Transfer-Encoding": "x"},
    {"Tus-Resumable": "9.9.9", "Upload-Length": "-1", "Upload-Offset": "x", "Upload-Metadata": "!,,"},
    {"X-HTTP-Method-Override": "DELETE"}, {"Upload-Checksum": "md5 !"}, {"Accept-Encoding": "x" * 500},
)  # fmt: skip
DEEP = ("[" * 20_000 + "]" * 20_000, '{"a":' * 9000 + "1" + "}" * 9000, "[" * 60_000)
BODIES = (b"", b"{", b"null", b"[]", b"5", b'"x"', b"\xff\xfe\x00", b'{"a": NaN}', b'{"a": 1e999}',
          b'{"name": "x", "name": 2}', *(text.encode() for text in DEEP))  # fmt: skip
STREAM = f"{V1}/events"  # it does not end, and takes nothing


@dataclass(frozen=True)
class Route:
    """One method of one rule, as the documentation has it."""

    method: str
    rule: str
    operation: dict[str, Any]
    parameters: list[dict[str, Any]]
    body: dict[str, Any]

    def path(self, part: str = "5e" * 32) -> str:
        path = self.rule
        for parameter in self.parameters:
            if parameter["in"] == "path":
                path = path.replace(f"<{parameter['name']}>", part)
        return path


def routes_of(client: Any) -> list[Route]:
    swagger = client.get(f"{V1}/swagger.json", raw=True).json
    found = []
    for path, item in swagger["paths"].items():
        for method in set(item) - {"parameters"}:
            parameters = item.get("parameters", []) + item[method].get("parameters", [])
            body = next((p["schema"] for p in parameters if p["in"] == "body"), {})
            model = swagger["definitions"].get(body.get("$ref", "").rpartition("/")[2], {})
            rule = V1 + path.replace("{", "<").replace("}", ">")
            found.append(Route(method.upper(), rule, item[method], parameters, model))
    return sorted((r for r in found if r.rule != STREAM), key=lambda r: (r.rule, r.method))


@pytest.fixture
def routes(client: Any) -> list[Route]:
    return routes_of(client)


@pytest.fixture
def ask(client: Any, gateway: Any, song: Any, tmp_path: Path) -> Iterator[Any]:
    """Sends it, and looks at the answer; `conftest.check` looks at every error too."""
    gateway.browse = Browse(gateway.records)
    songs = open_catalogue(tmp_path / "songs.db")  # many are edited by several threads
    gateway.editing = Editing(songs, Alone(songs), gateway.library, tmp_path)
    add_song(gateway.records, "A song", artist="Anybody", album="An album", genres=["Jazz"], date="1960")
    gateway.records.put("playlist", "ee" * 8, {"name": SECRET_OF_EVE, "owner": "eve", "public": False, "readers": []})
    gateway.records.put("session", "eve/" + "ee" * 8, {"agent": SECRET_OF_EVE, "expires_at": "2099"})
    gateway.records.put("app", "eve/" + "ee" * 8, {"name": SECRET_OF_EVE})

    def ask(route: Route, path: str = "", **more: Any) -> Any:
        more.setdefault("role", "admin")
        answer = client.open(path or route.path(), method=route.method, **more)
        where = f"{route.method} {path or route.path()} {more}"[:600]
        assert answer.status_code < 500, f"{where}: {answer.text[:300]}"
        assert "X-Injected" not in answer.headers, where
        assert more["role"] == "admin" or SECRET_OF_EVE not in answer.get_data(as_text=True), where
        assert SECRET_OF_EVE not in answer.text or "/users" in route.rule, where
        return answer

    yield ask
    songs.db.close()


def filled(route: Route) -> dict[str, Any]:
    example = route.body.get("example", {})
    return dict(example) if isinstance(example, dict) else {}


def has_body(route: Route) -> bool:
    return bool(route.body)


def bodies(route: Route) -> Iterator[Any]:
    """The example with one field wrong, missing or too much, for each field."""
    good = filled(route)
    for name in route.body.get("properties", {}):
        yield {key: value for key, value in good.items() if key != name}
        for value in VALUES:
            yield good | {name: value}
    yield good | {"nobody knows this": 1}
    yield good | {"\ud800": 1, "": 2}
    yield from VALUES


def test_there_are_routes_and_all_are_tried(app: Any, routes: list[Route]) -> None:
    there = {(m, r.rule) for r in app.url_map.iter_rules() for m in r.methods - {"HEAD", "OPTIONS"}}
    tried = {(route.method, route.rule) for route in routes}
    untold = {f"{V1}/swagger.json", f"{V1}/openapi.json", STREAM}
    assert len(tried) > 30
    assert {(m, rule) for m, rule in there - tried if rule.startswith(V1 + "/")} <= {("GET", rule) for rule in untold}


def test_wrong_parts_of_paths(routes: list[Route], ask: Any) -> None:
    for route in routes:
        for part in PATHS if "<" in route.rule else ():
            path = route.path(part if "%" in part else quote(part, safe="/.*"))
            assert ask(route, path, json=filled(route) if has_body(route) else None) is not None


def test_wrong_values_in_json(routes: list[Route], ask: Any) -> None:
    for route in routes:
        for body in bodies(route) if has_body(route) else ():
            text = json.dumps(body)
            answer = ask(route, data=text, content_type="application/json")
            assert answer.status_code != 415, route


def test_bodies_that_are_no_json_or_deep_or_huge(routes: list[Route], ask: Any) -> None:
    for route in routes:
        if not has_body(route):
            continue
        for body in BODIES:
            ask(route, data=body, content_type="application/json")
        for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "", "\x00"):
            assert ask(route, data=b"{}", content_type=kind).status_code >= 400, (route, kind)
        limit = 11 << 20
        huge = ask(route, data=b'{"a": "' + b"x" * limit + b'"}', content_type="application/json")
        assert huge.status_code in (400, 404, 413, 422), route
    assert limit > JSON_LIMIT_BYTES


def test_wrong_queries(routes: list[Route], ask: Any) -> None:
    for route in routes:
        names = [p["name"] for p in route.parameters if p["in"] == "query"]
        for name in (*names, "nobody_knows_this"):
            for value in QUERIES:
                value = value if "%" in value else quote(value, safe="")
                answer = ask(route, f"{route.path()}?{name}={value}", json=filled(route) if has_body(route) else None)
                assert name in names or answer.status_code >= 400, (route, name)


def test_wrong_headers(routes: list[Route], ask: Any) -> None:
    for route in routes:
        for headers in HEADERS:
            ask(route, headers=headers, json=filled(route) if has_body(route) else None)


def test_wrong_roles_and_logins(routes: list[Route], ask: Any, gateway: Any) -> None:
    epoch = gateway.records.get("user", "admin").doc["epoch"]
    claim = {"user": "admin", "epoch": epoch, "id": "1"}
    forged = str(URLSafeTimedSerializer("another secret", salt="login").dumps(claim))
    revoked = gateway.sessions.login("admin", "admin", Client("10.0.0.1")).token
    access = gateway.sessions.access(revoked)
    gateway.sessions.end(access, access.session)
    stale = str(URLSafeTimedSerializer("s" * 64, salt="login").dumps(claim | {"epoch": "before"}))
    ticket = gateway.sessions.ticket(access).ticket
    for route in routes:
        role = needed(route.method, route.rule)
        if role == PUBLIC:
            continue
        for token in (forged, revoked, stale, ticket, "", "x", forged[:-1], "\x00", "a" * 9000):
            answer = ask(route, role=token or "-", json=filled(route) if has_body(route) else None)
            assert answer.status_code == 401, (route, token)
        for low in ("stranger", *(("listener", "uploader") if role == ADMIN else ())):
            answer = ask(route, role=low, json=filled(route) if has_body(route) else None)
            assert answer.status_code == 403, (route, low)
        lowered = ask(route, f"{route.path()}?ticket={ticket}", raw=True, role="-", headers={"Authorization": ""})
        assert lowered.status_code == 401, (route, "a ticket that ended with its login")


def test_things_of_others(routes: list[Route], ask: Any) -> None:
    """Eve's things, by their true names, asked for by another listener and by an uploader."""
    for route in routes:
        for part in ("ee" * 8, "eve", "eve/" + "ee" * 8, "eve%2f" + "ee" * 8) if "<" in route.rule else ():
            for role in ("listener", "uploader"):
                answer = ask(route, route.path(part), role=role, json=filled(route) if has_body(route) else None)
                mine = route.rule.startswith((f"{V1}/me", f"{V1}/playlists"))
                assert answer.status_code >= 400 or not mine, (route, part)

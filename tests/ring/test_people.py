"""People on a ring of real processes: known at every node at once, and put out of every node soon."""

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from processes import PASSWORD, NodeProcess, RingOfProcesses
from support import eventually

LONG = "correct horse battery staple"
SOON_S = 20.0


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RingOfProcesses]:
    made = RingOfProcesses(tmp_path_factory.mktemp("people"), 3)
    try:
        made.start()
        yield made
    finally:
        made.close()


def send(node: NodeProcess, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """Status and JSON of one request, with a login only if `headers` bring one."""
    with contextlib.closing(node.connection()) as connection:
        data = None if body is None else json.dumps(body)
        connection.request(method, "/api/v1" + path, data, {"Content-Type": "application/json"} | headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None


def login(node: NodeProcess, name: str, password: str) -> str:
    status, answer = send(node, "POST", "/auth/login", {"username": name, "password": password})
    assert status == 200, answer
    return str(answer["token"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_an_account_made_at_one_node_is_good_at_every_node_at_once(three: RingOfProcesses) -> None:
    a, b, c = three.nodes
    root = bearer(login(a, "admin", PASSWORD))
    assert send(a, "POST", "/users", {"name": "anna", "password": LONG}, **root)[0] == 201
    tokens = [login(node, "anna", LONG) for node in (b, c, a)]
    for token in tokens:
        assert all(send(node, "GET", "/me", **bearer(token))[0] == 200 for node in three.nodes)
    assert send(b, "POST", "/users", {"name": "ANNA", "password": LONG}, **root)[0] == 409


def test_what_is_ended_at_one_node_is_refused_at_the_others_soon(three: RingOfProcesses) -> None:
    a, b, c = three.nodes
    root = bearer(login(a, "admin", PASSWORD))
    invited = send(a, "POST", "/invitations", {"role": "uploader"}, **root)[1]
    guest = {"name": "ben", "password": LONG}
    status, welcome = send(b, "POST", f"/auth/invitations/{invited['token']}", guest)
    assert status == 201 and welcome["user"]["role"] == "uploader", (invited, welcome)
    assert send(c, "POST", f"/auth/invitations/{invited['token']}", guest | {"name": "eve"})[0] == 404

    lost, kept = login(a, "ben", LONG), login(b, "ben", LONG)
    eventually(lambda: len(send(b, "GET", "/me/sessions", **bearer(kept))[1]["items"]) == 3, SOON_S)
    sessions = send(a, "GET", "/me/sessions", **bearer(lost))[1]["items"]
    ended = next(session["id"] for session in sessions if session["current"])
    assert send(b, "DELETE", f"/me/sessions/{ended}", **bearer(kept))[0] == 204
    assert send(b, "GET", "/me", **bearer(lost))[0] == 401, "at once where it was ended"
    for node in (a, c):
        eventually(lambda node=node: send(node, "GET", "/me", **bearer(lost))[0] == 401, SOON_S)
    assert send(a, "GET", "/me", **bearer(kept))[0] == 200

    app = send(a, "POST", "/me/app-passwords", {"name": "car"}, **bearer(kept))[1]
    assert all(send(node, "GET", "/songs", **bearer(app["password"]))[0] == 200 for node in three.nodes), "at once"
    assert send(c, "PATCH", "/users/ben", {"active": False}, **root)[0] == 200
    for node in three.nodes:
        for token in (kept, app["password"]):
            eventually(lambda node=node, token=token: send(node, "GET", "/me", **bearer(token))[0] == 401, SOON_S)
    trail = send(c, "GET", "/audit", **root)[1]["items"]
    assert any(entry["on"] == "/api/v1/users/ben active = False" for entry in trail)


def test_news_comes_from_another_node_and_a_stream_does_not_hold_up_the_end(three: RingOfProcesses) -> None:
    a, b, _ = three.nodes
    root = bearer(login(a, "admin", PASSWORD))
    with contextlib.closing(b.connection()) as connection:
        connection.request("GET", "/api/v1/events", headers=root)
        answer = connection.getresponse()
        assert answer.status == 200 and answer.getheader("Content-Type", "").startswith("text/event-stream")
        assert _next(answer)["event"] == "hello"
        assert send(a, "POST", "/playlists", {"name": "Evening"}, **root)[0] == 201
        while (news := _next(answer))["event"] != "library" or json.loads(news["data"])["kind"] != "playlist":
            pass
        began = time.monotonic()
        assert b.stop() == 0
        assert time.monotonic() - began < 25, "the stream ends with its node"
    assert " 200 'admin' " in b.log and "GET '/api/v1/events'" in b.log
    b.start([node.address for node in three.nodes])
    eventually(b.ready, 60)


def _next(answer: Any) -> dict[str, str]:
    """One event of the stream."""
    fields = {}
    while line := answer.readline().decode().rstrip("\n"):
        name, _, value = line.partition(": ")
        fields[name] = value
    return fields if "event" in fields else _next(answer)

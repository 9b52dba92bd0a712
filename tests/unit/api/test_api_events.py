"""The stream over HTTP: who may hold how many, and that it lets go."""

import pytest

from ringnode.services import events

PATH = "/api/v1/events"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(events, "POLL_S", 0.01)


def stream(client, **more):
    """An answer that is not read to its end."""
    head = {"Authorization": f"Bearer {more.pop('role', 'listener')}"}
    return super(type(client), client).open(PATH, headers=head | more, buffered=False)


def test_news_as_it_happens(client, gateway):
    answer = stream(client)
    assert answer.content_type.startswith("text/event-stream")
    assert answer.headers["Cache-Control"] == "no-cache"
    lines = iter(answer.response)
    assert b"event: hello" in next(lines) and b"event: repair" in next(lines)
    gateway.records.put("song", "5e" * 32, {"title": "x"})
    assert b'"kind": "song", "ids": ["5e5e' in next(lines)
    answer.close()


def test_one_user_holds_a_few_streams_and_gets_them_back(app, client):
    app.extensions["streams"].take("all", 9)  # of 12 threads, an eighth is one
    app.extensions["streams"].give_back("all")
    first = stream(client)
    assert first.status_code == 200
    refused = client.get(PATH, role="admin")
    assert refused.status_code == 429 and refused.headers["Retry-After"]
    first.close()
    second = stream(client, role="admin")
    assert second.status_code == 200
    second.close()


def test_a_stream_ends_with_its_login(client, gateway, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT_S", 0)
    login = client.post("/api/v1/auth/login", json={"username": "admin", "password": "admin"}, raw=True).json["token"]
    answer = stream(client, Authorization=f"Bearer {login}")
    lines = iter(answer.response)
    assert b"hello" in next(lines)
    while not next(lines).startswith(b":"):
        pass
    assert client.post("/api/v1/auth/logout", headers={"Authorization": f"Bearer {login}"}).status_code == 204
    assert all(line.startswith((b":", b"id")) for line in lines), "it came to its end"
    answer.close()

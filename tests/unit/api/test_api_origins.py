"""CORS: for pages of the ring's nodes, with a token; by configuration for pages of other origins."""

import pytest
from fakes import MemoryGateway

from api import create_app

SONGS = "/api/v1/songs"
PLAYER = "https://player.example.org"
ASKS = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization, if-match"}


@pytest.fixture
def shared(app, tmp_path):
    (tmp_path / "other").mkdir()
    gateway = MemoryGateway(tmp_path / "other")
    gateway.config.cors_origins = (PLAYER,)
    other = create_app(gateway)
    other.test_client_class = app.test_client_class
    return other.test_client()


def cors(answer):
    return {name for name, _ in answer.headers if name.startswith("Access-Control")}


def test_by_default_no_other_page_reads_anything(client):
    assert not cors(client.get(SONGS, headers={"Origin": PLAYER}))
    asked = client.options(SONGS, headers={"Origin": PLAYER, **ASKS}, raw=True)
    assert asked.status_code == 401 and not cors(asked)


def test_pages_of_a_configured_origin_may_ask_and_read(shared):
    asked = shared.options(SONGS, headers={"Origin": PLAYER, **ASKS}, raw=True)
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == PLAYER
    assert "PATCH" in asked.headers["Access-Control-Allow-Methods"]
    assert "If-Match" in asked.headers["Access-Control-Allow-Headers"]
    for answer in (
        shared.get(SONGS, headers={"Origin": PLAYER}),
        shared.get(SONGS, headers={"Origin": PLAYER}, raw=True),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == PLAYER
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
        assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "origin", ["https://player.example.org.evil", "null", "", "https://evil.example", PLAYER + "/"]
)
def test_no_other_origin_is_let_in_by_it(shared, origin):
    answer = shared.get(SONGS, headers={"Origin": origin})
    assert not cors(answer) and "Origin" in answer.headers["Vary"]
    assert shared.options(SONGS, headers={"Origin": origin, **ASKS}, raw=True).status_code == 401


def test_pages_of_the_rings_nodes_may_ask_with_what_they_know_and_never_with_a_cookie(client):
    node = {"Origin": "https://cellar:7701"}
    asked = client.options(SONGS, headers=node | ASKS, raw=True)
    assert asked.status_code == 204 and "authorization" in asked.headers["Access-Control-Allow-Headers"].lower()
    answer = client.get(SONGS, headers=node)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == node["Origin"]
    assert "Upload-Offset" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert not cors(client.get(SONGS, headers={"Origin": "https://cellar"}))
    assert not cors(client.get(SONGS, headers={"Origin": "http://cellar:7701"}))


@pytest.mark.parametrize("url", ["https://Cellar:443", "https://cellar", "https://cellar:443/"])
def test_a_nodes_page_is_known_by_its_origin(gateway, app, url):
    gateway.overview.apis = lambda: [url]
    other = create_app(gateway).test_client()
    answer = other.get("/api/v1/health", headers={"Origin": "https://cellar"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://cellar"

"""The built player: its files, its page, and what stands there when there is none."""

import gzip

import pytest
from flask import Flask

from api import create_app, player

SCRIPT = "/assets/app-3f9c.js"


@pytest.fixture
def app(gateway, tmp_path) -> Flask:
    files = {"index.html": b"<title>ringnode</title>", SCRIPT[1:]: b"play()", "sw.js": b"keep()", "secret.key": b"no"}
    for name, data in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    (tmp_path / (SCRIPT[1:] + ".gz")).write_bytes(gzip.compress(b"play()"))
    app = create_app(gateway)
    player.install(app, tmp_path)
    return app


@pytest.mark.parametrize("path", ["/", "/songs", "/albums/a%20b", "/a/b/c", "/index.html"])
def test_the_page_answers_for_all_addresses_of_the_player(app, path):
    answer = app.test_client().get(path)
    assert (answer.status_code, answer.data) == (200, b"<title>ringnode</title>")
    assert answer.headers["Cache-Control"] == "no-cache"
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy and "media-src 'self' blob: https://cellar:7701;" in policy
    assert "unsafe" not in policy


def test_hashed_files_are_kept_for_ever_others_are_asked_for(app):
    client = app.test_client()
    script, worker = client.get(SCRIPT), client.get("/sw.js")
    assert script.mimetype == "text/javascript" and "immutable" in script.headers["Cache-Control"]
    assert worker.headers["Cache-Control"] == "no-cache"
    assert client.get("/sw.js", headers={"If-None-Match": worker.headers["ETag"]}).status_code == 304
    assert client.head(SCRIPT).status_code == 200 and client.head(SCRIPT).data == b""


def test_what_was_compressed_at_the_build_is_sent_so(app):
    client = app.test_client()
    packed = client.get(SCRIPT, headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.data) == b"play()"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert client.get(SCRIPT, headers={"Accept-Encoding": "gzip;q=0"}).data == b"play()"


@pytest.mark.parametrize("path", ["/assets/app-old.js", "/secret.key", "/../secret.key", "/api/v1/nothing", "/api/x"])
def test_what_is_no_page_is_not_found(app, path):
    answer = app.test_client().get(path)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert app.test_client().post("/songs").status_code == 404


def test_a_node_without_the_player_says_what_to_do(gateway, tmp_path):
    app = create_app(gateway)
    player.install(app, tmp_path)
    answer = app.test_client().get("/")
    assert answer.status_code == 200 and "make player" in answer.text and "/api/docs" in answer.text
    assert app.test_client().get("/songs").status_code == 404

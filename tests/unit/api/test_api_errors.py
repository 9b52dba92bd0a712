import io
import json
import logging

import pytest

from api.errors import PROBLEMS
from ringnode import errors

LOGIN = "/api/v1/auth/login"
OURS = {cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, errors.RingnodeError)}


@pytest.mark.parametrize("cls", sorted(OURS, key=lambda cls: cls.__name__))
def test_every_error_of_ours_has_an_answer(client, library, song, cls):
    library.error = cls("secret of nobody")
    answer = client.get(f"/api/v1/songs/{song.id}/stream")
    status, name, title = PROBLEMS.get(cls, PROBLEMS[errors.RingnodeError])
    assert answer.status_code == status
    assert answer.json["type"] == f"urn:ringnode:problem:{name}"
    assert answer.json["title"] == title
    assert answer.json["detail"] == "secret of nobody"
    assert ("Retry-After" in answer.headers) == (status in (429, 503, 507))


def test_retry_after_is_the_errors_own(client, library, song):
    library.error = errors.NotEnoughReplicas("x")
    answer = client.get(f"/api/v1/songs/{song.id}/stream")
    assert answer.headers["Retry-After"] == str(errors.NotEnoughReplicas.retry_after_s)


def test_what_the_fast_encoder_cannot_write_is_written_all_the_same(app):
    with app.app_context():
        assert json.loads(app.json.dumps({"n": 1 << 70, "half": "\ud800"})) == {"n": 1 << 70, "half": "\ud800"}
        assert app.json.dumps({"ł": 1}) == '{"ł":1}'


def test_a_bug_is_logged_and_not_shown(client, library, song, caplog):
    library.error = ZeroDivisionError("/etc/secret")
    answer = client.get(f"/api/v1/songs/{song.id}/stream", headers={"X-Request-ID": "abc"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "ZeroDivision" not in answer.text
    logged = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "[abc]" in logged[0].getMessage()
    assert "/etc/secret" in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/nothing", {}, 404),
        ("GET", "/api/v1", {}, 404),
        ("GET", "/api/v1/song", {}, 404),
        ("GET", "/api/v1/songs/", {}, 200),
        ("GET", "/api/v1/songs/%00%0a", {}, 404),
        ("PUT", "/api/v1/songs", {}, 405),
        ("POST", "/api/docs", {}, 405),
        ("POST", LOGIN, {"data": "{", "content_type": "application/json"}, 400),
        ("POST", LOGIN, {"data": b"\xff\xfe\xfa", "content_type": "application/json"}, 400),
        ("POST", LOGIN, {"data": "", "content_type": "application/json"}, 400),
        ("POST", LOGIN, {"data": "[" * 60_000, "content_type": "application/json"}, 400),
        ("POST", LOGIN, {"data": "username=a&password=b", "content_type": "application/x-www-form-urlencoded"}, 415),
        ("POST", LOGIN, {"data": "{}"}, 415),
        ("POST", LOGIN, {"data": "{}", "content_type": "application/merge-patch+json"}, 415),
        ("POST", LOGIN, {"json": {"username": "x" * 70_000, "password": "x"}}, 413),
    ],
)
def test_errors_of_the_router_and_the_parsers(client, method, path, body, status):
    answer = client.open(path, method=method, **body)
    assert answer.status_code == status
    assert "did you mean" not in answer.text
    assert "message" not in answer.text
    if status == 405:
        assert answer.headers["Allow"]


def test_a_large_body_without_a_length(client):
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    body = {"input_stream": io.BytesIO(b" " * 70_000), "content_type": "application/json"}
    answer = client.post(LOGIN, **body, environ_overrides=chunked)
    assert answer.status_code == 413


@pytest.mark.parametrize("given", ["abc", "A.b_c-9", "x" * 64])
def test_a_sane_request_id_is_kept(client, given):
    assert client.get("/api/v1/version", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\xe9", "<script>", "a;b", "a\tb"])
def test_any_other_request_id_is_replaced(client, given):
    made = client.get("/api/v1/version", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert made != given
    assert len(made) == 16


def test_request_ids_are_logged(client, caplog):
    caplog.set_level(logging.INFO)
    client.get("/api/v1/version", headers={"X-Request-ID": "find-me"})
    assert "GET '/api/v1/version' 200 '-' " in caplog.text and " ms find-me" in caplog.text


def test_who_looks_whether_the_node_is_well_is_logged_only_when_it_is_not(client, gateway, caplog):
    caplog.set_level(logging.INFO)
    client.get("/api/v1/health")
    assert "/health" not in caplog.text
    gateway.overview.joined = False
    client.get("/api/v1/health")
    assert "GET '/api/v1/health' 503" in caplog.text


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/songs?limt=5", "limt"),
        ("/api/v1/version?x=1", "x"),
        ("/api/v1/me?verbose", "verbose"),
        ("/api/v1/songs?limit=1&limit=2", "limit"),
        ("/api/v1/songs?" + "x" * 1000, "x" * 40),
        ("/api/v1/songs?id=5", "id"),
    ],
)
def test_unknown_parameters(client, path, field):
    answer = client.get(path)
    assert answer.status_code == 422
    assert answer.json["field"] == field

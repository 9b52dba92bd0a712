import json

import pytest
from fakes import MemoryGateway
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api import create_app
from api.headers import DEFAULTS
from ringnode.catalogue.model import Song


class Client(FlaskClient):
    """Logged in as the admin unless told otherwise; every answer is checked for what all must have."""

    role = "admin"

    def open(self, *args, role="", raw=False, **kwargs) -> TestResponse:
        headers = dict(kwargs.pop("headers", None) or {})
        if not raw:
            headers.setdefault("Authorization", f"Bearer {role or self.role}")
        answer = super().open(*args, headers=headers, buffered=True, **kwargs)
        check(answer)
        return answer


def check(answer: TestResponse) -> None:
    """What holds for every answer."""
    for name in ("X-Request-ID", *DEFAULTS):
        assert answer.headers.get(name), (answer, name)
    if answer.status_code >= 400 and answer.request.method != "HEAD" and not answer.request.path.endswith("/health"):
        assert answer.content_type == "application/problem+json", answer.text
        problem = json.loads(answer.text)
        assert set(problem) - {"field", "errors"} == {"type", "title", "status", "detail", "request_id"}
        assert problem["status"] == answer.status_code
        assert problem["type"].startswith("urn:ringnode:problem:")
        assert problem["request_id"] == answer.headers["X-Request-ID"]
        assert problem["title"]
        assert problem["detail"]
        assert problem.get("field") != ""


@pytest.fixture
def gateway(tmp_path) -> MemoryGateway:
    return MemoryGateway(tmp_path)


@pytest.fixture
def library(gateway):
    return gateway.library


@pytest.fixture
def app(gateway) -> Flask:
    app = create_app(gateway)
    app.test_client_class = Client
    return app


@pytest.fixture
def client(app) -> Client:
    return app.test_client()


@pytest.fixture
def song(library) -> Song:
    """A song of the bytes 0 to 99."""
    song = Song("5e" * 32, title="Sóng", artist="Björk", mime="audio/flac", filename="a.flac")
    return library.put(song, bytes(range(100)))

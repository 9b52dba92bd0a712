"""Nobody holds all the threads; a refused body is read away so that its sender sees why."""

import io
from typing import Any

import pytest
from flask import Flask

from api import create_app, limits


class Body(io.BytesIO):
    """A body that tells how much of it was read."""


def test_a_user_may_hold_a_quarter_of_the_threads_and_no_more(app: Flask, song: Any) -> None:
    client = app.test_client()
    path = f"/api/v1/songs/{song.id}/stream"
    head = {"Authorization": "Bearer admin"}
    paused = [super(type(client), client).open(path, headers=head, buffered=False) for _ in range(3)]
    refused = client.get(path)
    assert refused.status_code == 429 and refused.headers["Retry-After"] == "5"
    assert client.get(path, role="listener").status_code == 200, "another user is not in the way"
    for answer in paused:
        answer.close()
    assert client.get(path).status_code == 200


def test_one_address_keeps_nobody_else_from_logging_in(app: Flask) -> None:
    """While bodies come slowly from one place the next has to wait there, and nowhere else."""
    gateway = app.extensions["gateway"]
    gateway.config.threads = 256
    app = create_app(gateway)
    answers: list[int] = []

    def log_in(address: str, body: io.BytesIO) -> int:
        answer = app.test_client().post(
            "/api/v1/auth/login", input_stream=body, content_length=2, content_type="application/json",
            environ_base={"REMOTE_ADDR": address},
        )  # fmt: skip
        return answer.status_code

    class Slow(io.BytesIO):
        """Before it comes, others log in."""

        def read(self, size: int | None = -1) -> bytes:
            if not answers:
                answers.append(log_in("192.0.2.2", io.BytesIO(b"{}"))) if held() else log_in("192.0.2.1", slow())
            return super().read(size)

    made: list[Slow] = []

    def slow() -> Slow:
        made.append(Slow(b"{}"))
        return made[-1]

    def held() -> bool:
        if len(made) < limits.A_PLACES_SHARE:
            return False
        answers.append(log_in("192.0.2.1", io.BytesIO(b"{}")))
        return True

    log_in("192.0.2.1", slow())
    assert answers == [429, 422]


def test_strangers_share_a_few_logins_at_once() -> None:
    slots = limits.Slots()
    for _ in range(2):
        slots.take("strangers", 2)
    with pytest.raises(limits.TooManyRequests):
        slots.take("strangers", 2)
    slots.give_back("strangers")
    slots.take("strangers", 2)


@pytest.mark.parametrize(("size", "left"), [(1000, 0), (limits.DRAIN_BYTES + 1, limits.DRAIN_BYTES + 1)])
def test_a_refused_body_is_read_away_unless_it_is_huge(app: Flask, size: int, left: int) -> None:
    body = Body(bytes(size))
    answer = app.test_client().post(
        "/api/v1/songs?filename=x.mp3", input_stream=body, content_length=size, raw=True, headers={}
    )
    assert answer.status_code == 401
    assert size - body.tell() == left

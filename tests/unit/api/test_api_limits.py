"""Nobody holds all the threads; a refused body is read away so that its sender sees why."""

import io
from typing import Any

import pytest
from flask import Flask

from api import limits


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

"""How many of the server's threads one user may hold, and how long a refused body is listened to.

Every request has a thread for as long as its client likes: a paused listener, a body that never ends. The HTTP server
knows no deadline for those, so nobody may hold so many that none are left for others.
"""

import threading
from collections import Counter
from contextlib import suppress
from functools import partial

from flask import Flask, g, request
from werkzeug.wrappers import Response

from api.headers import address
from ringnode.errors import TooManyRequests

A_USERS_SHARE = 4  # a user may hold a quarter of the threads: several devices, players that prefetch, an upload
STRANGER = "stranger"
A_PLACES_SHARE = 16  # bodies at once from one address of people who are not logged in, that is: logins
DRAIN_BYTES = 64 << 20  # read of a refused body, so that its sender sees the answer instead of a broken connection
PIECE_BYTES = 256 << 10
RETRY_AFTER_S = 5


class Slots:
    """Counts the requests under way of each holder."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, holder: str, most: int) -> None:
        """TooManyRequests if the holder has `most` already."""
        with self._lock:
            if self._held[holder] >= most:
                error = TooManyRequests(f"{most} requests are under way at once already: end one of them first")
                error.retry_after_s = RETRY_AFTER_S
                raise error
            self._held[holder] += 1

    def give_back(self, holder: str) -> None:
        """The request has ended, its answer is sent or its client has left."""
        with self._lock:
            self._held[holder] -= 1
            if not self._held[holder]:
                del self._held[holder]


def install(app: Flask, threads: int) -> None:
    """Count every request from when its user is known until its answer is closed."""
    slots = Slots()
    app.extensions["streams"] = Slots()  # of news: kept by `resources/events.py`
    a_user = max(1, threads // A_USERS_SHARE)

    def hold(holder: str, most: int) -> None:
        slots.take(holder, most)
        g.setdefault("holders", []).append(holder)

    def hold_stranger() -> None:
        """Of one address few, so that from there nobody keeps others from logging in; of all together a share."""
        hold(f"stranger {address()}", A_PLACES_SHARE)
        hold(STRANGER, a_user)

    def take() -> None:
        user = g.get("user")
        if user:
            hold(f"user {user.name}", a_user)
        elif _has_body():
            hold_stranger()

    def finish(response: Response) -> Response:
        if response.status_code >= 400 and _has_body():
            with suppress(TooManyRequests):  # then it is not listened to: it may never end
                if "holders" not in g:
                    hold_stranger()
                _drain()
        for holder in g.pop("holders", []):
            response.call_on_close(partial(slots.give_back, holder))
        return response

    app.before_request(take)
    app.after_request(finish)


def _has_body() -> bool:
    return bool(request.content_length) or "chunked" in request.headers.get("Transfer-Encoding", "")


def _drain() -> None:
    if (request.content_length or 0) <= DRAIN_BYTES:
        stream = request.environ["wsgi.input"]
        left = DRAIN_BYTES
        while left > 0 and (data := stream.read(min(PIECE_BYTES, left))):
            left -= len(data)

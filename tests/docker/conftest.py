"""One project for all tests: servers, two client nodes, one router."""

from collections.abc import Iterator

import pytest
from stack import Stack, missing

SERVERS = 7  # all at the same moment, on empty volumes


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Built and up. Whatever the tests do, nothing of it is left."""
    if why := missing():
        pytest.skip(why)
    made = Stack()
    try:
        made.compose("build")
        made.up(SERVERS, "--wait", "--wait-timeout", "300")
        yield made
    finally:
        made.down()
        assert made.left() == []

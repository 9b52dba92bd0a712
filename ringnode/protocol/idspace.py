"""The identifier circle.

An id is lower-case hex text of a fixed width (64 digits in production, fewer in tests). Text of one width sorts as
the numbers do, so ids are compared as they are stored, sent and shown; only distances need arithmetic.
"""

import re
from collections.abc import Iterable

from blake3 import blake3

ID_DIGITS = 64  # BLAKE3-256, so that the key of a file is its own position
_HEX = re.compile("[0-9a-f]*")


def between(a: str, x: str, b: str) -> bool:
    """Is x strictly inside the clockwise arc from a to b? If a == b the arc is everything but a."""
    if a < b:
        return a < x < b
    return x > a or x < b


def owns(predecessor: str, node: str, key: str) -> bool:
    """Is `node` responsible for `key`, that is: key in (predecessor, node]? Alone it owns everything."""
    return key == node or between(predecessor, key, node)


def distance(a: str, b: str) -> int:
    """Steps clockwise from a to b, 0 if they are the same."""
    return (int(b, 16) - int(a, 16)) % (1 << 4 * len(a))


def advance(a: str, steps: int) -> str:
    """The id `steps` clockwise of a."""
    return format((int(a, 16) + steps) % (1 << 4 * len(a)), f"0{len(a)}x")


def position(kind: str, key: str) -> str:
    """Where a record that is no file lies on the circle."""
    return blake3(f"{kind}/{key}".encode()).hexdigest()


def is_id(text: object, digits: int = ID_DIGITS) -> bool:
    """Is this the written form of an id?"""
    return isinstance(text, str) and len(text) == digits and _HEX.fullmatch(text) is not None


def middle_of_largest_gap(taken: Iterable[str], chance: int, digits: int = ID_DIGITS) -> str:
    """An id about the middle of the gap between two ids that most needs one; `chance` picks where in it.

    A node holds the files of k arcs that lie side by side, so a third of what the gaps on both sides are is added to
    a gap's size. That keeps the bytes stored with k = 3 at most 1.3 times the mean, with one id a node; random ids
    give 1.4 to 2.8.
    """
    ids = sorted(set(taken))
    size = 1 << 4 * digits
    if not ids:
        return format(chance % size, f"0{digits}x")
    gaps = [distance(a, b) or size for a, b in zip(ids, ids[1:] + ids[:1], strict=True)]
    needs = [
        3 * gap + before + after
        for gap, before, after in zip(gaps, gaps[-1:] + gaps, gaps[1:] + gaps[:1], strict=False)
    ]
    n = needs.index(max(needs))
    spread = max(gaps[n] // 32, 1)
    return advance(ids[n], (gaps[n] - spread + 1) // 2 + chance % spread)

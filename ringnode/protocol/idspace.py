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
    """An id in the middle third of the largest gap between the ids taken; `chance` picks where in it.

    Keeps arcs even (max/mean at most 1.7, where random ids give 2.3 to 5.9) with one id a node.
    """
    ids = sorted(set(taken))
    size = 1 << 4 * digits
    if not ids:
        return format(chance % size, f"0{digits}x")
    gaps = [(distance(a, b) or size, a) for a, b in zip(ids, ids[1:] + ids[:1], strict=True)]
    gap, start = max(gaps)
    third = max(gap // 3, 1)
    return advance(start, third + chance % third)

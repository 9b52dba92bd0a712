"""Places in a list that many edit at once: texts between which there is always room for another.

An entry keeps its place when others come, go or move, so that edits at two nodes merge. Every place chosen ends in
digits of chance: two nodes that choose between the same neighbours choose two places. What is inserted together
shares its beginning and stays together.
"""

from collections.abc import Callable

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # in the order of their code points
BASE = len(DIGITS)
CHANCE_DIGITS = 5  # two equal ones of a thousand million: no list sees it
WHOLE_DIGITS = 4  # counted up and down at the ends of the list, so that places there stay short


def between(low: str, high: str, chance: Callable[[int], int]) -> str:
    """A place after `low` ("" for the start) and before `high` ("" for the end). `chance(n)` is a number below n."""
    if bool(low) != bool(high):
        head = _beyond(low or high, 1 if low else -1) or _middle(low, high)
    else:
        head = _middle(low, high) if low else DIGITS[BASE // 2] * WHOLE_DIGITS
    return head + "".join(DIGITS[1 + chance(BASE - 1)] for _ in range(CHANCE_DIGITS))  # no room before a last zero


def run(low: str, high: str, count: int, chance: Callable[[int], int]) -> list[str]:
    """Places for `count` entries in a row between two others."""
    first = between(low, high, chance)
    if count == 1:
        return [first]
    return [first + _digits(n, 3) for n in range(1, count + 1)]


def _beyond(place: str, step: int) -> str:
    """The next whole number; "" if there is none."""
    number = sum(DIGITS.index(d) * BASE**n for n, d in enumerate(place[:WHOLE_DIGITS][::-1])) + step
    return _digits(number, WHOLE_DIGITS) if 0 < number < BASE**WHOLE_DIGITS and len(place) > WHOLE_DIGITS else ""


def _digits(number: int, count: int) -> str:
    return "".join(DIGITS[number // BASE**n % BASE] for n in reversed(range(count)))


def _middle(low: str, high: str) -> str:
    digits = ""
    while True:
        at = len(digits)
        below = DIGITS.index(low[at]) if at < len(low) else -1
        above = DIGITS.index(high[at]) if at < len(high) else BASE
        if above - below > 1:
            return digits + DIGITS[(below + above) // 2]
        digits += DIGITS[max(below, 0)]
        if max(below, 0) < above:  # from here on anything behind `low` is before `high`
            high = ""

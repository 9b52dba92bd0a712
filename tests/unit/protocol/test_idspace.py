"""The circle: every case of a small one, and properties of the large one."""

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringnode.protocol.idspace import (
    ID_DIGITS,
    advance,
    between,
    distance,
    is_id,
    middle_of_largest_gap,
    owns,
    position,
)

POINTS = "0123456789abcdef"
ids = st.integers(0, 16**8 - 1).map(lambda n: format(n, "08x"))


def walk(a: str, b: str) -> list[str]:
    """The points passed going clockwise from a to b, both left out; all but a if they are the same."""
    passed, at = [], (int(a, 16) + 1) % 16
    while at != int(b, 16):
        passed.append(POINTS[at])
        at = (at + 1) % 16
    return passed


def test_between_and_owns_on_every_triple_of_a_small_circle() -> None:
    for a in POINTS:
        for b in POINTS:
            passed = walk(a, b)
            for x in POINTS:
                assert between(a, x, b) == (x in passed), (a, x, b)
                assert owns(a, b, x) == (x in passed or x == b), (a, b, x)


def test_every_key_has_one_owner() -> None:
    chance = random.Random(1)
    for _ in range(200):
        nodes = sorted(chance.sample(POINTS, chance.randint(1, 8)))
        for key in POINTS:
            owners = [n for i, n in enumerate(nodes) if owns(nodes[i - 1], n, key)]
            assert len(owners) == 1, (nodes, key)


@given(ids, ids)
def test_going_the_distance_arrives(a: str, b: str) -> None:
    assert advance(a, distance(a, b)) == b
    assert (distance(a, b) + distance(b, a)) % 16**8 == 0


@given(ids, ids, ids)
def test_order_by_distance_is_order_on_the_circle(a: str, x: str, b: str) -> None:
    if len({a, x, b}) == 3:
        assert between(a, x, b) == (distance(a, x) < distance(a, b))


@pytest.mark.parametrize("text", ["", "A" * 64, "g" * 64, "a" * 63, "a" * 65, None, 5, b"a" * 64, "１" * 64])
def test_what_is_no_id(text: object) -> None:
    assert not is_id(text)


def test_positions_are_ids() -> None:
    assert is_id(position("user", "ana")) and position("user", "ana") != position("users", "ana")


@pytest.mark.parametrize("seed", range(12))
def test_ids_chosen_one_by_one_divide_the_circle_evenly(seed: int) -> None:
    chance = random.Random(seed)
    chosen: list[str] = []
    for count in range(1, 51):
        chosen = sorted([*chosen, middle_of_largest_gap(chosen, chance.getrandbits(256))])
        assert len(set(chosen)) == count and all(is_id(i) for i in chosen)
        arcs = [distance(a, b) for a, b in zip(chosen, chosen[1:] + chosen[:1], strict=True)]
        stored = [arc + arcs[n - 1] + arcs[n - 2] for n, arc in enumerate(arcs) if count >= 5]  # k = 3
        assert not stored or max(stored) / statistics.mean(stored) <= 1.4, (seed, count)


@given(st.lists(ids, max_size=20), st.integers(0, 2**256))
def test_a_chosen_id_is_free(taken: list[str], chance: int) -> None:
    if len(set(taken)) < 20:
        assert middle_of_largest_gap(taken, chance, 8) not in taken


def test_an_id_is_as_wide_as_a_key() -> None:
    assert ID_DIGITS == 64 and is_id(middle_of_largest_gap([], 7))

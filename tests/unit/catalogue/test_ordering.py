import itertools
import random

import pytest

from ringnode.catalogue.ordering import between, run

SEED = random.randrange(1 << 30)


def test_there_is_always_room_between_two_places() -> None:
    print("seed", SEED)
    chance = random.Random(SEED)
    places: list[str] = []
    for _ in range(2000):
        at = chance.choice([0, len(places), chance.randrange(len(places) + 1)])
        low, high = places[at - 1] if at else "", places[at] if at < len(places) else ""
        new = run(low, high, chance.choice([1, 1, 2, 9]), chance.randrange)
        row = [low, *new, *([high] if high else [])]
        assert all(a < b for a, b in itertools.pairwise(row)), (low, high, new)
        places[at:at] = new
    assert places == sorted(set(places))


@pytest.mark.parametrize("at_end", [True, False])
def test_places_at_the_ends_stay_short(at_end: bool) -> None:
    place = between("", "", random.Random(1).randrange)
    for _ in range(20_000):
        place = between(place, "", random.randrange) if at_end else between("", place, random.randrange)
    assert len(place) < 12


def test_rows_put_at_the_same_place_by_two_do_not_mix() -> None:
    chance = random.Random(SEED)
    a, b = (run("V", "W", 50, chance.randrange) for _ in range(2))
    both = sorted([*a, *b])
    assert both in ([*a, *b], [*b, *a])

"""The whole library under faults, with some seeds; `make sim SEED=s SEEDS=n` runs more of them."""

from collections.abc import Callable

import pytest
from many import printed_twice, tell_all
from scenarios import told
from tales import TALES

LIVES = 200
# What enough lives must have seen, or they prove little.
MUST = (
    "acknowledged", "a record's peer was adopted", "refuted", "said suspect", "said down", "left", "given up",
    "leases", "a second opinion saved a peer, or a sleeper doubted itself", "files moved", "forgot a tombstone",
    "full", "split", "parked a record from the future", "clock jumped", "noise",
)  # fmt: skip


@pytest.mark.timeout(900)  # a minute on two cores of its own, and a busy machine is no failure
def test_lives() -> None:
    """Nothing is lost in any of them, and everything that must happen did."""
    failures, seen = tell_all(range(20_000, 20_000 + LIVES), "library_life")
    assert not failures, f"{len(failures)} of {LIVES} seeds failed"
    assert not [what for what in MUST if not seen[what]]


@pytest.mark.parametrize("tale", TALES)
@pytest.mark.parametrize("seed", range(3))
def test_tales(tale: Callable[..., None], seed: int) -> None:
    told(tale, seed)


def test_one_seed_is_one_life_in_every_process() -> None:
    code = "from library import library_life\nprint(*[library_life(seed).world.trace.hexdigest() for seed in (3, 4)])"
    assert len(set(printed_twice(code))) == 1

"""The whole library under faults, with a few seeds; `make sim SEED=s SEEDS=n` runs more of them."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from library import library_life
from scenarios import told
from seen import SEEN
from tales import TALES

LIVES = 40
AT_ONCE = 10  # lives a test

# What enough lives must have seen, or they prove little.
MUST = (
    "acknowledged", "a record's peer was adopted", "refuted", "said suspect", "said down", "left", "given up",
    "leases", "a second opinion saved a peer, or a sleeper doubted itself", "files moved", "forgot a tombstone",
    "full", "split", "parked a record from the future", "clock jumped", "noise",
)  # fmt: skip


@pytest.mark.parametrize("first", range(20_000, 20_000 + LIVES, AT_ONCE))
def test_lives(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        told(library_life, seed)


@pytest.mark.parametrize("tale", TALES)
@pytest.mark.parametrize("seed", range(3))
def test_tales(tale: Callable[..., None], seed: int) -> None:
    told(tale, seed)


def test_everything_that_must_happen_did() -> None:
    """Over the lives of this file; it says nothing where they were not run."""
    if SEEN["lives"] < LIVES:
        pytest.skip("the lives above were not all run in this process")
    assert not [what for what in MUST if not SEEN[what]]


def test_one_seed_is_one_life_in_every_process() -> None:
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from library import library_life\n"
        "print(*[library_life(seed).world.trace.hexdigest() for seed in (3, 4)])"
    )
    here = Path(__file__).parent
    traces = {
        subprocess.run(
            [sys.executable, "-c", code, str(here), str(here.parents[1])],
            env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(traces) == 1 and len(traces.pop()) > 120

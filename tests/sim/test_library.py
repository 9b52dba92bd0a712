"""The whole library under faults, with a few seeds; `make sim SEED=s SEEDS=n` runs more of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from library import library_life
from scenarios import told
from seen import SEEN

LIVES = 200
AT_ONCE = 20

# Seeds that once failed, and what they showed.
ONCE = {
    0: "a step that went on after its node had parted gave it pointers again",
    16: "a step that went on after its node had parted asked for a successor",
    48: "the file of a deleted song went while its bytes were arriving again",
    110: "a node whose clock is behind wrote over what it could not read",
    210: "a process whose clock had been ahead went on with stamps from the future",
    1008: "all nodes restarted at once",
    10243: "a deleted song's file went before the record of the same bytes came",
    10264: "keys of a node that leaves could not be found by way of records",
    **dict.fromkeys((6, 13, 39, 137), "given up by a rule of the oracle that was none"),
}

# What enough lives must have seen, or they prove little.
MUST = (
    "acknowledged", "a record's peer was adopted", "rescued", "refuted", "said suspect", "said down", "left",
    "a second opinion saved a peer, or a sleeper doubted itself", "parted, being expelled", "given up", "leases",
    "handed to a spare", "files moved", "forgot a tombstone", "parked a record from the future", "rolled back",
    "rotten", "put aside as damaged", "wiped", "full", "split", "clock jumped", "noise", "two founders",
)  # fmt: skip


@pytest.mark.parametrize("first", range(20_000, 20_000 + LIVES, AT_ONCE))
def test_lives(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        told(library_life, seed)


@pytest.mark.parametrize("seed", ONCE)
def test_lives_that_failed_once(seed: int) -> None:
    told(library_life, seed)


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

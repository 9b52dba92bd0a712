"""A short run of `chaos.py`, with a fixed seed; `make chaos MINUTES=n SEED=s` runs it longer."""

import subprocess
import sys
from pathlib import Path

import pytest
from crowd import Deed, Song

RUN_MINUTES = 0.5
SEED = 1


@pytest.mark.timeout(300)
def test_nothing_is_lost_while_nodes_die_and_the_network_fails() -> None:
    command = [sys.executable, str(Path(__file__).with_name("chaos.py"))]
    options = ["--seed", str(SEED), "--minutes", str(RUN_MINUTES)]
    run = subprocess.run([*command, *options], capture_output=True, text=True, timeout=280)
    assert run.returncode == 0, run.stdout + run.stderr
    print(run.stdout)


def song(*deeds: tuple[str | None, float, bool | None]) -> Song:
    told = [Deed(title, began, began + 1 if said is not None else float("inf"), said) for title, began, said in deeds]
    return Song("ab" * 32, Path("a.wav"), told)


def test_what_people_were_told_says_how_it_may_end() -> None:
    added, edited, deleted = ("a", 0, True), ("b", 2, True), (None, 4, True)
    assert song().possible([]) == {None}
    assert song(added, edited).possible([]) == {"b"}
    assert song(added, edited, deleted).possible([]) == {None}
    assert song(added, edited, deleted, ("c", 6, True)).possible([]) == {"c"}


def test_what_was_never_answered_may_have_happened_or_not() -> None:
    assert song(("a", 0, None)).possible([]) == {None, "a"}
    assert song(("a", 0, False)).possible([]) == {None}
    assert song(("a", 0, True), ("b", 2, None)).possible([]) == {"a", "b"}
    assert song(("a", 0, True), ("b", 2, None), ("c", 40, True)).possible([]) == {"c"}


def test_what_two_sides_did_may_both_stand() -> None:
    deeds = song(("a", 0, True), ("b", 2, True), (None, 4, True))
    assert deeds.possible([(3.5, 9)]) == {"b", None}
    assert deeds.possible([(6, 9)]) == {None}

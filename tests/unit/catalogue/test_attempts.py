"""Who guesses waits longer and longer; nobody else does."""

from pathlib import Path

import pytest

from ringnode.catalogue import attempts
from ringnode.catalogue.attempts import FREE, LONGEST_S, Attempts
from ringnode.catalogue.database import Database


class Clock:
    now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


def test_the_wait_doubles_up_to_a_limit_and_ends() -> None:
    clock = Clock()
    guesses = Attempts(Database(":memory:"), clock)
    waits = []
    for _ in range(FREE + 14):
        guesses.failed("6.6.6.6", "ana")
        waits.append(guesses.wait_s("6.6.6.6", "ana"))
    assert waits[: FREE - 1] == [0] * (FREE - 1)
    assert waits[FREE - 1 : FREE + 3] == [1, 2, 4, 8] and waits[-1] == LONGEST_S
    clock.now_s += LONGEST_S + 1
    assert guesses.wait_s("6.6.6.6", "ana") == 0
    guesses.failed("6.6.6.6", "ana")
    assert guesses.wait_s("6.6.6.6", "ana") == LONGEST_S, "what was wrong before is remembered"
    clock.now_s += attempts.FORGOTTEN_S + 1
    guesses.failed("6.6.6.6", "ana")
    assert guesses.wait_s("6.6.6.6", "ana") == 0, "after an hour it is forgotten"


def test_neither_another_address_nor_another_name_has_to_wait() -> None:
    guesses = Attempts(Database(":memory:"), Clock())
    for _ in range(FREE):
        guesses.failed("2001:db8:1:2::1", "ana")
    assert guesses.wait_s("2001:db8:1:2:ffff::9", "ana") > 0, "the same network"
    assert guesses.wait_s("2001:db8:1:3::1", "ana") == guesses.wait_s("10.0.0.1", "ana") == 0
    assert guesses.wait_s("2001:db8:1:2::1", "ben") == 0
    guesses.succeeded("2001:db8:1:2::7", "ana")
    assert guesses.wait_s("2001:db8:1:2::1", "ana") == 0


def test_workers_count_as_one_and_few_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "WATCHED", 10)
    clock = Clock()
    a, b = Database(tmp_path / "c.db"), Database(tmp_path / "c.db")
    for n in range(FREE):
        (Attempts(a, clock) if n % 2 else Attempts(b, clock)).failed("6.6.6.6", "ana")
    assert Attempts(a, clock).wait_s("6.6.6.6", "ana") == Attempts(b, clock).wait_s("6.6.6.6", "ana") == 1
    for n in range(30):
        clock.now_s += 1
        Attempts(a, clock).failed("not an address", f"user {n}")
    assert a.value("SELECT count(*) FROM attempt") == 10
    a.close()
    b.close()

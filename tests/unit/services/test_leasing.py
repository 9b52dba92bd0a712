"""Only one at a time, and who has lost a lease hears of it."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import eventually

from ringnode.catalogue.database import Database
from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import Conflict, PeerBusy, PeerDown
from ringnode.objects.peers import Peers
from ringnode.protocol.chord import Ring
from ringnode.protocol.leases import TERM_S, Leases
from ringnode.protocol.messages import Peer, Wait
from ringnode.services.durability import Durability
from ringnode.services.leasing import Held
from ringnode.storage.blobs import Blobs

HOME = Peer("ab" * 32, "127.0.0.1:7700", 1)


class Alone(Peers):
    """A ring of one node, that grants leases by a clock in the test's hand."""

    def __init__(self) -> None:
        super().__init__(1.0)
        self.now = 0.0
        self.silent = False
        self.asked = 0
        ring = Ring(HOME, lambda: self.now)
        ring.found()
        ring.stale_s = float("inf")  # its clock leaps
        self.ring = ring
        self.run(ring.maintain())
        self.now = TERM_S  # firm for a whole term
        self.leases = Leases(ring, lambda: int(self.now * 1000))

    def call(self, address: str, method: str, *args: Any, **more: Any) -> Any:
        if self.silent:
            raise PeerDown("silent")
        if method == "links":
            return self.ring.links()
        if method == "notify":
            return self.ring.notify(*args)
        if method == "find_successor":
            return HOME
        if method == "lease":
            self.asked += 1
            return self.run(self.leases.grant(*args))
        assert method == "release"
        return self.run(self.leases.release(*args))


@pytest.fixture
def ring() -> Iterator[Alone]:
    ring = Alone()
    yield ring
    ring.close()


def test_the_second_is_refused_until_the_first_is_done(ring: Alone) -> None:
    with Held(ring, HOME, "account/anna") as first:
        first.require()
        with Held(ring, HOME, "account/bert") as other:
            other.require()
        with pytest.raises(Conflict, match="account/anna"), Held(ring, HOME, "account/anna"):
            raise AssertionError
    with Held(ring, HOME, "account/anna") as second:
        assert second.number > first.number


def test_it_is_given_back_also_after_an_error(ring: Alone) -> None:
    with pytest.raises(ZeroDivisionError), Held(ring, HOME, "x"):
        raise ZeroDivisionError
    with Held(ring, HOME, "x"):
        pass


def test_a_long_task_keeps_it(ring: Alone) -> None:
    with Held(ring, HOME, "x", renew_s=0.01) as held:
        for _ in range(5):
            ring.now += TERM_S / 2
            seen = ring.asked
            eventually(lambda seen=seen: ring.asked > seen + 1)
            held.require()
        with pytest.raises(Conflict), Held(ring, HOME, "x"):
            raise AssertionError


def test_who_lost_it_to_another_hears_of_it(ring: Alone) -> None:
    with Held(ring, HOME, "x", renew_s=0.01) as held:
        ring.silent = True
        seen = ring.asked
        ring.now += TERM_S + 1
        ring.run(ring.leases.grant("x", "another"))
        ring.silent = False
        eventually(lambda: ring.asked > seen)
        eventually(lambda: raises(held.require))
    with pytest.raises(Conflict), Held(ring, HOME, "x"):  # and does not give back what is another's
        raise AssertionError


def test_who_lost_it_for_a_while_hears_of_it_too(ring: Alone) -> None:
    with Held(ring, HOME, "x", renew_s=0.01) as held:
        ring.now += TERM_S + 1  # ran out, and might have been another's before it was renewed
        eventually(lambda: raises(held.require))


def raises(check: Any) -> bool:
    try:
        check()
    except Conflict:
        return True
    return False


def test_of_many_threads_one_gets_it(ring: Alone, tmp_path: Path) -> None:
    db = Database(tmp_path / "c.db")
    config = Config.load({"address": HOME.address}, {})
    durability = Durability(config, ring, Records(db, "n", lambda: 1), Blobs(tmp_path / "music"))
    inside, refused, barrier = [], [], threading.Barrier(8)

    def one() -> None:
        barrier.wait()
        try:
            with durability.lease("account/anna"):
                inside.append(1)
                eventually(lambda: len(refused) == 7)
        except Conflict:
            refused.append(1)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.close()
    assert (len(inside), len(refused)) == (1, 7)


def test_nobody_to_grant_it_is_said(ring: Alone) -> None:
    ring.silent = True
    ring.effects[Wait] = lambda _: None
    with pytest.raises(PeerBusy, match="nobody can grant x"), Held(ring, HOME, "x"):
        raise AssertionError

"""Where leases lie, and that they are free at once when they are given back: two nodes, each the other's witness."""

import pytest

from ringnode.errors import Conflict, PeerDown
from ringnode.protocol.chord import Ring
from ringnode.protocol.idspace import is_id
from ringnode.protocol.leases import TERM_S, Leases, place_of
from ringnode.protocol.messages import Peer


def test_a_repair_is_granted_where_its_file_lies_and_all_else_where_its_hash_says() -> None:
    key = "ab" * 32
    assert place_of(f"repair/{key}") == key
    for name in ("account/abba", "account/dada", "invitation/c0039754831b9bb3", f"change/song/{key}", "x"):
        assert is_id(place_of(name)) and place_of(name) != key, name
    assert place_of("account/abba") != place_of("account/dada")


class Pair:
    """Two nodes of one ring; each is the other's witness. Steps are driven at once, calls go to the other."""

    def __init__(self) -> None:
        self.now = 0.0
        self.peers = [Peer(digit * 64, f"{digit}:1") for digit in "4c"]
        self.rings = [Ring(me, lambda: self.now) for me in self.peers]
        for ring, other in zip(self.rings, reversed(self.peers), strict=True):
            ring.found()
            ring.successors, ring.predecessor, ring._firm_since = [other], other, 0.0
            ring.stale_s = float("inf")  # its clock leaps
        self.leases = {ring.me: Leases(ring, lambda: int(self.now * 1000)) for ring in self.rings}
        self.silent = False
        self.now = 2 * TERM_S

    def run(self, step):
        value, resume = None, step.send
        while True:
            try:
                call = resume(value)
            except StopIteration as done:
                return done.value
            resume = step.send
            if self.silent:
                value, resume = PeerDown("silent"), step.throw
                continue
            try:
                value = getattr(self.leases[call.peer], call.method)(*call.args)
                value = self.run(value) if hasattr(value, "send") else value
            except Conflict as error:
                value, resume = error, step.throw

    def at_owner(self, method, *args):
        owner = next(p for p, ring in zip(self.peers, self.rings, strict=True) if ring.owns(place_of(args[0])))
        return self.run(getattr(self.leases[owner], method)(*args))


@pytest.mark.parametrize("name", ["account/ana", "account/ben", "change/user/ana"])
def test_what_was_given_back_is_free_at_once_also_for_the_witness(name):
    pair = Pair()
    first = pair.at_owner("grant", name, "me")
    with pytest.raises(Conflict):
        pair.at_owner("grant", name, "you")
    pair.at_owner("release", name, "you", first)  # not yours
    with pytest.raises(Conflict):
        pair.at_owner("grant", name, "you")
    pair.at_owner("release", name, "me", first - 1)  # of a lease of before, said late
    with pytest.raises(Conflict):
        pair.at_owner("grant", name, "you")
    pair.at_owner("release", name, "me", first)
    assert pair.at_owner("grant", name, "you") > first


def test_a_witness_that_is_not_reached_lets_it_run_out():
    pair = Pair()
    number = pair.at_owner("grant", "account/ana", "me")
    pair.silent = True
    pair.at_owner("release", "account/ana", "me", number)
    pair.silent = False
    with pytest.raises(Conflict):
        pair.at_owner("grant", "account/ana", "you")
    pair.now += TERM_S + 1
    assert pair.at_owner("grant", "account/ana", "you")

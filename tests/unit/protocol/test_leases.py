"""Leases of one node, its witness answered by hand."""

import pytest

from ringnode.errors import Conflict, PeerBusy
from ringnode.protocol.chord import Ring
from ringnode.protocol.leases import TERM_S, Leases, place_of
from ringnode.protocol.messages import Call, Peer

NAME = "account/anna"


def peer(id: str) -> Peer:
    return Peer(id * 64, f"node-{id}", 1)


class Firm(Ring):
    """Owns every key and has long been sure of it, or has not."""

    sure_s = 1000.0

    def owns(self, key: str) -> bool:
        return True

    def firm_s(self) -> float:
        return self.sure_s


def made() -> tuple[list[float], Firm, Leases]:
    now = [100.0]
    ring = Firm(peer("5"), lambda: now[0])
    ring.predecessor, ring.successors = peer("3"), [peer("7")]
    return now, ring, Leases(ring, lambda: int(now[0] * 1000))


def granted(leases: Leases, holder: str) -> int:
    step = leases.grant(NAME, holder)
    call = next(step)
    assert isinstance(call, Call) and (call.peer, call.method) == (peer("7"), "witness")
    with pytest.raises(StopIteration) as end:
        step.send(None)
    return int(end.value.value)


def test_one_holder_at_a_time_and_numbers_that_grow() -> None:
    now, _, leases = made()
    first = granted(leases, "a")
    with pytest.raises(Conflict):
        next(leases.grant(NAME, "b"))
    assert granted(leases, "a") == first, "the same lease, for longer"
    now[0] += TERM_S
    assert granted(leases, "b") > first


def released(leases: Leases, holder: str, number: int) -> list[Call]:
    """Whom it passes that on to."""
    return [call for call in leases.release(NAME, holder, number) if isinstance(call, Call)]


def test_a_lease_given_back_is_free_also_at_the_witness_and_no_newer_one_ends_with_it() -> None:
    _, _, leases = made()
    first = granted(leases, "a")
    assert released(leases, "b", first) == [], "it is not b's"
    assert [(c.peer, c.method, c.args) for c in released(leases, "a", first)] == [
        (peer("7"), "release", (NAME, "a", first))
    ]
    second = granted(leases, "a")
    assert second > first
    assert released(leases, "a", first) == [], "said late, or twice"
    with pytest.raises(Conflict):
        next(leases.grant(NAME, "b"))
    _, ring, witness = made()
    ring.owns = lambda key: False  # type: ignore[method-assign]
    witness.witness(NAME, "a", second)
    assert released(witness, "a", first) == []
    with pytest.raises(Conflict):
        witness.witness(NAME, "b", second + 1)
    assert released(witness, "a", second) == [], "it tells nobody"
    witness.witness(NAME, "b", second + 1)


def test_an_unsure_node_grants_nothing_new_also_not_what_ran_out() -> None:
    now, ring, leases = made()
    granted(leases, "a")
    ring.sure_s = TERM_S - 1
    granted(leases, "a")
    now[0] += TERM_S
    with pytest.raises(PeerBusy):
        next(leases.grant(NAME, "a"))  # another may have had it since, from another node


def test_a_node_that_slept_over_the_answer_of_its_witness_grants_nothing() -> None:
    now, _, leases = made()
    step = leases.grant(NAME, "a")
    next(step)
    now[0] += TERM_S
    with pytest.raises(PeerBusy):
        step.send(None)


def test_a_witness_refuses_a_second_and_what_is_its_own_to_grant() -> None:
    _, ring, leases = made()
    with pytest.raises(PeerBusy):
        leases.witness(NAME, "a", 1)
    ring.owns = lambda key: False  # type: ignore[method-assign]
    leases.witness(NAME, "a", 1)
    with pytest.raises(Conflict):
        leases.witness(NAME, "b", 2)


def test_a_lease_on_a_file_lies_where_the_file_does() -> None:
    key = "ab" * 32
    assert place_of(f"repair/{key}") == key and len(place_of(NAME)) == 64

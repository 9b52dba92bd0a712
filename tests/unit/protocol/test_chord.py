"""What one node answers, and its steps driven by hand."""

from typing import Any

import pytest

from ringnode.errors import NotJoined, PeerBusy, PeerDown, PeerRefused
from ringnode.protocol.chord import MUTE_S, STALE_S, Ring
from ringnode.protocol.messages import Call, Peer, Route


def peer(i: str) -> Peer:
    return Peer(i, f"node-{i}", 1)


def ring(me: str = "5", predecessor: str = "3", successors: str = "79", length: int = 4) -> Ring:
    made = Ring(peer(me), lambda: 100.0, length)
    made.predecessor, made.successors = peer(predecessor), [peer(i) for i in successors]
    return made


def links(me: str, predecessor: str, successors: str) -> list[Any]:
    """As they come from the wire."""
    return [list(peer(me)), list(peer(predecessor)), [list(peer(i)) for i in successors]]


def names(peers: list[Peer]) -> str:
    return "".join(p.id for p in peers)


def test_before_it_joined_it_answers_for_nothing() -> None:
    new = Ring(peer("5"), lambda: 0.0)
    assert not new.joined and not new.owns("5")
    for ask in (new.links, lambda: new.route("5"), lambda: next(new.find_successor("5"))):
        with pytest.raises(NotJoined):
            ask()


def test_it_owns_what_lies_behind_its_predecessor() -> None:
    assert [k for k in "0123456789abcdef" if ring().owns(k)] == ["4", "5"]
    alone = Ring(peer("5"), lambda: 0.0)
    alone.found()
    assert all(alone.owns(k) for k in "0123456789abcdef")


def test_a_route_is_found_or_leads_closer() -> None:
    assert ring().route("4") == Route(ring().links(), [])
    assert ring().route("6").found is None and names(ring().route("6").closer)[0] == "7"
    assert names(ring().route("8").closer)[0] == "9"
    assert names(ring().route("1").closer)[0] == "9", "cold: the closest before the key"


def test_a_warm_node_names_the_owner_it_believes_in_first() -> None:
    warm = ring()
    warm.known = {i: peer(i) for i in "13579bdf"}
    assert names(warm.route("c").closer) == "db97" + "31f"


def test_who_is_in_no_ring_is_not_named_until_it_joins() -> None:
    warm = ring()
    warm.known = {i: peer(i) for i in "13579bdf"}
    step = warm.find_successor("c")
    assert next(step).peer == peer("d")
    step.throw(NotJoined("on its way out"))
    assert names(warm.route("c").closer)[0] == "f" and "d" not in warm.mute
    warm.notify(peer("d"))
    assert names(warm.route("c").closer)[0] == "d"


def test_a_step_that_goes_on_after_the_node_has_parted_gives_it_no_pointers() -> None:
    for reply in (links("7", "6", "9b"), links("7", "5", "9b")):
        node = ring()
        step = node.maintain()
        next(step)
        node.part()
        with pytest.raises(NotJoined):
            step.send(reply)
        assert not node.joined and node.predecessor is None


def test_the_silent_are_not_named_until_they_speak() -> None:
    warm = ring()
    warm.known = {i: peer(i) for i in "13579bdf"}
    warm.silent(peer("d"))
    assert "d" not in names(warm.route("c").closer)
    warm.notify(peer("d"))
    assert "d" in names(warm.route("c").closer)


def test_nobody_calls_itself_silent() -> None:
    me = ring()
    me.silent(me.me)
    assert me.mute == {}


def test_members_are_the_live_and_those_not_long_gone() -> None:
    now = [0.0]
    made = Ring(peer("5"), lambda: now[0])
    made.known = {i: peer(i) for i in "79b"}
    made.down["7"] = now[0]
    made.silent(peer("b"))
    now[0] = 10.0
    made.down["9"] = now[0]
    assert made.members(away_s=5) == 3 and made.members(away_s=20) == 4
    assert made.gone(peer("7"), 5) and not made.gone(peer("9"), 5) and not made.gone(peer("b"), 0)
    made.barred = frozenset("b")
    assert made.gone(peer("b"), 1000), "whoever left does not come back"


def test_a_peer_that_only_others_reach_is_gone_for_me_in_the_end() -> None:
    now = [0.0]
    made = Ring(peer("5"), lambda: now[0])
    made.silent(peer("7"))
    now[0] = MUTE_S
    assert made.gone(peer("7"), 0) and not made.gone(peer("7"), 600)


def test_who_left_is_asked_no_more_and_stands_in_no_list() -> None:
    me = ring(successors="79b")
    me.barred = frozenset("79")
    step = me.stabilise()
    assert next(step) == Call(peer("b"), "links")
    assert step.send(links("b", "9", "d7")).method == "notify"
    assert names(me.successors) == "bd" and not me.notify(peer("9"))


def told(me: Ring, now: list[float], said: str) -> None:
    """A round of upkeep each second, in which the successor says who is before it."""
    for before in said:
        now[0] += 1
        step = me.stabilise()
        next(step)
        step.send(links("7", before, "9"))


def test_my_keys_are_firmly_mine_once_both_neighbours_stay_the_same() -> None:
    now = [0.0]
    me = ring(predecessor="3", successors="79")
    me.now = lambda: now[0]
    assert me.firm_s() == 0
    told(me, now, "3555")
    assert me.firm_s() == 2
    me._point(predecessor=peer("4"))
    assert me.firm_s() == 2, "I have fewer keys, none is new"
    me._point(predecessor=peer("1"))
    assert me.firm_s() == 0


def test_a_node_that_joins_behind_me_takes_none_of_my_keys() -> None:
    now = [0.0]
    me = ring(predecessor="3", successors="79")
    me.now = lambda: now[0]
    told(me, now, "556")
    assert me.firm_s() == 2


def test_a_node_that_slept_is_sure_of_nothing() -> None:
    now = [0.0]
    me = ring(predecessor="3", successors="79")
    me.now = lambda: now[0]
    told(me, now, "555")
    now[0] += STALE_S + 1
    assert me.firm_s() == 0
    told(me, now, "55")
    assert me.firm_s() == 1, "what it missed, it does not know"


@pytest.mark.parametrize(
    ("told", "kept"),
    [("79b", "79b"), ("79bdf", "79bd"), ("795", "79"), ("7957", "79"), ("7939", "793"), ("5", "5"), ("", "5"),
     ("77", "7"),
     ("97", "9"), ("f1379", "f13")],
)  # fmt: skip
def test_a_list_is_clockwise_and_ends_where_it_comes_round(told: str, kept: str) -> None:
    assert names(ring()._trim(peer(i) for i in told)) == kept


def test_stabilise_takes_over_its_successors_list_and_notifies() -> None:
    me = ring(successors="79")
    step = me.stabilise()
    assert next(step) == Call(peer("7"), "links")
    assert step.send(links("7", "5", "9bd")) == Call(peer("7"), "notify", (me.me,))
    with pytest.raises(StopIteration):
        step.send(None)
    assert names(me.successors) == "79bd"


def test_stabilise_adopts_only_who_has_answered() -> None:
    me = ring(successors="79")
    step = me.stabilise()
    next(step)
    assert step.send(links("7", "6", "9")) == Call(peer("6"), "links")
    assert names(me.successors) == "79", "not yet"
    assert step.throw(PeerDown("dead")) == Call(peer("7"), "notify", (me.me,))
    assert names(me.successors) == "79"


def test_stabilise_passes_over_the_dead_in_one_step() -> None:
    me = ring(successors="79b")
    step = me.stabilise()
    next(step)
    assert step.throw(PeerDown("dead")) == Call(peer("9"), "links")
    assert step.throw(NotJoined("restarted")) == Call(peer("b"), "links")
    assert step.send(links("b", "5", "d")).method == "notify"
    assert names(me.successors) == "bd" and "7" in me.mute


@pytest.mark.parametrize("error", [PeerBusy("full"), PeerRefused("certificate")])
def test_busy_and_refused_are_not_death(error: Exception) -> None:
    me = ring(successors="79")
    step = me.stabilise()
    next(step)
    with pytest.raises(StopIteration):
        step.throw(error)
    assert names(me.successors) == "79" and me.mute == {}


def test_someone_else_at_an_address_is_a_death() -> None:
    me = ring(successors="79")
    step = me.stabilise()
    next(step)
    assert step.send(links("c", "5", "d")) == Call(peer("9"), "links")


def test_when_all_died_a_known_peer_rescues() -> None:
    me = ring(successors="7")
    me.known = {"d": peer("d"), "b": peer("b")}
    step = me.stabilise()
    next(step)
    assert step.throw(PeerDown("dead")) == Call(peer("b"), "links")
    assert step.throw(PeerDown("dead")) == Call(peer("d"), "links")
    with pytest.raises(StopIteration):
        step.send(links("d", "3", "f1"))
    assert names(me.successors) == "df1"


def test_when_nobody_answers_it_goes_on_alone() -> None:
    me = ring(successors="7")
    step = me.stabilise()
    next(step)
    with pytest.raises(StopIteration):
        step.throw(PeerDown("dead"))
    assert me.successors == [me.me] and me.predecessor == me.me


def test_rectify_asks_before_it_replaces() -> None:
    me = ring(predecessor="3")
    me.notify(peer("4"))
    step = me.rectify()
    assert next(step) == Call(peer("4"), "links")
    with pytest.raises(StopIteration):
        step.send(links("4", "3", "5"))
    assert me.predecessor == peer("4")
    me.notify(peer("2"))
    step = me.rectify()
    assert next(step) == Call(peer("4"), "links"), "is the present one dead?"
    with pytest.raises(StopIteration):
        step.send(links("4", "2", "5"))
    assert me.predecessor == peer("4")
    me.notify(peer("2"))
    step = me.rectify()
    next(step)
    assert step.throw(PeerDown("dead")) == Call(peer("2"), "links")
    with pytest.raises(StopIteration):
        step.send(links("2", "1", "5"))
    assert me.predecessor == peer("2")


def test_the_nearest_notifier_waits() -> None:
    me = ring(predecessor="1")
    for i in ("2", "4", "3"):
        me.notify(peer(i))
    assert next(me.rectify()) == Call(peer("4"), "links")


def test_join_copies_the_whole_list_of_its_predecessor() -> None:
    me = Ring(peer("5"), lambda: 0.0, 4)
    step = me.join(peer("b"))
    assert next(step) == Call(peer("b"), "route", ("5",))
    assert step.send([None, [list(peer("7"))]]) == Call(peer("7"), "route", ("5",))
    assert step.send([links("7", "3", "9b"), []]) == Call(peer("3"), "links")
    assert step.send(links("3", "1", "79b")) == Call(me.me, "kick", ("stabilise",)), "only upkeep changes pointers"
    assert names(me.successors) == "79b" and me.predecessor == peer("3")
    assert step.send(None) == Call(peer("3"), "kick", ("stabilise",))
    with pytest.raises(StopIteration):
        step.send(None)


def joining(before: str) -> Any:
    """A join that has found its predecessor and asks for its pointers."""
    step = Ring(peer("5"), lambda: 0.0, 4).join(peer("7"))
    next(step)
    assert step.send([links("7", before, "9b"), []]) == Call(peer(before), "links")
    return step


def test_join_goes_on_where_the_ring_has_moved() -> None:
    step = joining("2")
    assert step.send(links("2", "1", "479")) == Call(peer("4"), "links"), "another came in between"
    assert step.send(links("4", "2", "79b")).method == "kick"


def test_join_waits_until_its_former_self_is_dropped() -> None:
    with pytest.raises(PeerBusy, match="still in use"):
        joining("3").send(links("3", "1", "579"))


@pytest.mark.parametrize("error", [PeerDown("dead"), PeerBusy("full"), NotJoined("restarted")])
def test_a_join_that_fails_leaves_no_pointers(error: Exception) -> None:
    me = Ring(peer("5"), lambda: 0.0)
    step = me.join(peer("7"))
    next(step)
    step.send([links("7", "3", "9b"), []])
    with pytest.raises(type(error)):
        step.throw(error)
    assert not me.joined and me.predecessor is None


def test_the_nearest_live_known_peer_is_a_candidate() -> None:
    me = ring(successors="9b")
    me.known = {i: peer(i) for i in "678d"}
    me.silent(peer("6"))
    step = me.candidate()
    assert next(step) == Call(peer("7"), "links")
    with pytest.raises(StopIteration):
        step.send(links("7", "3", "9bd"))
    assert names(me.successors) == "79bd"
    me.known = {"d": peer("d")}
    assert list(me.candidate()) == [], "nobody was passed over"


def test_fingers_reach_beyond_the_successor_only() -> None:
    me = ring(me="5", predecessor="3", successors="7", length=1)
    me.fingers = {0: peer("7")}
    for i, owner in ((2, "9"), (3, "d"), (2, "b")):
        step = me.fix_finger()
        assert next(step).method == "route"
        with pytest.raises(StopIteration):
            step.send([links(owner, "8", "f"), []])
        assert me.fingers[i] == peer(owner)
    assert sorted(me.fingers) == [2, 3], "7 = 5 + 2 needs no finger"


def test_a_lookup_asks_the_next_best_when_one_is_silent() -> None:
    me = ring(successors="79")
    step = me.find_successor("c")
    asked = [next(step).peer]
    asked.append(step.throw(PeerDown("dead")).peer)
    asked.append(step.throw(PeerBusy("full")).peer)
    assert names(asked) == "973" and "9" in me.mute and "7" not in me.mute
    with pytest.raises(StopIteration) as end:
        step.send([links("3", "b", "5"), []])
    assert end.value.value.me == peer("3")


def test_a_lookup_waits_for_long_only_where_nobody_else_is_left_to_ask() -> None:
    me = ring(successors="7")
    me.patience_s = 0.75
    step = me.find_successor("c")
    assert next(step) == Call(peer("7"), "route", ("c",), 0.75)
    assert step.throw(PeerDown("dead")) == Call(peer("3"), "route", ("c",), None)


def test_a_lookup_ends_when_nobody_is_left() -> None:
    step = ring(successors="7").find_successor("c")
    next(step)
    step.throw(PeerDown("dead"))
    assert step.throw(PeerDown("dead")) == Call(peer("5"), "links"), "whom else does it know?"
    with pytest.raises(PeerDown):
        step.send(links("5", "3", "7"))


def test_while_an_owner_is_dead_and_not_replaced_the_next_live_node_is_the_answer() -> None:
    step = ring(successors="79").find_successor("8")
    assert next(step).peer == peer("9")
    assert step.throw(PeerDown("dead")).peer == peer("7")
    answer = [None, [list(peer(i)) for i in "975"]]
    assert step.send(answer) == Call(peer("7"), "links"), "nobody between 7 and the key is left to ask"
    assert step.send(links("7", "5", "9bd")).peer == peer("b"), "9 is not asked twice"
    with pytest.raises(StopIteration) as end:
        step.send(links("b", "9", "d"))
    assert end.value.value.me == peer("b")


def test_a_busy_owner_is_not_passed_over() -> None:
    step = ring(successors="79").find_successor("8")
    next(step)
    step.throw(PeerBusy("full"))
    assert step.send([None, [list(peer("9"))]]) == Call(peer("7"), "links")
    assert step.send(links("7", "5", "9bd")).peer == peer("9")
    with pytest.raises(PeerBusy):
        step.throw(PeerBusy("full"))


@pytest.mark.parametrize("value", [None, 5, [], ["x"], ["A", "a:1", 1], ["", "a:1", 1], ["a", 5, 1], "abc"])
def test_what_is_no_peer_is_refused(value: object) -> None:
    with pytest.raises(PeerRefused):
        Peer.of(value)

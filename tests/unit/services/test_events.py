"""News: what happens, in order, to those who may know."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from alone import add_song, open_catalogue

from ringnode.catalogue.records import Records
from ringnode.errors import PeerDown, Unauthenticated
from ringnode.services import events
from ringnode.services.accounts import User
from ringnode.services.events import Event, Events, as_text

ANA, ADMIN = User("Ana", "listener"), User("root", "admin")


class Node:
    """The node's process, as far as it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.repair: dict[str, Any] = {"short": 0, "todo": 0, "secret": 1}

    def __call__(self) -> dict[str, Any]:
        self.asked += 1
        if not self.repair:
            raise PeerDown("starting")
        return {"repair": self.repair}


@pytest.fixture
def records() -> Records:
    return open_catalogue()


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def quick(records: Records, node: Node, monkeypatch: pytest.MonkeyPatch) -> Events:
    monkeypatch.setattr(events, "POLL_S", 0)
    monkeypatch.setattr(events, "STATE_S", 0)
    monkeypatch.setattr(events, "HEARTBEAT_S", 0)
    return Events(records, "mark", node)


def watch(at: Events, user: User = ANA, last_id: str = "") -> tuple[Iterator[Event | None], Event]:
    """The stream, and its first event."""
    stream = at.watch(user, last_id, lambda: user)
    first = next(stream)
    assert first
    return stream, first


def news(stream: Iterator[Event | None]) -> list[Event]:
    """What there is until there is nothing."""
    found = []
    while (event := next(stream)) is not None:
        found.append(event)
    return found


def test_songs_come_together_and_each_once(quick: Events, records: Records) -> None:
    stream, first = watch(quick)
    assert first.kind == "hello"
    assert [e.kind for e in news(stream)] == ["repair"]
    songs = [add_song(records, f"song {n}") for n in range(3)]
    records.merge([records.draft_edit(records.get("song", songs[0].id), {"deleted": True})])  # type: ignore[arg-type]
    (event,) = news(stream)
    assert (event.kind, event.data) == ("library", {"kind": "song", "ids": [s.id for s in songs], "more": False})
    assert news(stream) == []


def test_many_are_not_all_named(quick: Events, records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "IDS_LIMIT", 2)
    stream, _ = watch(quick)
    for n in range(5):
        add_song(records, f"song {n}")
    library = [e for e in news(stream) if e.kind == "library"]
    assert [(len(e.data["ids"]), e.data["more"]) for e in library] == [(2, True)]


def test_who_comes_again_misses_nothing_or_is_told(quick: Events, records: Records) -> None:
    stream, _ = watch(quick)
    song = add_song(records, "one")
    last = next(e for e in news(stream) if e.kind == "library").id
    stream.close()  # type: ignore[attr-defined]
    missed = add_song(records, "two")
    again, first = watch(quick, last_id=last)
    assert first.kind == "resume"
    assert [e.data["ids"] for e in news(again) if e.kind == "library"] == [[missed.id]] and song.id != missed.id
    for strange in (
        "other-1",
        "mark-999999",
        "mark-x",
        "mark-",
        "-",
        "x" * 500,
        "mark-1" + "0" * 60,
        "mark--1",
        "mark-²",
    ):
        assert watch(quick, last_id=strange)[1].kind == "reset", strange
    with records.db.write() as tx:
        tx.execute("DELETE FROM change WHERE number < 2")
    assert watch(quick, last_id="mark-0")[1].kind == "reset", "too much has happened since"


def test_who_leaves_between_two_events_comes_again_for_both(quick: Events, records: Records) -> None:
    stream, _ = watch(quick)
    add_song(records, "A")
    records.put("lyrics", "s1", {"text": "x"})
    first = next(event for event in stream if event and event.kind == "library")
    again, how = watch(quick, last_id=first.id)
    assert how.kind == "resume"
    kinds = [next(event for event in again if event and event.kind == "library").data["kind"] for _ in range(2)]
    assert kinds == ["song", "lyrics"]


def test_a_node_that_went_while_one_was_away_is_news(quick: Events, records: Records) -> None:
    doc = {"name": "cellar", "address": "a:1", "incarnation": 1, "state": "up"}
    peer = records.put("peer", "7f" * 32, doc)
    _, hello = watch(quick)
    records.merge([records.draft_edit(peer, {"state": "down"})])
    stream, _ = watch(quick, last_id=hello.id)
    assert next(event for event in stream if event and event.kind == "node").data["name"] == "cellar"


def test_who_is_too_slow_is_told_to_read_all_anew(quick: Events, records: Records) -> None:
    stream, _ = watch(quick)
    for n in range(3):
        add_song(records, f"{n}")
    with records.db.write() as tx:
        tx.execute("DELETE FROM change WHERE number < (SELECT max(number) FROM change)")
    assert next(event for event in stream if event and event.kind != "repair").kind == "reset"
    song = add_song(records, "later")
    assert next(event for event in stream if event and event.kind == "library").data["ids"] == [song.id]


def test_who_is_no_admin_any_more_hears_no_more_of_accounts(quick: Events, records: Records) -> None:
    stream = quick.watch(ADMIN, "", lambda: User("root", "listener"))
    assert next(stream)
    while next(stream) is not None:  # a heartbeat: the account was looked at again
        pass
    records.put("user", "eve", {"name": "eve"})
    song = add_song(records, "A")
    told = next(event for event in stream if event and event.kind == "library")
    assert told.data == {"kind": "song", "ids": [song.id], "more": False}


def test_nobody_hears_of_what_is_anothers(quick: Events, records: Records) -> None:
    stream, _ = watch(quick)
    boss, _ = watch(quick, ADMIN)
    records.put("playlist", "p1", {"owner": "eve", "public": False, "readers": []})
    records.put("playlist", "p2", {"owner": "eve", "public": False, "readers": ["ana"]})
    records.put("playlist", "p3", {"owner": "eve", "public": True})
    records.put("playlist", "p4", {"owner": "ana", "public": False})
    records.put("entry", "p1/e", {"song": "x"})
    records.put("entry", "p4/e", {"song": "x"})
    for owner in ("ana", "eve", "anab", "an"):
        records.put("mark", f"{owner}/song/1", {"rating": 1})
        records.put("session", f"{owner}/1", {})
    for kind in ("user", "audit", "invitation", "something new"):
        records.put(kind, "k", {"name": "k"})
    told = {e.data["kind"]: e.data["ids"] for e in news(stream) if e.kind == "library"}
    assert told == {"playlist": ["p2", "p3", "p4"], "mark": ["song/1"], "session": ["1"]}
    told = {e.data["kind"]: e.data["ids"] for e in news(boss) if e.kind == "library"}
    assert told == {"playlist": ["p3"], "user": ["k"], "audit": ["k"], "invitation": ["k"]}


def test_a_node_is_news_when_its_state_changes(quick: Events, records: Records) -> None:
    id = "ab" * 32
    records.put("peer", id, {"name": "cellar", "address": "a:1", "incarnation": 1})
    stream, _ = watch(quick)
    news(stream)
    for change in ({"free_bytes": 5}, {"verdict": ["suspect", 1, "cd" * 32]}, {"free_bytes": 6}, {"incarnation": 2}):
        records.merge([records.draft_edit(records.get("peer", id), change)])  # type: ignore[arg-type]
        told = [(e.kind, e.data["state"]) for e in news(stream)]
        expected = {"verdict": [("node", "suspect")], "incarnation": [("node", "up")]}.get(next(iter(change)), [])
        assert told == expected, change


def test_repairs_are_told_where_they_changed_and_the_node_is_asked_once_for_all(
    quick: Events, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = watch(quick)[0], watch(quick)[0]
    assert [e.data for e in news(first)] == [{"short": 0, "todo": 0}]
    node.repair = {}
    assert news(first) == [], "the node starts: nothing new"
    node.repair = {"short": 2, "todo": 1}
    assert [e.data for e in news(first)] == [node.repair]
    monkeypatch.setattr(events, "STATE_S", 1000)
    before = node.asked
    news(first)
    news(second)
    assert node.asked == before


def test_ones_own_uploads_are_told_as_they_go_on(
    records: Records, node: Node, quick: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = SimpleNamespace(id="u1", filename="a.mp3", size_bytes=9, offset=0, state="open", song="", why="secret")
    at: dict[str, list[Any]] = {"Ana": [mine], "root": []}
    both = Events(records, "mark", node, at.__getitem__)
    stream, other = watch(both)[0], watch(both, ADMIN)[0]
    assert {e.kind for e in news(stream)} == {"repair"}, "what was there before is read with a GET"
    news(other)
    mine.offset = 5
    (event,) = news(stream)
    assert event.kind == "upload" and event.data["offset"] == 5 and "why" not in event.data
    assert news(stream) == [] == news(other)
    at["Ana"] = []
    assert news(stream) == []


def test_it_ends_with_the_login_with_the_gateway_and_by_itself(
    quick: Events, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended() -> None:
        raise Unauthenticated("ended")

    assert [e.kind for e in quick.watch(ANA, "", ended) if e] == ["hello", "repair"]
    busy = quick.watch(ANA, "", ended)
    next(busy)
    add_song(records, "one")
    assert len(list(busy)) <= 2, "also where there is always news"
    stream, _ = watch(quick)
    news(stream)
    quick.closed.set()
    assert list(stream) == []
    quick.closed.clear()
    monkeypatch.setattr(events, "LIFE_S", -1)
    assert [e.kind for e in quick.watch(ANA, "", lambda: None) if e] == ["hello"]


def test_as_text() -> None:
    text = as_text(Event("node", {"name": "a\nevent: x"}, "m-1"))
    assert text.splitlines()[:2] == ["id: m-1", "event: node"] and text.endswith("\n\n")
    assert json.loads(text.splitlines()[2].removeprefix("data: ")) == {"name": "a\nevent: x"}
    assert as_text(None).startswith(":") and as_text(None).endswith("\n\n")


def test_the_log_of_changes_stays_short(records: Records) -> None:
    with records.db.write() as tx:
        tx.execute("INSERT INTO change VALUES (50000, 'song', 'x')")
    add_song(records, "one")
    assert records.db.rows("SELECT min(number), max(number) FROM change") == [(50000, 50001)]

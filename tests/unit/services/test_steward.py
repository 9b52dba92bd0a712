"""The ring as people see it, what its nodes hold, and what an admin has them do: over nodes in dictionaries."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from ringnode.catalogue.database import Database
from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import Conflict, NotFound, PeerDown
from ringnode.objects.peers import Peers
from ringnode.protocol.chord import Ring
from ringnode.protocol.membership import PATIENCE_S
from ringnode.protocol.messages import Peer
from ringnode.services.durability import Durability
from ringnode.services.overview import Overview
from ringnode.services.steward import Steward
from ringnode.services.union import Union
from ringnode.storage.blobs import Blobs

IDS = {name: f"{n:x}" * 64 for n, name in ((3, "a"), (8, "b"), (13, "c"))}
SONGS = [f"{n:02x}" * 32 for n in range(16)]


class Nodes(Peers):
    """A ring of three; `down` do not answer. Each holds files {key: bytes} and damaged ones."""

    def __init__(self) -> None:
        super().__init__(1.0)
        self.down: set[str] = set()
        self.files: dict[str, dict[str, int]] = {name: {} for name in IDS}
        self.damaged: dict[str, list[str]] = {name: [] for name in IDS}
        self.told: list[tuple[str, str]] = []
        self.asked: dict[str, float | None] = {}  # for how long
        self.states: dict[str, dict[str, Any]] = {name: {} for name in IDS}
        self.records: Records
        self.union: Union

    def call(self, address: str, method: str, *args: Any, **more: Any) -> Any:
        at = address.removesuffix(":1")
        self.asked[at] = more.get("timeout_s")
        if at in self.down:
            raise PeerDown(f"{at} is silent")
        answer: Callable[..., Any] = getattr(self, f"_{method}")
        return answer(at, *args)

    def _ping(self, at: str) -> dict[str, Any]:
        return {"peer": [IDS[at], f"{at}:1", 1], "joined": True}

    def _links(self, at: str) -> list[Any]:
        names = sorted(IDS)
        later = names[names.index(at) + 1 :] + names[: names.index(at)]
        return [[IDS[at], f"{at}:1", 1], None, [[IDS[n], f"{n}:1", 1] for n in later]]

    def _inventory(self, at: str, after: str, count: int) -> list[Any]:
        return [[key, size] for key, size in sorted(self.files[at].items()) if key > after][:count]

    def _aside(self, at: str, after: str, count: int) -> list[str]:
        return sorted(key for key in self.damaged[at] if key > after)[:count]

    def _union(self, at: str, after: str, count: int) -> Any:
        return asdict(self.union.page(after, count))

    def _leave(self, at: str) -> None:
        self.told.append((at, "leave"))

    def _scrub(self, at: str) -> None:
        self.told.append((at, "scrub"))

    def _owners(self, at: str, key: str, count: int) -> list[Any]:
        return [[IDS[n], f"{n}:1", 1] for n in IDS][:count]

    def _members(self, at: str, away_s: float) -> int:
        return len(IDS)

    def _get_records(self, at: str, names: list[Any], *_: int) -> list[Any]:
        return [list(record) for record in self.records.documents(names)]

    def _keep_record(self, at: str, record: Any) -> None:
        self.records.keep(record)

    def _find_successor(self, at: str, key: str) -> list[Any]:
        return [IDS["a"], "a:1", 1]

    def _lease(self, at: str, name: str, holder: str) -> int:
        self.told.append((name, "lease"))
        return 1

    def _release(self, at: str, name: str, holder: str, number: int) -> None:
        self.told.append((name, "release"))

    def _state(self, at: str) -> dict[str, Any]:
        repair = dict.fromkeys(("short", "waiting", "lost", "todo", "todo_bytes", "kept"), 0)
        loop = {"runs": 9, "errors": 1, "last_error": "oh", "last_error_at": 1.0, "last_run_s": 0.1}
        scrub = {"checked": 7, "damaged": 1, "todo": 2, "todo_bytes": 20}
        return {
            "peer": [IDS[at], f"{at}:1", 1], "joined": True, "leaving": False, "files": 1, "files_bytes": 100,
            "free_bytes": 10, "songs": 1, "version": "1", "clock_ms": 0, "repair": repair, "scrub": scrub,
            "files_aside": 1, "records_aside": ["x"], "disk": {"trouble": "Input/output error", "at": 1.0},
            "doubts_itself": 2, "loops": {"probe": loop}, **self.states[at],
        }  # fmt: skip


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    nodes = Nodes()
    db = Database(tmp_path / "c.db")
    nodes.records = Records(db, "n", lambda: 1_700_000_000_000)
    for name, id in IDS.items():
        nodes.records.put("peer", id, {"name": name.upper(), "address": f"{name}:1", "incarnation": 1})
    nodes.union = Union(3, Ring(Peer(IDS["a"], "a:1", 1), lambda: 0.0), nodes, nodes.records)
    yield nodes
    nodes.close()
    db.close()


@pytest.fixture
def config() -> Config:
    return Config.load({"address": "a:1"}, {})


@pytest.fixture
def steward(nodes: Nodes, config: Config, tmp_path: Path) -> Steward:
    return Steward(config, nodes.records, nodes, Durability(config, nodes, nodes.records, Blobs(tmp_path / "music")))


@pytest.fixture
def overview(nodes: Nodes, config: Config) -> Overview:
    return Overview(config, nodes.records, nodes)


def verdict(nodes: Nodes, name: str, state: str) -> None:
    record = nodes.records.get("peer", IDS[name])
    assert record
    nodes.records.merge([nodes.records.draft_edit(record, {"verdict": [state, 1, IDS["a"]]})])


# -- leave, scrub, expel ---------------------------------------------------------------------------------------


def test_nodes_are_told(steward: Steward, nodes: Nodes) -> None:
    steward.leave(IDS["b"])
    steward.scrub(IDS["c"])
    assert nodes.told == [("b", "leave"), ("c", "scrub")]
    for id in ("ab" * 32, "nonsense", ""):
        for do in (steward.leave, steward.scrub, lambda id: steward.expel(id, "ana", True)):
            with pytest.raises(NotFound, match="there is no node"):
                do(id)
    nodes.down.add("b")
    with pytest.raises(Conflict, match="cannot be asked to leave"):
        steward.leave(IDS["b"])


def test_who_is_down_is_expelled_under_a_lease(steward: Steward, nodes: Nodes, overview: Overview) -> None:
    with pytest.raises(Conflict, match="the node answers"):
        steward.expel(IDS["b"], "ana", force=False)
    nodes.down.add("b")
    steward.expel(IDS["b"], "ana", force=False)
    record = nodes.records.get("peer", IDS["b"])
    assert record and record.doc["verdict"] == ["expelled", 1, "ana"]
    names = [(f"member/{IDS['b']}", what) for what in ("lease", "release")]
    assert [told for told in nodes.told if told[0].startswith("member")][-2:] == names
    with pytest.raises(Conflict, match="already"):
        steward.expel(IDS["b"], "ana", force=True)
    assert {node.name: node.state for node in overview.ring().nodes} == {"A": "up", "B": "expelled", "C": "up"}


def test_one_that_answers_by_force_but_never_the_last(steward: Steward, nodes: Nodes) -> None:
    steward.expel(IDS["c"], "ana", force=True)
    steward.expel(IDS["b"], "ana", force=True)
    with pytest.raises(Conflict, match="only node"):
        steward.expel(IDS["a"], "ana", force=True)


def test_a_node_that_left_says_so_when_its_process_has_ended(nodes: Nodes, overview: Overview) -> None:
    assert overview.health().status == "ok"
    nodes.down.add("a")
    assert (overview.health().status, overview.health().error) == ("joining", "a is silent")
    verdict(nodes, "a", "left")
    assert (overview.health().status, overview.health().joined) == ("left", False)
    nodes.records.put("peer", "f" * 64, {"name": "A", "address": "a:1", "incarnation": 1})  # as a new one
    assert overview.health().status == "joining"


# -- the view --------------------------------------------------------------------------------------------------


def test_every_node_and_what_it_does(overview: Overview, nodes: Nodes) -> None:
    nodes.states["b"] = {"joined": False, "files_bytes": 400}
    nodes.states["c"] = {"leaving": True, "joined": False}
    a, b, c = overview.ring().nodes
    assert (a.state, b.state, c.state) == ("up", "joining", "leaving")
    assert abs(a.arc + b.arc + c.arc - 1) < 0.001
    assert a.work and b.work and (a.work.load, b.work.load) == (0.5, 2.0)
    assert (a.work.to_check, a.work.disk, a.work.files_aside, a.work.records_aside) == (2, "Input/output error", 1, 1)
    assert a.work.clock_ms < -1_000_000 and a.work.loops[0].error_at == "1970-01-01T00:00:01+00:00"
    nodes.down |= {"b", "c"}
    verdict(nodes, "c", "down")
    a, b, c = overview.ring().nodes
    assert (b.state, c.state, c.work, c.files) == ("suspect", "down", None, None)
    verdict(nodes, "c", "left")
    a, b, c = overview.ring().nodes
    assert (c.state, c.error, c.arc) == ("left", "", 0) and abs(a.arc + b.arc - 1) < 0.001


def test_nobody_waits_long_for_those_known_to_be_down_and_at_all_for_those_that_are_gone(
    overview: Overview, nodes: Nodes
) -> None:
    nodes.down |= {"b", "c"}
    verdict(nodes, "b", "down")
    verdict(nodes, "c", "left")
    _, b, c = overview.ring().nodes
    assert nodes.asked == {"a": None, "b": PATIENCE_S}
    assert (b.state, b.error, c.state, c.error) == ("down", "b is silent", "left", "")
    nodes.down.clear()
    nodes.states["b"] = {"joined": False}
    assert overview.ring().nodes[1].state == "joining", "and who is on its way back is seen"


# -- the union -------------------------------------------------------------------------------------------------


def song(nodes: Nodes, key: str, *holders: str, size: int = 100, **more: Any) -> None:
    nodes.records.put("song", key, {"title": key[:2], "size_bytes": 100, **more})
    for name in holders:
        nodes.files[name][key] = size


def test_what_is_not_as_it_should_be(steward: Steward, nodes: Nodes) -> None:
    good, lost, short, cut, deleted, unrecorded, damaged = SONGS[:7]
    song(nodes, good, "a", "b", "c")
    song(nodes, lost)
    song(nodes, short, "a")
    song(nodes, cut, "a", "b", "c", size=99)
    song(nodes, deleted, "a", deleted=True)
    nodes.files["b"][unrecorded] = 7
    song(nodes, damaged, "a", "b")
    nodes.damaged["c"] = [damaged, SONGS[7]]
    page = steward.inventory("", 1000)
    found = {item.key: item for item in page.items}
    assert {key: item.what for key, item in found.items()} == {
        lost: "lost", short: "short", cut: "cut", deleted: "deleted", unrecorded: "unrecorded", damaged: "short",
        SONGS[7]: "damaged",
    }  # fmt: skip
    assert found[damaged].nodes == ("A", "B") and found[damaged].aside == ("C",)
    assert found[unrecorded].size_bytes == 7 and found[lost].title == "01"
    assert (page.wanted, page.songs, page.files, page.copies, page.next_cursor) == (3, 5, 6, 11, None)
    assert [(told.name, told.files, told.damaged, told.error) for told in page.nodes] == [
        ("A", 5, 0, ""), ("B", 4, 0, ""), ("C", 2, 2, ""),
    ]  # fmt: skip


@pytest.mark.parametrize("count", [1, 2, 3, 100])
def test_pages_are_the_whole(steward: Steward, nodes: Nodes, count: int) -> None:
    for n, key in enumerate(SONGS):
        song(nodes, key, *"abc"[: n % 4])
    nodes.files["a"]["ff" * 32] = 1
    nodes.damaged["b"] = [SONGS[3], SONGS[3]]
    found, songs, copies, cursor = [], 0, 0, ""
    for _ in range(60):
        page = steward.inventory(cursor, count)
        found += [(item.key, item.what) for item in page.items]
        songs, copies = songs + page.songs, copies + page.copies
        if page.next_cursor is None:
            break
        assert page.next_cursor > cursor
        cursor = page.next_cursor
    assert songs == 16 and copies == sum(map(len, nodes.files.values()))
    wanted = [
        (key, ("lost", "short", "short", "damaged")[n % 4]) for n, key in enumerate(SONGS) if n % 4 < 3 or n == 3
    ]
    assert found == [*wanted, ("ff" * 32, "unrecorded")]


def test_who_could_not_be_asked_is_named(steward: Steward, nodes: Nodes) -> None:
    song(nodes, SONGS[0], "a", "b", "c")
    nodes.down.add("b")
    verdict(nodes, "c", "left")
    page = steward.inventory("", 10)
    assert {told.name: told.error for told in page.nodes} == {"A": "", "C": "", "B": "b is silent"}
    assert page.items == ()  # two nodes are left, and both have it
    nodes.down.add("c")
    page = steward.inventory("", 10)
    assert {told.name: bool(told.error) for told in page.nodes} == {"A": False, "C": True, "B": True}

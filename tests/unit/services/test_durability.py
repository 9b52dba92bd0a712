"""What is acknowledged is durable on enough nodes, whoever fails."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from support import eventually

from ringnode.catalogue.database import Database
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import Conflict, NoSpace, NotEnoughReplicas, NotFound, NotJoined, PeerDown, Stale
from ringnode.objects.peers import Peers
from ringnode.protocol.writing import place_of
from ringnode.services.durability import Durability
from ringnode.storage.blobs import Blobs

ME = "127.0.0.1:7700"
DATA = b"x" * 1000


class OtherNodes(Peers):
    """The ring: this node and others, some of which fail."""

    def __init__(self, *owners: str, members: int | None = None) -> None:
        super().__init__(1.0)
        self.owners = list(owners)
        self.members = len(owners) if members is None else members
        self.files: dict[str, bytes] = {}
        self.records: dict[str, list[Any]] = {}
        self.failing: dict[str, Callable[[], None]] = {}
        self.hold = threading.Event()
        self.asked: list[tuple[str, str]] = []
        self.leases: dict[str, str] = {}
        self.parted = False
        self.mine: Records

    def call(self, address: str, method: str, *args: Any, **more: Any) -> Any:
        self.asked.append((address, method))
        if method == "owners":
            return [[name.ljust(4, "0").encode().hex(), name, 1] for name in self.owners][: args[1]]
        if method == "members":
            return self.members
        if method == "find_successor":
            return ["ab" * 32, ME, 1]
        if method == "lease":
            if self.leases.setdefault(args[0], args[1]) != args[1]:
                raise Conflict("another has it")
            return 1
        if method == "release":
            return self.leases.pop(args[0], None)
        self.failing.get(address, lambda: None)()
        if method == "keep_record":
            if address == ME:
                self.mine.keep(args[0])
            self.records.setdefault(address, []).append(args[0])
            return None
        if method == "keep_records":
            if address == ME:
                self.mine.keep_all(args[0])
            self.records.setdefault(address, []).extend(args[0])
            return None
        if method == "links":
            if self.parted:
                raise NotJoined("this node leaves")
            return [["ab" * 32, ME, 1], None, []]
        if method == "get_records":
            there = {(r[0], r[1]): r for r in self.records.get(address, [])}
            return Record.first_few((Record(*there[tuple(n)]) for n in args[0] if tuple(n) in there), args[1])
        raise AssertionError(method)

    def send_file(self, address: str, key: str, file: Any, pace: Any = None) -> None:
        self.failing.get(address, lambda: None)()
        file.seek(0)
        self.files[address] = file.read()


class Made:
    """A gateway's durability over them."""

    def __init__(self, folder: Path, nodes: OtherNodes) -> None:
        self.nodes = nodes
        self.db = Database(folder / "c.db")
        self.records = Records(self.db, "n", lambda: 1_700_000_000_000)
        nodes.mine = self.records
        self.blobs = Blobs(folder / "music")
        config = Config.load({}, {})
        self.durability = Durability(config, nodes, self.records, self.blobs)

    def store(self) -> str:
        spool = self.blobs.spool()
        spool.write(DATA)
        self.durability.store(spool)
        return spool.key

    def close(self) -> None:
        self.nodes.hold.set()
        self.nodes.close()
        self.db.close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Made]]:
    made: list[Made] = []

    def build(*owners: str, **more: Any) -> Made:
        made.append(Made(tmp_path, OtherNodes(*owners, **more)))
        return made[-1]

    yield build
    for one in made:
        one.close()


def dead() -> None:
    raise PeerDown("dead")


def full() -> None:
    raise NoSpace("full")


def test_a_file_goes_to_its_owners(make: Callable[..., Made]) -> None:
    made = make(ME, "b", "c", "d")
    key = made.store()
    eventually(lambda: set(made.nodes.files) == {"b", "c"})
    eventually(lambda: made.blobs.has(key))
    eventually(lambda: not list(made.blobs.incoming.iterdir()))


def test_an_upload_asks_its_node_once_where_it_belongs_and_not_for_records_which_are_here(
    make: Callable[..., Made],
) -> None:
    made = make(ME, "b", "c", "d")
    key = blake3(DATA).hexdigest()
    made.durability.latest("song", key)
    made.store()
    made.durability.publish(made.records.draft("song", key, {"title": "x"}))
    asked = made.nodes.asked
    assert asked.count((ME, "owners")) == asked.count((ME, "members")) == 1
    assert (ME, "get_records") not in asked and ("b", "get_records") in asked
    eventually(lambda: set(made.nodes.records) == {ME, "b", "c"})  # and not at a spare
    made.durability.latest("song", "f0" * 32)
    assert asked.count((ME, "owners")) == 2


def test_a_node_that_owns_nothing_of_it_keeps_nothing(make: Callable[..., Made]) -> None:
    made = make("b", "c", "d", ME)
    key = made.store()
    eventually(lambda: set(made.nodes.files) == {"b", "c", "d"})
    eventually(lambda: not list(made.blobs.incoming.iterdir()))
    assert not made.blobs.has(key)


def test_two_of_three_are_enough_and_the_third_follows(make: Callable[..., Made]) -> None:
    made = make(ME, "b", "c")
    made.nodes.failing["c"] = lambda: made.nodes.hold.wait(10) and None
    made.store()
    assert "c" not in made.nodes.files
    assert list(made.blobs.incoming.iterdir()) == [] and "b" in made.nodes.files
    made.nodes.hold.set()
    eventually(lambda: made.nodes.files.get("c") == DATA)


def test_a_spare_takes_the_copy_of_one_that_cannot(make: Callable[..., Made]) -> None:
    made = make("b", "c", "d", "e")
    made.nodes.failing |= {"b": dead, "c": full}
    made.store()
    eventually(lambda: set(made.nodes.files) == {"d", "e"})


def test_a_copy_on_this_node_counts_for_nothing_where_it_leaves(make: Callable[..., Made]) -> None:
    made = make(ME, "b", "c", "d")
    made.nodes.parted = True
    made.nodes.failing["b"] = dead
    with pytest.raises(NotEnoughReplicas):
        made.nodes.failing["d"] = dead
        made.store()
    del made.nodes.failing["d"]
    made.store()
    eventually(lambda: set(made.nodes.files) == {"c", "d"})


def test_too_few_is_an_error_and_leaves_no_spool(make: Callable[..., Made]) -> None:
    made = make(ME, "b", "c")
    made.nodes.failing |= {"b": dead, "c": dead}
    with pytest.raises(NotEnoughReplicas, match="only 1 of the 2"):
        made.store()
    assert not list(made.blobs.incoming.iterdir())


def test_full_disks_are_called_that(make: Callable[..., Made]) -> None:
    made = make("b", "c", "d")
    made.nodes.failing |= dict.fromkeys("bcd", full)
    with pytest.raises(NoSpace):
        made.store()


def test_a_ring_of_one_needs_one_but_not_while_others_are_only_away(make: Callable[..., Made]) -> None:
    assert make(ME, members=1).store()
    with pytest.raises(NotEnoughReplicas):
        make(ME, members=3).store()


def test_a_record_is_here_and_at_its_owners(make: Callable[..., Made]) -> None:
    made = make("b", "c", "d")
    record = made.records.draft("song", "ab" * 32, {"title": "T"})
    assert made.durability.publish(record) == record
    assert made.records.get("song", "ab" * 32) == record
    eventually(lambda: set(made.nodes.records) == {"b", "c", "d", ME})


def test_a_record_that_too_few_took_is_not_shown(make: Callable[..., Made]) -> None:
    made = make(ME, "b", "c")
    made.nodes.failing |= {"b": dead, "c": dead}
    with pytest.raises(NotEnoughReplicas):
        made.durability.publish(made.records.draft("song", "ab" * 32, {"title": "T"}))
    assert made.records.get("song", "ab" * 32) is None


def test_a_record_unknown_here_is_asked_of_its_owners(make: Callable[..., Made]) -> None:
    made = make("b", "c", "d")
    record = Record("user", "ana", {"name": "Ana"}, f"{1:016x}-other", {})
    made.nodes.records["c"] = [list(record)]
    made.nodes.failing["b"] = dead
    assert made.durability.find("user", "ana") == record
    assert made.durability.find("user", "eve") is None


def test_a_change_is_made_to_the_version_that_was_read_or_not_at_all(make: Callable[..., Made]) -> None:
    made = make(ME, "b", "c")
    first = made.durability.publish(made.records.draft("song", "ab" * 32, {"title": "T"}))
    eventually(lambda: len(made.nodes.records) == 3)
    later = made.records.draft_edit(first, {"title": "at another node"})
    for node in "bc":
        made.nodes.records[node].append(later)
    with pytest.raises(Stale), made.durability.changing("song", "ab" * 32, {first.newest()}):
        raise AssertionError("it was changed at another node, which only the owners know")
    with made.durability.changing("song", "ab" * 32, {later.newest()}) as record:
        assert record.doc["title"] == "at another node"
        with pytest.raises(Conflict), made.durability.changing("song", "ab" * 32, {later.newest()}):
            raise AssertionError("two at once")
        with made.durability.changing("song", "ab" * 32) as same:
            assert same == record
    assert not made.nodes.leases


def test_what_is_not_there_or_deleted_cannot_be_changed(make: Callable[..., Made]) -> None:
    made = make(ME)
    with pytest.raises(NotFound), made.durability.changing("song", "ab" * 32):
        raise AssertionError
    made.records.put("song", "ab" * 32, {"deleted": True})
    with pytest.raises(NotFound), made.durability.changing("song", "ab" * 32):
        raise AssertionError


def test_a_note_is_kept_here_also_when_the_node_does_not_answer(make: Callable[..., Made]) -> None:
    made = make(ME, "b")
    made.durability.note(made.records.draft("session", "a", {"user": "ana"}))
    made.nodes.failing[ME] = dead
    made.durability.note(made.records.draft("session", "b", {"user": "ana"}))
    assert made.records.keys("session") == ["a", "b"]
    assert "b" not in made.nodes.records


def test_records_of_one_place_are_written_and_read_together(make: Callable[..., Made]) -> None:
    made = make("b", "c", "d")
    records = [made.records.draft("entry", f"list/{n}", {"song": "x"}) for n in range(3)]
    made.durability.publish_all(records)
    assert made.records.count("entry") == 3
    eventually(lambda: {len(made.nodes.records.get(peer, ())) for peer in ("b", "c", "d", ME)} == {3})
    names = [("entry", f"list/{n}") for n in range(4)]
    newer = made.records.draft("entry", "list/1", {"song": "y"})
    made.nodes.records["b"] = made.nodes.records["c"] = made.nodes.records["d"] = [list(newer)]
    found = made.durability.latest_all(names)
    assert [record and record.doc["song"] for record in found] == ["x", "y", "x", None]
    future = Record("entry", "list/1", {"song": "z"}, f"{1 << 62:016x}-other", {})
    made.nodes.records["b"] = made.nodes.records["c"] = made.nodes.records["d"] = [list(future)]
    with pytest.raises(NotEnoughReplicas, match="ahead of the clock here"):
        made.durability.latest_all(names)  # what is written over it unseen would not win
    assert place_of("entry", "list/1") == place_of("playlist", "list") != place_of("entry", "other/1")


def test_what_no_message_can_carry_goes_in_several(make: Callable[..., Made]) -> None:
    made = make(ME, "b")
    names = [("mark", f"anna/song/{n:03}") for n in range(60)]
    made.durability.publish_all([made.records.draft(*name, {"text": "x" * 200_000}) for name in names])
    eventually(lambda: [len(made.nodes.records[node]) for node in (ME, "b")] == [60, 60])
    assert len([1 for node, method in made.nodes.asked if (node, method) == (ME, "keep_records")]) == 3
    strange = [("mark", f"ben/song/{n:03}") for n in range(60)]
    there = [Record(*name, {"text": "y" * 200_000}, "00000f0000000000-z", {}) for name in strange]
    made.nodes.records |= {"b": there}
    found = made.durability.latest_all([("mark", "ben/song/x"), *strange])
    assert found[0] is None and all(found[1:])
    assert len([1 for node, method in made.nodes.asked if (node, method) == ("b", "get_records")]) >= 3


def test_no_key_is_taken_for_the_count_of_members(make: Callable[..., Made]) -> None:
    made = make(ME, "b", "c")
    assert made.durability.wanted() == 2
    assert [peer.address for peer in made.durability.owners("")] == [ME, "b", "c"]

"""The replicated table on real SQLite files."""

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import msgpack
import pytest

from ringnode.catalogue import songs
from ringnode.catalogue.database import Database
from ringnode.catalogue.record import Record, stamp
from ringnode.catalogue.records import AHEAD_MS, HORIZON_MS, Records
from ringnode.errors import ConfigError, Invalid
from ringnode.objects.wire import MESSAGE_BYTES
from ringnode.protocol.antientropy import exchange
from ringnode.protocol.messages import Call, Peer

NOW_MS = 1_700_000_000_000
Maker = Callable[..., Records]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Maker]:
    """Makes tables, each a node's own; all are closed at the end."""
    made: list[Database] = []
    names = itertools.count()

    def build(clock: Callable[[], int] = lambda: NOW_MS) -> Records:
        n = next(names)
        made.append(Database(tmp_path / f"{n}.db"))
        return Records(made[-1], f"node{n}", clock, {songs.KIND: songs.project})

    yield build
    for db in made:
        db.close()


class SlowDatabase(Database):
    """Counts its transactions; the first waits until the test says so."""

    def __init__(self, path: Path) -> None:
        self.writes = 0
        self.first = threading.Event()
        self.go_on = threading.Event()
        super().__init__(path)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self.writes += 1
        self.first.set()
        assert self.go_on.wait(10)
        with super().write() as tx:
            yield tx


def test_those_who_wait_for_a_commit_share_the_next(tmp_path: Path) -> None:
    db = SlowDatabase(tmp_path / "slow.db")
    records = Records(db, "n", lambda: NOW_MS, {"bad": lambda doc: ("", doc["missing"])})
    drafts = [records.draft("song" if n != 3 else "bad", f"{n}", {"title": f"{n}"}) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(records.merge, drafts[:1])
        assert db.first.wait(10)
        others = [pool.submit(records.merge, [draft]) for draft in drafts[1:]]
        while len(records._waiting) < 7:
            threading.Event().wait(0.001)
        db.go_on.set()
        assert first.result(10) == drafts[:1]
        for n, other in enumerate(others, 1):
            if n == 3:  # what is wrong with one is its own error
                with pytest.raises(KeyError):
                    other.result(10)
            else:
                assert other.result(10) == [drafts[n]]
    assert db.writes == 1 + 1 + 7  # all of them failed together, then each was tried alone
    assert records.count("song") == 7
    db.close()


def test_a_commit_for_many(tmp_path: Path) -> None:
    db = SlowDatabase(tmp_path / "slow.db")
    records = Records(db, "n", lambda: NOW_MS)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(records.put, "song", "0", {})
        assert db.first.wait(10)
        others = [pool.submit(records.put, "song", f"{n}", {}) for n in range(1, 8)]
        while len(records._waiting) < 7:
            threading.Event().wait(0.001)
        db.go_on.set()
        for job in [first, *others]:
            job.result(10)
    assert (db.writes, records.count("song")) == (2, 8)
    db.close()


def everything(records: Records) -> list[tuple[object, ...]]:
    return sorted(
        (kind, key, str(records.get(kind, key)))
        for kind, key in records.db.rows("SELECT kind, key FROM record ORDER BY kind, key")
    )


def test_put_and_get(make: Maker) -> None:
    records = make()
    put = records.put("song", "aa", {"title": "One"})
    assert records.get("song", "aa") == put
    assert records.get("song", "bb") is None and records.get("user", "aa") is None
    assert records.keys("song") == ["aa"] and records.count("song") == 1


def test_it_survives_closing(tmp_path: Path) -> None:
    first = Database(tmp_path / "c.db")
    Records(first, "n", lambda: NOW_MS).put("song", "aa", {"title": "One"})
    first.close()
    second = Database(tmp_path / "c.db")
    found = Records(second, "n", lambda: NOW_MS).get("song", "aa")
    second.close()
    assert found and found.doc == {"title": "One"}


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "c.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(ConfigError, match=r"c\.db"):
        Database(tmp_path / "c.db")


def test_equal_tables_have_equal_digests_whatever_the_way(make: Maker) -> None:
    a, b = make(), make()
    drafts = [a.draft("song", f"{i:02x}", {"title": str(i)}) for i in range(50)]
    edits = [a.draft_edit(record, {"title": "new"}) for record in drafts[:20]]
    a.merge([*drafts, *edits])
    for record in reversed([*edits, *drafts, *edits]):
        b.merge([record])
    assert everything(a) == everything(b)
    assert a.groups() == b.groups() and any(a.groups())
    assert a.buckets(range(256)) == b.buckets(range(256))


def test_the_digest_finds_the_bucket_that_differs(make: Maker) -> None:
    a, b = make(), make()
    drafts = [a.draft("song", f"{i:02x}", {"title": str(i)}) for i in range(50)]
    a.merge(drafts)
    b.merge(drafts[:-1])
    groups = [g for g in range(256) if a.groups()[g] != b.groups()[g]]
    assert len(groups) == 1
    mine, theirs = a.buckets(groups)[0], b.buckets(groups)[0]
    buckets = [groups[0] * 256 + n for n in range(256) if mine[n] != theirs[n]]
    assert [key for _, key, _ in a.entries(buckets)] == [drafts[-1].key]


def test_news_are_told_once(make: Maker) -> None:
    a, b = make(), make()
    record = a.put("song", "aa", {"title": "One"})
    assert b.merge([record]) == [record]
    assert b.merge([record]) == []


def test_a_clock_set_right_again_is_followed_at_once(make: Maker) -> None:
    now = [NOW_MS + AHEAD_MS * 60]
    records = make(lambda: now[0])
    ahead = records.put("song", "aa", {"title": "One"})
    now[0] = NOW_MS
    stamps = [records.put("song", key, {}).stamp for key in ("bb", "cc")]
    assert stamps == sorted(set(stamps)) and stamp((NOW_MS + 1) << 16, "") > stamps[1]
    assert records.draft_edit(ahead, {"title": "Two"}).newest() > ahead.stamp


def test_what_is_just_too_far_ahead_is_refused_not_parked(make: Maker) -> None:
    ahead = make(lambda: NOW_MS + AHEAD_MS + 1).put("song", "aa", {"title": "One"})
    behind = make()
    with pytest.raises(Invalid, match="60 s ahead"):
        behind.keep(list(ahead))
    assert not behind.aside() and behind.get("song", "aa") is None


def test_an_edit_is_later_than_what_it_edits_even_with_a_clock_set_back(make: Maker) -> None:
    now = [NOW_MS]
    records = make(lambda: now[0])
    record = records.put("song", "aa", {"title": "One"})
    now[0] -= 3_600_000
    edit = records.draft_edit(record, {"title": "Two"})
    assert edit.newest() > record.newest()
    records.merge([edit])
    found = records.get("song", "aa")
    assert found and found.doc["title"] == "Two"


def test_a_deleted_song_can_be_put_again(make: Maker) -> None:
    records = make()
    record = records.put("song", "aa", {"title": "One"})
    records.merge([records.draft_edit(record, {"deleted": True})])
    assert records.keys("song") == [] and records.keys("song", deleted=True) == ["aa"]
    records.put("song", "aa", {"title": "One"})
    assert records.keys("song") == ["aa"]


def test_a_tombstone_that_comes_to_life_is_not_forgotten(make: Maker) -> None:
    now = [NOW_MS]
    records, other = make(lambda: now[0]), make(lambda: now[0])
    for key in ("aa", "bb"):
        records.merge([records.draft_edit(records.put("song", key, {"title": key}), {"deleted": True})])
    now[0] += 2 * HORIZON_MS
    old = records.old_tombstones()
    again = records.put("song", "aa", {"title": "again"})
    records.forget(old)
    assert records.get("song", "aa") == again and records.get("song", "bb") is None
    other.merge([again])
    assert records.groups() == other.groups()


def test_a_record_from_the_future_waits_aside(make: Maker) -> None:
    now = [NOW_MS]
    a, b = make(lambda: NOW_MS + AHEAD_MS * 60), make(lambda: now[0])
    record = a.put("song", "aa", {"title": "One"})
    assert b.merge([record]) == [] and b.get("song", "aa") is None
    assert "ahead" in b.aside()[0]
    assert b.take_due() == []
    now[0] += AHEAD_MS * 60
    assert b.take_due() == [record] and b.aside() == []


class Dies(Records):
    """Its process ends when it is about to take something in."""

    def take(self, documents: Sequence[Any]) -> list[Record]:
        raise KeyboardInterrupt


def test_a_record_that_waited_aside_outlives_a_crash_when_its_time_has_come(make: Maker) -> None:
    ahead, b = make(lambda: NOW_MS + AHEAD_MS * 60), make()
    record = ahead.put("song", "aa", {"title": "One"})
    b.merge([record])
    later = NOW_MS + AHEAD_MS * 60
    with pytest.raises(KeyboardInterrupt):
        Dies(b.db, "b", lambda: later).take_due()
    assert Records(b.db, "b", lambda: later).take_due() == [record]


def test_a_broken_record_hinders_no_other(make: Maker) -> None:
    a, b = make(), make()
    good = a.put("song", "aa", {"title": "One"})
    news = b.take([["what", "is", "this"], None, 5, list(good), ["song", "bb", {}, "no stamp", {}]])
    assert news == [good]
    assert len(b.aside()) == 4


def test_fields_of_a_newer_version_are_kept(make: Maker) -> None:
    a, b = make(), make()
    record = a.put("song", "aa", {"title": "One", "colour": ["from", {"the": "future"}]})
    b.take([list(record)])
    found = b.get("song", "aa")
    assert found == record
    b.merge([b.draft_edit(record, {"title": "Two"})])
    again = b.get("song", "aa")
    assert again and again.doc["colour"] == ["from", {"the": "future"}]
    assert songs.song(again).title == "Two"


@pytest.mark.parametrize(
    ("after", "upto", "expected"),
    [
        ("10", "30", ["20", "30"]),
        ("30", "10", ["40", "10"]),
        ("20", "20", ["10", "20", "30", "40"]),
        ("40", "10", ["10"]),
    ],
)
def test_keys_on_an_arc(make: Maker, after: str, upto: str, expected: list[str]) -> None:
    records = make()
    for key in ("10", "20", "30", "40"):
        records.put("song", key, {"title": key})
    assert records.keys_between("song", after, upto) == sorted(expected)


def test_two_connections_write_at_once(tmp_path: Path) -> None:
    """A node process and a gateway share the file."""
    one, two = Database(tmp_path / "c.db"), Database(tmp_path / "c.db")
    a, b = Records(one, "n", lambda: NOW_MS), Records(two, "n", lambda: NOW_MS)
    for i in range(20):
        (a if i % 2 else b).put("song", f"{i:02x}", {"title": str(i)})
    assert a.count("song") == b.count("song") == 20
    assert a.groups() == b.groups()
    assert len({record.stamp for record in a.live("song")}) == 20
    one.close()
    two.close()


def test_a_stamp_names_who_gave_it(make: Maker) -> None:
    record = make().put("song", "aa", {})
    assert record.stamp > stamp(NOW_MS << 16, "") and "node0." in record.stamp


def test_a_document_that_is_no_json_is_refused(make: Maker) -> None:
    with pytest.raises(Invalid):
        make().put("song", "aa", {"title": object()})


def test_pictures_go_in_messages_that_are_small_enough_and_all_arrive(make: Maker) -> None:
    """300 of 100 kB: thirty messages' worth, were they counted and not weighed."""
    mine, theirs = make(), make()
    picture = "/" * 133_000
    for table, which in ((mine, range(200)), (theirs, range(200, 300))):
        table.merge([table.draft("cover", f"{n}", {"picture": picture}) for n in which])
    sizes = []

    def answer(call: Call) -> object:
        value = getattr(theirs, WHAT_ANSWERS[call.method])(*call.args[: None if call.method == "get_records" else 1])
        sizes.append(len(msgpack.packb([list(call.args), value])))
        return value

    step = exchange(mine, Peer("ab", "there:1"))
    call = next(step)
    with pytest.raises(StopIteration):
        while True:
            sent = theirs.groups() if call.args == ([],) else answer(call)
            call = step.send(sent)
    assert mine.groups() == theirs.groups() and mine.count("cover") == 300
    assert MESSAGE_BYTES / 4 < max(sizes) < MESSAGE_BYTES


WHAT_ANSWERS = {
    "digests": "buckets", "entries": "entries", "get_records": "documents", "put_records": "merge_documents",
}  # fmt: skip

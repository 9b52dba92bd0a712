"""Into the ring and out of it, by records: over tables in files and a ring that answers from its own."""

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringnode.catalogue.database import Database
from ringnode.catalogue.records import HORIZON_MS, Records
from ringnode.errors import DiskFailed, PeerDown
from ringnode.protocol.chord import Ring
from ringnode.protocol.messages import Peer
from ringnode.services.roster import KIND, Roster

ME, OTHER = Peer("4" * 64, "me:1", 1), Peer("8" * 64, "other:1", 1)
SONGS = [f"{n:064x}" for n in range(20)]


class Tables:
    """Catalogues in a folder, by one clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now_ms = 1_700_000_000_000
        self.made: list[Database] = []

    def open(self, name: str) -> Records:
        self.made.append(Database(self.folder / name))
        return Records(self.made[-1], name, lambda: self.now_ms)


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    tables = Tables(tmp_path)
    yield tables
    for db in tables.made:
        db.close()


def roster_of(me: Peer, records: Records) -> tuple[Ring, Roster]:
    ring = Ring(me, lambda: 0.0)
    return ring, Roster("me", "", ring, records, random.Random(1), lambda news: None)


def backup_and_ring(tables: Tables) -> tuple[Records, Records]:
    """An old copy of my folder with songs that were deleted since, and forgotten; and what the ring knows."""
    ring = tables.open("ring.db")
    ring.put(KIND, ME.id, {"name": "me", "address": ME.address, "incarnation": 1, "season": ring.season()})
    songs = [ring.put("song", key, {"title": key}) for key in SONGS]
    ring.db.value("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(tables.folder / "ring.db", tables.folder / "backup.db")
    ring.merge([ring.draft_edit(song, {"deleted": True}) for song in songs])
    tables.now_ms += int(2.5 * HORIZON_MS)
    mine = ring.get(KIND, ME.id)
    assert mine
    ring.merge([ring.draft_edit(mine, {"season": ring.season(), "incarnation": 5})])
    ring.forget(ring.old_tombstones())
    return tables.open("backup.db"), ring


def enter(roster: Roster, ring: Records, calls: int) -> bool:
    """Have it come in by a ring that falls silent after so many calls. Did it know all before?"""
    answers: dict[str, Callable[..., Any]] = {
        "digests": lambda groups: ring.buckets(groups) if groups else ring.groups(),
        "entries": ring.entries,
        "get_records": ring.documents,
        "put_records": lambda documents, spread: ring.merge_documents(documents),
    }
    step, value = roster.enter(OTHER, fresh=False), None
    while (call := step.send(value)).method in answers:
        value = answers[call.method](*call.args)
        calls -= 1
        if not calls:
            with pytest.raises(PeerDown):
                step.throw(PeerDown("gone"))
            return False
    step.close()
    return True


def test_who_is_interrupted_while_catching_up_brings_nothing_back_that_was_deleted(tables: Tables) -> None:
    mine, ring = backup_and_ring(tables)
    assert mine.count("song") == len(SONGS) and ring.count("song") == 0
    calls = 2
    while not enter(roster_of(ME._replace(incarnation=6), mine)[1], ring, calls):
        calls += 1
    assert calls > 4 and ring.count("song") == 0 and len(mine.aside()) == len(SONGS)


def test_who_cannot_say_that_it_leaves_stays(tables: Tables) -> None:
    records = tables.open("mine.db")
    ring, roster = roster_of(ME, records)
    ring.successors, ring.known = [OTHER], {OTHER.id: OTHER}
    roster.announce(free_bytes=1)
    records.db.rows("PRAGMA query_only = ON")
    with pytest.raises(DiskFailed):
        next(roster.leave())
    assert ring.joined and not ring.parted
    records.db.rows("PRAGMA query_only = OFF")
    next(roster.leave())
    said = records.get(KIND, ME.id)
    assert ring.parted and said and said.doc["verdict"] == ["leaving", 1, ME.id]

"""What a node answers that is in no ring: what comes to it then must not count as kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from Pyro5.api import current_context

from ringnode.catalogue.database import Database
from ringnode.catalogue.records import Records
from ringnode.errors import NotJoined
from ringnode.objects.chord_node import ChordNode
from ringnode.objects.peers import Peers
from ringnode.objects.wire import DATA
from ringnode.protocol.chord import Ring
from ringnode.protocol.leases import Leases
from ringnode.protocol.membership import Membership
from ringnode.protocol.messages import Peer
from ringnode.storage.blobs import Blobs

SONG = b"x" * 1000
KEY = blake3(SONG).hexdigest()


class Self:
    """The rest of the node."""

    def spread(self, news: list[Any]) -> None:
        self.told = news


class Made:
    def __init__(self, folder: Path) -> None:
        self.db = Database(folder / "c.db")
        self.records = Records(self.db, "n", lambda: 1_700_000_000_000)
        self.blobs = Blobs(folder / "music")
        self.peers = Peers(1.0)
        self.ring = Ring(Peer("ab" * 32, "127.0.0.1:1"), lambda: 0.0)
        self.ring.found()
        self.node = Self()
        membership = Membership(self.ring, self.node, None)  # type: ignore[arg-type]
        leases = Leases(self.ring, lambda: 0)
        self.object = ChordNode(membership, leases, self.peers, self.blobs, self.records, self.node)  # type: ignore[arg-type]

    def store(self) -> int:
        current_context.annotations = {DATA: SONG}
        return self.object.store_replica(KEY, len(SONG), 0)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    made = Made(tmp_path)
    yield made
    made.peers.close()
    made.db.close()
    current_context.annotations = {}


def test_a_member_takes_files_and_records(made: Made) -> None:
    assert made.store() == len(SONG)
    record = made.records.draft("song", KEY, {"title": "a"})
    made.object.keep_record(record)
    assert made.node.told == [record]


def test_a_node_that_has_parted_says_that_what_it_takes_counts_for_nothing(made: Made) -> None:
    record = made.records.draft("song", KEY, {"title": "a"})
    made.ring.part()
    for take in (made.store, lambda: made.object.keep_record(record), lambda: made.object.keep_records([record])):
        with pytest.raises(NotJoined):
            take()
    assert made.node.told == [], "the second time it was no news"
    with pytest.raises(NotJoined):
        made.ring.found()

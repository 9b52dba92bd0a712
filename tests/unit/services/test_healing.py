"""Bytes of a song that is there already."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alone import Alone, open_catalogue
from blake3 import blake3

from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.objects.peers import Peers
from ringnode.protocol.messages import Peer
from ringnode.services.library import Library
from ringnode.storage.blobs import Blobs, Spool

DATA = b"a song that is there"
KEY = blake3(DATA).hexdigest()
OWNERS = [Peer(name * 64, f"{name}:1", 1) for name in "abc"]


class Holders(Peers):
    """Nodes that say whether they have the file."""

    def __init__(self) -> None:
        super().__init__(1.0)
        self.having = {"a:1", "b:1", "d:1"}
        self.asked: set[str] = set()

    def call(self, address: str, method: str, *args: Any, **more: Any) -> Any:
        assert (method, args) == ("has_replicas", ([KEY],))
        self.asked.add(address)
        return [address in self.having]


class OfThree(Alone):
    """Of a ring with three owners."""

    def __init__(self, records: Records) -> None:
        super().__init__(records)
        self.stored: list[str] = []

    def owners(self, key: str) -> list[Peer]:
        return OWNERS

    def wanted(self) -> int:
        return 2

    def store(self, spool: Spool) -> None:
        self.stored.append(spool.key)
        spool.discard()


@pytest.fixture
def upload(tmp_path: Path) -> Iterator[Callable[[], tuple[Holders, list[str]]]]:
    records, blobs, peers = open_catalogue(), Blobs(tmp_path), Holders()
    records.put("song", KEY, {"title": "T"})
    records.put("peer", "d" * 64, {"address": "d:1", "incarnation": 1, "verdict": ["down", 1, "a" * 64]})
    durability, nobody = OfThree(records), None
    library = Library(Config.load({}, {}), records, blobs, peers, durability, nobody)  # type: ignore[arg-type]

    def send() -> tuple[Holders, list[str]]:
        assert not library.add([DATA], "song.mp3", "anna")[1]
        assert not list(blobs.incoming.iterdir())
        return peers, durability.stored

    yield send
    peers.close()
    records.db.close()


def test_only_owners_are_asked_whether_a_song_has_its_copies(upload: Callable[[], tuple[Holders, list[str]]]) -> None:
    peers, stored = upload()
    assert peers.asked == {"a:1", "b:1", "c:1"} and not stored, "others may be down, and each would be waited for"


def test_bytes_of_a_song_with_too_few_copies_are_welcome(upload: Callable[[], tuple[Holders, list[str]]]) -> None:
    upload()[0].having = {"a:1", "d:1"}
    assert upload()[1] == [KEY]

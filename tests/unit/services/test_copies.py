"""Files of one node on their way, and which there should be."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alone import open_catalogue

from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import PeerBusy
from ringnode.objects import peers as objects_peers
from ringnode.objects.peers import Peers
from ringnode.protocol.chord import Ring
from ringnode.protocol.messages import Fetch, Peer, Send
from ringnode.services.copies import Copies, Songs
from ringnode.services.scrub import Scrub
from ringnode.storage.blobs import Blobs

KEY = "ab" * 32
ME, SOURCE, TARGET = Peer("1" * 64, "me:1", 1), Peer("2" * 64, "source:1", 1), Peer("3" * 64, "target:1", 1)


class Trickle(Peers):
    """Peers that give and take a large file one byte at a time."""

    def __init__(self, late: Callable[[], None]) -> None:
        super().__init__(1.0, ME.address)
        self.asked = 0
        self.late = late

    def fetch(self, address: str, key: str, offset: int, length: int) -> tuple[bytes, int]:
        self.asked += 1
        if self.asked == 3:
            self.late()
        assert self.asked < 10, "this would go on for years"
        return b"x", 1 << 40

    def send_piece(self, address: str, key: str, size: int, offset: int, data: bytes) -> int:
        return offset + len(data)


@pytest.fixture
def records() -> Iterator[Records]:
    records = open_catalogue()
    yield records
    records.db.close()


@pytest.mark.parametrize("move", [Fetch(SOURCE, KEY), Send(TARGET, KEY, SOURCE)], ids=["fetched", "relayed"])
def test_a_file_that_takes_too_long_is_given_up(
    move: Fetch | Send, tmp_path: Path, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config.load({"address": ME.address, "reserve_bytes": "0"}, {})
    peers = Trickle(lambda: monkeypatch.setattr(objects_peers, "TRANSFER_GRACE_S", -1e9))
    blobs = Blobs(tmp_path)
    monkeypatch.setattr(blobs, "free_bytes", lambda: 1 << 50)
    Copies(config, Ring(ME, lambda: 0.0), peers, blobs, records, Scrub(config, blobs, lambda loop: None))
    with pytest.raises(PeerBusy, match="too long"):
        peers.perform(move)
    assert peers.asked == 3
    blobs.close()
    peers.close()


def test_a_song_of_a_key_that_is_none_has_no_file(records: Records) -> None:
    for key in (KEY, KEY[:-1], "nonsense", KEY.upper()):
        records.put("song", key, {"title": "A"})
    assert Songs(records).file_keys(KEY, KEY) == [KEY]

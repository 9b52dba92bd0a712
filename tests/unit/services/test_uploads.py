"""Limits of resumable uploads, and two who write to one."""

import hashlib
import os
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from alone import open_catalogue

from ringnode.errors import Conflict, Invalid, NoSpace, NotFound, TooManyRequests
from ringnode.services import uploads
from ringnode.services.uploads import Resumable
from ringnode.storage.blobs import Blobs, Spool
from ringnode.storage.uploads import Uploads


class OneSong:
    """A library that takes all; `hold` makes it wait."""

    def __init__(self) -> None:
        self.hold = threading.Event()
        self.hold.set()
        self.taken: list[bytes] = []

    def take(self, spool: Spool, filename: str, user: str) -> tuple[Any, bool]:
        self.hold.wait(10)
        self.taken.append(spool.path.read_bytes())
        spool.discard()
        return SimpleNamespace(id=spool.key), True


class Made:
    """Uploads of one node; `again()` is another process of it."""

    def __init__(self, folder: Path) -> None:
        (folder / "identity.json").write_text('{"id": "7f3a90cd12ab"}')
        self.config = SimpleNamespace(data=folder, upload_limit_bytes=1 << 40, k=3)
        self.records = open_catalogue()
        self.library = OneSong()
        self.blobs = Blobs(folder / "music")
        self.uploads = self.again()

    def again(self) -> Resumable:
        return Resumable(self.config, self.records, self.blobs, self.library)  # type: ignore[arg-type]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    one = Made(tmp_path)
    yield one
    one.records.db.close()


def test_another_process_goes_on_also_after_a_restart(made: Made) -> None:
    id = made.uploads.create("Anna", "a.mp3", 10).id
    made.uploads.append("anna", id, 0, [b"01", b"23"])
    made.blobs.clean()
    other = made.again()
    assert other.get("anna", id).offset == 4
    assert other.append("ANNA", id, 4, [b"456789"]).state == "done"
    assert made.library.taken == [b"0123456789"]


def test_what_came_before_a_lost_connection_is_kept(made: Made) -> None:
    id = made.uploads.create("anna", "a.mp3", 10).id

    def cut() -> Iterator[bytes]:
        yield b"012"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        made.uploads.append("anna", id, 0, cut())
    assert made.uploads.get("anna", id).offset == 3


def test_a_piece_with_a_checksum_leaves_the_disks_reserve_alone(made: Made) -> None:
    id = made.uploads.create("anna", "a.mp3", 10).id
    made.blobs.reserve_bytes = 1 << 60
    with pytest.raises(NoSpace):
        made.uploads.append("anna", id, 0, [b"0123"], f"sha1 {b64encode(hashlib.sha1(b'0123').digest()).decode()}")
    assert made.uploads.get("anna", id).offset == 0 and os.listdir(made.blobs.incoming) == []


def test_of_two_who_append_one_is_told_to_look(made: Made) -> None:
    id = made.uploads.create("anna", "a.mp3", 10).id

    def overtaken() -> Iterator[bytes]:
        yield b"01"
        made.again().append("anna", id, 2, [b"2345"])
        yield b"XX"

    with pytest.raises(Conflict, match="6 bytes"):
        made.uploads.append("anna", id, 0, overtaken())
    made.uploads.append("anna", id, 6, [b"6789"])
    assert made.library.taken == [b"0123456789"]


def test_while_it_becomes_a_song_nobody_knows_how_far_it_is(made: Made) -> None:
    id = made.uploads.create("anna", "a.mp3", 2).id
    made.library.hold.clear()
    sender = threading.Thread(target=made.uploads.append, args=("anna", id, 0, [b"01"]))
    sender.start()
    other = made.again()
    while os.listdir(made.blobs.incoming) == []:
        sender.join(0.01)
    for act in (lambda: other.settled("anna", id), lambda: other.delete("anna", id),
                lambda: other.append("anna", id, 1, [b"1"])):  # fmt: skip
        with pytest.raises(Conflict):
            act()
    made.library.hold.set()
    sender.join()
    assert other.settled("anna", id).state == "done"


def test_limits(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoSpace, match="this node"):
        made.uploads.create("anna", "a.mp3", made.blobs.free_bytes())
    for n in range(3):
        made.records.put("peer", f"{n}", {"free_bytes": 1000 if n else 10**9})
    with pytest.raises(NoSpace, match="the ring"):
        made.uploads.create("anna", "a.mp3", 2000)
    monkeypatch.setattr(uploads, "A_USERS", 2)
    monkeypatch.setattr(uploads, "IN_ALL", 3)
    first = made.uploads.create("anna", "a.mp3", 10).id
    made.uploads.create("anna", "b.mp3", 10)
    with pytest.raises(TooManyRequests):
        made.uploads.create("anna", "c.mp3", 10)
    made.uploads.create("ben", "c.mp3", 10)
    with pytest.raises(TooManyRequests):
        made.uploads.create("eve", "c.mp3", 10)
    made.uploads.append("anna", first, 0, [b"0123456789"])
    made.uploads.create("eve", "c.mp3", 10)


def test_room_is_counted_on_the_rings_members_only(made: Made) -> None:
    said = ((10**9, ""), (1000, ""), (10**9, "left"), (10**9, "expelled"))
    for n, (free, state) in enumerate(said):
        doc = {"address": f"node-{n}:1", "incarnation": 1, "free_bytes": free, "verdict": [state, 1, "x"]}
        made.records.put("peer", f"{n}", doc if state else {**doc, "verdict": None})
    with pytest.raises(NoSpace, match="the ring"):
        made.uploads.create("anna", "a.mp3", 2000)
    made.uploads.create("anna", "a.mp3", 500)


def test_what_expires_is_forgotten_with_its_bytes(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    id = made.uploads.create("anna", "a.mp3", 10).id
    monkeypatch.setattr(uploads, "LASTS_S", -1.0)
    made.uploads.append("anna", id, 0, [b"0"])
    with pytest.raises(NotFound):
        made.uploads.get("anna", id)
    assert made.uploads.mine("anna") == []
    assert os.listdir(made.blobs.root / "uploads") == []


def test_an_upload_at_another_node_is_pointed_to(made: Made) -> None:
    made.records.put("peer", "ab" * 32, {"api": "https://attic:7701"})
    with pytest.raises(NotFound, match="https://attic:7701"):
        made.uploads.get("anna", f"{'ab' * 6}-{'0' * 24}")
    for id in ("", "x", "../x", f"7f3a90cd12ab-{'0' * 24}", "7f3a90cd12ab-../../identity"):
        with pytest.raises(NotFound):
            made.uploads.get("anna", id)
    with pytest.raises(Invalid):
        made.uploads.known(["x"])


def test_housekeeping_forgets_what_nobody_asks_for_and_waits_for_what_is_written(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LASTS_S", -1.0)
    idle, busy = (made.uploads.create("anna", f"{n}.mp3", 10).id for n in range(2))
    folder = Uploads(made.blobs)
    with folder.hold(busy):
        folder.sweep()
        assert sorted(os.listdir(folder.folder)) == sorted([busy, f"{busy}.json"]) and idle != busy
    folder.sweep()
    assert os.listdir(folder.folder) == []

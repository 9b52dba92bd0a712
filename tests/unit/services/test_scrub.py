"""Damage is found, whatever was asked for, and what is found is said."""

from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3

from ringnode.config import Config
from ringnode.errors import CorruptReplica, NotFound
from ringnode.services.scrub import Scrub
from ringnode.storage.blobs import Blobs


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "music")


@pytest.fixture
def kicked() -> list[str]:
    return []


@pytest.fixture
def make(tmp_path: Path, blobs: Blobs, kicked: list[str]) -> Callable[..., Scrub]:
    return lambda **more: Scrub(Config.load({"data": str(tmp_path), **more}, {}), blobs, kicked.append)


def put(blobs: Blobs, *songs: bytes) -> list[str]:
    for song in songs:
        blobs.take_piece(blake3(song).hexdigest(), len(song), 0, song)
    return blobs.keys()


def damage(blobs: Blobs, key: str) -> None:
    with blobs.path(key).open("r+b") as file:
        file.write(b"rot!")


def test_a_file_in_doubt_is_read_at_once(make: Callable[..., Scrub], blobs: Blobs, kicked: list[str]) -> None:
    scrub = make()
    good, bad = put(blobs, b"good song", b"bad song")
    damage(blobs, bad)
    scrub.doubt(bad)
    scrub.doubt(good)
    scrub.doubt("ab" * 32)  # not here
    assert kicked == ["scrub"] * 3
    with pytest.raises(CorruptReplica, match=bad[:12]):
        scrub.once()
    assert blobs.keys() == [good] and blobs.damaged() == [bad]
    assert "replicate" in kicked
    assert scrub.state()["damaged"] == 1 and good in scrub.verified and bad not in scrub.verified


def test_all_of_them_when_asked_and_how_far_it_is(make: Callable[..., Scrub], blobs: Blobs) -> None:
    scrub = make()
    keys = put(blobs, *(bytes([n]) * 1000 for n in range(20)))
    scrub.whole()
    assert scrub.state() | {"checked": 0} == {"checked": 0, "damaged": 0, "todo": 20, "todo_bytes": 20_000}
    while scrub.state()["todo"]:
        scrub.once()
    assert set(scrub.verified) == set(keys) and scrub.state()["todo_bytes"] == 0


def test_all_in_turn_also_over_restarts(make: Callable[..., Scrub], blobs: Blobs) -> None:
    keys = put(blobs, *(bytes([n]) for n in range(10)))
    read: set[str] = set()
    for _ in range(10):  # each start reads one more
        scrub = make()
        scrub.once()
        read |= set(scrub.verified)
    assert read == set(keys)


@pytest.mark.parametrize("torn", [b"", b"\xff\xfe\x00", b"zzzz", "é".encode(), b"f" * 1000])
def test_a_torn_note_of_where_it_was_does_no_harm(
    make: Callable[..., Scrub], blobs: Blobs, tmp_path: Path, torn: bytes
) -> None:
    put(blobs, b"a", b"b")
    (tmp_path / "scrubbed").write_bytes(torn)
    scrub = make()
    scrub.once()
    assert scrub.checked == 1
    assert blobs.has((tmp_path / "scrubbed").read_text())


def test_a_file_that_is_not_here_is_said(make: Callable[..., Scrub]) -> None:
    with pytest.raises(NotFound):
        make().verify("ab" * 32)

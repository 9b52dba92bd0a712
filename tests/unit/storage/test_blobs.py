"""Files by key: whole and durable, or not there."""

import os
import random
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from blake3 import blake3
from faulty_disk import FaultyDisk
from hypothesis import given, settings
from hypothesis import strategies as st
from test_crashes import fail

from ringnode.errors import CorruptReplica, Invalid, NoSpace, NotFound, PeerBusy
from ringnode.storage.blobs import PARTIAL_LIMIT, Blobs

DATA = bytes(random.Random(1).randbytes(10_000))
KEY = blake3(DATA).hexdigest()


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path)


def put(blobs: Blobs, data: bytes) -> str:
    spool = blobs.spool()
    spool.write(data)
    blobs.keep(spool)
    spool.discard()
    return spool.key


def test_what_was_kept_is_there(blobs: Blobs) -> None:
    assert put(blobs, DATA) == KEY
    with blobs.open(KEY) as file:
        assert file.read() == DATA
    assert blobs.has(KEY) and blobs.size(KEY) == len(DATA) and blobs.verify(KEY)
    assert blobs.usage() == (1, len(DATA))
    assert list(blobs.incoming.iterdir()) == []


def test_what_was_discarded_is_not(blobs: Blobs) -> None:
    spool = blobs.spool()
    spool.write(DATA)
    spool.discard()
    assert not blobs.has(KEY) and list(blobs.incoming.iterdir()) == []
    with pytest.raises(NotFound):
        blobs.open(KEY)
    with pytest.raises(NotFound):
        blobs.size(KEY)


def test_a_kept_spool_stays_readable_for_those_who_copy_it(blobs: Blobs) -> None:
    spool = blobs.spool()
    spool.write(DATA)
    blobs.keep(spool)
    assert os.pread(spool.file.fileno(), len(DATA), 0) == DATA
    spool.discard()


def test_start_up_removes_what_a_crash_left(blobs: Blobs) -> None:
    spool = blobs.spool()
    spool.write(DATA)
    spool.file.close()
    assert Blobs(blobs.root).clean() == 1
    assert list(blobs.incoming.iterdir()) == []


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 11_000), max_size=6), st.integers(1, 9_000))
def test_pieces_in_any_order_from_anyone_end_in_the_whole(
    tmp_path_factory: pytest.TempPathFactory, strays: list[int], step: int
) -> None:
    blobs = Blobs(tmp_path_factory.mktemp("blobs"))
    for offset in strays:
        blobs.take_piece(KEY, len(DATA), offset, DATA[offset : offset + step])
    at = blobs.take_piece(KEY, len(DATA), 0, b"")
    while at < len(DATA):
        assert not blobs.has(KEY)
        at = blobs.take_piece(KEY, len(DATA), at, DATA[at : at + step])
    assert blobs.verify(KEY)
    assert list(blobs.incoming.iterdir()) == []


def test_a_replica_that_is_there_is_not_taken_again(blobs: Blobs) -> None:
    put(blobs, DATA)
    assert blobs.take_piece(KEY, len(DATA), 0, DATA) == len(DATA)
    assert list(blobs.incoming.iterdir()) == []


def test_wrong_bytes_are_refused_and_forgotten(blobs: Blobs) -> None:
    with pytest.raises(CorruptReplica):
        blobs.take_piece(KEY, len(DATA), 0, b"x" * len(DATA))
    assert not blobs.has(KEY) and list(blobs.incoming.iterdir()) == []
    assert blobs.take_piece(KEY, len(DATA), 0, DATA) == len(DATA) and blobs.has(KEY)


def test_more_bytes_than_announced_are_refused(blobs: Blobs) -> None:
    with pytest.raises(Invalid):
        blobs.take_piece(KEY, 5, 0, b"sixsix")
    blobs.close()


def test_a_store_to_which_too_many_send_is_busy_not_full(blobs: Blobs) -> None:
    for n in range(PARTIAL_LIMIT):
        assert blobs.take_piece(f"{n:064x}", len(DATA), 0, DATA[:10]) == 10
    with pytest.raises(PeerBusy):
        blobs.take_piece(KEY, len(DATA), 0, DATA)
    assert blobs.take_piece("0" * 64, len(DATA), 10, DATA[10:20]) == 20, "those under way go on"
    blobs.close()


def test_the_reserve_is_left_alone(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path, reserve_bytes=1 << 60)
    spool = blobs.spool()
    with pytest.raises(NoSpace, match="full"):
        spool.write(b"x")
    spool.discard()
    with pytest.raises(NoSpace):
        blobs.take_piece(KEY, len(DATA), 0, DATA)
    assert list(blobs.incoming.iterdir()) == []


@pytest.mark.parametrize(
    "key", ["", "..", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 65, "ab/" + "c" * 61, "\x00" * 64]
)
def test_what_is_no_key_never_becomes_a_path(blobs: Blobs, key: str) -> None:
    for use in (blobs.has, blobs.open, blobs.size, blobs.drop, blobs.verify):
        with pytest.raises(Invalid):
            use(key)
    with pytest.raises(Invalid):
        blobs.take_piece(key, 10, 0, b"x")


def test_a_damaged_file_goes_aside_and_is_never_deleted(blobs: Blobs) -> None:
    put(blobs, DATA)
    path = blobs.path(KEY)
    with path.open("r+b") as file:
        file.seek(5000)
        file.write(b"rot")
    assert not blobs.verify(KEY)
    assert not blobs.has(KEY) and blobs.damaged() == [KEY]
    assert next(blobs.aside.iterdir()).stat().st_size == len(DATA)


def test_keys_on_an_arc(blobs: Blobs) -> None:
    keys = sorted(put(blobs, bytes([n])) for n in range(30))
    (blobs.files / keys[0][:2] / "stray.txt").write_text("not ours")
    assert blobs.keys() == keys
    assert blobs.keys(keys[3], keys[7]) == keys[4:8]
    assert blobs.keys(keys[25], keys[1]) == sorted([*keys[26:], *keys[:2]])


def test_a_replica_offered_again_is_young_again(blobs: Blobs) -> None:
    put(blobs, DATA)
    os.utime(blobs.path(KEY), (0, 0))
    assert blobs.age_s(KEY) > 10**8
    blobs.take_piece(KEY, len(DATA), 0, b"")
    assert blobs.age_s(KEY) < 100


def test_dropping_twice_is_harmless(blobs: Blobs) -> None:
    put(blobs, DATA)
    blobs.drop(KEY)
    blobs.drop(KEY)
    assert not blobs.has(KEY)


def test_nothing_is_left_open(blobs: Blobs) -> None:
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for n in range(20):
        put(blobs, bytes([n]) * 100)
        blobs.take_piece(KEY, len(DATA), 0, DATA[:100])
    blobs.close()
    assert (len(os.listdir("/proc/self/fd")) if before else 0) == before


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="the system has no file that fails when it is read")
def test_a_file_that_cannot_be_read_is_damaged(blobs: Blobs) -> None:
    put(blobs, DATA)
    blobs.drop(KEY)
    blobs.path(KEY).symlink_to("/proc/self/mem")  # reading its beginning is an input/output error
    with pytest.raises(CorruptReplica, match="cannot be read: Input/output error"):
        blobs.piece(KEY, 0, 100)
    assert not blobs.verify(KEY)
    assert not blobs.has(KEY) and blobs.damaged() == [KEY]
    assert blobs.take_piece(KEY, len(DATA), 0, DATA) == len(DATA) and blobs.verify(KEY)


def test_a_damaged_file_that_cannot_be_put_aside_is_no_copy_but_is_not_lost(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path, disk=(disk := FaultyDisk()))
    put(blobs, DATA)
    blobs.path(KEY).write_bytes(b"rot")
    disk.at, disk.happens, disk.lasting = disk.calls + 1, fail, True
    assert not blobs.verify(KEY)
    assert not blobs.has(KEY) and not blobs.vouches(KEY) and blobs.keys() == [] and blobs.damaged() == [KEY]
    assert blobs.path(KEY).read_bytes() == b"rot"
    disk.at = 0
    assert blobs.take_piece(KEY, len(DATA), 0, DATA) == len(DATA)
    assert blobs.verify(KEY) and blobs.damaged() == []


def test_pages_of_keys(blobs: Blobs) -> None:
    keys = sorted(put(blobs, bytes([n])) for n in range(30))
    found: list[str] = []
    while page := blobs.following(found[-1] if found else "", 7):
        found += page
    assert found == keys


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """What is open stays open; nothing more can be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    next_one = os.dup(0)
    os.close(next_one)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_one, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_what_the_process_lacks_is_no_damage(blobs: Blobs) -> None:
    put(blobs, DATA)
    with no_descriptor_left(), pytest.raises(PeerBusy, match="Too many open files"):
        blobs.verify(KEY)
    assert blobs.verify(KEY) and blobs.damaged() == []


class Dropping(Blobs):
    """Another thread drops a file when it has just been found here."""

    dropped = False

    def has(self, key: str) -> bool:
        found = super().has(key)
        if found and not self.dropped:
            self.dropped = True
            self.drop(key)
        return found


def test_a_replica_that_goes_while_it_is_offered_again_is_taken_whole(blobs: Blobs) -> None:
    put(blobs, DATA)
    blobs = Dropping(blobs.root)
    assert blobs.take_piece(KEY, len(DATA), 0, DATA[:100]) == 100 and not blobs.path(KEY).exists()
    assert blobs.take_piece(KEY, len(DATA), 100, DATA[100:]) == len(DATA) == blobs.size(KEY)


def test_what_is_kept_is_stored_now_however_long_ago_its_bytes_came(blobs: Blobs) -> None:
    spool = blobs.spool()
    spool.write(DATA)
    os.utime(spool.path, (0, 0))
    blobs.keep(spool)
    spool.discard()
    assert blobs.age_s(KEY) < 100


def test_a_good_copy_that_takes_the_place_of_a_rotten_one_while_that_is_read_stays(blobs: Blobs) -> None:
    put(blobs, DATA)
    blobs.path(KEY).write_bytes(b"rot")
    good: list[str] = []
    assert blobs.verify(KEY, lambda read: good.append(put(blobs, DATA)))
    assert blobs.verify(KEY) and blobs.damaged() == []

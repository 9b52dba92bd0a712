"""A kill or a power cut between any two calls, a disk that fails or is full at any call: whole, or not there."""

import errno
import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3
from faulty_disk import FaultyDisk, PowerCut
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ringnode.errors import DiskFailed, NoSpace, NotFound
from ringnode.storage.blobs import Blobs
from ringnode.storage.disk import Disk

SONGS = [random.Random(n).randbytes(3000 + n) for n in range(4)]
KEYS = [blake3(song).hexdigest() for song in SONGS]
Tell = Callable[[str, str], None]


def cut() -> None:
    raise PowerCut


def fail() -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def fill() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def life(root: Path, disk: Disk, tell: Tell) -> None:
    """All that a store does, once; `tell` is told of what is acknowledged, and of what is not any more."""
    blobs = Blobs(root, disk=disk)
    blobs.clean()
    spool = blobs.spool()
    for start in range(0, len(SONGS[0]), 1000):
        spool.write(SONGS[0][start : start + 1000])
    blobs.keep(spool)
    tell("kept", KEYS[0])
    spool.discard()
    blobs.spool().write(b"never finished")
    for n in (1, 2):
        at = 0
        while at < len(SONGS[n]):
            at = blobs.take_piece(KEYS[n], len(SONGS[n]), at, SONGS[n][at : at + 1500])
        tell("kept", KEYS[n])
    blobs.take_piece(KEYS[3], len(SONGS[3]), 0, SONGS[3][:100])
    tell("dropping", KEYS[1])
    blobs.drop(KEYS[1])
    tell("damaged", KEYS[2])
    with blobs.path(KEYS[2]).open("r+b") as file:
        file.write(b"rot")
    assert not blobs.verify(KEYS[2])
    for start in range(0, len(SONGS[2]), 3000):
        blobs.take_piece(KEYS[2], len(SONGS[2]), start, SONGS[2][start : start + 3000])
    tell("kept", KEYS[2])
    blobs.close()


def calls_of_a_life(folder: Path) -> int:
    folder.mkdir()
    disk = FaultyDisk()
    life(folder, disk, lambda *_: None)
    disk.close()
    return disk.calls


def check(root: Path, kept: set[str], unsure: set[str]) -> None:
    """A store that opens clean."""
    blobs = Blobs(root, disk=FaultyDisk())
    blobs.clean()
    assert not list(blobs.incoming.iterdir())
    there = set(blobs.keys())
    assert kept <= there <= kept | unsure
    assert all(blobs.verify(key) for key in there - (unsure - kept))
    for key in unsure & there - kept:
        blobs.verify(key)  # damaged by the test itself, perhaps: then it goes aside
    for song, key in zip(SONGS, KEYS, strict=True):  # and takes all there is
        assert blobs.take_piece(key, len(song), 0, song) == len(song)
        assert blobs.verify(key)


class Told:
    """What was acknowledged."""

    def __init__(self) -> None:
        self.kept: set[str] = set()
        self.damaged: set[str] = set()

    def __call__(self, what: str, key: str) -> None:
        (self.kept.add if what == "kept" else self.kept.discard)(key)
        (self.damaged.add if what == "damaged" else self.damaged.discard)(key)


def live_until_killed(root: Path, at: int, pipe: int) -> None:
    try:
        die = FaultyDisk(at, lambda: os.kill(os.getpid(), signal.SIGKILL))
        life(root, die, lambda what, key: os.write(pipe, f"{what} {key}\n".encode()) and None)
    finally:
        os._exit(1)


def test_killed_between_any_two_calls(tmp_path: Path) -> None:
    """A real process, a real SIGKILL."""
    calls = calls_of_a_life(tmp_path / "whole")
    for at in range(1, calls + 1):
        root, told = tmp_path / str(at), Told()
        root.mkdir()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            live_until_killed(root, at, writing)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            for line in pipe:
                told(*line.split())
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        check(root, told.kept, set(KEYS))
        shutil.rmtree(root)


@pytest.mark.parametrize("seed", range(4))
def test_power_cut_between_any_two_calls(tmp_path: Path, seed: int) -> None:
    calls = calls_of_a_life(tmp_path / "whole")
    for at in range(1, calls + 1):
        root, after, told = tmp_path / f"{at}", tmp_path / f"{at} after", Told()
        root.mkdir()
        disk = FaultyDisk(at, cut)
        with pytest.raises(PowerCut):
            life(root, disk, told)
        disk.after_power_cut(root, after, random.Random(f"{seed} {at}"))
        check(after, told.kept, set(KEYS))
        shutil.rmtree(root)
        shutil.rmtree(after)


def test_a_store_that_does_not_sync_is_caught(tmp_path: Path) -> None:
    """The model of lost power must find what it is there for."""

    class Forgetful(FaultyDisk):
        def sync_folder(self, folder: Path) -> None:
            """Left out."""

    lost = 0
    for seed in range(20):
        root, after, told = tmp_path / f"{seed}", tmp_path / f"{seed} after", Told()
        root.mkdir()
        disk = Forgetful()
        life(root, disk, told)
        disk.after_power_cut(root, after, random.Random(seed))
        lost += any(not (after / "files" / key[:2] / key).exists() for key in told.kept)
    assert lost


def test_a_folder_that_another_process_has_just_made_is_synced_too(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    disk = FaultyDisk()
    blobs = Blobs(root, disk=disk)
    blobs.path(KEYS[0]).parent.mkdir()  # and was killed before it could sync
    assert blobs.take_piece(KEYS[0], len(SONGS[0]), 0, SONGS[0])
    for seed in range(8):
        disk.after_power_cut(root, tmp_path / f"{seed}", random.Random(seed))
        check(tmp_path / f"{seed}", {KEYS[0]}, set())


@pytest.mark.parametrize("trouble", [fail, fill])
@pytest.mark.parametrize("lasting", [False, True])
def test_a_disk_that_fails_or_is_full_at_any_call(tmp_path: Path, trouble: Callable[[], None], lasting: bool) -> None:
    """It is said, what was acknowledged stays, nothing else counts as stored; and no spool is left open."""
    calls = calls_of_a_life(tmp_path / "whole")
    said = 0
    for at in range(1, calls + 1):
        root, told = tmp_path / str(at), Told()
        root.mkdir()
        disk = FaultyDisk(at, trouble, lasting)
        try:
            life(root, disk, told)
        except NoSpace as error:
            said += 1
            assert isinstance(error, DiskFailed) == (trouble is fail)
            assert disk.trouble
        disk.close()
        check(root, told.kept, set(KEYS) - told.kept)
        shutil.rmtree(root)
    assert said > calls // 2


def test_after_a_failed_sync_the_upload_is_not_there(tmp_path: Path) -> None:
    for at in range(1, 40):
        root = tmp_path / str(at)
        blobs = Blobs(root, disk=(disk := FaultyDisk()))
        spool = blobs.spool()
        spool.write(SONGS[0])
        disk.at, disk.happens = disk.calls + at, fail
        try:
            blobs.keep(spool)
        except DiskFailed:
            assert not blobs.has(KEYS[0]) and not blobs.vouches(KEYS[0])
            assert "failed" in str(DiskFailed(disk.trouble)) or disk.trouble
        else:
            assert at > 3
            return
        finally:
            spool.discard()
    raise AssertionError("it never succeeded")


def test_a_failed_write_is_never_built_upon(tmp_path: Path) -> None:
    """A part of the piece is in the file and not in the hash: it must not become the file of that hash."""
    blobs = Blobs(tmp_path, disk=(disk := FaultyDisk()))
    blobs.take_piece(KEYS[0], len(SONGS[0]), 0, SONGS[0][:1000])
    disk.at, disk.happens = disk.calls + 1, fill
    with pytest.raises(NoSpace):
        blobs.take_piece(KEYS[0], len(SONGS[0]), 1000, SONGS[0][1000:])
    at = 0
    while at < len(SONGS[0]):
        at = blobs.take_piece(KEYS[0], len(SONGS[0]), at, SONGS[0][at : at + 1000])
    assert blobs.verify(KEYS[0])


class Stores(RuleBasedStateMachine):
    """Any order of what a store does, with crashes, power cuts and failures of the disk among it."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(os.environ["STORE_TESTS"]) / random.Random().randbytes(6).hex()
        self.base.mkdir()
        self.root = self.base / "0"
        self.root.mkdir()
        self.lives = 0
        self.kept: set[str] = set()
        self.unsure: set[str] = set()
        self.rotten: set[str] = set()  # damaged and still in its place: after a restart the store believes in it
        self._open(FaultyDisk())

    def _open(self, disk: FaultyDisk) -> None:
        self.disk = disk
        self.blobs = Blobs(self.root, disk=disk)
        self.blobs.clean()

    def _do(self, key: str, act: Callable[[], object]) -> bool:
        """True if it was done; else the disk failed, or the power went and has come back."""
        self.unsure.add(key)
        try:
            act()
            return True
        except NoSpace:
            return False
        except PowerCut:
            self._power_returns()
            return False

    def _power_returns(self) -> None:
        self.lives += 1
        after = self.base / str(self.lives)
        seed = self.lives * 7919 + self.disk.calls
        note(f"power cut, seed {seed}")
        self.disk.after_power_cut(self.root, after, random.Random(seed))
        shutil.rmtree(self.root)
        self.root = after
        self._open(FaultyDisk())
        for folder in [after, *(path for path in after.rglob("*") if path.is_dir())]:
            self.disk.names[folder] = {path.name: path.stat().st_ino for path in folder.iterdir()}
        for path in after.rglob("*"):
            if path.is_file():
                self.disk.synced[path.stat().st_ino] = path.read_bytes()

    @rule(n=st.integers(0, 3))
    def upload(self, n: int) -> None:
        def act() -> None:
            spool = self.blobs.spool()
            try:
                spool.write(SONGS[n])
                self.blobs.keep(spool)
            finally:
                spool.discard()

        if self._do(KEYS[n], act):
            self.kept.add(KEYS[n])
            self.rotten.discard(KEYS[n])

    @rule(n=st.integers(0, 3), offset=st.sampled_from([0, 0, 1000, 2000]), length=st.integers(0, 3100))
    def piece(self, n: int, offset: int, length: int) -> None:
        data = SONGS[n][offset : offset + length]
        answers: list[int] = []
        if not self.blobs.path(KEYS[n]).exists():
            self.rotten.discard(KEYS[n])
        act = lambda: answers.append(self.blobs.take_piece(KEYS[n], len(SONGS[n]), offset, data))  # noqa: E731
        if self._do(KEYS[n], act) and answers == [len(SONGS[n])] and KEYS[n] not in self.rotten:
            self.kept.add(KEYS[n])

    @rule(n=st.integers(0, 3))
    def drop(self, n: int) -> None:
        self.kept.discard(KEYS[n])
        if self._do(KEYS[n], lambda: self.blobs.drop(KEYS[n])):
            self.rotten.discard(KEYS[n])

    @precondition(lambda self: self.blobs.keys())
    @rule(n=st.integers(0, 3))
    def damage(self, n: int) -> None:
        if not self.blobs.has(KEYS[n]):
            return
        with self.blobs.path(KEYS[n]).open("r+b") as file:
            file.write(b"rot")
        self.disk.synced[self.blobs.path(KEYS[n]).stat().st_ino] = self.blobs.path(KEYS[n]).read_bytes()
        self.kept.discard(KEYS[n])
        self.rotten.add(KEYS[n])
        if self._do(KEYS[n], lambda: self.blobs.verify(KEYS[n])):
            assert not self.blobs.has(KEYS[n])

    @rule(n=st.integers(0, 3))
    def verify(self, n: int) -> None:
        try:
            good = []
            if self._do(KEYS[n], lambda: good.append(self.blobs.verify(KEYS[n]))):
                assert good == [True] or KEYS[n] not in self.kept
        except NotFound:
            assert KEYS[n] not in self.kept

    @rule(after=st.integers(1, 12), trouble=st.sampled_from([cut, fail, fill]))
    def something_will_happen(self, after: int, trouble: Callable[[], None]) -> None:
        self.disk.at, self.disk.happens = self.disk.calls + after, trouble

    @rule()
    def restart(self) -> None:
        self.disk.at = 0
        self.disk.close()
        self._open(self.disk)

    @invariant()
    def what_was_acknowledged_is_there(self) -> None:
        present = set(self.blobs.keys())
        assert self.kept <= present <= self.kept | self.unsure
        for key in self.kept:
            assert blake3(self.blobs.path(key).read_bytes()).hexdigest() == key

    def teardown(self) -> None:
        self.disk.close()
        shutil.rmtree(self.base)


def test_any_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_TESTS", str(tmp_path))
    state_machine = Stores.TestCase
    state_machine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
    state_machine("runTest").debug()

"""A real folder whose disk fails, is full, or loses power at a call the test chooses.

Beside the real folder it keeps what a power cut would leave: names and bytes that were synced are there; of all
others chance decides, each by itself, whether the new or the old state survives, or a torn one. The real disk is not
made to sync: it takes long, and shows nothing.
"""

import os
import random
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ringnode.errors import NoSpace
from ringnode.storage.disk import Disk


class PowerCut(BaseException):
    """Nothing more happens: whatever is done after it, in `finally` too, does not reach the disk."""


class FaultyDisk(Disk):
    """Counts its calls; the one numbered `at` does `trouble()` instead, or before it if that returns."""

    def __init__(self, at: int = 0, trouble: Callable[[], None] = lambda: None, lasting: bool = False) -> None:
        super().__init__()
        self.calls = 0
        self.at = at
        self.happens = trouble
        self.lasting = lasting  # all that follow it, too
        self.off = False
        self.synced: dict[int, bytes] = {}  # bytes of a file, by inode
        self.names: dict[Path, dict[str, int]] = {}  # durable names of a folder
        self.opened: list[BinaryIO] = []
        self._graves: list[int] = []  # of removed files: a number is not given again before the removal is durable
        weakref.finalize(self, _close, self._graves)

    def _step(self) -> None:
        if self.off:
            raise PowerCut
        self.calls += 1
        if self.at and (self.calls == self.at or (self.lasting and self.calls > self.at)):
            try:
                with self.errors():
                    self.happens()
            except PowerCut:
                self.off = True
                raise

    def create(self, path: Path) -> BinaryIO:
        self._step()
        self.opened.append(super().create(path))
        return self.opened[-1]

    def close(self) -> None:
        """What a process that dies leaves to the system."""
        for file in self.opened:
            file.close()

    def write(self, file: BinaryIO, data: bytes | bytearray | memoryview) -> None:
        try:
            self._step()
        except (NoSpace, PowerCut):
            file.write(bytes(data)[: len(data) // 2])  # a part of it got there
            raise
        super().write(file, data)

    def sync(self, file: BinaryIO) -> None:
        self._step()
        self.synced[os.fstat(file.fileno()).st_ino] = os.pread(file.fileno(), 1 << 30, 0)

    def rename(self, old: Path, new: Path) -> None:
        self._step()
        self._bury(new)
        super().rename(old, new)

    def remove(self, path: Path) -> None:
        self._step()
        self._bury(path)
        super().remove(path)

    def _bury(self, path: Path) -> None:
        if path.exists():
            self._graves.append(os.open(path, os.O_RDONLY))

    def make_folder(self, folder: Path) -> None:
        self._step()
        super().make_folder(folder)

    def sync_folder(self, folder: Path) -> None:
        self._step()
        self.names[folder] = {path.name: path.stat().st_ino for path in folder.iterdir()}

    def after_power_cut(self, root: Path, into: Path, chance: random.Random) -> None:
        """Make in the folder `into` what may be left of `root`."""
        self.close()
        inodes = {path.stat().st_ino: path.read_bytes() for path in root.rglob("*") if path.is_file()}
        self._restore(root, into, inodes, chance)

    def _restore(self, folder: Path, into: Path, inodes: dict[int, bytes], chance: random.Random) -> None:
        into.mkdir()
        now = {path.name: path for path in folder.iterdir()}
        durable = self.names.get(folder, {})
        for name in sorted(now.keys() | durable.keys()):
            path = now.get(name)
            inode = path.stat().st_ino if path else None
            if durable.get(name) != inode and chance.random() < 0.5:
                inode = durable.get(name)
                path = None
            if inode is None:
                continue
            if path is not None and path.is_dir():
                self._restore(path, into / name, inodes, chance)
            else:
                (into / name).write_bytes(self._bytes(inode, inodes.get(inode), chance))

    def _bytes(self, inode: int, now: bytes | None, chance: random.Random) -> bytes:
        synced = self.synced.get(inode, b"")
        if now is None or now == synced:
            return synced
        kept = chance.randrange(len(now) + 1)
        return (now[:kept] + bytes(chance.randrange(2) * (len(now) - kept)))[: max(len(now), 1)]


def _close(files: list[int]) -> None:
    for file in files:
        os.close(file)

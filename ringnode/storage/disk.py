"""Durable steps on a disk, and what goes wrong in them, in our words.

What was written is durable after `sync`, a name after `sync_folder` of its folder, and neither before. After a failed
sync nobody knows what the disk has: what was to be made durable is thrown away, never synced again.
"""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ringnode.errors import DiskFailed, NoSpace

FULL = (errno.ENOSPC, errno.EDQUOT)


class Disk:
    """The system calls that change something. They raise NoSpace if the disk is full, DiskFailed if it fails."""

    def __init__(self) -> None:
        self.trouble = ""  # what failed last, "" if nothing did since the last `check`
        self.trouble_at = 0.0  # seconds since 1970

    @contextmanager
    def errors(self) -> Iterator[None]:
        """The system's errors as ours, remembered for people to see."""
        try:
            yield
        except OSError as error:
            self.trouble, self.trouble_at = error.strerror or type(error).__name__, time.time()
            if error.errno in FULL:
                raise NoSpace("the disk is full") from error
            raise DiskFailed(f"the disk failed: {self.trouble}") from error

    def create(self, path: Path) -> BinaryIO:
        """A new file, to be written and read without a buffer."""
        with self.errors():
            return path.open("x+b", buffering=0)

    def link(self, path: Path, other: Path) -> BinaryIO:
        """A second name for a file, opened for reading."""
        with self.errors():
            os.link(path, other)
            return other.open("rb", buffering=0)

    def write(self, file: BinaryIO, data: bytes | bytearray | memoryview) -> None:
        """Append all of it. After an error the file is of no use."""
        with self.errors():
            if file.write(data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def sync(self, file: BinaryIO) -> None:
        """What was written is durable, its name is not."""
        with self.errors():
            os.fdatasync(file.fileno())

    def rename(self, old: Path, new: Path) -> None:
        """At once for every process; durable after `sync_folder` of both folders."""
        with self.errors():
            old.rename(new)

    def remove(self, path: Path) -> None:
        """Twice is harmless."""
        with self.errors():
            path.unlink(missing_ok=True)

    def make_folder(self, folder: Path) -> None:
        """With its parents, all durable."""
        if not folder.exists():
            self.make_folder(folder.parent)
            with self.errors():
                folder.mkdir(exist_ok=True)
            self.sync_folder(folder.parent)

    def sync_folder(self, folder: Path) -> None:
        """The names in it are durable."""
        with self.errors():
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def replace(self, path: Path, data: bytes) -> None:
        """A small file with new contents: the old or the new at any time, durable when it returns."""
        beside = path.with_name(path.name + ".new")
        self.remove(beside)
        try:
            with self.create(beside) as file:
                self.write(file, data)
                self.sync(file)
            self.rename(beside, path)
        except BaseException:
            with suppress(NoSpace):
                self.remove(beside)
            raise
        self.sync_folder(path.parent)

    def check(self, folder: Path) -> None:
        """Does it take anything? If so, former trouble is history."""
        self.replace(folder / "check", b"ringnode")
        self.remove(folder / "check")
        self.trouble = ""

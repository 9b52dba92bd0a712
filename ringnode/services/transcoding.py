"""Songs in a format that browsers play, made by ffmpeg where this node has it.

The whole song is made before its first byte is sent, so that ranges of it work; what was made is kept in a folder
of this node, which may be emptied at any time. The input is a stranger's: ffmpeg may open nothing but the one file,
takes it for nothing but audio, and may use so much memory, time and disk.
"""

import fcntl
import logging
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ringnode.errors import NoSpace, NotAble, PeerBusy
from ringnode.services.library import Library

log = logging.getLogger(__name__)

AT_ONCE = 2  # of all workers of the node: the rest of its processors is for the ring
PATIENCE_S = 60.0  # how long one waits for its turn
PAUSE_S = 0.1
TIMEOUT_S = 120.0
MEMORY_BYTES = 1 << 30
MADE_BYTES = 512 << 20  # an hour of opus is 60 MB
LEFT = 0.8  # of the bound, when what was used longest ago is dropped
# Demuxers by ffmpeg's names: no playlists, no scripts, nothing that opens other files.
DEMUXERS = (
    "mov,mp4,m4a,aiff,asf,ape,wv,tta,flac,mp3,ogg,wav,w64,aac,mpc,mpc8,dsf,iff,matroska,webm,ac3,eac3,dts,caf,tak"
)


class Format(NamedTuple):
    """A format that is made."""

    mime: str
    arguments: tuple[str, ...]


FORMATS = {
    "opus": Format("audio/ogg", ("-c:a", "libopus", "-b:a", "160k", "-f", "ogg")),
    "mp3": Format("audio/mpeg", ("-c:a", "libmp3lame", "-q:a", "2", "-f", "mp3")),
    "aac": Format("audio/mp4", ("-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart", "-f", "mp4")),
}


class Made:
    """A file of the folder as a source, open also when it is dropped meanwhile."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes; fewer only at the end."""
        return os.pread(self._file.fileno(), length, offset)

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from start up to end, in order."""
        while start < end and (data := self.read_at(start, min(256 << 10, end - start))):
            yield data
            start += len(data)

    def __enter__(self) -> "Made":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


class Transcoding:
    """Over the library; `folder` is for what is made, at most `limit_bytes`. `program` is ffmpeg, "" for none."""

    def __init__(self, library: Library, folder: Path, program: str, limit_bytes: int, reserve_bytes: int) -> None:
        self._library = library
        self._folder = folder
        self._program = shutil.which(program) if program and limit_bytes else None
        self._limit_bytes = limit_bytes
        self._reserve_bytes = reserve_bytes

    @property
    def formats(self) -> tuple[str, ...]:
        """What can be made here; nothing without ffmpeg."""
        return tuple(FORMATS) if self._program else ()

    def open(self, id: str, name: str) -> Made:
        """A song in the format of this name. NotAble, NotFound, NoSpace; PeerBusy if too many are being made."""
        song = self._library.song(id)
        if not self._program:
            raise NotAble("this node has no ffmpeg, so it cannot make another format: download the song instead")
        made = self._folder / f"{id}.{name}"
        if (file := _opened(made)) is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._turn(f"song-{id[0]}"):  # who asks for the same at once waits, and finds it
                if (file := _opened(made)) is None:
                    with ExitStack() as stack:
                        self._take_slot(stack)
                        self._make(id, song.size_bytes, name, made)
                    file = made.open("rb")
        return Made(file)

    def _make(self, id: str, size: int, name: str, made: Path) -> None:
        if shutil.disk_usage(self._folder).free < self._reserve_bytes + size + MADE_BYTES:
            raise NoSpace("there is no room on this node to make another format of a song")
        source, target = made.with_suffix(".source"), made.with_suffix(".part")
        try:
            with self._library.open(id) as song, source.open("wb") as file:
                for data in song.chunks(0, song.size):
                    file.write(data)
            self._run(source, target, FORMATS[name])
            target.replace(made)
        finally:
            for path in (source, target):
                path.unlink(missing_ok=True)
        self._drop_old()

    def _run(self, source: Path, target: Path, format: Format) -> None:
        assert self._program
        command = [
            self._program, "-nostdin", "-v", "error", "-threads", "1", "-protocol_whitelist", "file,pipe",
            "-format_whitelist", DEMUXERS, "-i", f"file:{source}", "-map", "0:a:0", "-map_metadata", "-1",
            "-fs", str(MADE_BYTES), *format.arguments, "-y", f"file:{target}",
        ]  # fmt: skip
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/") as process:
            with suppress(ProcessLookupError):  # it may have ended already
                resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
                resource.prlimit(process.pid, resource.RLIMIT_CPU, (int(TIMEOUT_S), int(TIMEOUT_S)))
                os.setpriority(os.PRIO_PROCESS, process.pid, 10)
            try:
                _, said = process.communicate(timeout=TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                said = b"it took too long"
        if process.returncode or not target.exists() or not target.stat().st_size:
            log.warning("ffmpeg could not make %s: %s", target.name, said[-500:].decode("utf-8", "replace"))
            raise NotAble("ffmpeg cannot read this song, or not in reasonable time: download it instead")

    # -- bounds ------------------------------------------------------------------------------------------------

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        """Hold a lock that all workers of this node know."""
        with ExitStack() as stack:
            self._wait(lambda: self._take(stack, name))
            yield

    def _take_slot(self, stack: ExitStack) -> None:
        self._wait(lambda: any(self._take(stack, f"slot-{n}") for n in range(AT_ONCE)))

    def _wait(self, take: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not take():
            if time.monotonic() > deadline:
                raise PeerBusy("this node is making other formats of other songs: try again in a moment")
            time.sleep(PAUSE_S)

    def _take(self, stack: ExitStack, name: str) -> bool:
        file = (self._folder / f"{name}.lock").open("wb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        stack.enter_context(file)  # closing it lets it go
        return True

    def _drop_old(self) -> None:
        found = [(path.stat(), path) for path in self._folder.iterdir() if path.suffix[1:] in FORMATS]
        total = sum(stat.st_size for stat, _ in found)
        if total <= self._limit_bytes:
            return
        for stat, path in sorted(found, key=lambda one: one[0].st_mtime):
            path.unlink(missing_ok=True)
            total -= stat.st_size
            if total <= self._limit_bytes * LEFT:
                return


def _opened(path: Path) -> BinaryIO | None:
    """The file, marked as used just now; None if it is not there."""
    try:
        os.utime(path)
        return path.open("rb")
    except FileNotFoundError:
        return None

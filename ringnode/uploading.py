"""Many files into the library: finding them, sending them, telling how it goes."""

import os
import stat as file_types
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from ringnode.cache import Journal
from ringnode.client import ApiError, Client
from ringnode.errors import Invalid
from ringnode.terminal import counted, plain, screen, show_json, size

AUDIO = frozenset({
    ".aac", ".aif", ".aifc", ".aiff", ".ape", ".flac", ".m4a", ".m4b", ".mp3", ".mp4", ".mpc", ".oga", ".ogg",
    ".opus", ".spx", ".tta", ".wav", ".wave", ".wma", ".wv",
})  # fmt: skip
HOPELESS = (401, 403, 429, 503)  # what is said of one file holds for all that follow

NEW, THERE, REFUSED = "new", "there", "refused"


class Outcome(NamedTuple):
    """What became of a file; `id` of the song, or `why` it was refused."""

    path: Path
    status: str
    size: int
    id: str = ""
    why: str = ""


def audio_files(paths: Iterable[Path], skip: Callable[[Path], object] = lambda _: None) -> list[Path]:
    """The files named, and those in the folders named that look like music; `skip` is told of the others.

    Links are followed, each folder is entered once. A folder that cannot be read is in the list, to be refused there.
    """
    found: list[Path] = []
    entered: set[tuple[int, int]] = set()

    def first_time(folder: Path) -> bool:
        with suppress(OSError):  # a folder that is gone
            stat = folder.stat()
            if (stat.st_dev, stat.st_ino) not in entered:
                entered.add((stat.st_dev, stat.st_ino))
                return True
        return False

    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        if not first_time(path):
            continue
        unreadable: Callable[[OSError], None] = lambda error: found.append(Path(error.filename))  # noqa: E731
        for name, folders, files in os.walk(path, onerror=unreadable, followlinks=True):
            here = Path(name)
            folders[:] = [f for f in sorted(folders) if not f.startswith(".") and first_time(here / f)]
            for file in map(here.joinpath, sorted(files)):
                looks_good = not file.name.startswith(".") and file.suffix.lower() in AUDIO
                (found.append if looks_good else skip)(file)
    return found


def upload_all(client: Client, files: list[Path], journal: Journal, jobs: int, report: "Report") -> None:
    """Send files, `jobs` at once. What stops one file is reported; what would stop all is raised."""
    waiting = iter(files)  # shared: each file is taken by one thread

    def work() -> None:
        for path in waiting:
            report.done(upload_one(client, path, journal, report.moved))

    with ThreadPoolExecutor(jobs, "upload") as pool:
        try:
            for job in as_completed([pool.submit(work) for _ in range(jobs)]):
                job.result()
        except BaseException:
            client.stop()
            raise


def upload_one(client: Client, path: Path, journal: Journal, moved: Callable[[int], None]) -> Outcome:
    """Send a file, unless the ring has what the journal knows it to be; `moved` is told of bytes, back and forth."""
    sent = total = 0

    def progress(now: int) -> None:
        nonlocal sent
        moved(now - sent)
        sent = now

    try:
        stat = path.stat()
        total = stat.st_size
        if not file_types.S_ISREG(stat.st_mode):
            raise Invalid("it is no file that can be read")
        key = journal.find(path, stat)
        if key and client.has(key):
            return Outcome(path, THERE, total, key)
        song, new = client.upload(path, progress)
        journal.note(path, stat, song["id"])
        return Outcome(path, NEW if new else THERE, total, song["id"])
    except ApiError as error:
        if error.status in HOPELESS:
            raise
        return Outcome(path, REFUSED, total, why=error.detail)
    except Invalid as error:
        return Outcome(path, REFUSED, total, why=str(error))
    except OSError as error:
        return Outcome(path, REFUSED, total, why=f"it cannot be read: {error.strerror}")
    finally:
        progress(total)


class Report:
    """Tells of an upload: a bar on a terminal, else a line for each file; or JSON. A context manager."""

    def __init__(self, files: list[Path], skipped: int, as_json: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._skipped = skipped
        self._as_json = as_json
        self._bytes = 0
        self._start = time.monotonic()
        self._lock = threading.Lock()
        self._stderr = screen(stderr=True)
        columns = (
            BarColumn(), TextColumn("{task.fields[sent]}/{task.fields[files]} files"), DownloadColumn(),
            TransferSpeedColumn(), TimeRemainingColumn(),
        )  # fmt: skip
        self._bar = Progress(*columns, console=self._stderr, disable=as_json or not self._stderr.is_terminal)
        self._task = self._bar.add_task("", total=sum(map(_size, files)), files=len(files), sent=0)

    def __enter__(self) -> "Report":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def moved(self, count: int) -> None:
        """Bytes were sent; fewer than none if they have to be sent again."""
        self._bar.advance(self._task, count)

    def done(self, outcome: Outcome) -> None:
        """A file has come to its end."""
        with self._lock:
            self.counts[outcome.status] += 1
            self._bytes += outcome.size if outcome.status == NEW else 0
            self._bar.update(self._task, sent=self.counts.total())
            if self._as_json:
                show_json({**outcome._asdict(), "path": os.fspath(outcome.path)})
            elif outcome.status == REFUSED:
                self._stderr.print(plain(f"refused {outcome.path}: {outcome.why}"), soft_wrap=True)
            elif self._bar.disable:
                click.echo(plain(f"{outcome.status:7} {outcome.path}"))

    def summary(self) -> None:
        """The last line."""
        seconds = time.monotonic() - self._start
        if self._as_json:
            counts = {status: self.counts[status] for status in (NEW, THERE, REFUSED)}
            show_json({**counts, "skipped": self._skipped, "bytes": self._bytes, "seconds": round(seconds, 3)})
            return
        parts = [f"{self.counts[NEW]:,} new ({size(self._bytes)})", f"{self.counts[THERE]:,} already there"]
        parts += [f"{self.counts[REFUSED]:,} refused"]
        parts += [f"{counted(self._skipped, 'file')} skipped (hidden, or no music)"] if self._skipped else []
        click.echo(f"{', '.join(parts)}; {seconds:.1f} s")


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0

"""A catalogue and its durability on one node alone, without a ring: for tests of what stands above them."""

import tempfile
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from ringnode.catalogue import marks, playlists, shelves, songs
from ringnode.catalogue.database import Database
from ringnode.catalogue.model import Song
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.errors import Conflict, Invalid, NotFound, Stale
from ringnode.services.reading import LocalFile

START_MS = 1_800_000_000_000


class Clock:
    """Milliseconds that a test moves."""

    def __init__(self) -> None:
        self.ms = START_MS

    def __call__(self) -> int:
        return self.ms


def open_catalogue(path: Path | str = ":memory:", node: str = "n", now_ms: Clock | None = None) -> Records:
    """Records with what the node gives them."""
    projections = {"song": songs.project, "playlist": playlists.project, "entry": playlists.project_entry}
    return Records(
        Database(path), node, now_ms or Clock(), projections, followers=shelves.FOLLOWERS | {"mark": marks.follow}
    )


def add_song(records: Records, title: str, n: int = 0, **fields: object) -> Song:
    """A song that is there."""
    key = f"{n or len(records.keys('song')) + 1:064x}"
    return songs.song(records.put("song", key, {"title": title, "duration_s": 60.0} | fields))


class Shelf:
    """The part of `services.library.Library` that finds and opens songs; `files` by key."""

    def __init__(self, records: Records, files: dict[str, bytes] | None = None) -> None:
        self._records = records
        self.files = {} if files is None else files

    def song(self, key: str) -> Song:
        record = self._records.get("song", key)
        if record is None or record.deleted:
            raise NotFound(f"there is no song {key:.64}")
        return songs.song(record)

    def several(self, keys: Sequence[str]) -> list[Song]:
        try:
            return [self.song(key) for key in keys]
        except NotFound as error:
            raise Invalid(str(error), "ids") from error

    def copies(self, key: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(whole=key in self.files)]

    def open(self, key: str) -> LocalFile:
        file = tempfile.TemporaryFile()  # noqa: SIM115  whoever opens a song closes it
        file.write(self.files[key])
        file.flush()
        return LocalFile(file, lambda: self.open(key))  # type: ignore[arg-type]


class Alone:
    """`services.durability.Durability` of a ring of one."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._leases: set[str] = set()

    def find(self, kind: str, key: str) -> Record | None:
        return self._records.get(kind, key)

    latest = find

    def latest_all(self, names: Sequence[tuple[str, str]]) -> list[Record | None]:
        return [self._records.get(*name) for name in names]

    @contextmanager
    def changing(self, kind: str, key: str, versions: Container[str] | None = None) -> Iterator[Record]:
        record = self._records.get(kind, key)
        if record is None or record.deleted:
            raise NotFound(f"there is no {kind} {key}")
        if versions is not None and record.newest() not in versions:
            raise Stale("it has changed since")
        yield record

    @contextmanager
    def lease(self, name: str) -> Iterator[SimpleNamespace]:
        if name in self._leases:
            raise Conflict(f"another is at {name}")
        self._leases.add(name)
        try:
            yield SimpleNamespace(require=lambda: None)
        finally:
            self._leases.remove(name)

    def publish(self, record: Record) -> Record:
        self._records.keep(list(record))
        return self._records.get(record.kind, record.key) or record

    def publish_all(self, records: Sequence[Record]) -> None:
        self._records.keep_all([list(record) for record in records])

    def note(self, record: Record) -> None:
        self._records.keep(list(record))

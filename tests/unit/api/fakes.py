"""A whole gateway over dictionaries: what the API's tests talk to."""

import hashlib
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from alone import Alone, open_catalogue

from ringnode.catalogue import pictures
from ringnode.catalogue.attempts import Attempts
from ringnode.catalogue.model import Song
from ringnode.catalogue.paging import PAGE_LIMIT, Asked, Page
from ringnode.catalogue.songs import Filter, checked_edit
from ringnode.catalogue.tags import Cover
from ringnode.errors import Forbidden, Invalid, NotFound, Stale, TooLarge
from ringnode.protocol.messages import Peer
from ringnode.services import accounts
from ringnode.services.accounts import Accounts, User
from ringnode.services.audit import Audit
from ringnode.services.belongings import Belongings
from ringnode.services.covers import Covers
from ringnode.services.events import Events
from ringnode.services.invitations import Invitations
from ringnode.services.library import Copy, clean_name
from ringnode.services.listening import Listening
from ringnode.services.lyrics import Words
from ringnode.services.marks import Marks
from ringnode.services.overview import Health, LoopView, NodeView, RingView, Work
from ringnode.services.passwords import HASHER
from ringnode.services.playlists import Playlists
from ringnode.services.sessions import Access, Client, Login, Sessions
from ringnode.services.transcoding import Transcoding
from ringnode.services.union import Finding, Inventory, Told
from ringnode.services.uploads import Resumable
from ringnode.storage.blobs import Blobs, Spool

LIMIT = 1 << 20
SECRET = "s" * 64
USERS = {role: User(role, role) for role in ("listener", "uploader", "admin", "stranger")}
HASHES = {name: HASHER.hash(name) for name in USERS}  # a password is the name
PIECE = 7  # small, so that answers are made of many


class MemorySource:
    """Bytes, as `services.reading.Source`; counts who has opened it and not closed it."""

    def __init__(self, data: bytes, opened: list["MemorySource"]) -> None:
        self.size = len(data)
        self._data = data
        self._opened = opened
        opened.append(self)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        for at in range(start, end, PIECE):
            yield self._data[at : min(at + PIECE, end)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.remove(self)


class MemoryLibrary:
    """Every method of `services.library.Library`. `error`, if set, is raised by the next call that adds or opens."""

    def __init__(self) -> None:
        self.songs: dict[str, Song] = {}
        self.files: dict[str, bytes] = {}
        self.versions: dict[str, int] = {}
        self.covers: dict[str, Cover] = {}
        self.opened: list[MemorySource] = []
        self.pieces: list[int] = []
        self.error: Exception | None = None

    def add(self, chunks: Iterator[bytes], filename: str, user: str, size: int | None = None) -> tuple[Song, bool]:
        if self.error:
            raise self.error
        data = b""
        for chunk in chunks:
            self.pieces.append(len(chunk))
            data += chunk
            if len(data) > LIMIT:
                raise TooLarge("too large", "file")
        if size is not None and size != len(data):
            raise Invalid("cut", "file")
        if not data:
            raise Invalid("empty", "file")
        key = hashlib.sha256(data).hexdigest()
        new = key not in self.songs
        if new:
            name = clean_name(filename)
            self.put(Song(key, title=name, filename=name, mime="audio/mpeg", added_by=user), data)
        return self.songs[key], new

    def take(self, spool: Spool, filename: str, user: str) -> tuple[Song, bool]:
        try:
            return self.add(iter([spool.path.read_bytes()]), filename, user)
        finally:
            spool.discard()

    def put(self, song: Song, data: bytes) -> Song:
        """For tests: a song that is there."""
        self.songs[song.id] = replace(song, size_bytes=len(data))
        self.files[song.id] = data
        self.versions[song.id] = 1
        return self.songs[song.id]

    def song(self, key: str) -> Song:
        if key not in self.songs:
            raise NotFound(f"there is no song {key:.64}")
        return self.songs[key]

    def several(self, keys: Sequence[str]) -> list[Song]:
        for key in keys:
            if key not in self.songs:
                raise Invalid(f"there is no song {key:.64}", "ids")
        return [self.songs[key] for key in keys]

    def version(self, key: str) -> str:
        return f"{self.song(key).id[:4]}-{self.versions[key]}"

    def open(self, key: str) -> MemorySource:
        if self.error:
            raise self.error
        return MemorySource(self.files[self.song(key).id], self.opened)

    def cover(self, key: str) -> Cover:
        if self.song(key).id not in self.covers:
            raise NotFound("no picture")
        return self.covers[key]

    def copies(self, key: str) -> list[Copy]:
        size = self.song(key).size_bytes
        return [Copy("cellar", "ab" * 32, "10.0.0.5:7700", "https://cellar:7701", True, size, True, None, 0)]


class MemoryEditing:
    """What `services.editing.Editing` does to one song, without a history."""

    def __init__(self, library: MemoryLibrary) -> None:
        self._library = library

    def edit(self, user: User, key: str, changes: Any, versions: Container[str] | None = None) -> Song:
        song = self._require(key, versions)
        values = {n: tuple(v) if isinstance(v, list) else v for n, v in checked_edit(changes).items()}
        self._library.songs[key] = replace(song, **values)
        self._library.versions[key] += 1
        return self._library.songs[key]

    def _require(self, key: str, versions: Container[str] | None) -> Song:
        song = self._library.song(key)
        if versions is not None and self._library.version(key) not in versions:
            raise Stale("it has changed")
        return song

    def delete(self, user: User, key: str, versions: Container[str] | None = None) -> None:
        song = self._require(key, versions)
        if user.role != "admin" and song.added_by != user.name:
            raise Forbidden("it is somebody else's")
        del self._library.songs[key]


class MemoryBrowse:
    """`services.browse.Browse` as far as songs are concerned; the rest is tested over a real catalogue."""

    def __init__(self, library: MemoryLibrary) -> None:
        self._library = library

    def songs(self, asked: Asked, wanted: Filter) -> Page[Song]:
        if not 1 <= asked.limit <= PAGE_LIMIT:
            raise Invalid("limit", "limit")
        found = [song for song in self._library.songs.values() if wanted.q in song.title]
        at = int(asked.cursor or 0)
        more = str(at + asked.limit) if at + asked.limit < len(found) else None
        return Page(found[at : at + asked.limit], more, len(found))


class Shrinker:
    """`catalogue.tag_reader.TagReader` without its processes, as far as pictures are concerned."""

    shrink = staticmethod(pictures.shrink)
    keep = staticmethod(pictures.keep)


class MemorySessions(Sessions):
    """The real ones, but that the name of an account is a token and a ticket too, and `error` is raised by logins."""

    error: Exception | None = None

    def login(self, name: str, password: str, client: Client) -> Login:
        if self.error:
            raise self.error
        return super().login(name, password, client)

    def access(self, token: str) -> Access:
        return Access(USERS[token]) if token in USERS else super().access(token)

    def ticket_user(self, ticket: str, playlist: str = "") -> User:
        name = ticket.removeprefix("ticket of ")
        return USERS[name] if name in USERS and name != ticket else super().ticket_user(ticket, playlist)


class MemoryOverview:
    """Every method of `services.overview.Overview`."""

    def __init__(self) -> None:
        self.joined = True

    def health(self) -> Health:
        return Health("ok" if self.joined else "joining", "cellar", "1.0", self.joined, "")

    def apis(self) -> list[str]:
        return ["https://cellar:7701"]

    def owners(self, key: str) -> list[Peer]:
        if len(key) != 64:
            raise Invalid("this is no key", "key")
        return [Peer("ab" * 32, "10.0.0.5:7700", 3)]

    def node(self) -> NodeView:
        loop = LoopView("probe", 9, 2, "why", "2026-01-01T00:00:00+00:00", 0.5)
        work = Work(1.0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, "Input/output error", 13, 14, (loop,))
        known = ("up", 1.0, 20, 21, 22, 23, "1.0", "", work) if self.joined else ("down", 1.0, *[None] * 4, "", "why")
        return NodeView("ab" * 32, "cellar", "10.0.0.5:7700", "", *known)

    def ring(self) -> RingView:
        down = NodeView("ab" * 32, "cellar", "10.0.0.5:7700", "", "down", 1.0, None, None, None, None, "", "why")
        return RingView(3, (down,), 0, 0, 0, 0)


class MemorySteward:
    """Every method of `services.steward.Steward`."""

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []
        self.error: Exception | None = None

    def _note(self, *what: str) -> None:
        if self.error:
            raise self.error
        self.done.append(what)

    def leave(self, id: str) -> None:
        self._note("leave", id)

    def scrub(self, id: str) -> None:
        self._note("scrub", id)

    def expel(self, id: str, by: str, force: bool) -> None:
        self._note("expel", id, by, str(force))

    def inventory(self, after: str, count: int) -> Inventory:
        self._note("inventory", after, str(count))
        lost = Finding("cd" * 32, "lost", "Gone", 100, (), ())
        return Inventory(3, (Told("ab" * 32, "cellar", "10.0.0.5:7700", 0, 0, ""),), 1, 0, 0, (lost,), None)


class MemoryGateway:
    """The services of `ringnode.gateway.Gateway`."""

    def __init__(self, folder: Path) -> None:
        (folder / "identity.json").write_text('{"id": "7f3a90cd12ab"}')
        self.config = SimpleNamespace(
            data=folder, upload_limit_bytes=LIMIT, metrics_token="", k=3, threads=12,
            cors_origins=(), proxies=0, session_s=3600.0,
            api_url="https://cellar:7701",
        )  # fmt: skip
        self.library = MemoryLibrary()
        self.browse = MemoryBrowse(self.library)
        self.overview = MemoryOverview()
        self.records = open_catalogue()
        alone = Alone(self.records)
        self.editing = MemoryEditing(self.library)
        self.uploads = Resumable(self.config, self.records, Blobs(folder / "music"), self.library)
        self.covers = Covers(self.records, alone, self.library, Shrinker(), folder / "covers")
        self.transcoding = Transcoding(self.library, folder / "transcoded", "", 1, 0)
        self.words = Words(self.records, alone, self.library)
        self.playlists = Playlists(self.records, alone)
        for user in USERS.values():
            self.records.put("user", user.name, accounts.new_doc(user.name, HASHES[user.name], user.role))
        self.accounts = Accounts(self.records, alone)
        attempts = Attempts(self.records.db, lambda: 1_800_000_000.0)
        self.sessions = MemorySessions(self.records, alone, attempts, SECRET, 3600.0)
        self.invitations = Invitations(self.records, alone, self.accounts, SECRET, self.config.api_url)
        self.audit = Audit(self.records, alone)
        self.events = Events(self.records, "n", lambda: {"repair": {"short": 0}})
        self.belongings = Belongings(self.records, alone, self.accounts, self.playlists)
        self.marks = Marks(self.records, alone, "n", folder)
        self.listening = Listening(self.records, alone, lambda: 1_800_000_000.0)
        self.steward = MemorySteward()

"""What happens, told to those who watch: the library, the nodes, the repairs. Each sees only what they may read.

Made from what this node knows already: the log of changes in its database, and the state of its own process. A
watcher costs a question to the database twice a second, and all of them together one to the node every two seconds.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ringnode.catalogue import changes
from ringnode.catalogue.people import key_of
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.errors import RingnodeError
from ringnode.services.accounts import ADMIN, User, account_key
from ringnode.services.roster import member_of

NUMBER = re.compile(r"[0-9]{1,18}")  # as SQLite can count
POLL_S = 0.5
STATE_S = 2.0
HEARTBEAT_S = 15.0  # also how long it takes to notice that a watcher is gone or may watch no more
LIFE_S = 900.0  # then the watcher comes again, and is asked for its login
AT_ONCE = 1000  # changes in one look
IDS_LIMIT = 100  # named in one event; who cares for more reads the list anew
REPAIR = ("short", "waiting", "lost", "todo", "todo_bytes")
UPLOAD = ("id", "filename", "size_bytes", "offset", "state", "song")
EVERYBODYS = ("song", "cover", "lyrics", "album")
ADMINS = ("user", "invitation", "audit")
PERSONAL = ("mark", "queue", "now", "session", "app")  # keys begin with the person's


class Event(NamedTuple):
    """One line of news. `id` tells where to go on."""

    kind: str
    data: dict[str, Any]
    id: str


class Events:
    """At one gateway. `state` asks the node's process; `uploads` gives a user's, begun at this node."""

    def __init__(
        self,
        records: Records,
        mark: str,
        state: Callable[[], dict[str, Any]],
        uploads: Callable[[str], Sequence[Any]] = lambda user: (),  # noqa: ARG005
    ) -> None:
        self.closed = threading.Event()
        self._uploads = uploads
        self._records = records
        self._mark = mark
        self._state = state
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._repair: dict[str, Any] = {}

    def watch(self, user: User, last_id: str, still: Callable[[], User]) -> Iterator[Event | None]:
        """News until LIFE_S are over; None where there were none for HEARTBEAT_S. `last_id` is of the last one seen.

        The first says where the watcher stands: `hello`, `resume` (nothing is missed) or `reset` (read all anew),
        which comes later too, to who was too slow. `still()` gives the account as it is now, or raises
        Unauthenticated when the watcher's login has ended: then it is over.
        """
        number, how = self._start(last_id)
        look = _Look(user, self._records, self._uploads, back=how == "resume")
        yield Event(how, {"node": self._mark}, self._id(number))
        began = told = asked = time.monotonic()
        while not self.closed.wait(POLL_S) and time.monotonic() - began < LIFE_S:
            found = changes.after(self._records.db, number, AT_ONCE)
            if found and found[0].number > number + 1:  # the log has forgotten what came in between
                number = changes.bounds(self._records.db)[1]
                yield Event("reset", {"node": self._mark}, self._id(number))
                continue
            since, number = number, found[-1].number if found else number
            happened = [*look.repair(self._now()), *look.uploads(), *look.at(found)]
            # Who leaves between two of them comes again for both: only the last says that all were told.
            news = [Event(kind, data, self._id(since)) for kind, data in happened[:-1]]
            news += [Event(kind, data, self._id(number)) for kind, data in happened[-1:]]
            yield from news
            now = time.monotonic()
            if now - asked > HEARTBEAT_S:
                asked = now
                try:
                    look.user = still()  # whose role may be another by now
                except RingnodeError:
                    return
            if news:
                told = now
            elif now - told > HEARTBEAT_S:
                told = now
                yield None

    def _start(self, last_id: str) -> tuple[int, str]:
        oldest, newest = changes.bounds(self._records.db)
        mark, _, number = last_id.rpartition("-")
        if not last_id:
            return newest, "hello"
        if mark == self._mark and NUMBER.fullmatch(number) and oldest - 1 <= int(number) <= newest:
            return int(number), "resume"
        return newest, "reset"

    def _id(self, number: int) -> str:
        return f"{self._mark}-{number}"

    def _now(self) -> dict[str, Any]:
        """The node's repairs, asked at most every STATE_S for all watchers together."""
        with self._lock:
            if time.monotonic() - self._asked_at > STATE_S:
                self._asked_at = time.monotonic()
                try:
                    repair = self._state()["repair"]
                    self._repair = {name: repair[name] for name in REPAIR if name in repair}
                except (RingnodeError, KeyError):
                    pass  # the node starts or ends: the last news stands
            return self._repair


class _Look:
    """What one watcher has been told, and may be. `back`: what happened before it came is news to it too."""

    def __init__(
        self, user: User, records: Records, uploads: Callable[[str], Sequence[Any]], back: bool = False
    ) -> None:
        self.user = user
        self._uploads = uploads
        self._looked_at = float("-inf")
        self._told: dict[str, dict[str, Any]] | None = None
        self._records = records
        self._states = {} if back else {record.key: _node(record) for record in records.live("peer")}
        self._repair: dict[str, Any] | None = None

    def at(self, found: list[changes.Change]) -> Iterator[tuple[str, dict[str, Any]]]:
        """News in these changes."""
        ids: dict[str, dict[str, None]] = {}
        for kind, key in dict.fromkeys((change.kind, change.key) for change in found):
            record = self._records.get(kind, key)
            if record is None:
                continue
            if kind == "peer":
                yield from self._of_node(record)
            elif seen := self._seen(record):
                ids.setdefault(seen[0], {})[seen[1]] = None
        for kind, some in ids.items():
            yield "library", {"kind": kind, "ids": list(some)[:IDS_LIMIT], "more": len(some) > IDS_LIMIT}

    def repair(self, now: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """How far the repairs are, where that has changed."""
        if now and now != self._repair:
            self._repair = now
            yield "repair", now

    def uploads(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """How far the watcher's own uploads are, where that has changed since the first look."""
        if time.monotonic() - self._looked_at < STATE_S:
            return
        self._looked_at = time.monotonic()
        now = {
            upload.id: {name: getattr(upload, name) for name in UPLOAD} for upload in self._uploads(self.user.name)
        }
        before, self._told = self._told, now
        if before is not None:
            yield from (("upload", upload) for id, upload in now.items() if before.get(id) != upload)

    def _of_node(self, record: Record) -> Iterator[tuple[str, dict[str, Any]]]:
        node = _node(record)
        if self._states.get(record.key) != node:
            self._states[record.key] = node
            yield "node", node

    def _seen(self, record: Record) -> tuple[str, str] | None:
        """Kind and id as the watcher knows them; None for what is not theirs to know."""
        me, kind, key = key_of(account_key(self.user.name)), record.kind, record.key
        if kind in EVERYBODYS:
            return kind, key
        if kind in PERSONAL:
            owner, _, id = key.partition("/")
            return (kind, id) if owner == me else None
        if kind in ("playlist", "entry"):
            parent = self._records.get("playlist", key.partition("/")[0])
            return ("playlist", parent.key) if parent and _reads(parent.doc, me) else None
        return (kind, key) if kind in ADMINS and self.user.role == ADMIN else None


def _reads(doc: dict[str, Any], me: str) -> bool:
    readers = doc.get("readers")
    return bool(doc.get("public")) or doc.get("owner") == me or (isinstance(readers, list) and me in readers)


def _node(record: Record) -> dict[str, Any]:
    member = member_of(record)
    state = "left" if record.deleted else member.state if member else "unknown"
    return {"id": record.key, "name": str(record.doc.get("name", "")), "state": state}


def as_text(event: Event | None) -> str:
    """An event as `text/event-stream` has it; None as a comment, which keeps the connection."""
    if event is None:
        return ": still here\n\n"
    return f"id: {event.id}\nevent: {event.kind}\ndata: {json.dumps(event.data)}\n\n"

"""Where somebody is: the queue that follows a listener from device to device and node to node, and who hears what."""

import datetime
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringnode.catalogue.model import Song
from ringnode.catalogue.people import key_of
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.catalogue.songs import of_ids
from ringnode.errors import Conflict, Invalid
from ringnode.protocol.idspace import is_id
from ringnode.services.durability import Durability

KIND = "queue"  # keys: USER/songs and USER/place, so that a new position need not carry all the songs
NOW = "now"  # key: USER
SONGS_LIMIT = 2000  # of a queue: its record goes to every node
DEVICE_LIMIT = 100  # characters
NOW_S = 600.0  # without another word, a song is over by then


@dataclass(frozen=True)
class Place:
    """Where in their queue somebody is."""

    index: int = field(metadata={"help": "Which of them is current, from 0"})
    position_s: float = field(metadata={"help": "Where in it, in seconds"})
    device: str = field(metadata={"help": "What the device that wrote this calls itself"})
    updated_at: str = field(metadata={"help": "When that was, ISO 8601 in UTC; empty if there never was a queue"})


@dataclass(frozen=True)
class Queue(Place):
    """What somebody is listening to, and where in it they are."""

    songs: tuple[str, ...] = field(metadata={"help": f"Ids of songs in order, at most {SONGS_LIMIT}"})


@dataclass(frozen=True)
class Listener:
    """Somebody who is listening now."""

    user: str = field(metadata={"help": "Name of the user"})
    song: Song = field(metadata={"help": "What they hear"})
    device: str = field(metadata={"help": "What their device calls itself"})
    since: str = field(metadata={"help": "When they said so, ISO 8601 in UTC"})


class Listening:
    """Over the gateway's parts. `user` is always the name of who asks; `now` is the wall clock in seconds."""

    def __init__(self, records: Records, durability: Durability, now: Callable[[], float] = time.time) -> None:
        self._records = records
        self._durability = durability
        self._now = now

    # -- the queue ---------------------------------------------------------------------------------------------

    def queue(self, user: str) -> Queue:
        """The queue as its owners have it: a listener may have come from another node a moment ago."""
        songs, place = (record.doc if record else {} for record in self._read(user))
        ids = tuple(str(id) for id in songs.get("songs") or ())
        index = place.get("index", 0)
        current = place.get("song")
        if ids and (not 0 <= index < len(ids) or ids[index] != current):  # written apart, at two nodes at once
            index = ids.index(current) if current in ids else 0
        texts = str(place.get("device", "")), str(place.get("updated_at", ""))
        return Queue(index if ids else 0, float(place.get("position_s", 0.0)), *texts, songs=ids)

    def put(self, user: str, given: Any) -> Place:
        """Replace the queue: {songs, index, position_s, device}. Invalid names the first bad field."""
        fields = _checked(given, {"songs", "index", "position_s", "device"})
        songs = fields.pop("songs", [])
        place: dict[str, Any] = {"index": 0, "position_s": 0.0, "device": ""} | fields
        self._require_index(place["index"], songs)
        return self._write(user, songs, place, replaced=True)

    def move(self, user: str, given: Any) -> Place:
        """
        Say where in the queue one is: {index, position_s, device}. Invalid names the first bad field; Conflict if
        another device has replaced the queue, whose songs this one's index does not mean.
        """
        fields = _checked(given, {"index", "position_s", "device"})
        queue = self.queue(user)
        if queue.device and fields.get("device", queue.device) != queue.device:
            raise Conflict(f"the queue is of {queue.device} now: PUT yours to replace it")
        place: dict[str, Any] = {"index": queue.index, "position_s": 0.0, "device": queue.device} | fields
        self._require_index(place["index"], queue.songs)
        return self._write(user, queue.songs, place, replaced=False)

    @staticmethod
    def _require_index(index: int, songs: Sequence[str]) -> None:
        if index and index >= len(songs):
            raise Invalid(f"index must be below the number of songs, {len(songs)}", "index")

    def _read(self, user: str) -> tuple[Record | None, Record | None]:
        songs, place = self._durability.latest_all([(KIND, f"{key_of(user)}/{part}") for part in ("songs", "place")])
        return songs, place

    def _write(self, user: str, songs: Sequence[str], place: dict[str, Any], replaced: bool) -> Place:
        """Say where in these songs one is; if `replaced`, that they are the queue now."""
        place |= {"updated_at": self._time()}
        current = {"song": songs[place["index"]] if songs else ""}
        changes = {"songs": list(songs)} if replaced else {}, place | current
        parts = zip(("songs", "place"), self._read(user), changes, strict=True)
        self._durability.publish_all([
            self._records.draft_fields(KIND, f"{key_of(user)}/{part}", change, record)
            for part, record, change in parts if change
        ])  # fmt: skip
        return Place(**place)

    # -- now ---------------------------------------------------------------------------------------------------

    def hear(self, user: str, song: str, device: str) -> None:
        """Say what one hears; "" for nothing any more. Invalid for a song that is not there."""
        record = self._durability.find("song", song) if song else None
        if song and (record is None or record.deleted):
            raise Invalid(f"there is no song {song:.64}", "song")
        if len(device) > DEVICE_LIMIT:
            raise Invalid(f"device is longer than {DEVICE_LIMIT} characters", "device")
        lasts_s = float(record.doc.get("duration_s") or NOW_S) + NOW_S / 10 if record else 0.0
        doc = {"name": user, "song": song, "device": device, "since": self._time(), "until": self._now() + lasts_s}
        self._durability.note(self._records.draft(NOW, key_of(user), doc))

    def listeners(self) -> list[Listener]:
        """Who hears what now, as far as it is known here."""
        found = []
        for record in self._records.live(NOW):
            until = record.doc.get("until")
            songs = of_ids(self._records, [str(record.doc.get("song", ""))])
            if songs and isinstance(until, int | float) and until > self._now():
                texts = [str(record.doc.get(name, "")) for name in ("name", "device", "since")]
                found.append(Listener(texts[0], songs[0], texts[1], texts[2]))
        return sorted(found, key=lambda listener: listener.since, reverse=True)

    def _time(self) -> str:
        return datetime.datetime.fromtimestamp(self._now(), datetime.UTC).isoformat(timespec="milliseconds")


def _checked(given: Any, known: set[str]) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Invalid(f"send an object with {', '.join(sorted(known))}")
    for name, value in given.items():
        if name not in known:
            raise Invalid(f"there is no field {name[:40]!r} here", name[:40])
        good = {
            "songs": isinstance(value, list) and len(value) <= SONGS_LIMIT and all(map(is_id, value)),
            "index": isinstance(value, int) and not isinstance(value, bool) and 0 <= value < SONGS_LIMIT,
            "position_s": isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e7,
            "device": isinstance(value, str) and len(value) <= DEVICE_LIMIT and value.isprintable(),
        }[name]
        if not good:
            raise Invalid(f"{name} must be {EXPECTED[name]}", name)
    return dict(given)


EXPECTED = {
    "songs": f"a list of at most {SONGS_LIMIT} ids of songs",
    "index": f"a whole number from 0, below {SONGS_LIMIT}",
    "position_s": "a number of seconds",
    "device": f"text of at most {DEVICE_LIMIT} characters",
}

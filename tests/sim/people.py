"""What people do with a library, and what they remember of it: the oracle.

Who was told that something is done may rely on it; who was told nothing may find either. Of two things done one after
the other the later holds, unless the network was split between those who did them, or their clocks were not the same
and nothing was said of the earlier one or the owners were others by then: the later of two stamps wins, and where no
node is asked that knows the earlier deed, a wrong clock decides.
"""

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from machines import Machine, Machines
from seen import SEEN

from ringnode.errors import RingnodeError


@dataclass
class Deed:
    """What a person did to a song: `said` is True once it was acknowledged, else nobody knows."""

    value: str | None  # the title; None for a deletion
    began: float
    ended: float = float("inf")
    said: bool = False


@dataclass
class Song:
    """What people remember of one song, first to last; `at` is where somebody is at it now."""

    deeds: list[Deed] = field(default_factory=list)
    at: Machine | None = None

    @property
    def busy(self) -> bool:
        return self.at is not None and self.at.alive

    @property
    def there(self) -> bool:
        """As far as people know."""
        return bool(self.deeds) and self.deeds[-1].said and self.deeds[-1].value is not None


class People:
    """They upload, edit and delete at any node."""

    def __init__(self, world: Machines, chance: random.Random) -> None:
        self.world = world
        self.chance = chance
        self.songs: dict[str, Song] = {}
        self.splits: list[tuple[float, float]] = []  # when some could not hear of others
        self.skewed = False  # were clocks ever not the same?
        self.on_acknowledged: Callable[[str], None] = lambda key: None
        self.moved = False  # did owners of keys ever change for long?

    def do_something(self) -> None:
        deeds = [self.upload, self.upload, self.edit, self.edit, self.delete, self.claim]
        self.chance.choice(deeds)()

    def upload(self, key: str = "") -> None:
        """A new file, or the bytes of one that is not there as far as people know, or even of one that is."""
        key = key or f"{self.chance.getrandbits(256):064x}"
        free = [key for key, song in sorted(self.songs.items()) if not song.busy]
        gone = [key for key in free if not self.songs[key].there]
        again = self.chance.random()
        if gone and again < 0.3:
            key = self.chance.choice(gone)
        elif free and again < 0.35:
            key = self.chance.choice(free)
        self._do(key, f"title {len(self.songs)}.{self.world.now:.2f}", lambda at, title: at.upload(key, title))

    def edit(self) -> None:
        key = self._some()
        if key:
            self._do(key, f"edited {self.world.now:.2f}", lambda at, title: at.edit(key, {"title": title}))

    def delete(self) -> None:
        key = self._some()
        if key:
            self._do(key, None, lambda at, _: at.delete(key))

    def claim(self) -> None:
        """Something that only one node may do at once; two may well try."""
        name, nodes = f"account/{self.chance.randint(0, 2)}", self.world.members
        for at in self.chance.sample(nodes, min(len(nodes), 2)):
            self.world.spawn(at, at.claim(name, self.chance.uniform(0, 6)))

    def _some(self) -> str | None:
        there = [key for key, song in sorted(self.songs.items()) if song.there and not song.busy]
        return self.chance.choice(there) if there else None

    def _do(self, key: str, value: str | None, how: Callable[[Machine, Any], Generator[Any, Any, Any]]) -> None:
        members = self.world.members
        if not members:
            return
        at = self.chance.choice(members)
        song = self.songs.setdefault(key, Song())
        if song.deeds:  # it ended when somebody came again, at the latest
            song.deeds[-1].ended = min(song.deeds[-1].ended, self.world.now)
        deed = Deed(value, self.world.now)
        song.deeds.append(deed)
        song.at = at
        self.world.spawn(at, how(at, value), partial(self._told, key, song, deed))

    def _told(self, key: str, song: Song, deed: Deed, result: Any) -> None:
        song.at = None
        deed.ended = self.world.now
        if result is False:  # it was there already: nothing has changed
            song.deeds.remove(deed)
        deed.said = not isinstance(result, RingnodeError)
        if result is True:
            self.on_acknowledged(key)
        SEEN["acknowledged" if deed.said else f"{type(result).__name__}"] += 1

    # -- what they remember ------------------------------------------------------------------------------------

    def possible(self, key: str) -> set[str | None]:
        """Titles the song may have, None for none: what no later acknowledged deed has replaced."""
        deeds = self.songs[key].deeds
        found: set[str | None] = set() if deeds and deeds[0].said else {None}
        for n, deed in enumerate(deeds):
            if not any(late.said and self.follows(late, deed) for late in deeds[n + 1 :]):
                found.add(deed.value)
        return found

    def follows(self, late: Deed, deed: Deed) -> bool:
        """Could who did the later know of the other?"""
        if any(begin <= late.ended and deed.began <= end for begin, end in self.splits):
            return False
        return not self.skewed or (deed.said and not self.moved)

    def wanted(self, key: str) -> bool:
        """May people still remember it as being there?"""
        return key in self.songs and self.possible(key) != {None}

    def sure(self, key: str) -> bool:
        """Is it there, beyond doubt?"""
        return key in self.songs and None not in self.possible(key)

    def check(self) -> None:
        """Does every node know what people were told?"""
        for node in self.world.live:
            for key, song in sorted(self.songs.items()):
                record = node.records.get("song", key)
                title = None if record is None or record.deleted else record.doc["title"]
                allowed = self.possible(key)
                assert title in allowed, (
                    f"{node.ring.me.address} has {key[:6]} as {title!r}, not {allowed}: {song.deeds}"
                )
                if title is not None and key in node.disk.files:
                    assert node.disk.files[key], f"a damaged copy of {key[:6]} at {node.ring.me.address}"

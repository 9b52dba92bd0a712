"""The library under faults: people upload, edit and delete while nodes, disks, clocks and the network fail.

What was acknowledged is written down as people would remember it; at the end, when the faults are over, every node
has to know all of it, and every song has to lie whole on exactly its owners.
"""

import random
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from invariants import Watch, ideal
from machines import EPOCH_MS, Disk, Machine, Machines, act, at_rest, opened
from world import Faults

from ringnode.catalogue.record import Record
from ringnode.errors import NotEnoughReplicas, RingnodeError
from ringnode.protocol.replication import Replication

HEAL_S = 500.0
SEEN: Counter[str] = Counter()  # what happened at all, over all the runs of this process


@dataclass
class Deed:
    """What a person did to a song: `said` is True once it was acknowledged, False if it failed, None if unknown."""

    value: str | None  # the title; None for a deletion
    began: float
    ended: float = float("inf")
    said: bool | None = None


@dataclass
class Song:
    """What people remember of one song, first to last."""

    deeds: list[Deed] = field(default_factory=list)
    busy: bool = False

    def possible(self, splits: list[tuple[float, float]]) -> set[str | None]:
        """Titles it may have at the end, None for deleted: what no later acknowledged deed has replaced."""
        found: set[str | None] = set() if self.deeds[0].said else {None}
        for n, deed in enumerate(self.deeds):
            if deed.said is False:
                continue
            replaced = [late for late in self.deeds[n + 1 :] if late.said and not apart(deed, late, splits)]
            if not replaced:
                found.add(deed.value)
        return found


def apart(a: Deed, b: Deed, splits: list[tuple[float, float]]) -> bool:
    """Was the network split while they happened? Then neither was later for those who did them."""
    return any(begin <= b.ended and a.began <= end for begin, end in splits)


class Life:
    """One run: a world, its people, its faults."""

    def __init__(self, seed: int, replication_class: type[Replication] = Replication, **more: Any) -> None:
        self.chance = random.Random(f"{seed}/life")
        self.world = Machines(seed, replication_class=replication_class, length=self.chance.choice([3, 8]), **more)
        self.world.on_removed = self.removed
        Watch(self.world, strict=False)
        self.songs: dict[str, Song] = {}
        self.splits: list[tuple[float, float]] = []
        self.harmed_at = -1000.0  # when a disk last lost something by a fault
        self.old: dict[str, tuple[bytes, tuple[str, int]]] = {}  # backups, by address

    # -- people ------------------------------------------------------------------------------------------------

    def upload(self) -> None:
        deleted = [key for key, song in sorted(self.songs.items()) if song.deeds[-1].value is None and not song.busy]
        key = f"{self.chance.getrandbits(256):064x}"
        if deleted and self.chance.random() < 0.3:
            key = self.chance.choice(deleted)
        self._do(key, f"title {len(self.songs)}.{self.world.now:.2f}", lambda at, title: at.upload(key, title))

    def edit(self) -> None:
        key = self._some()
        if key:
            title = f"edited {self.world.now:.2f}"
            self._do(key, title, lambda at, title: at.edit(key, {"title": title}))

    def delete(self) -> None:
        key = self._some()
        if key:
            self._do(key, None, lambda at, _: at.delete(key))

    def _some(self) -> str | None:
        """A song that is there as far as people know, and nobody is at."""
        there = [
            key for key, song in sorted(self.songs.items())
            if not song.busy and song.deeds[-1].said and song.deeds[-1].value is not None
        ]  # fmt: skip
        return self.chance.choice(there) if there else None

    def _do(self, key: str, value: str | None, how: Callable[[Machine, Any], Generator[Any, Any, Any]]) -> None:
        members = self.world.members
        if not members:
            return
        at = self.chance.choice(members)
        song = self.songs.setdefault(key, Song())
        deed = Deed(value, self.world.now)
        song.deeds.append(deed)
        song.busy = True

        def done(result: Any) -> None:
            song.busy = False
            deed.ended = self.world.now
            if not isinstance(result, RingnodeError):
                deed.said = True
            SEEN["acknowledged" if deed.said else f"{type(result).__name__}"] += 1

        self.world.spawn(at, how(at, value), done)

    # -- faults ------------------------------------------------------------------------------------------------

    def crash(self) -> None:
        live = self.world.live
        if len(live) > max(1, len(self.world.nodes) - 2):
            victim = self.chance.choice(live)
            if self.chance.random() < 0.5:
                self.world.unplugged.add(victim.ring.me.address)
            self.world.crash(victim)

    def restart(self) -> None:
        dead = self._dead()
        if dead:
            node = self.chance.choice(dead)
            self.world.unplugged.discard(node.ring.me.address)
            self.world.restart(node)

    def wipe(self) -> None:
        """A disk is lost, one that is the last to have nothing."""
        dead = [node for node in self._dead() if self.spare(node.disk)]
        if dead:
            node = self.chance.choice(dead)
            self.world.unplugged.discard(node.ring.me.address)
            self.harmed_at = self.world.now
            self.world.wipe(node)
            SEEN["wiped"] += 1

    def backup(self) -> None:
        node = self.chance.choice(self.world.live)
        self.old[node.ring.me.address] = (node.save(), node.disk.identity)

    def roll_back(self) -> None:
        """The catalogue of a dead node is replaced by an old backup."""
        dead = [node for node in self._dead() if node.ring.me.address in self.old and self.spare(node.disk)]
        if dead:
            node = self.chance.choice(dead)
            node.disk.catalogue, identity = self.old[node.ring.me.address]
            if identity[0]:
                node.disk.identity = identity
            self.restart_now(node)
            SEEN["rolled back"] += 1

    def restart_now(self, node: Machine) -> None:
        self.world.unplugged.discard(node.ring.me.address)
        self.world.restart(node)

    def rot(self) -> None:
        node = self.chance.choice(self.world.live)
        keys = [key for key in sorted(node.disk.files) if self.spare(node.disk, [key])]
        if keys:
            node.disk.files[self.chance.choice(keys)] = False
            self.harmed_at = self.world.now
            SEEN["rotten"] += 1

    def fill(self) -> None:
        disk = self.chance.choice(self.world.live).disk
        disk.full = not disk.full

    def pause(self) -> None:
        self.chance.choice(self.world.live).paused_until = self.world.now + self.chance.uniform(0.5, 25)

    def split(self) -> None:
        self.heal()
        addresses = sorted(self.world.nodes)
        if self.chance.random() < 0.5:
            self.world.groups = {address: self.chance.randint(0, 1) for address in addresses}
        else:
            one = self.chance.choice(addresses)
            others = self.chance.sample(addresses, len(addresses) // 2)
            self.world.deaf = {(one, other) for other in others if other != one}
        self.splits.append((self.world.now, float("inf")))
        SEEN["split"] += 1

    def heal(self) -> None:
        self.world.groups, self.world.deaf = {}, set()
        if self.splits and self.splits[-1][1] == float("inf"):
            self.splits[-1] = (self.splits[-1][0], self.world.now + 60)  # until all have heard of one another

    def noise(self) -> None:
        self.world.faults = Faults(*(self.chance.choice([0, 0, 0.02, 0.1]) for _ in range(4)))

    def jump(self) -> None:
        self.chance.choice(self.world.live).clock_ms = self.chance.uniform(-90_000, 90_000)
        SEEN["clock jumped"] += 1

    def grow(self) -> None:
        if len(self.world.nodes) < 12:
            self.world.add()

    def _dead(self) -> list[Machine]:
        return [node for node in self.world.nodes.values() if not node.alive]

    def spare(self, disk: Disk, keys: list[str] | None = None) -> bool:
        """May what is on this disk be lost? Only faults that leave a copy elsewhere are survived."""
        others = [node for node in self.world.nodes.values() if node.disk is not disk]
        for key in keys if keys is not None else sorted(self.songs):
            if not disk.files.get(key) or not self.wanted(key):
                continue
            if not any(node.disk.files.get(key) for node in others):
                return False
        if keys is not None:
            return True
        theirs = [catalogue(node) for node in others]
        mine = next(catalogue(node) for node in self.world.nodes.values() if node.disk is disk)
        return all(any(covers(other.get(name), record) for other in theirs) for name, record in mine.items())

    def wanted(self, key: str) -> bool:
        """May people still remember it as being there?"""
        song = self.songs.get(key)
        return song is not None and song.possible(self.splits) != {None}

    # -- what must never happen --------------------------------------------------------------------------------

    def removed(self, machine: Machine, key: str) -> None:
        """A node gives up a file of its own will."""
        SEEN["given up"] += 1
        song = self.songs.get(key)
        if song is None or None in song.possible(self.splits):
            return
        elsewhere = sum(bool(n.disk.files.get(key)) for n in self.world.nodes.values() if n.disk is not machine.disk)
        least = 1 if self.world.now - self.harmed_at < 120 else self.world.rules.k
        assert elsewhere >= least, f"{machine.ring.me.address} gave {key[:6]} up, {elsewhere} copies are left"

    # -- from beginning to end ---------------------------------------------------------------------------------

    def live(self, seconds: float, faults: list[Callable[[], None]]) -> None:
        """People are busy and faults happen, for so long."""
        end = self.world.now + seconds
        deeds = [self.upload, self.upload, self.edit, self.edit, self.delete]
        while self.world.now < end:
            self.world.run(self.chance.expovariate(1.0))
            self.chance.choice(deeds)()
            if faults and self.chance.random() < 0.35:
                self.chance.choice(faults)()

    def end(self) -> None:
        """All faults are over: within HEAL_S all must be as if nothing had happened."""
        world = self.world
        self.heal()
        world.faults = Faults()
        world.unplugged.clear()
        world.run(max(0.0, *(node.paused_until - world.now for node in world.nodes.values()), 0.0))
        for node in world.nodes.values():
            node.disk.full, node.clock_ms = False, 0.0
        for node in self._dead():
            world.restart(node)
        good = world.run_until(lambda: ideal(world) and not at_rest(world), HEAL_S)
        assert good, f"not at rest after {HEAL_S} s: {'ring' if not ideal(world) else ''} {at_rest(world)[:4]}"
        world.run(30)
        assert not at_rest(world), at_rest(world)[:4]
        self.remember()
        for node in world.live:
            result = act(world, node, node.upload(f"{self.chance.getrandbits(256):064x}", "one more"))
            assert result is None, f"{node.ring.me.address} takes no upload: {result!r}"
        world.close()

    def remember(self) -> None:
        """Does every node know what people were told?"""
        for node in self.world.live:
            for key, song in sorted(self.songs.items()):
                record = node.records.get("song", key)
                title = None if record is None or record.deleted else record.doc["title"]
                allowed = song.possible(self.splits)
                assert title in allowed, (
                    f"{node.ring.me.address} has {key[:6]} as {title!r}, not {allowed}: {song.deeds}"
                )
                if title is not None and key in node.disk.files:
                    assert node.disk.files[key], f"a damaged copy of {key[:6]} at {node.ring.me.address}"


def catalogue(node: Machine) -> dict[tuple[str, str], Record]:
    """All songs' records a node has, also a dead one."""
    db = node.records.db if node.alive else opened(node.disk.catalogue)
    rows = db.rows("SELECT kind, key FROM record WHERE kind = 'song'")
    records = node.records if node.alive else type(node.records)(db, "x", lambda: EPOCH_MS, life="x")
    found = {(kind, key): record for kind, key in rows if (record := records.get(kind, key))}
    if not node.alive:
        db.close()
    return found


def covers(theirs: Record | None, mine: Record) -> bool:
    """Would nothing of mine be missed?"""
    return theirs is not None and all(theirs.stamp_of(name) >= mine.stamp_of(name) for name in mine.doc)


def library_life(seed: int, replication_class: type[Replication] = Replication, **more: Any) -> None:
    """A swarm: each run has some of the faults, not all."""
    life = Life(seed, replication_class, **more)
    chance, world = life.chance, life.world
    world.founder()
    for _ in range(chance.randint(2, 8)):
        world.add()
    if chance.random() < 0.2:
        world.founder()  # by mistake
    assert world.run_until(lambda: ideal(world), 150), "no single ring to begin with"
    if chance.random() < 0.25:
        kinds = [life.jump, life.pause, life.noise]
    else:
        kinds = [
            life.crash, life.crash, life.restart, life.restart, life.wipe, life.rot, life.fill, life.pause,
            life.split, life.heal, life.noise, life.grow, life.backup, life.roll_back,
        ]  # fmt: skip
        kinds = [kind for kind in kinds if chance.random() < 0.7] + [life.restart]
    life.live(chance.uniform(30, 120), kinds)
    SEEN["files moved"] += world.moved
    life.end()


__all__ = ["NotEnoughReplicas", "library_life"]

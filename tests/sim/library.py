"""The library under faults: people upload, edit and delete while nodes, disks, clocks and the network fail.

Each run is a swarm of its own: it draws which faults it has, and how often. When they are over, every node has to
know all that people were told, and every song has to lie whole on exactly its owners.
"""

import random
from collections.abc import Callable
from functools import reduce
from typing import Any

from invariants import Watch, ideal
from machines import EPOCH_MS, GRACE_S, Disk, Machine, Machines, act, at_rest, opened
from people import People
from seen import SEEN
from watching import Beliefs
from world import DELAY_S, Faults

from ringnode.catalogue.record import Record, merge

HEAL_S = 500.0
MOST_NODES = 12
SKEW_S = 90.0


class Life:
    """One run: a world, its people, its faults."""

    def __init__(self, seed: int, **more: Any) -> None:
        self.chance = random.Random(f"{seed}/life")
        self.world = Machines(seed, length=self.chance.choice([3, 8]), **more)
        self.world.on_removed = self.removed
        self.world.on_departed = self.departed
        self.watch = Watch(self.world, strict=False)
        self.people = People(self.world, self.chance)
        self.beliefs = Beliefs(self.world, self.people)
        self.people.on_acknowledged = self.acknowledged
        self.harmed_at = -1000.0  # when a disk last lost something by a fault
        self.old: dict[str, tuple[bytes, tuple[str, int]]] = {}  # backups, by address
        self.out: set[str] = set()  # addresses of those that an admin expelled

    # -- faults of nodes ---------------------------------------------------------------------------------------

    def crash(self) -> None:
        live = self.world.live
        if len(live) > max(1, len(self.world.nodes) - 2):
            victim = self.chance.choice(live)
            if self.chance.random() < 0.5:
                self.world.unplugged.add(victim.ring.me.address)
            self.people.moved = True
            self.world.crash(victim)

    def restart(self) -> None:
        dead = self._dead()
        if dead:
            self._boot(self.chance.choice(dead))

    def _boot(self, node: Machine) -> None:
        self.world.unplugged.discard(node.ring.me.address)
        self.world.restart(node)

    def pause(self) -> None:
        self.chance.choice(self.world.live).paused_until = self.world.now + self.chance.uniform(0.5, 25)

    def jump(self) -> None:
        self.chance.choice(self.world.live).clock_ms = self.chance.uniform(-SKEW_S, SKEW_S) * 1000
        self.people.skewed = True
        SEEN["clock jumped"] += 1

    def grow(self) -> None:
        if len(self.world.nodes) < MOST_NODES:
            self.people.moved = True
            self.world.add()

    def leave(self) -> None:
        """Gracefully. What it was told stays told."""
        staying = [node for node in self.world.members if not node.leaving]
        if len(staying) > self.world.rules.k + 1:
            node = self.chance.choice(staying)
            SEEN["began to leave"] += 1
            self.people.moved = True
            self.world.spawn(node, node.leave())

    def expel(self) -> None:
        """An admin gives a node up, with its disk: a dead one, or one that is in the way."""
        members = [node for node in self.world.members if node.ring.me.address not in self.out]
        by = self.chance.choice(members) if len(members) > self.world.rules.k else None
        others = [node for node in self.world.nodes.values() if by and node.id in by.membership.members]
        others = [node for node in others if node is not by and self.spare(node.disk)]
        if by and others:
            victim = self.chance.choice(others)
            self.people.moved = True
            self.out.add(victim.ring.me.address)
            self.harmed_at = self.world.now
            by.expel(victim.ring.me)
            SEEN["expelled"] += 1

    # -- faults of disks ---------------------------------------------------------------------------------------

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
            backup, identity = self.old[node.ring.me.address]
            if identity[0] == node.disk.identity[0]:
                node.disk.catalogue, node.disk.identity = backup, identity
                SEEN["rolled back"] += 1
            self._boot(node)

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
        SEEN["full"] += disk.full

    # -- faults of the network ---------------------------------------------------------------------------------

    def split(self) -> None:
        self.heal()
        addresses = sorted(self.world.nodes)
        if self.chance.random() < 0.5:
            self.world.groups = {address: self.chance.randint(0, 1) for address in addresses}
        else:
            one = self.chance.choice(addresses)
            others = self.chance.sample(addresses, len(addresses) // 2)
            self.world.deaf = {(one, other) for other in others if other != one}
        self.people.splits.append((self.world.now, float("inf")))
        SEEN["split"] += 1

    def heal(self) -> None:
        self.world.groups, self.world.deaf = {}, set()
        splits = self.people.splits
        if splits and splits[-1][1] == float("inf"):
            splits[-1] = (splits[-1][0], self.world.now + 60)  # until all have heard of one another

    def noise(self) -> None:
        rates = [self.chance.choice([0, 0, 0.02, 0.1]) for _ in range(4)]
        self.world.faults = Faults(*rates, delay_s=self.chance.choice([DELAY_S, DELAY_S, 0.05, 0.2]))
        SEEN["noise"] += 1

    # -- what may be lost --------------------------------------------------------------------------------------

    def _dead(self) -> list[Machine]:
        return [node for node in self.world.nodes.values() if not node.alive and node.ring.me.address not in self.out]

    def spare(self, disk: Disk, keys: list[str] | None = None) -> bool:
        """May what is on this disk be lost? Only faults that leave a copy elsewhere are survived."""
        staying = [node for node in self.world.nodes.values() if node.ring.me.address not in self.out]
        others = [node for node in staying if node.disk is not disk]
        for key in keys if keys is not None else sorted(self.people.songs):
            if not disk.files.get(key) or not self.people.wanted(key):
                continue
            if not any(node.disk.files.get(key) for node in others):
                return False
        if keys is not None:
            return True
        theirs = [catalogue(node) for node in others]
        mine = next((catalogue(node) for node in staying if node.disk is disk), {})
        return all(any(covers(other.get(name), record) for other in theirs) for name, record in mine.items())

    # -- what must never happen --------------------------------------------------------------------------------

    def acknowledged(self, key: str) -> None:
        """A new song: W nodes have it, or all there are in a smaller ring, as one half of a split one may be."""
        world = self.world
        split = any(end > world.now - world.rules.repair_delay_s for _, end in self.people.splits)
        harmed = world.now - self.harmed_at < 120 or len(world.members) < len(world.nodes)
        least = 1 if split or harmed else min(world.rules.k // 2 + 1, len(world.nodes))
        found = sum(bool(node.disk.files.get(key)) for node in world.nodes.values())
        assert found >= least, f"{key[:6]} was acknowledged with {found} copies, not {least}"

    def removed(self, machine: Machine, key: str) -> None:
        """A node gives up a file of its own will."""
        SEEN["given up"] += 1
        if self.people.sure(key):
            least = 1 if self.world.now - self.harmed_at < 120 else self.world.rules.k
            elsewhere = self._copies(key, machine.disk)
            assert elsewhere >= least, f"{machine.ring.me.address} gave {key[:6]} up, {elsewhere} copies are left"

    def departed(self, machine: Machine) -> None:
        """A node is gone with its disk: nothing may be gone with it."""
        SEEN["left"] += 1
        address = machine.ring.me.address
        for key in machine.disk.files:
            if self.people.sure(key):
                calm = self.world.now - max(self.harmed_at, self.people.songs[key].deeds[-1].began - 90) > 120
                least = min(self.world.rules.k, len(self.world.live)) if calm else 1
                copies = self._copies(key, machine.disk)
                assert copies >= least, f"{address} left, {copies} copies of {key[:6]} are left, not {least}"
        theirs = [catalogue(node) for node in self.world.nodes.values()]
        for (_, key), record in catalogue(machine).items():
            left = [other for one in theirs if (other := one.get(("song", key)))]
            if not any(covers(other, record) for other in left) and key in self.people.songs:
                title = title_of(reduce(merge, left) if left else None)
                assert title in self.people.possible(key), f"{address} left with what was said of {key[:6]}"

    def _copies(self, key: str, but: Disk) -> int:
        return sum(bool(n.disk.files.get(key)) for n in self.world.nodes.values() if n.disk is not but)

    # -- from beginning to end ---------------------------------------------------------------------------------

    def live(self, seconds: float, faults: list[Callable[[], None]], rate: float = 0.35) -> None:
        """People are busy and faults happen, for so long."""
        end = self.world.now + seconds
        while self.world.now < end:
            self.world.run(self.chance.expovariate(1.0))
            self.people.do_something()
            if faults and self.chance.random() < rate and self.world.live:
                self.chance.choice(faults)()

    def end(self) -> None:
        """All faults are over: within HEAL_S all must be as if nothing had happened."""
        world = self.world
        self.recover()
        good = world.run_until(lambda: ideal(world) and not at_rest(world), HEAL_S)
        assert good, f"not at rest after {HEAL_S} s: {'' if ideal(world) else 'ring'} {at_rest(world)[:4]}"
        world.run(10)
        # What was on its way has come; a file deleted only then goes when the clock it was stored by has come round.
        assert world.run_until(lambda: not at_rest(world), GRACE_S + SKEW_S + 30), at_rest(world)[:4]
        self.people.check()
        for node in world.live:
            result = act(world, node, node.upload(f"{self.chance.getrandbits(256):064x}", "one more"))
            assert result is True, f"{node.ring.me.address} takes no upload: {result!r}"

    def recover(self) -> None:
        """People repair what is broken."""
        world = self.world
        self.heal()
        world.faults = Faults()
        world.unplugged.clear()
        world.run(max([0.0, *(node.paused_until - world.now for node in world.nodes.values())]))
        for node in list(world.nodes.values()):
            node.disk.full, node.clock_ms = False, 0.0
            if node.ring.me.address in self.out:
                if node.alive:
                    world.crash(node)
                del world.nodes[node.ring.me.address]
        for node in self._dead():
            world.restart(node)


def catalogue(node: Machine) -> dict[tuple[str, str], Record]:
    """All songs' records a node has, also a dead one."""
    db = node.records.db if node.alive else opened(node.disk.catalogue)
    rows = db.rows("SELECT kind, key FROM record WHERE kind = 'song'")
    records = node.records if node.alive else type(node.records)(db, "x", lambda: EPOCH_MS, life="x")
    found = {(kind, key): record for kind, key in rows if (record := records.get(kind, key))}
    if not node.alive:
        db.close()
    return found


def title_of(record: Record | None) -> str | None:
    """As people see it; None where the song is not there."""
    return None if record is None or record.deleted else str(record.doc["title"])


def covers(theirs: Record | None, mine: Record) -> bool:
    """Would nothing of mine be missed?"""
    return theirs is not None and all(theirs.stamp_of(name) >= mine.stamp_of(name) for name in mine.doc)


def library_life(seed: int, **more: Any) -> Life:
    """A swarm: each run has some of the faults, not all, and some oftener than others."""
    life = Life(seed, **more)
    chance, world = life.chance, life.world
    try:
        world.founder()
        for _ in range(chance.randint(2, 8)):
            world.add()
        if chance.random() < 0.2:
            world.founder()  # by mistake
            SEEN["two founders"] += 1
        assert world.run_until(lambda: ideal(world), 150), "no single ring to begin with"
        kinds: list[Callable[[], None]] = [
            life.crash, life.wipe, life.rot, life.fill, life.pause, life.split, life.noise, life.grow,
            life.leave, life.expel, life.roll_back, life.jump,
        ]  # fmt: skip
        swarm = [kind for kind in kinds if chance.random() < 0.4 for _ in range(chance.randint(1, 3))]
        swarm += [life.restart] * swarm.count(life.crash) + [life.heal] * swarm.count(life.split)
        swarm += [life.backup] * swarm.count(life.roll_back) + [life.restart]
        life.live(chance.uniform(20, 80), swarm, rate=chance.choice([0.1, 0.35, 0.6]))
        SEEN["files moved"] += world.moved
        life.end()
        SEEN["lives"] += 1
    finally:
        world.close()
    return life

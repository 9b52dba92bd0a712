"""How news, deaths and strange rings are noticed: whole nodes in virtual time."""

import random
import statistics
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from invariants import ideal
from machines import Disk, Machine, Machines, opened
from routing import Row, perfect
from world import Back, Faults, Node

from ringnode.catalogue.records import Records
from ringnode.protocol.idspace import distance
from ringnode.protocol.membership import DOWN, SUSPECT
from ringnode.protocol.messages import Call
from ringnode.protocol.replication import Rules

MERGED = ((5, 5), (50, 50), (100, 10), (200, 200))
AS_INSTALLED = Rules(k=3, repair_delay_s=600.0, quiet_s=30.0)


class Told(Machines):
    """A world that notes who told whom."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.told: list[tuple[str, str]] = []

    def _arrive(self, node: Node, call: Call, args: Any, once: Back) -> None:
        if call.method == "put_records":
            self.told.append((node.ring.me.address, call.peer.address))
        super()._arrive(node, call, args, once)

    def hops(self, origin: str) -> dict[str, int]:
        """How many tellings lie between the origin and each node, at least."""
        found = {origin: 0}
        for at in (reached := [origin]):
            for teller, listener in self.told:
                if teller == at and listener not in found:
                    found[listener] = found[at] + 1
                    reached.append(listener)
        return found


def ready(world: Machines, count: int, songs: Iterable[str] = ()) -> list[Machine]:
    """`count` nodes that are one ring, each knowing all others and the songs; no file is anywhere yet."""
    chance = world.chance(f"ready/{len(world.nodes)}")
    first = len(world.nodes)
    ids = [f"{chance.getrandbits(256):064x}" for _ in range(count)]
    db = opened(b"")
    records = Records(db, "first", lambda: 1_600_000_000_000, life="first")
    for n, id in enumerate(ids):
        address = f"node-{first + n:03d}"
        records.put("peer", id, {"name": address, "address": address, "api": "", "incarnation": 1,
                                 "free_bytes": 1 << 30})  # fmt: skip
    for key in songs:
        records.put("song", key, {"title": key[:8], "size_bytes": 5 << 20})
    catalogue = db._connection().serialize()
    db.close()
    made = [
        world.boot(f"node-{first + n:03d}", Disk(catalogue=catalogue, identity=(id, 1))) for n, id in enumerate(ids)
    ]
    for machine in made:
        machine.ring.me = machine.ring.me._replace(incarnation=1)
    perfect(sorted((machine.ring for machine in made), key=lambda ring: ring.me.id))
    for machine in made:
        machine.roster.refresh()
    return made


def silenced(machines: Iterable[Machine], *loops: str) -> None:
    """These loops do nothing."""
    for machine in machines:
        for loop in loops:
            machine.loops[loop].step = lambda: iter_nothing()


def iter_nothing() -> Any:
    return
    yield


def merge(seed: int) -> list[Row]:
    """Two rings that never met, and one node of one that hears of one node of the other: rounds until one ring."""
    rows: list[Row] = []
    for sizes in MERGED:
        world = Machines(seed)
        rings = [ready(world, size) for size in sizes]
        silenced(world.nodes.values(), "discover", "replicate", "audit")
        world.run(5)
        chance = random.Random(f"{seed}/merge")
        here, there = chance.choice(rings[0]), chance.choice(rings[1])
        here.roster.met[there.id] = there.ring.me
        began = world.now
        one = world.run_until(partial(ideal, world), 120)
        rows.append([f"{sizes[0]} + {sizes[1]}", f"{world.now - began:.0f}" if one else "not in 120", "40"])
        world.close()
    return rows


def push(seed: int) -> list[Row]:
    """New records among 100 nodes: whom they reach by push alone."""
    rows: list[Row] = []
    for lost in (0.0, 0.1):
        world = Told(seed, faults=Faults(lost_requests=lost))
        share, hops, calls = pushed(world, 100, 100)
        rows.append([f"{lost:.0%}", f"{share:.1%}", hops, f"{calls:.0f}", "98 %"])
    return rows


def pushed(world: Told, nodes: int, count: int) -> tuple[float, int, float]:
    """`count` records, told by one of `nodes`: mean share reached within 8 hops, the most hops, calls of one."""
    machines = ready(world, nodes)
    silenced(machines, "exchange", "discover", "replicate", "audit", "stabilise", "probe")
    chance = world.chance("push")
    shares, furthest, calls = [], [], []
    for n in range(count):
        world.told.clear()
        at, key = chance.choice(machines), f"{n:064x}"
        at.gossip.tell([at.records.put("song", key, {"title": "new"})])
        world.run(10)
        hops = world.hops(at.ring.me.address)
        assert sorted(hops) == sorted(m.ring.me.address for m in machines if m.records.get("song", key))
        shares.append(sum(hop <= 8 for hop in hops.values()) / nodes)
        furthest.append(max(hops.values()))
        calls.append(len(world.told))
    world.close()
    return statistics.mean(shares), max(furthest), statistics.mean(calls)


def crash(seed: int) -> list[Row]:
    """One of 100 nodes dies, five times: seconds until its predecessor goes round it, all suspect it, say down."""
    rows: list[Row] = []
    for what in ("killed: its address refuses", "unplugged: its address is silent"):
        world = Machines(seed)
        silenced(ready(world, 100), "discover", "replicate", "audit")
        world.run(10)
        chance = random.Random(f"{seed}/crash")
        times = [noticed(world, chance.choice(world.members), what.startswith("unplugged")) for _ in range(5)]
        rows.append([what, *(f"{max(values):.1f}" for values in zip(*times, strict=True)), "3, 10"])
        world.close()
    return rows


def noticed(world: Machines, victim: Machine, unplugged: bool) -> tuple[float, float, float]:
    if unplugged:
        world.unplugged.add(victim.ring.me.address)
    world.crash(victim)
    began = world.now
    before = min(world.members, key=lambda m: distance(m.id, victim.id))

    def all_say(*states: str) -> bool:
        return all(m.membership.state(victim.id) in states for m in world.members)

    found = (
        until(world, lambda: before.ring.successors[0].id != victim.id) - began,
        until(world, lambda: all_say(SUSPECT, DOWN)) - began,
        until(world, lambda: all_say(DOWN)) - began,
    )
    world.run(5)
    return found


def until(world: Machines, condition: Callable[[], bool]) -> float:
    """When it came true, to the quarter of a second."""
    return world.now if world.run_until(condition, 60) else float("inf")


def false_deaths(seed: int, hours: float = 100.0, count: int = 10) -> list[Row]:
    """Node-hours with 5 % of all messages lost and a node that sleeps 3 s in every 30 s: who is held for down?"""
    world = Machines(seed, faults=Faults(lost_requests=0.025, lost_replies=0.025))
    machines = ready(world, count)
    silenced(machines, "discover", "replicate", "audit")
    chance = random.Random(f"{seed}/pauses")
    said = {SUSPECT: 0, DOWN: 0}
    for machine in machines:
        told = machine.roster.say
        machine.membership._herald = Noted(told, said)
    ends = hours * 3600 / count
    while world.now < ends:
        chance.choice(machines).paused_until = world.now + 3
        world.run(30)
    world.close()
    return [[f"{hours:.0f}", f"{count}", said[SUSPECT], said[DOWN], "0"]]


class Noted:
    """Counts verdicts on their way into the records."""

    def __init__(self, say: Callable[[Any, Any], None], said: dict[str, int]) -> None:
        self._say, self._said = say, said

    def say(self, peer: Any, verdict: Any) -> None:
        self._said[verdict.state] += 1
        self._say(peer, verdict)

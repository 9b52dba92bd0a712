"""How many hops a lookup takes, and what deaths and churn do to it. A hop leads to a node that is not the owner."""

import random
import statistics
from bisect import bisect_left
from functools import partial
from math import log2
from typing import NamedTuple

from invariants import ideal
from world import World, copied

from ringnode.errors import PeerDown, RingnodeError
from ringnode.protocol.chord import Ring
from ringnode.protocol.idspace import advance, distance
from ringnode.protocol.messages import Links, Peer

Row = list[object]
DIGITS = 16  # of ids and keys: shorter than in production, that arithmetic is quick


def perfect(rings: list[Ring]) -> None:
    """Give rings, in order of id, the pointers they would come to have."""
    peers = [ring.me for ring in rings]
    ids = [peer.id for peer in peers]
    for n, ring in enumerate(rings):
        me = ring.me.id
        ring.predecessor = peers[n - 1]
        ring.successors = (peers[n + 1 :] + peers[:n])[: ring.length]
        lowest = distance(me, ring.successors[0].id).bit_length()
        starts = {i: advance(me, 1 << i) for i in range(lowest, 4 * len(me))}
        ring.fingers = {i: peers[bisect_left(ids, start) % len(ids)] for i, start in starts.items()}


class Static:
    """A ring whose tables are perfect and stand still: nodes in order of id."""

    def __init__(self, seed: int, count: int, length: int, known: bool = False) -> None:
        self.chance = random.Random(f"{seed}/{count}")
        self.ids = sorted({self.key() for _ in range(count)})
        self.peers = [Peer(id, f"node-{n}", 1) for n, id in enumerate(self.ids)]
        self.dead: set[str] = set()
        everyone = dict(zip(self.ids, self.peers, strict=True))
        self.rings = {me.id: Ring(me, lambda: 0.0, length) for me in self.peers}
        perfect(list(self.rings.values()))
        for ring in self.rings.values():
            ring.known = {id: peer for id, peer in everyone.items() if id != ring.me.id} if known else {}

    def key(self) -> str:
        return f"{self.chance.getrandbits(4 * DIGITS):0{DIGITS}x}"

    def owner(self, key: str) -> str:
        """The first live node at or after the key."""
        start = bisect_left(self.ids, key)
        return next(id for id in self.ids[start:] + self.ids[:start] if id not in self.dead)

    def kill(self, share: float) -> None:
        self.dead = set(self.chance.sample(self.ids, round(share * len(self.ids))))

    def walk(self, start: str, key: str) -> "Walk":
        """One lookup, of which nobody learns anything for the next."""
        ring = self.rings[start]
        step = ring.find_successor(key)
        answered, timeouts, value = 0, 0, None
        try:
            while True:
                call = step.throw(value) if isinstance(value, RingnodeError) else step.send(value)
                if call.peer.id in self.dead:
                    timeouts, value = timeouts + 1, PeerDown("dead")
                else:
                    answered += 1
                    value = copied(getattr(self.rings[call.peer.id], call.method)(*call.args))
        except StopIteration as end:
            return Walk(max(0, answered - 1), timeouts, end.value.me.id == self.owner(key))
        except RingnodeError:
            return Walk(answered, timeouts, False)
        finally:
            ring.mute.clear()

    def walks(self, count: int) -> "list[Walk]":
        live = [id for id in self.ids if id not in self.dead]
        return [self.walk(self.chance.choice(live), self.key()) for _ in range(count)]


class Walk(NamedTuple):
    hops: int
    timeouts: int
    right: bool


def centiles(values: list[int]) -> str:
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 100]}, {ordered[len(ordered) * 99 // 100]}"


def paths(seed: int) -> list[Row]:
    """Finger-only lookups over perfect tables, 10,000 each."""
    rows: list[Row] = []
    for count in (256, 1024, 4096):
        hops = [walk.hops for walk in Static(seed, count, length=1).walks(10_000)]
        target = log2(count) / 2 - 0.15
        mean = statistics.mean(hops)
        rows.append([count, f"{mean:.2f}", f"{target:.2f}", f"{(mean / target - 1) * 100:+.1f} %", centiles(hops)])
    return rows


def paths_by_protocol(seed: int) -> list[Row]:
    """The same where the nodes found their fingers themselves, by joining one after the other."""
    world = World(seed, length=1, known=False)
    world.add(DIGITS).ring.found()
    for _ in range(255):
        world.add(DIGITS)
        world.run(0.2)
    world.run_until(lambda: ideal(world), 120)
    world.run(150)  # a finger a second, sixty-four of them
    static = Static(seed, 2, 1)
    static.ids = sorted(node.id for node in world.nodes.values())
    static.rings = {node.id: node.ring for node in world.nodes.values()}
    walks = static.walks(10_000)
    mean, target = statistics.mean(walk.hops for walk in walks), log2(256) / 2 - 0.15
    wrong = sum(not walk.right for walk in walks)
    assert not wrong, f"{wrong} lookups of a ring at rest went wrong"
    return [[256, f"{mean:.2f}", f"{target:.2f}", f"{(mean / target - 1) * 100:+.1f} %",
             centiles([walk.hops for walk in walks])]]  # fmt: skip


def warm(seed: int) -> list[Row]:
    """With the peers' records: how many calls a lookup makes, the owner's own among them."""
    ring = Static(seed, 1024, 8, known=True)
    walks = ring.walks(1000)
    assert all(walk.right and not walk.timeouts for walk in walks)
    return [[1024, f"{1 + statistics.mean(walk.hops for walk in walks):.2f}", "1"]]


# Stoica et al., IEEE/ACM ToN 2003, table II: N = 1,000, r = 20: share dead -> mean path, mean timeouts.
PAPER_DEAD = {0.0: "3.84, 0", 0.1: "4.03, 0.60", 0.2: "4.22, 1.17", 0.3: "4.44, 2.02", 0.4: "4.69, 3.23",
              0.5: "5.09, 5.10"}  # fmt: skip


def dead_at_once(seed: int) -> list[Row]:
    """N = 1,000, a share of all dead at once, and no upkeep since: 2,000 lookups each."""
    rows: list[Row] = []
    for share, paper in PAPER_DEAD.items():
        row: Row = [f"{share:.0%}"]
        for length, known in ((20, False), (8, True), (8, False)):
            ring = Static(seed, 1000, length, known)
            ring.kill(share)
            walks = ring.walks(2000)
            failed = sum(not walk.right for walk in walks)
            hops, waits = (statistics.mean(values) for values in zip(*[walk[:2] for walk in walks], strict=True))
            row.append(f"{hops:.2f}, {waits:.2f}, {failed}")
        rows.append([*row, f"{paper}, 0"])
    return rows


# The same, table III, at 0.4 joins and leaves a second: 15 failures in 10,000 lookups; r = 20, an upkeep in 30 s.
RATE, CHURN_NODES, CHURN_S, CHURN_LOOKUPS = 0.4, 1000, 120.0, 10_000


def churn(seed: int) -> list[Row]:
    """N = 1,000, joins and leaves without a word, an upkeep a second: who is wrong when it answers?"""
    return [churned(seed, RATE)]


def churned(seed: int, rate: float) -> Row:
    """One row: the pointers of the ring alone, no records to help."""
    world = ready(seed, CHURN_NODES)
    chance = random.Random(f"{seed}/{rate}/churn")
    results = {"right": 0, "wrong": 0, "failed": 0}
    changes = 0
    for what in (lambda: world.add(DIGITS), lambda: world.crash(chance.choice(world.members))):
        due = chance.expovariate(rate)
        while due < CHURN_S:
            world.at(due, what)
            due += chance.expovariate(rate)
            changes += 1
    for n in range(CHURN_LOOKUPS):
        world.at(n * CHURN_S / CHURN_LOOKUPS, partial(ask, world, chance, results))
    world.run(CHURN_S + 10)
    assert sum(results.values()) >= CHURN_LOOKUPS * 0.99, "those who ask may die"
    return [rate, changes, results["wrong"], results["failed"], sum(results.values()), "1 of 10,000", "15 of 10,000"]


def ask(world: World, chance: random.Random, results: dict[str, int]) -> None:
    """One lookup. Right is who owns the key at some moment between the question and the answer."""
    node, key = chance.choice(world.members), f"{chance.getrandbits(4 * DIGITS):0{DIGITS}x}"
    at_first = live_owner(world, key)

    def done(result: object) -> None:
        if not isinstance(result, Links):
            results["failed"] += 1
        else:
            results["right" if result.me.id in (at_first, live_owner(world, key)) else "wrong"] += 1

    world.spawn(node, node.ring.find_successor(key), done)


def live_owner(world: World, key: str) -> str:
    return min((node.id for node in world.members), key=lambda id: distance(key, id))


def ready(seed: int, count: int) -> World:
    """A world whose nodes have joined and know their neighbours and fingers, without the hours that takes."""
    world = World(seed, known=False)
    nodes = sorted((world.add(DIGITS) for _ in range(count)), key=lambda node: node.id)
    perfect([node.ring for node in nodes])
    return world

"""Stories that are told with many seeds: what happens to a ring, and what must be true at the end.

A story raises AssertionError where the ring broke a promise; `told` adds how to see it again.
"""

import random
from collections.abc import Callable

from invariants import Watch, ideal, may_crash
from world import Faults, Node, World, lookups

from ringnode.protocol.chord import Ring
from ringnode.protocol.idspace import advance, owns
from ringnode.protocol.messages import Links

SETTLE_S = 60.0  # rounds, too: a node makes one a second


def told(story: Callable[..., object], seed: int) -> None:
    """Run one; what went wrong comes with its seed and the command that repeats it."""
    try:
        story(seed)
    except Exception as error:
        again = f"python tests/sim/run.py --story {story.__name__} --seed {seed} --seeds 1"
        raise AssertionError(f"{story.__name__}, seed {seed}: {error!r}\n    {again}") from error


def checked(world: World, strict: bool) -> World:
    """Look at every invariant after every event."""
    Watch(world, strict)
    return world


def founded(world: World, digits: int = 8) -> Node:
    first = world.add(digits)
    first.ring.found()
    return first


def settled(world: World, within_s: float = SETTLE_S) -> None:
    """The faults have ended: the ring must become ideal, and every lookup from everywhere right."""
    world.faults = Faults()
    world.groups, world.deaf = {}, set()
    world.run(max(0.0, *(node.paused_until - world.now for node in world.nodes.values()), 0.0))
    assert world.run_until(lambda: ideal(world), within_s), f"no ideal ring after {within_s} s"
    chance = random.Random(f"{world.seed}/keys")
    asked = []
    for node in world.live:
        digits = len(node.id)
        keys = [node.id, advance(node.id, 1), f"{chance.getrandbits(4 * digits):0{digits}x}"]
        asked += [(node, key) for key in keys]
    for (node, key), answer in zip(asked, lookups(world, asked), strict=True):
        assert owner(world, key) == found(answer), f"{key} from {node.id} is {found(answer)}"


def owner(world: World, key: str) -> str:
    """Who should answer for the key."""
    ids = sorted(node.id for node in world.live)
    return next(i for n, i in enumerate(ids) if owns(ids[n - 1], i, key))


def found(answer: object) -> str:
    return answer.me.id if isinstance(answer, Links) else repr(answer)


def joins_one_by_one(seed: int, ring_class: type[Ring] = Ring) -> None:
    """Without failures every invariant holds at every moment, and principals never become fewer."""
    chance = random.Random(f"{seed}/story")
    world = checked(World(seed, length=chance.choice([2, 3, 8]), known=False, ring_class=ring_class), strict=True)
    digits = chance.choice([2, 8])
    founded(world, digits)
    for _ in range(chance.randint(1, 14)):
        world.add(digits)
        world.run(chance.uniform(0.1, 3))
    settled(world)


def joins_at_once(seed: int, ring_class: type[Ring] = Ring) -> None:
    chance = random.Random(f"{seed}/story")
    world = checked(
        World(seed, length=chance.choice([3, 8]), known=chance.random() < 0.5, ring_class=ring_class), True
    )
    founded(world)
    for _ in range(chance.randint(2, 25)):
        world.add()
    settled(world)


def crashes_and_returns(seed: int, ring_class: type[Ring] = Ring) -> None:
    """Nodes die as the proof allows, and come back with the same id, also at once: every invariant holds."""
    chance = random.Random(f"{seed}/story")
    world = checked(
        World(seed, length=chance.choice([2, 3]), known=chance.random() < 0.3, ring_class=ring_class), strict=True
    )
    founded(world)
    for _ in range(chance.randint(8, 14)):
        world.add()
    world.run(20)
    for _ in range(chance.randint(6, 14)):
        node = chance.choice(world.live)
        if may_crash(world, node):
            world.crash(node)
            if chance.random() < 0.6:
                world.run(chance.choice([0, chance.uniform(0, 4)]))
                world.restart(node)
        world.run(chance.uniform(0, 5))
    settled(world)


def storm(seed: int, ring_class: type[Ring] = Ring) -> None:
    """Loss, replies lost after the act, duplicates, busy and paused nodes, many deaths; the records' peers help."""
    chance = random.Random(f"{seed}/story")
    world = checked(
        World(seed, length=chance.choice([2, 3, 8]), news_s=chance.choice([0, 5]), ring_class=ring_class), False
    )
    founded(world)
    for _ in range(chance.randint(3, 20)):
        world.add()
    world.run(20)
    world.faults = Faults(*(chance.choice([0, 0, 0.05, 0.2]) for _ in range(4)))
    for _ in range(chance.randint(3, 10)):
        node = chance.choice(world.live)
        what = chance.random()
        if what < 0.3 and len(world.live) > 2:
            world.crash(node)
        elif what < 0.5:
            node.paused_until = world.now + chance.uniform(0.1, 20)
        elif what < 0.6:
            others = [other for other in world.live if other is not node]
            world.deaf |= {(node.ring.me.address, other.ring.me.address) for other in others[: len(others) // 2]}
        elif what < 0.75:
            world.add()
        else:
            dead = [other for other in world.nodes.values() if not other.alive]
            if dead:
                world.restart(chance.choice(dead))
        world.run(chance.uniform(0.5, 8))
    settled(world)


def partition(seed: int, ring_class: type[Ring] = Ring) -> None:
    """Two halves that do not hear each other become two rings, and one again."""
    chance = random.Random(f"{seed}/story")
    world = checked(World(seed, news_s=chance.choice([0, 5]), ring_class=ring_class), strict=False)
    founded(world)
    for _ in range(chance.randint(3, 16)):
        world.add()
    world.run(30)
    world.groups = {address: chance.randint(0, 1) for address in sorted(world.nodes)}
    world.run(chance.uniform(5, 60))
    settled(world)


def all_successors_die(seed: int, ring_class: type[Ring] = Ring) -> None:
    """More neighbours at once than a list holds: only the records know others."""
    chance = random.Random(f"{seed}/story")
    world = checked(World(seed, length=3, ring_class=ring_class), strict=False)
    founded(world)
    for _ in range(chance.randint(10, 16)):
        world.add()
    world.run(60)
    victim = chance.choice(world.live)
    for peer in list(victim.ring.successors):
        world.crash(world.nodes[peer.address])
    settled(world)


STORIES: tuple[Callable[..., None], ...] = (
    joins_one_by_one, joins_at_once, crashes_and_returns, storm, partition, all_successors_die,
)  # fmt: skip

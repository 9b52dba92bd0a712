"""The ring under everything its network can do, with a few seeds; `make sim SEED=s SEEDS=n` runs more of them."""

import statistics
from collections.abc import Callable
from typing import Any

import pytest
from invariants import Watch, ideal
from many import printed_twice
from scenarios import (
    all_successors_die,
    crashes_and_returns,
    found,
    founded,
    joins_at_once,
    joins_one_by_one,
    owner,
    partition,
    settled,
    storm,
    told,
)
from world import World, copied, lookups

from ringnode.protocol.idspace import advance, distance

SEEDS: dict[Callable[..., None], int] = {
    joins_one_by_one: 20,
    joins_at_once: 12,
    crashes_and_returns: 16,
    storm: 15,
    partition: 8,
    all_successors_die: 6,
}


@pytest.mark.parametrize(
    ("story", "seed"), [(story, seed) for story, seeds in SEEDS.items() for seed in range(seeds)]
)
def test_stories(story: Callable[..., None], seed: int) -> None:
    told(story, seed)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_smallest_rings(count: int) -> None:
    world = World(count)
    founded(world)
    for _ in range(count - 1):
        world.add()
    settled(world)


def grown(seed: int, count: int, **more: object) -> World:
    world = World(seed, **more)  # type: ignore[arg-type]
    founded(world)
    for _ in range(count - 1):
        world.add()
    settled(world)
    return world


def walked(world: World, key: str, start: int) -> list[str]:
    """Whom a right lookup asks in a ring that stands still."""
    step = world.live[start].ring.find_successor(key)
    asked: list[str] = []
    value: Any = None
    try:
        while True:
            call = step.send(value)
            asked.append(call.peer.id)
            value = world.nodes[call.peer.address].answer(call.method, copied(list(call.args)))
    except StopIteration as end:
        assert found(end.value) == owner(world, key)
    return asked


def test_a_warm_lookup_is_one_call() -> None:
    world = grown(1, 30)
    world.run(30)
    for n, node in enumerate(world.live):
        for k in range(1, 20):
            key = advance(node.id, 0x9E3779B1 * k)
            asked = walked(world, key, n)
            assert asked == ([] if owner(world, key) == node.id else [owner(world, key)]), f"{key} from {node.id}"


def fingers_right(world: World) -> bool:
    """Does every node know the first node at or after me + 2^i, for each i that leads beyond its successor?"""
    ids = sorted(node.id for node in world.live)
    for node in world.live:
        me = node.id
        for i in range(distance(me, node.ring.successors[0].id).bit_length(), 4 * len(me)):
            start = advance(me, 1 << i)
            right = next((other for other in ids if other >= start), ids[0])
            if i not in node.ring.fingers or node.ring.fingers[i].id != right:
                return False
    return True


def test_fingers_alone_lead_there_in_half_the_logarithm() -> None:
    """Chord's own figure (ToN 2003, figure 10): mean path 1/2 log2 N, the owner's own hop not counted."""
    world = grown(2, 64, known=False, length=1)
    assert world.run_until(lambda: fingers_right(world), 60), "the fingers do not become right"
    hops = []
    for n, node in enumerate(world.live):
        for k in range(1, 11):
            asked = walked(world, advance(node.id, 0x9E3779B1 * (n + k)), n)
            hops.append(max(0, len(asked) - 1))
    assert 2.4 <= statistics.mean(hops) <= 3.3, statistics.mean(hops)


@pytest.mark.parametrize(("known", "bound"), [(True, 0.03), (False, 0.05)])
def test_wrong_answers_during_churn_are_rare(known: bool, bound: float) -> None:
    """A lookup is wrong when its answer is not the live owner; eager joins keep the window short."""
    world = grown(3, 30, known=known)
    wrong = asked = 0
    for n in range(120):
        if n % 12 == 0:
            world.add()
        if n % 12 == 6:
            world.crash(world.live[n % len(world.live)])
        world.run(0.5)
        some = [(node, advance(node.id, 0x9E3779B1 * (n + 1))) for node in world.members[n % 5 :: 5]]
        owners = [owner(world, key) for _, key in some]
        answers = lookups(world, some)
        asked += len(some)
        wrong += sum(
            found(answer) not in (before, owner(world, key))
            for (_, key), before, answer in zip(some, owners, answers, strict=True)
        )
    assert asked > 500 and wrong <= asked * bound, f"{wrong} of {asked}"


@pytest.mark.parametrize("sizes", [(1, 1), (1, 12), (8, 8)])
def test_two_rings_that_never_met_become_one(sizes: tuple[int, int]) -> None:
    """Records alone do it: plain Chord would stay two rings for ever."""
    world = World(4, news_s=3.0)
    for side, size in enumerate(sizes):
        for n in range(size):
            node = world.add() if n else founded(world)
            world.groups[node.ring.me.address] = side
    Watch(world, strict=False)
    world.run(30)
    assert all(node.ring.joined for node in world.live) and not ideal(world)
    world.groups = {}
    assert world.run_until(lambda: ideal(world), 60)


def test_a_thousand_nodes_close_over_many_deaths() -> None:
    """They begin with the pointers they would come to have; then one in forty dies at once."""
    world = World(6, known=False)
    rings = sorted((world.add().ring for _ in range(1000)), key=lambda ring: ring.me.id)
    peers = [ring.me for ring in rings]
    for n, ring in enumerate(rings):
        ring.predecessor, ring.successors = peers[n - 1], (peers[n + 1 :] + peers[:n])[: ring.length]
    world.run(1)
    for node in world.live[::40]:
        world.crash(node)
    assert world.run_until(lambda: ideal(world), 60)


def test_one_seed_is_one_run_in_every_process() -> None:
    code = (
        "from scenarios import founded; from world import Faults, World\n"
        "w = World(5, news_s=2, faults=Faults(0.1, 0.1, 0.1, 0.1)); founded(w)\n"
        "for _ in range(12): w.add()\n"
        "w.run(30); w.crash(w.live[3]); w.run(1); w.restart(w.nodes['node-3']); w.run(30); print(w.trace.hexdigest())"
    )
    assert len(set(printed_twice(code))) == 1

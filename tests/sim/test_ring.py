"""The ring under everything its network can do, with a few seeds; `make sim SEED=s SEEDS=n` runs more of them."""

import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from invariants import ideal
from scenarios import (
    STORIES,
    all_successors_die,
    crashes_and_returns,
    founded,
    joins_at_once,
    joins_one_by_one,
    lookup,
    owner,
    partition,
    settled,
    storm,
)
from world import World

from ringnode.protocol.idspace import advance, distance
from ringnode.protocol.messages import Links

SEEDS = {
    joins_one_by_one: 20,
    joins_at_once: 15,
    crashes_and_returns: 10,
    storm: 15,
    partition: 10,
    all_successors_die: 6,
}


@pytest.mark.parametrize(("story", "seed"), [(story, seed) for story in STORIES for seed in range(SEEDS[story])])
def test_stories(story: Callable[[int], None], seed: int) -> None:
    story(seed)


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


def test_a_warm_lookup_is_one_call() -> None:
    world = grown(1, 30)
    world.run(30)
    for node in world.live:
        key = advance(node.id, 1 << 31)
        before = world.calls
        answer: list[object] = []
        world.spawn(node, node.ring.find_successor(key), answer.append)
        sent = world.calls - before
        world.run(0.4)
        assert isinstance(answer[0], Links) and answer[0].me.id == owner(world, key)
        assert sent <= 1


def test_fingers_alone_lead_there_in_half_the_logarithm() -> None:
    """Chord's own figure (ToN 2003, figure 10): mean path 1/2 log2 N, the owner's own hop not counted."""
    world = grown(2, 64, known=False, length=1)
    ids = sorted(node.id for node in world.live)
    for node in world.live:
        for i in range(32):
            start = advance(node.id, 1 << i)
            finger = min(ids, key=lambda other, start=start: distance(start, other))
            if finger != node.id:
                node.ring.fingers[i] = next(n.ring.me for n in world.live if n.id == finger)
    hops = []
    for n, node in enumerate(world.live):
        for key in (advance(node.id, 0x9E3779B1 * (n + k)) for k in range(1, 4)):
            done: list[object] = []
            mine: list[str] = []
            world.spawn(node, counting(node.ring.find_successor(key), mine), done.append)
            assert world.run_until(lambda done=done: bool(done), 10)
            assert isinstance(done[0], Links) and done[0].me.id == owner(world, key)
            hops.append(max(0, len(mine) - 1))
    assert 2.2 <= statistics.mean(hops) <= 3.6, statistics.mean(hops)


def counting(step, calls):  # type: ignore[no-untyped-def]
    """Drives a step and notes whom it calls."""
    try:
        effect = next(step)
        while True:
            calls.append(effect.peer.id)
            try:
                effect = step.send((yield effect))
            except Exception as error:
                if isinstance(error, StopIteration):
                    raise
                effect = step.throw(error)
    except StopIteration as end:
        return end.value


def test_wrong_answers_during_churn_are_rare() -> None:
    """A lookup is wrong when its answer is not the live owner; eager joins keep the window short."""
    world = grown(3, 40)
    wrong = asked = 0
    for n in range(120):
        if n % 12 == 0:
            world.add()
        if n % 12 == 6:
            world.crash(world.live[n % len(world.live)])
        world.run(0.5)
        node = world.members[n % len(world.members)]
        key = advance(node.id, 0x9E3779B1 * (n + 1))
        answer = lookup(world, node, key)
        asked += 1
        wrong += not isinstance(answer, Links) or answer.me.id != owner(world, key)
    assert wrong <= asked * 0.05, f"{wrong} of {asked}"


def test_two_rings_with_one_thing_in_common_become_one() -> None:
    world = World(4, known=False)
    founded(world)
    other = founded(world)
    for _ in range(10):
        world.add()
    world.run(30)
    first = world.live[0]
    first.ring.known[other.id] = other.ring.me
    world.known = True
    assert world.run_until(lambda: ideal(world), 60)


def test_one_seed_is_one_run_in_every_process() -> None:
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from scenarios import founded; from world import Faults, World\n"
        "w = World(5, faults=Faults(0.1, 0.1, 0.1, 0.1)); founded(w)\n"
        "for _ in range(12): w.add()\n"
        "w.run(60); print(w.trace.hexdigest())"
    )
    here = Path(__file__).parent
    traces = {
        subprocess.run(
            [sys.executable, "-c", code, str(here), str(here.parents[1])],
            env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(traces) == 1 and len(traces.pop()) > 60

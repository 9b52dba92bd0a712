"""A few of the figures of `make numbers`, small and with generous bounds."""

import random
import statistics
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "bench"))

import files
import members
import routing
from invariants import ideal
from machines import Machines


def test_the_mean_path_by_fingers_alone() -> None:
    walks = routing.Static(1, 256, length=1).walks(1000)
    assert all(walk.right for walk in walks)
    assert statistics.mean(walk.hops for walk in walks) == pytest.approx(4 - 0.15, rel=0.05)


def test_no_lookup_fails_with_half_the_nodes_dead_at_once() -> None:
    for length, known in ((20, False), (8, True)):
        ring = routing.Static(1, 300, length, known)
        ring.kill(0.5)
        assert all(walk.right for walk in ring.walks(300))


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("count", [5, 20, 100])
def test_bytes_lie_evenly(count: int, at_once: bool) -> None:
    """Random ids give 1.4 to 4."""
    chance = random.Random(f"{count}/{at_once}")
    assert files.fullest(chance, files.places(chance, count, at_once)) <= 1.4


def test_a_push_reaches_nearly_all() -> None:
    share, hops, _ = members.pushed(members.Told(1), 40, 10)
    assert share >= 0.9 and hops <= 10


def test_two_rings_with_one_link_become_one_soon() -> None:
    world = Machines(1)
    rings = [members.ready(world, 10), members.ready(world, 10)]
    members.silenced(world.nodes.values(), "discover")
    world.run(2)
    assert not ideal(world)
    rings[0][0].roster.met[rings[1][0].id] = rings[1][0].ring.me
    assert world.run_until(lambda: ideal(world), 40)
    world.close()


def test_a_short_absence_copies_nothing() -> None:
    world = Machines(1, rules=members.AS_INSTALLED)
    machines = files.stocked(world, 5, files.keys(random.Random(1), 10))
    world.run(10)
    world.crash(machines[0])
    world.run(90)
    world.restart(machines[0])
    world.run(60)
    assert world.moved == 0 and ideal(world)
    world.close()

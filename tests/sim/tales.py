"""Short stories of whole nodes, one for each promise that a life of chance would test too seldom."""

import random
from collections.abc import Callable
from typing import Any

from invariants import ideal
from library import Life
from machines import Machine, act, at_rest
from seen import HORIZON_MS
from world import Faults

from ringnode.protocol.membership import DOWN


def begun(seed: int, nodes: int, machine_class: type[Machine]) -> Life:
    life = Life(seed, machine_class=machine_class)
    life.world.founder()
    for _ in range(nodes - 1):
        life.world.add()
    rested(life)
    return life


def rested(life: Life, seconds: float = 200.0) -> None:
    world = life.world
    good = world.run_until(lambda: ideal(world) and not at_rest(world), seconds)
    assert good, f"not at rest: {'' if ideal(world) else 'ring'} {at_rest(world)[:3]}"


def uploaded(life: Life, count: int) -> list[str]:
    keys = [f"{life.chance.getrandbits(256):064x}" for _ in range(count)]
    for key in keys:
        at = life.chance.choice(life.world.members)
        assert act(life.world, at, at.upload(key, "first")) is True
    rested(life)
    return keys


def reboot(seed: int, machine_class: type[Machine] = Machine) -> None:
    """A node that is away for a moment: nothing is copied."""
    life = begun(seed, 6, machine_class)
    world = life.world
    uploaded(life, 12)
    before = world.moved
    victim = life.chance.choice(world.live)
    world.crash(victim)
    world.run(life.chance.uniform(5, 30))
    world.restart(victim)
    rested(life)
    world.run(20)
    world.close()
    assert world.moved == before, f"{world.moved - before} files were copied for a reboot"


def edits_at_once(seed: int, machine_class: type[Machine] = Machine) -> None:
    """Two people change two fields of one song at two nodes: both changes stay."""
    life = begun(seed, 5, machine_class)
    world = life.world
    key = uploaded(life, 1)[0]
    results: list[Any] = []
    for at, changes in zip(life.chance.sample(world.live, 2), ({"title": "new"}, {"album": "other"}), strict=True):
        world.spawn(at, at.edit(key, changes), results.append)
    world.run_until(lambda: len(results) == 2, 30)
    rested(life)
    docs = [node.records.get("song", key).doc for node in world.live]  # type: ignore[union-attr]
    world.close()
    assert results == [None, None]
    assert all((doc["title"], doc.get("album")) == ("new", "other") for doc in docs), docs[0]


def edits_in_turn(seed: int, machine_class: type[Machine] = Machine) -> None:
    """One edit right after the other, at nodes whose clocks are not the same: the last one holds."""
    life = begun(seed, 9, machine_class)
    world = life.world
    for node in world.live:
        node.clock_ms = life.chance.uniform(-20_000, 20_000)
    key = uploaded(life, 1)[0]
    for n in range(12):
        at = life.chance.choice(world.live)
        results: list[Any] = []
        world.spawn(at, at.edit(key, {"title": f"edit {n}"}), results.append)
        while not results:
            world.run(0.001)
        assert results == [None], results
    rested(life)
    titles = {node.records.get("song", key).doc["title"] for node in world.live}  # type: ignore[union-attr]
    world.close()
    assert titles == {"edit 11"}, titles


def rotten_source(seed: int, machine_class: type[Machine] = Machine) -> None:
    """One copy is damaged and another one lost: what is made anew is whole."""
    life = begun(seed, 5, machine_class)
    world = life.world
    for key in uploaded(life, 6):
        holders = [node for node in world.live if node.disk.has(key)]
        rotten, lost = life.chance.sample(holders, 2)
        rotten.disk.files[key] = False
        del lost.disk.files[key]
    damaged = {(id(node.disk), key) for node in world.live for key, whole in node.disk.files.items() if not whole}
    for _ in range(100):
        world.run(0.2)
        now = {(id(node.disk), key) for node in world.live for key, whole in node.disk.files.items() if not whole}
        assert now <= damaged, "a damaged copy was passed on"
    rested(life)
    world.close()


def gone_meanwhile(seed: int, machine_class: type[Machine], go: Callable[[Life, Machine], None]) -> None:
    """A node goes; songs are deleted, and all forget that; it is started again with its folder: they stay deleted."""
    life = begun(seed, 5, machine_class)
    keys = uploaded(life, 6)
    gone = life.chance.choice(life.world.live)
    go(life, gone)
    _deleted(life, keys[:4])
    life.world.run(HORIZON_MS / 1000 * 2.5)
    life.world.restart(gone)
    rested(life)
    _check_deleted(life, keys)


def long_absence(seed: int, machine_class: type[Machine] = Machine) -> None:
    """Deleted while a node was away, for longer than tombstones are kept: stays deleted."""
    gone_meanwhile(seed, machine_class, lambda life, node: life.world.crash(node))


def old_backup(seed: int, machine_class: type[Machine] = Machine) -> None:
    """A catalogue from before a deletion that all have forgotten: stays deleted."""
    life = begun(seed, 5, machine_class)
    world = life.world
    keys = uploaded(life, 6)
    node = life.chance.choice(world.live)
    backup, identity = node.save(), node.disk.identity
    _deleted(life, keys[:4])
    world.run(10)
    if seed % 2:  # else it was one life of it
        world.crash(node)
        node = world.restart(node)
    world.run(HORIZON_MS / 1000 * 2.5)
    world.crash(node)
    node.disk.catalogue, node.disk.identity = backup, identity
    world.restart(node)
    rested(life)
    _check_deleted(life, keys)


def left_and_back(seed: int, machine_class: type[Machine] = Machine) -> None:
    """A node that has left is started again with its folder, when all have forgotten a deletion: stays deleted."""

    def leave(life: Life, node: Machine) -> None:
        life.world.spawn(node, node.leave())
        assert life.world.run_until(lambda: not node.alive, 200), "it does not come to leave"
        rested(life)

    gone_meanwhile(seed, machine_class, leave)


def last_but_one(seed: int, machine_class: type[Machine] = Machine) -> None:
    """Of two nodes one leaves while the other is down: that one takes all over when it is back."""
    life = begun(seed, 2, machine_class)
    world = life.world
    keys = uploaded(life, 4)
    leaves, stays = life.chance.sample(world.live, 2)
    world.crash(stays)
    world.spawn(leaves, leaves.leave())
    world.run(1)
    stays = world.restart(stays)
    assert world.run_until(lambda: stays.ring.joined and not leaves.alive, 300), "they wait for each other"
    assert sorted(stays.disk.files) == sorted(keys)
    world.close()


def rotten_heir(seed: int, machine_class: type[Machine] = Machine) -> None:
    """Of two nodes one leaves while the copies of the other, just back, are rotten: nothing goes with it."""
    life = begun(seed, 2, machine_class)
    world = life.world
    keys = uploaded(life, 4)
    leaves, stays = life.chance.sample(world.live, 2)
    world.crash(stays)
    stays.disk.files = dict.fromkeys(keys, False)
    world.spawn(leaves, leaves.leave())
    world.run(1)
    stays = world.restart(stays)
    assert world.run_until(lambda: not leaves.alive, 300), "it does not come to leave"
    world.close()
    assert all(stays.disk.files.get(key) for key in keys), "songs are lost with the node that left"


def _deleted(life: Life, keys: list[str]) -> None:
    for key in keys:
        at = life.chance.choice(life.world.members)
        assert act(life.world, at, at.delete(key)) is None


def _check_deleted(life: Life, keys: list[str]) -> None:
    world = life.world
    world.run(20)
    live = [[record.key for record in node.records.live("song")] for node in world.live]
    world.close()
    assert all(sorted(some) == sorted(keys[4:]) for some in live), "a deleted song is back, or another is gone"


def nobody_is_down(seed: int, machine_class: type[Machine] = Machine) -> None:
    """Messages are lost and nodes sleep for a moment: nobody is held for down."""
    life = begun(seed, 7, machine_class)
    world = life.world
    world.faults = Faults(0.05, 0.05)
    for _ in range(20):
        life.chance.choice(world.live).paused_until = world.now + life.chance.uniform(0.2, 3)
        world.run(5)
        said = [id[:6] for node in world.live for id, m in node.membership.members.items() if m.state == DOWN]
        assert not said, f"{said} live and are held for down"
    world.close()


def sleepers(seed: int, machine_class: type[Machine] = Machine) -> None:
    """A node sleeps until it is held for down, and wakes: it refutes that."""
    life = begun(seed, 5, machine_class)
    world = life.world
    life.chance.choice(world.live).paused_until = world.now + 25
    world.run(25)
    rested(life)
    world.close()


def claims(seed: int, machine_class: type[Machine] = Machine) -> None:
    """Many want to be alone at one name while nodes come, go and sleep: never two at once."""
    chance = random.Random(f"{seed}/claims")
    life = begun(seed, chance.randint(3, 6), machine_class)
    world = life.world
    for _ in range(60):
        world.run(chance.uniform(0.2, 1.5))
        for at in chance.sample(world.members, min(2, len(world.members))):
            world.spawn(at, at.claim(f"account/{chance.randint(0, 1)}", chance.uniform(0, 9)))
        what = chance.random()
        if what < 0.12:
            life.grow()
        elif what < 0.2:
            life.crash()
        elif what < 0.3:
            life.restart()
        elif what < 0.35:
            life.pause()
    world.close()


TALES = (
    reboot, edits_at_once, edits_in_turn, rotten_source, long_absence, old_backup, left_and_back, last_but_one,
    rotten_heir, nobody_is_down, sleepers, claims,
)  # fmt: skip

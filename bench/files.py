"""Where songs lie, how evenly, and what deaths and returns do to them."""

import random
import statistics
from bisect import bisect_left
from functools import partial

from machines import Machine, Machines, opened, owners_in
from members import AS_INSTALLED, ready, silenced
from routing import Row

from ringnode.catalogue.records import Records
from ringnode.protocol.chord import Ring
from ringnode.protocol.messages import Peer
from ringnode.services.roster import Roster

K = 3
DRAWS = 200
SONGS = 20_000


def keys(chance: random.Random, count: int) -> list[str]:
    """As the hashes of songs are."""
    return [f"{chance.getrandbits(256):064x}" for _ in range(count)]


# -- balance ---------------------------------------------------------------------------------------------------


def places(chance: random.Random, count: int, at_once: bool) -> list[str]:
    """Ids that the node which gives places gives to `count` - 1 others, each known before the next asks, or none."""
    db = opened(b"")
    records = Records(db, "n", lambda: 1_700_000_000_000, life="first")
    me = Peer(keys(chance, 1)[0], "node-0", 1)
    roster = Roster("node-0", "", Ring(me, lambda: 0.0), records, chance, [].extend)
    ids = [me.id]
    for n in range(1, count):
        ids.append(roster.place(f"node-{n}"))
        if not at_once:
            records.put("peer", ids[-1], {"address": f"node-{n}", "incarnation": 1})
            roster.refresh()
    db.close()
    return ids


def balance(seed: int) -> list[Row]:
    """Stored bytes of the fullest node over the mean: k = 3, 20,000 songs of 2 to 12 MB, 20 rings each."""
    rows: list[Row] = []
    for count in (5, 10, 20, 50, 100):
        row: Row = [count]
        for at_once in (False, True, None):
            worst = []
            for ring in range(20):
                chance = random.Random(f"{seed}/{count}/{ring}")
                ids = keys(chance, count) if at_once is None else places(chance, count, at_once)
                worst.append(fullest(chance, ids))
            row.append(f"{statistics.mean(worst):.2f}, {max(worst):.2f}")
        rows.append([*row, "1.4"])
    return rows


def fullest(chance: random.Random, ids: list[str]) -> float:
    """max / mean of the bytes on each node."""
    ids, stored = sorted(ids), [0.0] * len(ids)
    for song in keys(chance, SONGS):
        size, first = chance.uniform(2e6, 12e6), bisect_left(ids, song)
        for n in range(K):
            stored[(first + n) % len(ids)] += size
    return max(stored) / statistics.mean(stored)


# -- deaths and returns ----------------------------------------------------------------------------------------


def stocked(world: Machines, count: int, songs: list[str]) -> list[Machine]:
    """A ring with every song on its owners."""
    machines = ready(world, count, songs)
    silenced(machines, "discover")
    by_id = {machine.id: machine for machine in machines}
    for song in songs:
        for id in owners_in(world, song):
            by_id[id].disk.store(song, by_id[id].now_ms())
    return machines


def lost(seed: int) -> list[Row]:
    """A share of 40 nodes dies at once: songs without a live copy then, the mean of 200 draws; and after the return.

    Of 40 nodes whole numbers die, and no node twice, so that the share is a little below p^k.
    """
    rows: list[Row] = []
    for share in (0.1, 0.3, 0.5):
        world = Machines(seed, rules=AS_INSTALLED)
        chance = random.Random(f"{seed}/{share}/lost")
        songs = keys(chance, 1000)
        machines = stocked(world, 40, songs)
        world.run(5)
        owners = [set(owners_in(world, song)) for song in songs]
        shares = []
        for _ in range(DRAWS):
            dead = chance.sample(machines, round(share * len(machines)))
            ids = {machine.id for machine in dead}
            shares.append(sum(each <= ids for each in owners) / len(songs))
        for machine in dead:
            world.crash(machine)
        world.run(60)
        for machine in dead:
            world.restart(machine)
        world.run_until(partial(whole, world, songs), 300)
        gone = sum(not any(m.disk.has(song) for m in world.live) for song in songs)
        rows.append([f"{share:.0%}", f"{statistics.mean(shares):.1%}", f"{share**K:.1%}", gone, "0"])
        world.close()
    return rows


def whole(world: Machines, songs: list[str]) -> bool:
    return all(any(m.disk.has(song) for m in world.live) for song in songs)


def reboot(seed: int) -> list[Row]:
    """One of 10 nodes is away for a while: files copied meanwhile and in the ten minutes after it is back."""
    rows: list[Row] = []
    for minutes in (5, 15):
        world = Machines(seed, rules=AS_INSTALLED)
        machines = stocked(world, 10, keys(random.Random(seed), 200))
        world.run(60)
        held = len(machines[3].disk.files)
        world.crash(machines[3])
        world.run(minutes * 60)
        world.restart(machines[3])
        world.run(600)
        rows.append([minutes, held, world.moved, "0" if minutes < 10 else "all it held"])
        world.close()
    return rows

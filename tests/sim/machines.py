"""Whole nodes in virtual time: the ring, its members, files, records, leases, as production runs them.

What is simulated is the network (by `world`), the disk, the clock, and the people.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from seen import SEEN, SeenMembership, SeenReplication, SeenRing, Table
from world import TIMEOUT_S, Back, Node, NoReply, Rounds, World

from ringnode.catalogue.database import Database
from ringnode.catalogue.record import milliseconds
from ringnode.errors import CorruptReplica, NoSpace, NotFound, NotJoined, RingnodeError
from ringnode.protocol.idspace import owns
from ringnode.protocol.leases import TERM_S, Leases, give_back, take
from ringnode.protocol.membership import EXPELLED, LEFT, UP, Verdict
from ringnode.protocol.messages import AtOnce, Call, Fetch, Peer, Send, Step, Verify, Wait
from ringnode.protocol.replication import Rules, owners_of
from ringnode.protocol.writing import Writing
from ringnode.services.copies import Songs
from ringnode.services.gossip import Gossip
from ringnode.services.roster import Roster

EPOCH_MS = 1_700_000_000_000
PIECE_S = 0.3  # median time to move a file
GRACE_S = 35.0
SETTLE_S = 5.0
SEEDS = 3
RULES = Rules(k=3, repair_delay_s=60.0, quiet_s=6.0)
PERIODS = {"stabilise": 1.0, "probe": 1.0, "spread": 1e9, "exchange": 3.0, "replicate": 4.0, "audit": 5.0,
           "discover": 30.0}  # fmt: skip


class Place(NamedTuple):
    """Please store what a person uploads at `peer`."""

    peer: Peer
    key: str


@dataclass
class Disk:
    """What of a machine outlives its processes: files, whole and damaged, and the catalogue's."""

    files: dict[str, bool] = field(default_factory=dict)  # key -> is it whole?
    wanted_ms: dict[str, int] = field(
        default_factory=dict
    )  # when a file was stored or sent again, by its node's clock
    aside: list[str] = field(default_factory=list)
    catalogue: bytes = b""
    full: bool = False
    slow: float = 1.0
    identity: tuple[str, int] = ("", 0)  # id, incarnation
    on_drop: Callable[[str], None] = lambda key: None

    def keys(self, after: str, upto: str) -> list[str]:
        return sorted(key for key in self.files if owns(after, upto, key))

    def has(self, key: str) -> bool:
        return key in self.files

    def drop(self, key: str) -> None:
        if self.files.pop(key, None):
            self.on_drop(key)

    def store(self, key: str, now_ms: int) -> None:
        self.wanted_ms[key] = now_ms
        if key not in self.files:
            if self.full:
                raise NoSpace("the disk is full")
            self.files[key] = True

    def verify(self, key: str) -> bool:
        if key not in self.files:
            raise NotFound("no copy here")
        if not self.files[key]:
            del self.files[key]
            self.aside.append(key)
            SEEN["put aside as damaged"] += 1
            return False
        return True


class Machine(Node):
    """One node with all its parts."""

    world: "Machines"
    ring_class = SeenRing
    table_class = Table
    leases_class = Leases
    gossip_class = Gossip
    writing_class = Writing
    membership_class = SeenMembership
    replication_class = SeenReplication
    verifies = True  # does it hash what peers send?

    def __init__(self, world: "Machines", peer: Peer, disk: Disk) -> None:
        super().__init__(world, peer)
        self.disk = disk
        self.clock_ms = 0.0  # how far its clock is off
        life = f"{peer.address}.{peer.incarnation}.{len(world.lives)}"
        world.lives.append(life)
        chance = world.chance(life)
        self.db = opened(disk.catalogue)
        self.records = self.table_class(self.db, "n", self.now_ms, life=life)
        self.gossip = self.gossip_class(self.ring, self.records, chance, lambda loop: self.on_kick(loop))
        self.roster = Roster(peer.address, "", self.ring, self.records, chance, self.gossip.tell)
        self.membership = self.roster.membership = self.membership_class(self.ring, self.roster, chance)
        self.leases = self.leases_class(self.ring, self.now_ms)
        self.replication = self.replication_class(self.ring, disk, Songs(self.records), world.rules)
        self.replication.machine = self
        self.writing = self.writing_class(peer, world.rules.k, world.rules.repair_delay_s)
        self.fresh = not disk.identity[0]
        self.started = world.now
        self.leaving = False
        self.asked_at: dict[tuple[str, str], float] = {}  # when a holder here last asked for a lease
        self.claims = 0
        self.read: set[str] = set()  # keys of the copies found whole since the start
        steps = {
            "stabilise": self.stabilise, "probe": self.probe, "spread": self.gossip.spread,
            "exchange": self.gossip.exchange, "replicate": self.replicate, "audit": self.audit,
            "discover": self.discover,
        }  # fmt: skip
        self.loops = {
            name: Rounds(PERIODS[name], partial(self._if_joined, name, step)) for name, step in steps.items()
        }

    def now_ms(self) -> int:
        return int(EPOCH_MS + self.world.now * 1000 + self.clock_ms)

    def save(self) -> bytes:
        """The catalogue's file, as it is now."""
        return self.db._connection().serialize()

    # -- loops -------------------------------------------------------------------------------------------------

    def _if_joined(self, name: str, step: Callable[[], Step[Any]]) -> Step[Any]:
        here = name in ("probe", "spread", "exchange", "replicate") and self.leaving
        if self.ring.joined or here or name == "stabilise":
            return (yield from step())

    def stabilise(self) -> Step[None]:
        if not self.ring.joined:
            if not self.leaving and not self.membership.expelled_by:
                yield from self._enter()
            return
        before = (self.ring.predecessor, self.ring.successors, self.ring.barred)
        self.roster.refresh()
        yield from self.ring.maintain()
        if before != (self.ring.predecessor, self.ring.successors, self.ring.barred):
            self.on_kick("replicate")

    def _enter(self) -> Step[None]:
        heard = [
            other.ring for other in self.world.live if other is not self and self.world._talk(self, other.ring.me)
        ]
        inside = [ring.me for ring in heard if ring.joined]
        if not inside:
            if self._may_found([ring.me.address for ring in heard if not ring.parted]):
                self.found()
            return
        self.roster.refresh()
        try:
            yield from self.roster.enter(self.world._chance["stagger"].choice(inside), self.fresh)
        except RingnodeError:
            return  # tried again at the next tick
        self.settle_in()

    def _may_found(self, others: list[str]) -> bool:
        """As discovery says: after a while, the lowest address of those that wait."""
        settled = self.world.now - self.started >= SETTLE_S
        named = not self.fresh or self.ring.me.address in sorted(self.world.nodes)[:SEEDS]
        return settled and named and all(self.ring.me.address < other for other in others)

    def found(self) -> None:
        """Become a ring of one."""
        if self.fresh:
            self.ring.me = self.ring.me._replace(id=f"{self.world._chance['id'].getrandbits(256):064x}")
        self.ring.found()
        self.settle_in()

    def discover(self) -> Step[None]:
        """The seeds are asked for ever: what two founders made comes together."""
        for address in sorted(self.world.nodes)[:SEEDS]:
            try:
                peer, joined = yield Call(Peer("", address), "ping")
            except RingnodeError:
                continue
            if joined and peer[0] != self.id:
                self.roster.met[peer[0]] = Peer.of(peer)

    def settle_in(self) -> None:
        self.fresh = False
        self.announce()
        self.on_kick("exchange")

    def announce(self) -> None:
        self.disk.identity = (self.ring.me.id, self.ring.me.incarnation)
        self.roster.announce(0 if self.disk.full else 1 << 30)

    def probe(self) -> Step[None]:
        yield from self.roster.probe()
        self.announce()
        if self.membership.expelled_by and self.ring.joined:
            self.ring.part()
            SEEN["parted, being expelled"] += 1

    def replicate(self) -> Step[bool]:
        again = yield from self.replication.replicate()
        if self.replication.report.handed_over:
            self.roster.say_of_me(LEFT)
            while (yield from self.gossip.spread()):
                pass
            self.world.departed(self)
        return again

    def leave(self) -> Step[None]:
        yield from self.roster.leave()
        self.leaving = self.replication.leaving = True
        self.on_kick("replicate")

    def expel(self, peer: Peer) -> None:
        """An admin here says that it is out for good."""
        self.roster.say(peer, Verdict(EXPELLED, peer.incarnation, "an admin"))
        self.roster.refresh()

    def audit(self) -> Step[None]:
        """As the housekeeping of a node: the end of deleted files, a look at the others, old tombstones."""
        self.gossip.tell(self.records.take_due())
        self.gossip.forget()
        for key in set(self.records.keys("song", deleted=True)) & set(self.disk.files):
            record = self.records.get("song", key)
            since = max(milliseconds(record.stamp_of("deleted")), self.disk.wanted_ms[key]) if record else 0
            if record and self.now_ms() - since >= GRACE_S * 1000:
                self.disk.files.pop(key)
                self.world.on_removed(self, key)
        for key in sorted(self.disk.files):
            self.verify(key)
        return
        yield

    def verify(self, key: str) -> bool:
        good = self.disk.verify(key)
        if good:
            self.read.add(key)
        else:
            self.read.discard(key)
            self.on_kick("replicate")
        return good

    # -- what it answers ---------------------------------------------------------------------------------------

    def on_ping(self) -> Any:
        return [self.ring.me, self.ring.joined]

    def on_find_successor(self, key: str) -> Step[Peer]:
        return (yield from self.ring.find_successor(key)).me

    def on_owners(self, key: str, count: int) -> Step[list[Peer]]:
        return owners_of((yield from self.ring.find_successor(key)), count)

    def on_members(self, away_s: float) -> int:
        return self.ring.members(away_s)

    def on_place(self, address: str) -> str:
        return self.roster.place(address)

    def on_lease(self, name: str, holder: str) -> Step[int]:
        return self.leases.grant(name, holder)

    def on_witness(self, name: str, holder: str, number: int) -> None:
        self.leases.witness(name, holder, number)

    def on_release(self, name: str, holder: str, number: int) -> Step[None]:
        return self.leases.release(name, holder, number)

    def on_has_replicas(self, keys: list[str]) -> list[bool]:
        return [self.disk.has(key) for key in keys]

    def on_copy_of(self, key: str) -> dict[str, Any]:
        return {"verified_at": self.world.now if key in self.read else None}

    def on_doubt(self, key: str) -> None:
        if self.disk.has(key):
            self.verify(key)

    def on_digests(self, groups: list[int]) -> Any:
        self.ring.links()
        return self.records.buckets(groups) if groups else self.records.groups()

    def on_entries(self, buckets: list[int]) -> Any:
        self.ring.links()
        return self.records.entries(buckets)

    def on_get_records(self, names: list[Any], *most_bytes: int) -> Any:
        return self.records.documents(names, *most_bytes)

    def on_keep_record(self, document: Any) -> None:
        self.gossip.tell(self.records.keep(document))
        self.ring.links()

    def on_put_records(self, documents: list[Any], spread: bool) -> int:
        news = self.records.take(documents)
        if news and spread:
            self.gossip.tell(news)
        return len(news)

    # -- what people do at it ----------------------------------------------------------------------------------

    def upload(self, key: str, title: str) -> Step[bool]:
        """Returns when it is acknowledged: True if it is new, False if the song was there already."""
        known = yield from self.writing.latest(self.records, "song", key)
        if known and not known.deleted:
            yield from self._heal(key)
            yield from self.writing.publish("song", key, known)
            return False
        yield from self.writing.put(key, lambda peer: Place(peer, key))
        record = self.records.draft("song", key, {"title": title, "size_bytes": 5 << 20})
        yield from self.writing.publish("song", key, record)
        return True

    def _heal(self, key: str) -> Step[None]:
        """As the library does with the bytes of a song that is there."""
        holders = []

        def ask(peer: Peer) -> Step[None]:
            if (yield Call(peer, "has_replicas", ([key],)))[0]:
                holders.append(peer.id)

        peers = yield from self.writing.owners(key)
        yield AtOnce([ask(peer) for peer in peers], len(peers))
        if len(holders) < (yield from self.writing.wanted()):
            yield from self.writing.put(key, lambda peer: Place(peer, key))

    def claim(self, name: str, seconds: float) -> Step[None]:
        """Something that only one node may do at once, such as creating an account."""
        self.claims += 1
        holder = f"{self.id} {self.claims}"  # every use is a holder of its own
        number = yield from take(self.ring.me, name, holder)
        self.holds(name, holder)
        yield Wait(seconds)
        yield from give_back(self.ring.me, name, holder, number)

    def holds(self, name: str, holder: str) -> None:
        """A lease was granted; its term counts from before the question."""
        self.world.on_lease(self, name, self.asked_at[name, holder] + TERM_S)

    def edit(self, key: str, changes: dict[str, Any]) -> Step[None]:
        record = yield from self.writing.latest(self.records, "song", key)
        if record is None or record.deleted:
            raise NotFound("there is no such song")
        yield from self.writing.publish("song", key, self.records.draft_edit(record, changes))

    def delete(self, key: str) -> Step[None]:
        return self.edit(key, {"deleted": True})


class Machines(World):
    """A ring of whole nodes."""

    nodes: dict[str, Machine]

    def __init__(
        self, seed: int, *, rules: Rules = RULES, machine_class: type[Machine] = Machine, **more: Any
    ) -> None:
        super().__init__(seed, known=False, ring_class=machine_class.ring_class, **more)
        self.tries = 2
        self.rules = rules
        self.machine_class = machine_class
        self.made = 0
        self.lives: list[str] = []
        self.moved = 0  # files sent from node to node
        self.moved_keys: dict[str, int] = {}
        self.on_removed: Callable[[Machine, str], None] = lambda machine, key: None
        self.on_departed: Callable[[Machine], None] = lambda machine: None
        self.on_lease: Callable[[Machine, str, float], None] = lambda machine, name, until: None
        self.on_release: Callable[[Machine, str], None] = lambda machine, name: None
        self.performers |= {
            Send: self._send, Fetch: self._fetch, Place: self._place,
            Verify: lambda node, effect, back: back(node.verify(effect.key) if node.disk.has(effect.key) else False),
        }  # fmt: skip

    def founder(self) -> Machine:
        machine = self.add()
        machine.found()
        return machine

    def add(self, digits: int = 64, id: str = "", disk: Disk | None = None) -> Machine:
        address = f"node-{self.made:03d}"
        self.made += 1
        return self.boot(address, disk or Disk())

    def boot(self, address: str, disk: Disk) -> Machine:
        """A new process on a disk."""
        id, incarnation = disk.identity
        machine = self.machine_class(self, Peer(id or f"{len(self.lives):064x}", address, incarnation + 1), disk)
        record = machine.records.get("peer", id)
        if record:  # also those taken to refute a suspicion
            known = int(record.doc.get("incarnation", 0))
            machine.ring.me = machine.ring.me._replace(incarnation=max(known, incarnation) + 1)
        disk.on_drop = lambda key: self.on_removed(machine, key)
        self._start(machine)
        return machine

    def crash(self, node: Node) -> None:
        super().crash(node)
        assert isinstance(node, Machine)
        node.disk.catalogue = node.save()
        node.db.close()

    def departed(self, node: Machine) -> None:
        """It has left the ring for good, and its disk with it."""
        self.crash(node)
        del self.nodes[node.ring.me.address]
        self.on_departed(node)

    def restart(self, node: Node) -> Machine:
        assert isinstance(node, Machine)
        return self.boot(node.ring.me.address, node.disk)

    def wipe(self, node: Machine) -> Machine:
        """A dead node's disk is replaced by an empty one."""
        return self.boot(node.ring.me.address, Disk())

    def close(self) -> None:
        for node in self.live:
            node.db.close()

    def _call(self, node: Node, call: Call, back: Back) -> None:
        assert isinstance(node, Machine)
        if call.method == "lease":
            node.asked_at[call.args[0], call.args[1]] = self.now
        elif call.method == "release" and call.args[1].startswith(node.id):  # by its holder
            self.on_release(node, call.args[0])
        super()._call(node, call, back)

    # -- files -------------------------------------------------------------------------------------------------

    def _send(self, node: Machine, effect: Send, back: Back) -> None:
        self._transfer(node, effect.source, effect.peer, effect.key, back)

    def _fetch(self, node: Machine, effect: Fetch, back: Back) -> None:
        self._transfer(node, effect.peer, node.ring.me, effect.key, back)

    def _place(self, node: Machine, effect: Place, back: Back) -> None:
        self._transfer(node, None, effect.peer, effect.key, back)

    def _transfer(self, node: Machine, source: Peer | None, target: Peer, key: str, back: Back) -> None:
        """A file from one to another by way of `node`; from a person if `source` is None."""
        ends = [peer for peer in (source, target) if peer and peer.address != node.ring.me.address]
        duration = self._chance["delay"].lognormvariate(0, 0.7) * PIECE_S

        def reachable() -> bool:
            return all(self._talk(node, peer) for peer in ends)

        def finish() -> None:
            if not node.alive:
                return
            if node.paused_until > self.now:
                self.at(node.paused_until, finish)
            elif not reachable() or self._happens(self.faults.lost_requests):
                back(NoReply("the transfer broke off"))
            else:
                result = self._stored(source, target, key)
                lost = self._happens(self.faults.lost_replies)
                back(NoReply("no answer to the last piece") if lost else result)

        if reachable():
            self.at(self.now + duration, finish)
        else:
            self.at(self.now + TIMEOUT_S * self.tries, lambda: back(NoReply("nobody answers there")))

    def _talk(self, node: Node, peer: Peer) -> bool:
        there, mine = self.nodes.get(peer.address), node.ring.me.address
        return (
            there is not None and there.alive and there.paused_until <= self.now
            and self.hears(mine, peer.address) and self.hears(peer.address, mine)
        )  # fmt: skip

    def _stored(self, source: Peer | None, target: Peer, key: str) -> Any:
        there = self.nodes[target.address]
        if source:
            files = self.nodes[source.address].disk.files
            if key not in files:
                return NotFound("no copy there")
            if not files[key] and not there.disk.has(key) and there.verifies:
                return CorruptReplica("the bytes do not hash to their key")
        had, whole = there.disk.has(key), source is None or self.nodes[source.address].disk.files[key]
        try:
            there.disk.store(key, there.now_ms())
        except NoSpace as error:
            return error
        there.disk.files[key] = there.disk.files[key] and (had or whole)
        try:
            there.ring.links()
        except NotJoined as error:
            return error
        if source and not had:
            self.moved += 1
            self.moved_keys[key] = self.moved_keys.get(key, 0) + 1
        return None


def opened(data: bytes) -> Database:
    """A catalogue in memory, with what an earlier one had."""
    db = Database(":memory:")
    if data:
        db._connection().deserialize(data)
    return db


def act(world: Machines, machine: Machine, step: Generator[Any, Any, Any], within_s: float = 30.0) -> Any:
    """Let a person do something at a node and wait: its result or error; None with it if the node died meanwhile."""
    results: list[Any] = []
    world.spawn(machine, step, results.append)
    world.run_until(lambda: bool(results) or not machine.alive, within_s)
    return results[0] if results else NoReply("no answer")


def at_rest(world: Machines) -> list[str]:
    """What is not yet as it must come to be when all is well: the ring apart, which `ideal` tells."""
    live = world.live
    found = []
    if len({tuple(node.records.groups()) for node in live}) != 1:
        catalogues = [remembered(node) for node in live]
        differing = {
            name for one in catalogues for name in one for other in catalogues if one[name] != other.get(name)
        }
        found += [f"catalogues differ: {sorted(differing)[:3]}"] if differing else []
    songs = {record.key for record in live[0].records.live("song")}
    for node in live:
        wrong = [id[:6] for id, m in node.membership.members.items() if m.peer.address in up(world) and m.state != UP]
        stale = [i for i in wrong if any(other.id.startswith(i) for other in live)]
        if stale:
            found.append(f"{node.ring.me.address} holds {stale} for dead")
    for key in sorted(songs):
        holders = sorted(node.id for node in live if node.disk.has(key))
        owners = sorted(owners_in(world, key))
        if holders != owners:
            found.append(f"{key[:6]} is on {[h[:6] for h in holders]}, its owners are {[o[:6] for o in owners]}")
    for node in live:
        extra = [key[:6] for key in node.disk.files if key not in songs and node.records.get("song", key)]
        if extra:
            found.append(f"{node.ring.me.address} has deleted {extra}")
    return found


def remembered(node: Machine) -> dict[Any, int]:
    """A node's records by name, as their digests, without the tombstones that each may forget when it likes."""
    old = set(node.records.old_tombstones())
    rows = node.db.rows("SELECT kind, key, hash FROM record")
    return {(kind, key): digest for kind, key, digest in rows if (kind, key) not in old}


def up(world: Machines) -> set[str]:
    return {node.ring.me.address for node in world.live}


def owners_in(world: Machines, key: str) -> list[str]:
    """The ids of the nodes that a key belongs to."""
    ids = sorted(node.id for node in world.live)
    start = next((i for i, id in enumerate(ids) if id >= key), 0)
    return (ids[start:] + ids[:start])[: world.rules.k]

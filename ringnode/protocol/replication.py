"""Keeping every file on its owners: one pass that looks at what is there and mends it.

A node answers for the keys in (predecessor, itself]: it fetches what it lacks itself and sends to the other owners
what they lack, the scarcest first. What it holds outside its own k ranges it offers to the owners, and gives up only
when k of them have confirmed theirs and the ring has been quiet; where only one would have it then, that one must
have read its copy, for rot shows only to who reads. How soon a missing copy is made depends on how many
are left, as in Carbonite (NSDI 2006): the last one is copied as soon as the others are down; a copy that only a
reboot hides is waited for. Who does not answer is unknown, not empty: nothing is copied to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from ringnode.errors import Conflict, CorruptReplica, NoSpace, NotFound, NotJoined, PeerBusy, PeerDown, PeerRefused
from ringnode.protocol.chord import Ring
from ringnode.protocol.idspace import distance, owns
from ringnode.protocol.leases import PAUSE_S, TERM_S, give_back, take
from ringnode.protocol.messages import NO_ANSWER, AtOnce, Call, Fetch, Links, Peer, Send, Step, Verify, Wait

BATCH = 1000  # keys asked about in one call: 64 kB
WORD_S = 30.0  # so long it counts that others said they hold a copy: before mine is given up they are asked anew
MOVES = 4  # files on their way at once: one is hashed while another waits for a disk or a peer
TAKEN = 0  # no lease has this number
REFUSALS = (PeerDown, PeerBusy, PeerRefused, NotJoined, NotFound, CorruptReplica, NoSpace)


class Store(Protocol):
    """The files of this node."""

    def keys(self, after: str, upto: str) -> list[str]: ...
    def has(self, key: str) -> bool: ...
    def drop(self, key: str) -> None: ...


class Catalogue(Protocol):
    """What the library says should be there."""

    def file_keys(self, after: str, upto: str) -> list[str]: ...
    def is_file(self, key: str) -> bool: ...
    def is_deleted(self, key: str) -> bool: ...
    def size_bytes(self, key: str) -> int: ...


@dataclass(frozen=True)
class Rules:
    """`k` copies; a copy missing for less than `repair_delay_s` may come back by itself."""

    k: int
    repair_delay_s: float
    quiet_s: float


@dataclass
class Report:
    """What one pass saw and did, or sees and does."""

    leaving: bool = False  # did it begin after its node had begun to leave?
    short: int = 0  # keys of mine with fewer than k copies when the pass ended
    lost: int = 0  # keys of mine nobody reachable holds
    waiting: int = 0  # keys short of a copy that may come back with its node
    todo: int = 0  # keys still to be mended or handed over in this pass
    todo_bytes: int = 0  # their size
    kept: int = 0  # keys I hold for others who do not all have them
    sent: int = 0
    fetched: int = 0
    dropped: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def handed_over(self) -> bool:
        """May a node that leaves go now?

        Not by a pass that was under way when it was asked to, nor by one that sent files and may have taken hours.
        """
        return self.leaving and not self.kept and not self.sent


class Scarce(NamedTuple):
    """A key of mine that some of its owners lack."""

    key: str
    holders: list[Peer]
    missing: list[Peer]


class Replication:
    """The pass, over one ring's view, one store and one catalogue. `leaving`: hand over all that is here."""

    def __init__(self, ring: Ring, store: Store, catalogue: Catalogue, rules: Rules) -> None:
        self.ring = ring
        self.store = store
        self.catalogue = catalogue
        self.rules = rules
        self.leaving = False
        self.unsure = False  # was a key left alone because nobody could say yet that I alone may move it?
        self.report = Report()  # of the pass under way, or of the last one
        self._full: set[str] = set()
        self._answered: set[str] = set()

    def replicate(self) -> Step[bool]:
        """One pass. Errors of single peers are noted in the report; the next pass tries again.

        True if that should come at once: my keys were new to me, and it takes a term until I may grant their leases;
        or I leave, and ask all once more before I go.
        """
        self.report, self.unsure = Report(self.leaving), False
        self._full, self._answered = set(), set()
        if self.ring.joined:
            yield from self._fill_my_range()
        yield from self._hand_over()
        if self.report.leaving and self.report.sent:
            return True
        if not self.unsure or self.ring.firm_s() >= TERM_S:
            return False
        yield Wait(PAUSE_S)
        return True

    # -- the keys I answer for ---------------------------------------------------------------------------------

    def _fill_my_range(self) -> Step[None]:
        links = self.ring.links()
        if links.predecessor is None:
            return
        keys = self.catalogue.file_keys(links.predecessor.id, self.ring.me.id)
        peers = [peer for peer in links.successors if peer.id != self.ring.me.id]
        near, far = peers[: self.rules.k - 1], peers[self.rules.k - 1 :]
        plan: list[Scarce] = []
        for batch in batches(keys):
            holders = yield from self._holders(batch, near, mine=True)
            scarce = [key for key in batch if len(holders[key]) < min(self.rules.k, len(near) + 1)]
            elsewhere = yield from self._holders(scarce, far)
            for key in scarce:
                missing = [peer for peer in near if peer not in holders[key] and peer.id in self._answered]
                self._look_at(Scarce(key, holders[key] + elsewhere[key], missing), plan)
        plan.sort(key=lambda scarce: len(scarce.holders))
        for some in self._counted(plan):
            # Only what is mine still: the ring may have changed since.
            yield from self._at_once([self._mend(scarce, far) for scarce in some if self.ring.owns(scarce.key)])

    def _look_at(self, scarce: Scarce, plan: list[Scarce]) -> None:
        """Is something to be done for the key now?"""
        copies = len(scarce.holders)
        if copies < self.rules.k and copies + self._away(scarce) >= self.rules.k:
            self.report.waiting += 1
        elif not copies:
            self.report.lost += 1
        else:
            plan.append(scarce)

    def _away(self, scarce: Scarce) -> int:
        """How many that would own the key do not answer, but not for so long that their copies are given up."""
        delay_s = self.rules.repair_delay_s if len(scarce.holders) != 1 else 0
        silent = [peer for peer in self._nearest(scarce.key, scarce.holders) if peer.id not in self._answered]
        return sum(not self.ring.gone(peer, delay_s) for peer in silent if peer != self.ring.me)

    def _nearest(self, key: str, holders: Iterable[Peer] = ()) -> list[Peer]:
        """Whom a key belongs to among all there are records of, whether they answer now or not."""
        everyone = {peer.id: peer for peer in [*self.ring.known.values(), *holders, self.ring.me]}
        return sorted(everyone.values(), key=lambda peer: distance(key, peer.id))[: self.rules.k]

    def _counted(self, plan: list[Scarce]) -> Iterable[list[Scarce]]:
        """A few after the other, while the report shows what is left."""
        sizes = [self.catalogue.size_bytes(scarce.key) for scarce in plan]
        self.report.todo += len(plan)
        self.report.todo_bytes += sum(sizes)
        for n in range(0, len(plan), MOVES):
            yield plan[n : n + MOVES]
            self.report.todo -= len(plan[n : n + MOVES])
            self.report.todo_bytes -= sum(sizes[n : n + MOVES])

    def _at_once(self, moves: list[Step[None]]) -> Step[None]:
        _, errors = yield AtOnce(moves, len(moves))
        self.report.errors += map(str, errors)

    def _mend(self, scarce: Scarce, far: list[Peer]) -> Step[None]:
        """Bring a key to its owners: me and the next k-1, or those after them when one is full."""
        key, holders, missing = scarce
        lease = yield from self._begin(key)
        if lease != TAKEN and self.ring.me not in holders and (yield from self._fetch(key, holders)):
            holders = [self.ring.me, *holders]
        if not lease:
            return
        copies, sources = len(holders), list(holders)
        spares = [peer for peer in far if peer not in holders and peer.id in self._answered]
        for n, peer in enumerate([*missing, *spares]):
            if n < len(missing) or copies < self.rules.k:
                copies += yield from self._send(peer, key, sources)
        yield from give_back(self.ring.me, f"repair/{key}", self.ring.me.id, lease)
        self.report.short += copies < min(self.rules.k, self.ring.members(self.rules.repair_delay_s))

    def _begin(self, key: str) -> Step[int | None]:
        """Am I the only one to move this key now? The number of my lease, or TAKEN: then the next pass looks again.

        None where nobody can say, as in a new owner's first seconds: what it lacks itself it may fetch all the same,
        since nobody else is allowed to bring it.

        A file may be on its way for longer than the lease: should another begin to move it then, both fill the same
        unfinished copy, whose holder passes over the pieces it has. Nothing is stored twice, and only what hashes to
        the key; the lease saves the work of two, it does not guard the bytes.
        """
        try:
            return (yield from take(self.ring.me, f"repair/{key}", self.ring.me.id, attempts=1))
        except (Conflict, *NO_ANSWER) as error:
            self.report.waiting += 1
            if isinstance(error, Conflict):
                return TAKEN
            self.unsure = True
            return None

    def _fetch(self, key: str, holders: list[Peer]) -> Step[bool]:
        for peer in [] if self.ring.me.id in self._full else holders:
            try:
                yield Fetch(peer, key)
                self.report.fetched += 1
                return True
            except REFUSALS as error:
                self.report.errors.append(f"{peer.address}: {error}")
                if isinstance(error, NoSpace):
                    self._full.add(self.ring.me.id)
                    return False
                if isinstance(error, CorruptReplica):
                    yield from self._doubt(peer, key)
        return False

    def _send(self, peer: Peer, key: str, sources: list[Peer]) -> Step[bool]:
        """Did `peer` take a copy of one of `sources`? Damaged ones are struck off; a full peer is left alone."""
        while sources and peer.id not in self._full:
            try:
                yield Send(peer, key, sources[0])
                self.report.sent += 1
                return True
            except REFUSALS as error:
                self.report.errors.append(f"{peer.address}: {error}")
                if isinstance(error, NoSpace):
                    self._full.add(peer.id)
                if not isinstance(error, CorruptReplica):
                    return False
                yield from self._doubt(sources.pop(0), key)
        return False

    def _doubt(self, holder: Peer, key: str) -> Step[None]:
        """A copy of `holder` did not hash to its key: it must look at it, and put it aside."""
        if holder == self.ring.me:
            yield Verify(key)
            return
        try:
            yield Call(holder, "doubt", (key,))
        except NO_ANSWER:
            return

    # -- the keys of others ------------------------------------------------------------------------------------

    def _hand_over(self) -> Step[None]:
        """Offer what I hold outside my k ranges to its owners; give it up when k have it and all is quiet."""
        me, before = self.ring.me.id, self.ring.predecessor
        if before is None and not self.report.leaving:
            return
        keys = self.store.keys(me, me if self.report.leaving or before is None else before.id)
        if self.report.leaving:  # also bytes whose record has yet to come
            keys = [key for key in keys if not self.catalogue.is_deleted(key)]
            self.report.todo, self.report.todo_bytes = len(keys), sum(map(self.catalogue.size_bytes, keys))
        while keys:
            try:
                found = yield from self.ring.find_successor(keys[0])
            except REFUSALS as error:
                self.report.errors.append(str(error))
                self.report.kept += len(keys)
                return
            start = found.predecessor.id if found.predecessor else found.me.id
            theirs = {key for key in keys if key == keys[0] or owns(start, found.me.id, key)}
            yield from self._offer([key for key in keys if key in theirs], found)
            keys = [key for key in keys if key not in theirs]

    def _offer(self, keys: list[str], found: Links) -> Step[None]:
        owners = owners_of(found, self.rules.k)
        if self.report.leaving:
            chain = owners_of(found, self.rules.k + 1)
            owners = [owner for owner in chain if owner.id != self.ring.me.id][: self.rules.k]
        elif self.ring.me.id in {owner.id for owner in owners}:
            return  # the responsible node looks after these
        else:  # what is mine by the records stays, though the ring goes round me: I slept, or was not heard
            keys = [key for key in keys if self.ring.me not in self._nearest(key) and self.catalogue.is_file(key)]
        for batch in batches(keys):
            asked_at = self.ring.now()
            holders = yield from self._holders(batch, owners)
            for n in range(0, len(batch), MOVES):
                some = batch[n : n + MOVES]
                yield from self._at_once([self._pass_on(key, owners, holders[key], asked_at) for key in some])
                if self.report.leaving:
                    self.report.todo -= len(some)
                    self.report.todo_bytes -= sum(map(self.catalogue.size_bytes, some))

    def _pass_on(self, key: str, owners: list[Peer], holders: list[Peer], asked_at: float) -> Step[None]:
        confirmed = len(holders)
        missing = [owner for owner in owners if owner not in holders and owner.id in self._answered]
        lease = (yield from self._begin(key)) if missing else None
        if lease:
            for owner in missing:
                confirmed += yield from self._send(owner, key, [self.ring.me])
            yield from give_back(self.ring.me, f"repair/{key}", self.ring.me.id, lease)
        if confirmed == len(holders) == 1 and not (yield from self._has_read(holders[0], key)):
            confirmed = 0
        self.report.kept += confirmed < max(len(owners), self._to_hold())
        quiet = self.ring.quiet_s() >= self.rules.quiet_s
        fresh = self.ring.now() - asked_at < WORD_S
        if confirmed >= self.rules.k and quiet and fresh and not self.report.leaving:
            self.store.drop(key)
            self.report.dropped += 1

    def _has_read(self, holder: Peer, key: str) -> Step[bool]:
        """Has the peer found its copy whole since it started? If not it is asked to, and a later pass sees."""
        try:
            if (yield Call(holder, "copy_of", (key,)))["verified_at"] is not None:
                return True
            yield Call(holder, "doubt", (key,))
        except NO_ANSWER as error:
            self.report.errors.append(f"{holder.address}: {error}")
        return False

    def _to_hold(self) -> int:
        """How many others must hold what a node that leaves has: also those count that will be back soon."""
        staying = [peer for peer in self.ring.known.values() if peer.id not in self.ring.outside]
        others = sum(not self.ring.gone(peer, self.rules.repair_delay_s) for peer in staying)
        return min(self.rules.k, others) if self.report.leaving else 0

    def _holders(self, keys: list[str], peers: Iterable[Peer], mine: bool = False) -> Step[dict[str, list[Peer]]]:
        """Who of `peers` (and me) holds each key durably."""
        holders = {key: [self.ring.me] if mine and self.store.has(key) else [] for key in keys}
        for peer in peers if keys else []:
            try:
                has = yield Call(peer, "has_replicas", (keys,))
            except REFUSALS as error:
                self._answered.discard(peer.id)
                if not isinstance(error, PeerDown):  # the ring's upkeep sees to that
                    self.report.errors.append(f"{peer.address}: {error}")
                continue
            self._answered.add(peer.id)
            for key, held in zip(keys, has, strict=True):
                if held:
                    holders[key].append(peer)
        return holders


def owners_of(found: Links, count: int) -> list[Peer]:
    """The responsible node and the next ones, `count` in all or as many as there are."""
    owners: dict[str, Peer] = {found.me.id: found.me}
    for peer in found.successors:
        owners.setdefault(peer.id, peer)
    return list(owners.values())[:count]


def batches(keys: Sequence[str]) -> list[list[str]]:
    """`keys` in lists of at most BATCH."""
    return [list(keys[i : i + BATCH]) for i in range(0, len(keys), BATCH)]

"""Keeping every file on its owners: one pass that looks at what is there and mends it.

A node answers for the keys in (predecessor, itself]: it fetches what it lacks itself and sends to the other owners
what they lack. What it holds outside its own k ranges it offers to the owners, and gives up only when k of them have
confirmed theirs and the ring has been quiet. How soon a missing copy is made depends on how many are left, as in
Carbonite (NSDI 2006): the last one is copied at once; a copy that only a reboot hides is waited for.
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from ringnode.errors import CorruptReplica, NoSpace, NotFound, NotJoined, PeerBusy, PeerDown, PeerRefused
from ringnode.protocol.chord import Ring
from ringnode.protocol.idspace import distance, owns
from ringnode.protocol.messages import Call, Links, Peer

BATCH = 1000  # keys asked about in one call: 64 kB
REFUSALS = (PeerDown, PeerBusy, PeerRefused, NotJoined, NotFound, CorruptReplica)

T = TypeVar("T")


class Send(NamedTuple):
    """Please store my copy of `key` at `peer`; resume me when it is durable there."""

    peer: Peer
    key: str


class Fetch(NamedTuple):
    """Please store the copy of `key` that `peer` holds here; resume me when it is durable."""

    peer: Peer
    key: str


class Store(Protocol):
    """The files of this node."""

    def keys(self, after: str, upto: str) -> list[str]: ...
    def has(self, key: str) -> bool: ...
    def drop(self, key: str) -> None: ...


class Catalogue(Protocol):
    """What the library says should be there."""

    def file_keys(self, after: str, upto: str) -> list[str]: ...
    def is_file(self, key: str) -> bool: ...


@dataclass(frozen=True)
class Rules:
    """`k` copies; a copy missing for less than `repair_delay_s` may come back by itself."""

    k: int
    repair_delay_s: float
    quiet_s: float


@dataclass
class Report:
    """What one pass saw and did."""

    short: int = 0  # keys of mine with fewer than k copies when the pass ended
    lost: int = 0  # keys of mine nobody reachable holds
    waiting: int = 0  # keys short of a copy that may come back with its node
    sent: int = 0
    fetched: int = 0
    dropped: int = 0
    errors: list[str] = field(default_factory=list)


Step = Generator[Call | Send | Fetch, Any, T]


class Replication:
    """The pass, over one ring's view, one store and one catalogue."""

    def __init__(self, ring: Ring, store: Store, catalogue: Catalogue, rules: Rules) -> None:
        self.ring = ring
        self.store = store
        self.catalogue = catalogue
        self.rules = rules

    def replicate(self) -> Step[Report]:
        """One pass. Errors of single peers are noted in the report; the next pass tries again."""
        report = Report()
        yield from self._fill_my_range(report)
        yield from self._hand_over(report)
        return report

    # -- the keys I answer for ---------------------------------------------------------------------------------

    def _fill_my_range(self, report: Report) -> Step[None]:
        links = self.ring.links()
        if links.predecessor is None:
            return
        keys = self.catalogue.file_keys(links.predecessor.id, self.ring.me.id)
        peers = [peer for peer in links.successors if peer.id != self.ring.me.id]
        for batch in batches(keys):
            holders = yield from self._holders(batch, peers, report)
            for key in batch:
                if self.ring.owns(key):  # the ring may have changed since
                    yield from self._mend(key, peers, holders[key], report)

    def _mend(self, key: str, peers: list[Peer], holders: list[Peer], report: Report) -> Step[None]:
        """Bring `key` to its owners: me and the first k-1 of `peers`, or those after them when one is full."""
        if not holders:
            report.lost += 1
            return
        if self.ring.me not in holders:
            if not (yield from self._fetch(key, holders, report)):
                return
            holders = [self.ring.me, *holders]
        copies = len(holders)
        missing = [peer for peer in peers[: self.rules.k - 1] if peer not in holders]
        if missing and 1 < copies < self.rules.k and copies + self._away(key, holders) >= self.rules.k:
            report.waiting += 1
            return
        spare = [peer for peer in peers[self.rules.k - 1 :] if peer not in holders]
        while missing:
            try:
                yield Send(missing[0], key)
                report.sent += 1
                copies += 1
            except NoSpace as error:
                report.errors.append(f"{missing[0].address}: {error}")
                if spare and copies < self.rules.k:
                    missing.append(spare.pop(0))
            except REFUSALS as error:
                report.errors.append(f"{missing[0].address}: {error}")
            missing.pop(0)
        report.short += copies < min(self.rules.k, len(peers) + 1)

    def _fetch(self, key: str, holders: list[Peer], report: Report) -> Step[bool]:
        for peer in holders:
            try:
                yield Fetch(peer, key)
                report.fetched += 1
                return True
            except (NoSpace, *REFUSALS) as error:
                report.errors.append(f"{peer.address}: {error}")
        return False

    def _away(self, key: str, holders: list[Peer]) -> int:
        """How many nodes that would own `key` are silent, but not for so long that their copies are given up."""
        everyone = {peer.id: peer for peer in [*self.ring.known.values(), *holders, self.ring.me]}
        nearest = sorted(everyone.values(), key=lambda peer: distance(key, peer.id))[: self.rules.k]
        return sum(
            1 for peer in nearest if peer.id in self.ring.down and not self.ring.gone(peer, self.rules.repair_delay_s)
        )

    # -- the keys of others ------------------------------------------------------------------------------------

    def _hand_over(self, report: Report) -> Step[None]:
        """Offer what I hold outside my k ranges to its owners; give it up when k have it and all is quiet."""
        links = self.ring.links()
        if links.predecessor is None:
            return
        keys = [k for k in self.store.keys(self.ring.me.id, links.predecessor.id) if self.catalogue.is_file(k)]
        while keys:
            try:
                found = yield from self.ring.find_successor(keys[0])
            except REFUSALS as error:
                report.errors.append(str(error))
                keys = keys[BATCH:]
                continue
            start = found.predecessor.id if found.predecessor else found.me.id
            mine = [key for key in keys if key == keys[0] or owns(start, found.me.id, key)]
            keys = [key for key in keys if key not in set(mine)]
            yield from self._offer(mine, found, report)

    def _offer(self, keys: list[str], found: Links, report: Report) -> Step[None]:
        owners = owners_of(found, self.rules.k)
        if self.ring.me.id in {owner.id for owner in owners}:
            return  # the responsible node looks after these
        for batch in batches(keys):
            holders = yield from self._holders(batch, owners, report)
            for key in batch:
                for owner in owners:
                    if owner not in holders[key] and (yield from self._send(owner, key, report)):
                        holders[key].append(owner)
                confirmed = len([peer for peer in holders[key] if peer.id != self.ring.me.id])
                if confirmed >= self.rules.k and self.ring.quiet_s() >= self.rules.quiet_s:
                    self.store.drop(key)
                    report.dropped += 1

    def _send(self, peer: Peer, key: str, report: Report) -> Step[bool]:
        try:
            yield Send(peer, key)
            report.sent += 1
            return True
        except (NoSpace, *REFUSALS) as error:
            report.errors.append(f"{peer.address}: {error}")
            return False

    def _holders(self, keys: list[str], peers: Iterable[Peer], report: Report) -> Step[dict[str, list[Peer]]]:
        """Who of me and `peers` holds each key durably; who does not answer holds nothing."""
        holders = {key: [self.ring.me] if self.store.has(key) else [] for key in keys}
        for peer in peers:
            try:
                has = yield Call(peer, "has_replicas", (keys,))
            except PeerDown:
                continue  # the ring's upkeep sees to that
            except REFUSALS as error:
                report.errors.append(f"{peer.address}: {error}")
                continue
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

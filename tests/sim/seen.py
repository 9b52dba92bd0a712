"""The parts of a node as production has them, counted: what happened at all, over all the runs of a process.

A simulator that never saw a rescue says nothing about rescues. Planted bugs are made of these parts, too.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.protocol.chord import Ring
from ringnode.protocol.membership import DOWN, SUSPECT, Membership
from ringnode.protocol.messages import Peer, Step
from ringnode.protocol.replication import Replication

SEEN: Counter[str] = Counter()
HORIZON_MS = 60_000  # in place of a month: lives are minutes long


class SeenRing(Ring):
    def _rescue(self) -> Step[None]:
        SEEN["a rescue was tried"] += 1
        yield from super()._rescue()
        SEEN["rescued"] += self.successors != [self.me]

    def candidate(self) -> Step[None]:
        before = self.successors
        yield from super().candidate()
        SEEN["a record's peer was adopted"] += before != self.successors


class SeenMembership(Membership):
    def _say(self, peer: Peer, state: str) -> None:
        SEEN[f"said {state}"] += state in (SUSPECT, DOWN)
        super()._say(peer, state)

    def _doubt_myself(self) -> None:
        SEEN["a second opinion saved a peer, or a sleeper doubted itself"] += 1
        super()._doubt_myself()

    def accused(self, incarnation: int) -> None:
        SEEN["refuted"] += incarnation >= self.ring.me.incarnation
        super().accused(incarnation)


class SeenReplication(Replication):
    machine: Any  # whose it is

    def _begin(self, key: str) -> Step[int | None]:
        lease = yield from super()._begin(key)
        if lease:
            self.machine.holds(f"repair/{key}", self.ring.me.id)
        return lease

    def _send(self, peer: Peer, key: str, sources: list[Peer]) -> Step[bool]:
        done = yield from super()._send(peer, key, sources)
        links = self.ring.successors[: self.rules.k - 1]
        SEEN["handed to a spare"] += done and self.ring.owns(key) and peer not in links
        return done

    def _doubt(self, holder: Peer, key: str) -> Step[None]:
        SEEN["doubted a copy"] += 1
        yield from super()._doubt(holder, key)


class Table(Records):
    """The catalogue's table; what was read of it is kept until the next write, for the simulator's speed."""

    horizon_ms = HORIZON_MS

    def __init__(self, *args: Any, **more: Any) -> None:
        self._read: dict[Any, Any] = {}
        super().__init__(*args, **more)

    def get(self, kind: str, key: str) -> Record | None:
        if (kind, key) not in self._read:
            self._read[kind, key] = super().get(kind, key)
        return self._read[kind, key]

    def live(self, kind: str) -> Iterator[Record]:
        if kind not in self._read:
            self._read[kind] = list(super().live(kind))
        return iter(self._read[kind])

    def groups(self) -> list[int]:
        if "groups" not in self._read:
            self._read["groups"] = super().groups()
        return self._read["groups"]

    def _merge_one(self, *args: Any) -> Any:
        self._read.clear()
        return super()._merge_one(*args)

    def forget(self, names: Iterable[tuple[str, str]]) -> None:
        names = list(names)
        super().forget(names)
        self._read.clear()
        SEEN["forgot a tombstone"] += len(names)

    def put_aside(self, document: Any, why: str) -> None:
        SEEN["put an outdated record aside"] += 1
        super().put_aside(document, why)

    def _put_aside(self, tx: Any, record: Any, why: str, newest: str | None) -> None:
        SEEN["parked a record from the future"] += newest is not None
        super()._put_aside(tx, record, why, newest)

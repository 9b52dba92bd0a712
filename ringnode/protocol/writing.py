"""When something is acknowledged: when W = k//2 + 1 nodes hold it durably, or all there are in a smaller ring.

The rest of the k copies follow in the background. Fewer than W: NotEnoughReplicas, and nothing is shown that was not
acknowledged. These steps are a client's: they ask `home`, the node they belong to, for the owners of a key.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ringnode.errors import NoSpace, NotEnoughReplicas, PeerDown
from ringnode.protocol.antientropy import BYTES_AT_ONCE
from ringnode.protocol.idspace import position
from ringnode.protocol.messages import AtOnce, Call, Peer, Step, Wait, With

GAP_ROUNDS = 32  # the ring closes over a death within a few rounds of its upkeep
PAUSE_S = 0.25
SPARES = 3  # nodes after the owners that take a copy where an owner cannot


class Records(Protocol):
    """The catalogue of `home`."""

    def get(self, kind: str, key: str) -> Any: ...
    def keep_all(self, documents: Sequence[Any]) -> Any: ...


@dataclass(frozen=True)
class Writing:
    """Puts files and records on the owners of their keys, and asks them."""

    home: Peer
    k: int
    away_s: float  # how long a silent node still counts

    def owners(self, key: str, spares: int = 0) -> Step[list[Peer]]:
        """The k nodes a key belongs to, and `spares` more, as the ring says now.

        For a moment after a death nobody answers for the dead node's keys: that is waited out, then PeerDown.
        """
        for _ in range(GAP_ROUNDS):
            try:
                found = yield Call(self.home, "owners", (key, self.k + spares))
                return [Peer.of(peer) for peer in found]
            except PeerDown:
                yield Wait(PAUSE_S)
        raise PeerDown(f"no node answers for {key[:12]} now: try again soon")

    def wanted(self) -> Step[int]:
        """How many nodes must hold something durably before it is acknowledged."""
        members: int = yield Call(self.home, "members", (self.away_s,))
        return min(self.k // 2 + 1, members)

    def find(self, records: Records, kind: str, key: str) -> Step[Any]:
        """A record; its owners are asked before it is called unknown, for news may not have come here yet."""
        if records.get(kind, key) is None:
            yield from self._ask(records, [(kind, key)])
        return records.get(kind, key)

    def latest(self, records: Records, kind: str, key: str) -> Step[Any]:
        """A record as W of its owners have it: what is written next is later than all that was acknowledged.

        NotEnoughReplicas if fewer answer.
        """
        return (yield from self.latest_all(records, [(kind, key)]))[0]

    def latest_all(self, records: Records, names: Sequence[tuple[str, str]]) -> Step[list[Any]]:
        """`latest` of several records, named by (kind, key), that lie in one place."""
        answered, wanted, why = yield from self._ask(records, names)
        if answered < wanted:
            raise NotEnoughReplicas(f"only {answered} of the {wanted} nodes needed answer: try again soon{why}")
        return [records.get(*name) for name in names]

    def _ask(self, records: Records, names: Sequence[tuple[str, str]]) -> Step[tuple[int, int, str]]:
        nodes = yield from self.owners(place_of(*names[0]))
        wanted = yield from self.wanted()
        asked = [With(peer, self._learn(records, peer, names)) for peer in nodes]
        answered, errors = yield AtOnce(asked, wanted)
        return answered, wanted, f" ({errors[0]})" if errors else ""

    def _learn(self, records: Records, peer: Peer, names: Sequence[tuple[str, str]]) -> Step[None]:
        """Take over what a peer has of them; what `home` has is here.

        A record too far ahead of the clock here is no answer: what is written over it unseen would not win.
        """
        left = list(names) if peer.address != self.home.address else []
        while left:
            documents = yield Call(peer, "get_records", (left, BYTES_AT_ONCE))
            records.keep_all(documents)
            left = left[left.index(tuple(documents[-1][:2])) + 1 :] if documents else []  # it gave the first few

    def put(self, key: str, place: Callable[[Peer], Any], ended: Callable[[], None] = lambda: None) -> Step[None]:
        """Perform the effect `place` makes for each owner of `key`, or for the nodes after them, until W are done.

        The others go on; `ended` is called when the last has ended.
        NotEnoughReplicas if fewer than W could; NoSpace if that is because they are full.
        """
        nodes = yield from self.owners(key, SPARES)
        wanted = yield from self.wanted()
        yield from self._first(wanted, [place(peer) for peer in nodes], ended)

    def _first(self, wanted: int, effects: list[Any], ended: Callable[[], None] = lambda: None) -> Step[None]:
        done, errors = yield AtOnce(effects[: self.k], wanted, effects[self.k :], ended)
        if done < wanted:
            if errors and all(isinstance(error, NoSpace) for error in errors):
                raise errors[0]
            why = f" ({errors[0]})" if errors else ""
            raise NotEnoughReplicas(f"only {done} of the {wanted} nodes needed took it: try again soon{why}")

    def publish(self, kind: str, key: str, record: Any) -> Step[None]:
        """Put a record on the owners of its key, and then at home: nobody here sees what others may not keep."""
        yield from self._publish(place_of(kind, key), "keep_record", record)

    def publish_all(self, records: Sequence[Any]) -> Step[None]:
        """`publish` for several records that lie in one place: each node takes all of them, or none."""
        yield from self._publish(place_of(*records[0][:2]), "keep_records", list(records))

    def _publish(self, place: str, method: str, what: Any) -> Step[None]:
        nodes = yield from self.owners(place)
        others = [peer for peer in nodes if peer.address != self.home.address]
        wanted = (yield from self.wanted()) - (len(nodes) - len(others))
        yield from self._first(wanted, [Call(peer, method, (what,)) for peer in others])
        yield Call(self.home, method, (what,))


PARTS = {"entry": "playlist", "mark": "user", "queue": "user"}
"""Kinds of records that are parts of another kind's: their keys are `THING/PART`, and all of a thing lie together."""


def place_of(kind: str, key: str) -> str:
    """Where a record lies on the circle: a song's and its edits' with its file, a part with its thing."""
    if kind in ("song", "edit"):
        return key.partition("/")[0]
    return position(PARTS[kind], key.partition("/")[0]) if kind in PARTS else position(kind, key)

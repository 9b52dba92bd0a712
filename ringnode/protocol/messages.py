"""What nodes say to one another about the ring, as it is thought and as it comes from the wire.

NamedTuples travel as lists; `of` makes them again and refuses what is none.
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeVar

from ringnode.errors import NotJoined, PeerBusy, PeerDown, PeerRefused
from ringnode.protocol.idspace import is_id

T = TypeVar("T")
NO_ANSWER = (PeerDown, PeerBusy, PeerRefused, NotJoined)


class Peer(NamedTuple):
    """A node as others know it."""

    id: str
    address: str
    incarnation: int = 0

    @classmethod
    def of(cls, value: Any) -> "Peer":
        """A peer from the wire; PeerRefused if it is none."""
        try:
            peer = cls(*value)
            if peer.id and is_id(peer.id, len(peer.id)) and isinstance(peer.address, str):
                right = isinstance(peer.incarnation, int)
                return peer if right else peer._replace(incarnation=int(peer.incarnation))
        except (TypeError, ValueError):
            pass
        raise PeerRefused(f"this is no peer: {value!r:.80}")


class Call(NamedTuple):
    """Please call `method(*args)` of `peer`, and resume me with its answer or its error."""

    peer: Peer
    method: str
    args: tuple[Any, ...] = ()
    timeout_s: float | None = None  # for each of two tries; the driver's own if None


class Send(NamedTuple):
    """Please store the copy of `key` that `source` holds at `peer`; resume me when it is durable there."""

    peer: Peer
    key: str
    source: Peer


class Fetch(NamedTuple):
    """Please store the copy of `key` that `peer` holds here; resume me when it is durable."""

    peer: Peer
    key: str


class Verify(NamedTuple):
    """Please hash my copy of `key` again; resume me with whether it is whole. A damaged one goes aside."""

    key: str


class With(NamedTuple):
    """Please perform a whole step, which asks `peer` alone."""

    peer: Peer
    step: "Step[Any]"


class Wait(NamedTuple):
    """Please resume me after so many seconds."""

    seconds: float


class AtOnce(NamedTuple):
    """Please perform `effects` (or whole steps) at once, and one of `spares` for each that fails.

    Resume me with (how many succeeded, the errors) when `wanted` did or nothing is left. The rest goes on; `ended` is
    called when the last has ended.
    """

    effects: list[Any]
    wanted: int
    spares: Sequence[Any] = ()
    ended: Callable[[], None] = lambda: None


class Links(NamedTuple):
    """A node's pointers, as it tells them: itself first, so that the caller sees who answered."""

    me: Peer
    predecessor: Peer | None
    successors: list[Peer]

    @classmethod
    def of(cls, value: Any) -> "Links":
        me, predecessor, successors = value
        return cls(Peer.of(me), predecessor and Peer.of(predecessor), [Peer.of(peer) for peer in successors])


class Route(NamedTuple):
    """One hop's answer: the pointers of the node asked if the key is its own, else whom to ask, best first."""

    found: Links | None
    closer: list[Peer]

    @classmethod
    def of(cls, value: Any) -> "Route":
        found, closer = value
        return cls(found and Links.of(found), [Peer.of(peer) for peer in closer])


Effect = Call | Send | Fetch | Verify | With | Wait | AtOnce
Step = Generator[Effect, Any, T]

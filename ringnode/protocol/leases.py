"""Leases: for what two nodes must not do at once, such as repairing one file or creating one account name.

After Gray and Cheriton (SOSP 1989). The node that owns the place of a name grants it, and only together with its
next node, the witness, so that whoever of the two dies, the other knows. A node grants nothing new until its
neighbourhood has been firm for a whole term: by then every lease that somebody else may have granted for its keys
has run out. Each side of a split ring is a ring of its own and grants for itself. The number of a lease only grows,
as far as the clocks of the nodes agree; who stores what a lease protects may refuse an older one.
"""

from collections.abc import Callable
from typing import NamedTuple

from ringnode.errors import Conflict, PeerBusy
from ringnode.protocol.chord import Ring
from ringnode.protocol.idspace import is_id, position
from ringnode.protocol.messages import NO_ANSWER, Call, Peer, Step, Wait

TERM_S = 5.0  # longer than most pauses of a machine; so long a neighbourhood with new keys grants nothing
REPAIR = "repair"
MANY = 10_000  # leases a node keeps: a stranger must not fill its memory
ATTEMPTS = 24  # with the pause below: until a changed neighbourhood is firm again
PAUSE_S = 0.5


class Lease(NamedTuple):
    """Who may act on a name, until when on my clock."""

    holder: str
    number: int
    until: float


class Leases:
    """What one node has granted and witnessed. `now_ms` is its wall clock."""

    def __init__(self, ring: Ring, now_ms: Callable[[], int]) -> None:
        self._ring = ring
        self._now_ms = now_ms
        self._held: dict[str, Lease] = {}
        self._last = 0

    def grant(self, name: str, holder: str) -> Step[int]:
        """The lease's number, for TERM_S from now; the same again for the same holder.

        Conflict while another holds it; PeerBusy where this node cannot say.
        """
        began = self._ring.now()
        self._require(name, holder)
        number = self._number(name)
        witness = self._ring.successor
        if witness != self._ring.me:
            try:
                yield Call(witness, "witness", (name, holder, number))
            except NO_ANSWER as error:
                raise PeerBusy(f"the next node cannot witness {name} now: {error}") from error
            self._require(name, holder)
            if self._ring.now() - began >= TERM_S:
                raise PeerBusy("this node slept, and the lease ran out meanwhile")
        self._put(name, holder, number)
        return number

    def witness(self, name: str, holder: str, number: int) -> None:
        """The next node's part: remember, or object with Conflict or PeerBusy."""
        self._refuse_second(name, holder)
        if self._ring.owns(place_of(name)):
            raise PeerBusy(f"{name} is mine to grant now")
        self._put(name, holder, number)

    def release(self, name: str, holder: str, number: int) -> Step[None]:
        """Give back early, at the witness too: it would object to the next holder for the rest of the term.

        Only the lease of this number: a late or second word ends no newer one.
        """
        present = self._held.get(name)
        if present and present[:2] == (holder, number):
            del self._held[name]
            witness = self._ring.successor
            if witness != self._ring.me and self._ring.owns(place_of(name)):
                try:
                    yield Call(witness, "release", (name, holder, number))
                except NO_ANSWER:
                    return  # there it runs out by itself

    def _require(self, name: str, holder: str) -> None:
        self._refuse_second(name, holder)
        if not self._ring.owns(place_of(name)):
            raise PeerBusy(f"{name} is not mine to grant")
        if not self._present(name) and self._ring.firm_s() < TERM_S:
            raise PeerBusy("the ring has just changed here")

    def _refuse_second(self, name: str, holder: str) -> None:
        present = self._present(name)
        if present and present.holder != holder:
            raise Conflict(f"another node is at {name} now")

    def _present(self, name: str) -> Lease | None:
        """The lease that counts now. One that ran out says nothing: who held it since, this node may not know."""
        present = self._held.get(name)
        if present and present.until <= self._ring.now():
            del self._held[name]
            return None
        return present

    def _number(self, name: str) -> int:
        present = self._present(name)
        if present:
            return present.number
        self._last = max(self._last + 1, self._now_ms())
        return self._last

    def _put(self, name: str, holder: str, number: int) -> None:
        now = self._ring.now()
        if len(self._held) >= MANY:
            self._held = {name: lease for name, lease in self._held.items() if lease.until > now}
        if len(self._held) >= MANY:
            raise PeerBusy("too many leases are held")
        self._last = max(self._last, number)
        self._held[name] = Lease(holder, number, now + TERM_S)


def take(home: Peer, name: str, holder: str, attempts: int = ATTEMPTS) -> Step[int]:
    """Ask the owner of a name for its lease, by way of `home`. Count TERM_S from before the question.

    Conflict while another holds it, PeerBusy if nobody could grant it in time.
    """
    why: Exception = PeerBusy(f"nobody can grant {name} now")
    for n in range(attempts):
        if n:
            yield Wait(PAUSE_S)
        try:
            owner = Peer.of((yield Call(home, "find_successor", (place_of(name),))))
            number: int = yield Call(owner, "lease", (name, holder))
            return number
        except NO_ANSWER as error:
            why = error
    raise PeerBusy(f"nobody can grant {name} now: {why}")


def give_back(home: Peer, name: str, holder: str, number: int) -> Step[None]:
    """End a lease early; if that fails it runs out by itself."""
    try:
        owner = Peer.of((yield Call(home, "find_successor", (place_of(name),))))
        yield Call(owner, "release", (name, holder, number))
    except NO_ANSWER:
        return


def place_of(name: str) -> str:
    """Where a name lies on the circle: `repair/KEY` with the file of that key, whatever else where its hash says.

    Not by what the name looks like: people are called Abba, and other things have short hex names too.
    """
    kind, _, key = name.partition("/")
    return key if kind == REPAIR and is_id(key, len(key)) else position("lease", name)

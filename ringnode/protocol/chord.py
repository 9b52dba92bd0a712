"""Chord as corrected by Pamela Zave ("Reasoning about identifier spaces: how to make Chord correct", IEEE TSE 2017).

What differs from the 2001 and 2003 papers: a joiner copies its predecessor's whole successor list; stabilise tries
one successor after the other within one step; a dead predecessor is replaced only by a live notifier (no "flush");
and no pointer is adopted before the node it names has answered. Beside the ring lies `known`, the peers there are
records of: a second source of successor candidates, which rescues a node whose successors all died, merges rings
that a partition split, and makes a warm lookup one hop. It is a hint, never truth: whoever is asked checks.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable

from ringnode.errors import NotJoined, PeerBusy, PeerDown, PeerRefused
from ringnode.protocol.idspace import advance, between, distance, owns
from ringnode.protocol.lookup import MAX_CALLS, walk
from ringnode.protocol.messages import NO_ANSWER, Call, Links, Peer, Route, Step

SUCCESSORS = 8  # half the nodes dead at once cuts a node off with 0.4 %, and then `rescue` helps
MUTE_S = 60.0  # a peer that others reach and I do not: after this it is as good as down to me
STALE_S = 3.0  # a few rounds of upkeep
FALLBACKS = 8  # closest preceding peers told per hop: with half of all dead the walk still goes on


class Ring:
    """What one node believes of the ring. `clock` gives monotonic seconds. Not thread-safe: the driver locks.

    `period_s` is that of its upkeep, `length` that of its successor list.
    """

    def __init__(self, me: Peer, clock: Callable[[], float], length: int = SUCCESSORS, period_s: float = 1.0) -> None:
        self.me = me
        self.length = length
        self.predecessor: Peer | None = None
        self.successors: list[Peer] = []  # empty until joined, [me] when alone
        self.parted = False  # for good: only another life of this node may join again
        self.fingers: dict[int, Peer] = {}
        self.known: dict[str, Peer] = {}  # every peer there is a record of, by id, without me
        self.barred: frozenset[str] = frozenset()  # ids of those that left or were expelled
        self.mute: dict[str, float] = {}  # who did not answer, and since when: no hint names it
        self.outside: set[str] = set()  # who lives, and said that it is in no ring: no hint names it either
        self.down: dict[str, float] = {}  # whom the members found down, and since when: storage goes by that
        self.patience_s: float | None = None  # for each try of a question about pointers
        self.changed_at = clock()
        self.now = clock
        self.stale_s = max(STALE_S, 3 * period_s)
        self._firm_since: float | None = None
        self._firm_at = 0.0  # when my successor last said so
        self._notifier: Peer | None = None
        self._next_finger = 0

    # -- answers -----------------------------------------------------------------------------------------------

    @property
    def joined(self) -> bool:
        return bool(self.successors)

    @property
    def successor(self) -> Peer:
        """The next node; NotJoined before there is one, and after this node has parted, be it within a step."""
        if not self.successors:
            raise NotJoined(f"{self.me.address} is in no ring")
        return self.successors[0]

    def links(self) -> Links:
        """My pointers; NotJoined before there are any."""
        return Links(self.me, self.predecessor, [self.successor, *self.successors[1:]])

    def owns(self, key: str) -> bool:
        """Is the key mine, as far as I know?"""
        return self.joined and self.predecessor is not None and owns(self.predecessor.id, self.me.id, key)

    def route(self, key: str) -> Route:
        """One hop of a lookup."""
        links = self.links()
        return Route(links, []) if self.owns(key) else Route(None, self.closer(key))

    def closer(self, key: str) -> list[Peer]:
        """Peers to ask for the key: the one I believe responsible if I can know it, and the closest before it."""
        hints = self._hints()
        if not hints:
            return []
        i = bisect_left([peer.id for peer in hints], key)
        after = hints[i % len(hints)]
        before = [hints[(i - n) % len(hints)] for n in range(1, min(FALLBACKS + 1, len(hints)))]
        chain = [self.me, *self.successors]
        nearest = self.me if not before or between(before[0].id, self.me.id, key) else before[0]
        sure = bool(self.known) or (nearest, after) in zip(chain, self.successors, strict=False)
        return [after, *before] if sure else [*before, after]

    def notify(self, peer: Peer) -> bool:
        """`peer` believes that it is my predecessor. Asks nobody; true if there is something to `rectify`."""
        if peer.id in self.barred:
            return False
        self.answered(peer)
        if self._notifier is None or between(self._notifier.id, peer.id, self.me.id):
            self._notifier = peer
        return peer != self.predecessor

    def answered(self, peer: Peer) -> None:
        """Any sign of life in the ring."""
        self.mute.pop(peer.id, None)
        self.outside.discard(peer.id)

    def aside(self, peer: Peer) -> None:
        """`peer` lives, but is in no ring: it is joining, leaving, or kept from joining."""
        self.mute.pop(peer.id, None)
        self.outside.add(peer.id)

    def silent(self, peer: Peer) -> None:
        """`peer` did not answer: no hint names it until it does again. To be wrong here is cheap."""
        if peer.id != self.me.id:
            self.mute.setdefault(peer.id, self.now())

    def members(self, away_s: float) -> int:
        """How many nodes the ring counts: the live ones and those down for less than `away_s` seconds."""
        return 1 + sum(1 for peer in self.known.values() if not self.gone(peer, away_s))

    def gone(self, peer: Peer, away_s: float) -> bool:
        """Has the peer been down for so long, or left for good, that its copies no longer count?"""
        if peer.id in self.barred:
            return True
        down, mute = self.down.get(peer.id), self.mute.get(peer.id)
        if down is not None and self.now() - down >= away_s:
            return True
        return mute is not None and self.now() - mute >= max(away_s, MUTE_S)

    def firm_s(self) -> float:
        """Seconds in which nobody else can have held my keys for its own: none was new to me, my successor knows.

        0 where my successor has not said so for `stale_s`: a node that slept does not know what it missed.
        """
        fresh = self._firm_since is not None and self.now() - self._firm_at <= self.stale_s
        return self.now() - (self._firm_since or 0.0) if fresh else 0.0

    def quiet_s(self) -> float:
        """Seconds since my neighbourhood last changed."""
        return self.now() - self.changed_at

    # -- steps -------------------------------------------------------------------------------------------------

    def found(self) -> None:
        """Become a ring of one."""
        self._point(predecessor=self.me, successors=[self.me], entering=True)

    def part(self) -> None:
        """Leave the ring for good; those who point at me hear that I am in none, and go on without me."""
        self.predecessor, self.successors, self._firm_since = None, [], None
        self.parted = True
        self.changed_at = self.now()

    def join(self, seed: Peer) -> Step[None]:
        """Enter the ring that `seed` is in: copy the whole successor list of my predecessor, then poke it.

        Raises what the peers asked raise, and PeerBusy where the ring moved too fast: try again.
        """
        found = yield from walk(self, self.me.id, [seed])
        before = found.predecessor or found.me
        for _ in range(MAX_CALLS):
            links = yield from self.links_of(before)
            if self.me.id in (before.id, links.successors[0].id):
                raise PeerBusy(f"my id is still in use by {before.address}: waiting until the ring dropped it")
            if between(before.id, self.me.id, links.successors[0].id):
                break
            before = links.successors[0]
        else:
            raise PeerBusy("the ring changes too fast to join it")
        self._point(predecessor=before, successors=self._trim(links.successors), entering=True)
        for peer in (self.me, before):  # not in Zave: only earlier, so that lookups find me at once
            yield Call(peer, "kick", ("stabilise",))

    def stabilise(self) -> Step[None]:
        """Find my first live successor, take over its list and its predecessor, and tell it of me."""
        while True:
            head = self.successor
            try:
                links = yield from self.links_of(head)
            except (PeerDown, NotJoined):
                if len(self.successors) == 1:
                    yield from self._rescue()
                    return
                self._point(successors=self.successors[1:])
                continue
            except (PeerBusy, PeerRefused):
                return  # alive: next round
            break
        self._point(successors=self._trim([links.me, *links.successors]))
        there = links.predecessor
        nearer = there and between(self.me.id, there.id, head.id)
        if there is None or (there.id != self.me.id and not nearer):
            self._firm_since = None  # my successor holds my keys for its own
        else:
            if not self.firm_s():
                self._firm_since = self.now()
            self._firm_at = self.now()
        if there and nearer:
            yield from self.adopt(there)
        try:
            yield Call(self.successor, "notify", (self.me,), self.patience_s)
        except NO_ANSWER:
            return  # next round's first question finds out

    def adopt(self, candidate: Peer) -> Step[None]:
        """Take `candidate` as successor if it answers and is nearer; wherever it was heard of."""
        try:
            links = yield from self.links_of(candidate)
        except NO_ANSWER:
            return
        if between(self.me.id, candidate.id, self.successor.id):
            self._point(successors=self._trim([links.me, *links.successors]))

    def rectify(self) -> Step[None]:
        """Take the notifier as predecessor if it is nearer than the present one or the present one is dead."""
        notifier, self._notifier = self._notifier, None
        if notifier is None or notifier == self.predecessor:
            return
        present = self.predecessor
        if present and present.id != notifier.id and not between(present.id, notifier.id, self.me.id):
            try:
                yield from self.links_of(present)
                return
            except (PeerDown, NotJoined):
                pass
            except (PeerBusy, PeerRefused):
                return
        try:
            yield from self.links_of(notifier)
        except NO_ANSWER:
            return
        if self.predecessor == present:
            self._point(predecessor=notifier)

    def candidate(self) -> Step[None]:
        """Adopt the nearest live peer there is a record of, if the ring has passed it over: merges split rings."""
        near = min(self.live(self.known.values()), key=lambda p: (p.id < self.me.id, p.id), default=None)
        if near and between(self.me.id, near.id, self.successor.id):
            yield from self.adopt(near)

    def fix_finger(self) -> Step[None]:
        """Refresh one finger: the first node at or after me + 2^i. Those inside (me, successor] need no call."""
        lowest = distance(self.me.id, self.successor.id).bit_length()
        highest = 4 * len(self.me.id)
        if self.successors == [self.me] or lowest >= highest:
            self.fingers.clear()
            return
        i = self._next_finger = max(lowest, (self._next_finger + 1) % highest)
        try:
            links = yield from self.find_successor(advance(self.me.id, 1 << i))
        except NO_ANSWER:
            return
        self.fingers = {j: peer for j, peer in self.fingers.items() if j >= lowest} | {i: links.me}

    def maintain(self) -> Step[None]:
        """One round of upkeep, every second."""
        yield from self.stabilise()
        yield from self.rectify()
        yield from self.candidate()
        yield from self.fix_finger()

    def find_successor(self, key: str) -> Step[Links]:
        """The pointers of the node responsible for `key`. PeerDown if none is reached, NotJoined if I know none."""
        candidates = self.closer(key)
        if self.owns(key) or not (self.joined or candidates):
            return self.links()
        return (yield from walk(self, key, candidates))

    def links_of(self, peer: Peer) -> Step[Links]:
        """Ask a peer for its pointers; someone else at its address is as good as its death."""
        if peer.id in self.barred:
            raise PeerDown(f"{peer.address} is no part of this ring any more")
        try:
            links = Links.of((yield Call(peer, "links", (), self.patience_s)))
        except PeerDown:
            self.silent(peer)
            raise
        except NotJoined:
            self.aside(peer)
            raise
        if links.me.id != peer.id:
            self.silent(peer)
            raise PeerDown(f"{peer.address} is another node now")
        self.answered(peer)
        return links

    # -- inside ------------------------------------------------------------------------------------------------

    def _rescue(self) -> Step[None]:
        """All my successors died: take the nearest known peer that answers, else go on alone and keep probing."""
        nearest = sorted(self.known.values(), key=lambda p: (p.id in self.mute, distance(self.me.id, p.id)))
        for peer in nearest:
            try:
                links = yield from self.links_of(peer)
            except NO_ANSWER:
                continue
            self._point(successors=self._trim([links.me, *links.successors]))
            return
        self._point(predecessor=self.me, successors=[self.me])

    def _trim(self, peers: Iterable[Peer]) -> list[Peer]:
        """A successor list: clockwise, ended where it comes round to me, at most `length` long; [me] if it is empty.

        A peer that has not heard of me tells a list that passes me over: in a small ring it goes on behind me.
        """
        kept: list[Peer] = []
        for peer in peers:
            if peer.id in self.barred:
                continue
            last = kept[-1].id if kept else self.me.id
            if len(kept) == self.length or not between(last, peer.id, self.me.id):
                break
            kept.append(peer)
        return kept or [self.me]

    def _point(
        self, *, predecessor: Peer | None = None, successors: list[Peer] | None = None, entering: bool = False
    ) -> None:
        """The only place where pointers change. NotJoined for a step that goes on after this node has parted."""
        if self.parted or not (self.joined or entering):
            raise NotJoined(f"{self.me.address} has parted from its ring")
        before = (self.predecessor, self.successors)
        if predecessor is not None:
            self.predecessor = predecessor
        if successors is not None:
            self.successors = successors
        if before != (self.predecessor, self.successors):
            self.changed_at = self.now()
        fewer = before[0] and predecessor and between(before[0].id, predecessor.id, self.me.id)
        if before[0] != self.predecessor and not fewer:
            self._firm_since = None  # some keys are new to me

    def live(self, peers: Iterable[Peer]) -> list[Peer]:
        """Those that hints may name: not me, none that was silent or is in no ring."""
        unwanted = {self.me.id, *self.mute, *self.outside, *self.barred}
        return [peer for peer in peers if peer.id not in unwanted]

    def _hints(self) -> list[Peer]:
        """Every peer I have heard of and not found silent, in order of id; all of them if all are silent."""
        heard = [*self.known.values(), *self.fingers.values(), *self.successors]
        if self.predecessor:
            heard.append(self.predecessor)
        others = [peer for peer in heard if peer.id != self.me.id]
        return sorted({peer.id: peer for peer in self.live(heard) or others}.values())

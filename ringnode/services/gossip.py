"""Records to everyone: news is told to a few, who tell it on; and any two nodes compare all they have, in turn.

All of it are steps, which the driver resumes with the ring's lock held: a node's threads and the simulator alike.
"""

import random
from collections import deque
from collections.abc import Callable, Collection

from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.protocol.antientropy import BYTES_AT_ONCE, RECORDS_A_ROUND, RECORDS_AT_ONCE, exchange
from ringnode.protocol.chord import Ring
from ringnode.protocol.messages import AtOnce, Call, Peer, Step

FAN_OUT = 4  # peers told of a new record: 98 % of 100 nodes within 8 hops, the exchange does the rest
OUTBOX_LIMIT = 10_000  # records waiting to be told; the exchange finds what did not fit
FORGOTTEN_AT_ONCE = 500  # tombstones: the ring's lock and the catalogue's are held meanwhile


class Gossip:
    """One node's part in it. `kick` makes a loop run early."""

    def __init__(self, ring: Ring, records: Records, chance: random.Random, kick: Callable[[str], None]) -> None:
        self._ring = ring
        self._chance = chance
        self._records = records
        self._kick = kick
        self._outbox: deque[Record] = deque(maxlen=OUTBOX_LIMIT)
        self._equal_at: dict[str, float] = {}  # when a peer last had all that I had, by id
        self._tombstones: dict[tuple[str, str], float] = {}  # old ones, and when I first saw that they are old

    def tell(self, news: list[Record]) -> None:
        """Have these records told to random peers, soon."""
        self._outbox.extend(news)
        self._kick("spread")

    def spread(self) -> Step[bool]:
        """Tell what is new to a few random peers, who tell it on if it was news to them. True: there is more."""
        news: list[Record] = []
        left = BYTES_AT_ONCE
        while self._outbox and len(news) < RECORDS_AT_ONCE and left > 0:
            news.append(self._outbox.popleft())
            left -= news[-1].size_bytes()
        told = [Call(peer, "put_records", (news, True)) for peer in self._random_peers(FAN_OUT)] if news else []
        yield AtOnce(told, len(told))  # those that did not answer: the exchange will bring it there
        return bool(self._outbox)

    def exchange(self) -> Step[bool]:
        """Make the records of one peer and mine equal: of one just met, else a random one. True: there is more."""
        for peer in self._strangers() or self._random_peers(1, self._ring.outside):
            began, strange = self._ring.now(), self._records.get("peer", peer.id) is None
            moved = yield from exchange(self._records, peer)
            if strange:  # of another ring: only when all know all are the two one again
                self.tell(list(self._records.live("peer")))
            if moved >= RECORDS_A_ROUND:
                return True
            self._equal_at[peer.id] = began
        return False

    def forget(self) -> int:
        """Forget the old tombstones that every member has had, also those that are down. Returns how many.

        A member that does not know of a deletion would bring the record back; so one that is gone for good has to be
        expelled before anything is forgotten.
        """
        now = self._ring.now()
        self._tombstones = {name: self._tombstones.get(name, now) for name in self._records.old_tombstones()}
        equal_at = min((self._equal_at.get(id, float("-inf")) for id in self._ring.known), default=now)
        old = [name for name, seen in self._tombstones.items() if seen < equal_at][:FORGOTTEN_AT_ONCE]
        if old:
            self._records.forget(old)
        return len(old)

    def _strangers(self) -> list[Peer]:
        """One peer that there is no record of."""
        live = [peer for peer in self._ring.known.values() if peer.id not in self._ring.mute]
        return [peer for peer in live if self._records.get("peer", peer.id) is None][:1]

    def _random_peers(self, count: int, but: Collection[str] = ()) -> list[Peer]:
        everyone = {peer.id: peer for peer in [*self._ring.known.values(), *self._ring.successors]}
        unwanted = {self._ring.me.id, *self._ring.mute, *but}
        live = sorted(peer for peer in everyone.values() if peer.id not in unwanted)
        return self._chance.sample(live, min(count, len(live)))

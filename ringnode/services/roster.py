"""The ring's members as records: who there is, what is said of them, and what this node says.

A node's record holds what it tells of itself, and the last verdict on it, which others may write too. Whoever calls
holds the ring's lock: a node's threads and the simulator alike.
"""

import logging
import random
from collections.abc import Callable
from typing import Any

from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.errors import ConfigError, Conflict
from ringnode.protocol.antientropy import catch_up
from ringnode.protocol.chord import Ring
from ringnode.protocol.idspace import middle_of_largest_gap, position
from ringnode.protocol.membership import EXPELLED, GONE, LEAVING, LEFT, Member, Membership, Verdict
from ringnode.protocol.messages import NO_ANSWER, Call, Peer, Step

log = logging.getLogger(__name__)

KIND = "peer"
GIVEN = 1000  # places remembered: more nodes do not start at once
FREE_STEP = 0.05  # free space is told anew when it changed by this share


Tell = Callable[[list[Record]], None]


class Roster:
    """One node's view of the members, kept in its catalogue. `tell` spreads records to other nodes."""

    def __init__(
        self, name: str, api: str, ring: Ring, records: Records, chance: random.Random, tell: Tell, inside: str = ""
    ) -> None:
        self.membership = Membership(ring, self, chance)
        self.met: dict[str, Peer] = {}  # peers heard of by address, before there is a record of them
        self._name = name
        self._api = api
        self._inside = inside
        self._ring = ring
        self._chance = chance
        self._records = records
        self._tell = tell
        self._said: list[tuple[str, Verdict]] = []
        self._given: dict[str, str] = {}  # places on the circle, by the address that asked

    def refresh(self) -> None:
        """Take over what the records say."""
        members = [member for record in self._records.live(KIND) if (member := member_of(record))]
        named = {member.peer.id for member in members}
        self.membership.hear([*members, *(Member(peer) for id, peer in self.met.items() if id not in named)])

    def probe(self) -> Step[None]:
        """One round of looking who is up."""
        self.refresh()
        yield from self.membership.probe()

    def say(self, peer: Peer, verdict: Verdict) -> None:
        """Write a verdict into the peer's record, and have it told."""
        record = self._records.get(KIND, peer.id)
        if record:
            log.info("%s is %s", record.doc.get("name", peer.id[:12]), verdict.state)
            self._write(record, {"verdict": list(verdict)})

    def announce(self, free_bytes: int) -> None:
        """Say who and where I am, where that has changed; and that former selves at my address are no more."""
        me = self._ring.me
        record = self._records.get(KIND, me.id)
        known = record.doc if record else {}
        said = known.get("free_bytes", -1)
        mine = {
            "name": self._name,
            "address": me.address,
            "api": self._api,
            "inside": self._inside,
            "incarnation": me.incarnation,
            "season": self._records.season(),  # so that a backup older than that shows, see `_rolled_back`
            "free_bytes": said if abs(free_bytes - said) <= FREE_STEP * abs(said) else free_bytes,
        }
        changes = {name: value for name, value in mine.items() if known.get(name) != value}
        if record is None:
            self._tell([self._records.put(KIND, me.id, mine)])
        elif changes:
            self._write(record, changes)
        for member in list(self.membership.members.values()):
            if member.peer.address == me.address and member.state not in GONE:
                self.say(member.peer, Verdict(LEFT, member.peer.incarnation, me.id))

    def enter(self, contact: Peer, fresh: bool) -> Step[None]:
        """Become a part of the ring `contact` is in, knowing all that it knows. `fresh`: this node was never in one.

        ConfigError if it was expelled; else what the peers asked raise.
        """
        rolled_back = False
        if fresh:
            owner = yield Call(contact, "find_successor", (position("ring", "place"),))
            chosen = yield Call(Peer.of(owner), "place", (self._ring.me.address,))
            self._ring.me = Peer.of(self._ring.me._replace(id=chosen))
        else:
            rolled_back = yield from self._rolled_back(contact)
        # My own record stays old until all is told: who is interrupted here must see again that it was.
        old = (self._records.outdated, (KIND, self._ring.me.id)) if rolled_back else ()
        moved = yield from catch_up(self._records, contact, *old)
        log.info("%s took over %d records from %s", self._name, moved, contact.address)
        self.refresh()  # who counts the ring's members from now on must not take itself for alone
        yield from self._ring.join(contact)

    def _rolled_back(self, contact: Peer) -> Step[bool]:
        """Does the ring know of a later life of mine, or of a later time of my last one? My folder is an old copy."""
        me, mine = self._ring.me, self._records.get(KIND, self._ring.me.id)
        documents = yield Call(contact, "get_records", ([(KIND, me.id)],))
        for record in map(Record.of, documents):
            member = member_of(record)
            if member is None:
                continue
            if member.state == EXPELLED and member.verdict:
                raise expelled(member.verdict.by)
            if member.state == LEFT:  # nothing waited for it: what was deleted since may be forgotten
                log.info("%s had left its ring, and comes back", self._name)
            old = member.state == LEFT or mine is None or season_of(mine) < season_of(record)
            if old or member.peer.incarnation >= me.incarnation:
                log.warning("the data folder is older than what the ring knows of this node: catching up")
                self._ring.me = me._replace(incarnation=max(me.incarnation, member.peer.incarnation + 1))
                return True
        return False

    def say_of_me(self, state: str) -> None:
        """LEAVING or LEFT: by my own word."""
        me = self._ring.me
        self.say(me, Verdict(state, me.incarnation, me.id))

    def leave(self) -> Step[None]:
        """Begin to leave: out of the ring, but still here, until my files have other holders. Conflict if alone."""
        before, alone = self._ring.predecessor, self._ring.successors in ([], [self._ring.me])
        if alone or not self._ring.known:
            raise Conflict("this is the only node of its ring: its music would be lost with it")
        self.say_of_me(LEAVING)  # first: where the disk takes nothing, this node stays what it is
        self._ring.part()
        try:
            yield Call(before or self._ring.me, "kick", ("stabilise",))
        except NO_ANSWER:
            return

    def stayers(self) -> list[Peer]:
        """The others in the ring, as far as I know: those that are not on their way in or out, and not down."""
        ring = self._ring
        return [peer for id, peer in ring.known.items() if id not in ring.outside and id not in ring.down]

    def place(self, address: str) -> str:
        """An id for a new node, in the largest gap; one that was given counts as taken."""
        others = {at: id for at, id in self._given.items() if at != address}
        taken = [self._ring.me.id, *self.membership.members, *others.values()]
        chosen = middle_of_largest_gap(taken, self._chance.getrandbits(256))
        self._given = dict([*others.items(), (address, chosen)][-GIVEN:])
        return chosen

    def _write(self, record: Record, changes: dict[str, Any]) -> None:
        edited = self._records.draft_edit(record, changes)
        self._tell(self._records.merge([edited]))


def expelled(by: str) -> ConfigError:
    """Why a node can be part of its ring no more."""
    return ConfigError(f"this node was expelled from its ring by {by}: with an empty data folder it can join anew")


def peer_of(record: Record) -> Peer | None:
    """The peer that a record describes, None if it describes none."""
    address, incarnation = record.doc.get("address"), record.doc.get("incarnation")
    if isinstance(address, str) and isinstance(incarnation, int):
        return Peer(record.key, address, incarnation)
    return None


def season_of(record: Record) -> int:
    """When the peer last told of itself, as `Records.season`."""
    season = record.doc.get("season")
    return season if isinstance(season, int) else 0


def member_of(record: Record) -> Member | None:
    """The same with what is said of it."""
    peer = peer_of(record)
    return Member(peer, Verdict.of(record.doc.get("verdict"))) if peer else None

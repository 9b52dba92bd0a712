"""What an admin does with nodes: send one away, expel one, have one read its files again; and all files counted."""

from typing import Any

from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import Conflict, NotFound, PeerDown, RingnodeError
from ringnode.objects.peers import Peers
from ringnode.protocol.idspace import is_id
from ringnode.protocol.membership import EXPELLED, GONE, Member, Verdict
from ringnode.protocol.messages import Peer
from ringnode.services.durability import Durability
from ringnode.services.roster import KIND, member_of
from ringnode.services.union import Finding, Inventory, Told

UNION_S = 60.0  # all nodes list their files, from disks that may be busy


class Steward:
    """Over the gateway's parts."""

    def __init__(self, config: Config, records: Records, peers: Peers, durability: Durability) -> None:
        self._config = config
        self._records = records
        self._peers = peers
        self._durability = durability

    def leave(self, id: str) -> None:
        """Have a node leave: it hands over its files, and ends when others hold them all; twice is harmless.

        NotFound for an id that is none. Conflict for the only node, and for one that does not answer.
        """
        self._ask(self._member(id).peer, "leave")

    def scrub(self, id: str) -> None:
        """Have a node read all its files again, now. Errors as of `leave`."""
        self._ask(self._member(id).peer, "scrub")

    def _ask(self, peer: Peer, method: str) -> None:
        try:
            there = Peer.of(self._peers.call(peer.address, "ping")["peer"])
            if there.id != peer.id:
                raise PeerDown(f"another node lives at {peer.address} now")
            self._peers.call(peer.address, method)
        except PeerDown as error:
            raise Conflict(f"the node does not answer, so it cannot be asked to {method}: {error}") from error

    def expel(self, id: str, by: str, force: bool) -> None:
        """Take a node out for good: its copies count no more, and it is never let in again with this id.

        NotFound for an id that is none. Conflict for the only node, for one that is out already, and for one that
        answers, unless `force`: such a one can be asked to leave, which loses nothing.
        """
        if not force and self._answers(self._member(id).peer):
            raise Conflict("the node answers: have it leave instead, which loses nothing, or expel it by force")
        self._member(id)
        with self._durability.lease(f"member/{id}") as lease:
            record = self._durability.latest(KIND, id)
            member = record and member_of(record)
            if record is None or member is None:
                raise NotFound(f"there is no node {id:.64}")
            if member.state in GONE:
                raise Conflict(f"the node is out of the ring already: {member.state}")
            others = [other for other in self._members() if other.peer.id != id and other.state not in GONE]
            if not others:
                raise Conflict("this is the only node of its ring: its music would be lost with it")
            verdict = Verdict(EXPELLED, member.peer.incarnation, by)
            lease.require()
            self._durability.publish(self._records.draft_edit(record, {"verdict": list(verdict)}))

    def _answers(self, peer: Peer) -> bool:
        try:
            return bool(Peer.of(self._peers.call(peer.address, "ping")["peer"]).id == peer.id)
        except RingnodeError:
            return False

    def inventory(self, after: str, count: int) -> Inventory:
        """A page of all files of the ring, against the catalogue; `after` is the cursor of the page before."""
        told: dict[str, Any] = self._peers.call(self._config.address, "union", after, count, timeout_s=UNION_S)
        items = tuple(
            Finding(**item | {"nodes": tuple(item["nodes"]), "aside": tuple(item["aside"])}) for item in told["items"]
        )
        return Inventory(**told | {"items": items, "nodes": tuple(Told(**node) for node in told["nodes"])})

    def _members(self) -> list[Member]:
        return [member for member in map(member_of, self._records.live(KIND)) if member]

    def _member(self, id: str) -> Member:
        record = self._durability.find(KIND, id) if is_id(id) else None
        member = record and member_of(record)
        if member is None:
            raise NotFound(f"there is no node {id:.64}")
        return member

"""What must hold of a ring: Zave's invariants, and the ideal that every ring comes to when left alone.

A `Watch` asks after every event. What the proof promises only while no live node is taken for dead and no node loses
all its successors, is demanded by `strict` alone.
"""

from itertools import pairwise
from typing import Any

from world import Node, World

from ringnode.protocol.chord import Ring
from ringnode.protocol.idspace import between, distance
from ringnode.protocol.messages import Links, Peer


class Watch:
    """Looks at a world after every event; AssertionError at the first fault."""

    def __init__(self, world: World, strict: bool) -> None:
        self.world = world
        self.strict = strict
        self.begun = False
        self._seen: dict[Node, Any] = {}
        self._predecessors: dict[Peer, Peer | None] = {}
        world.on_event = self.look

    def look(self) -> None:
        """Only a change of pointers or of members can break what held."""
        changed = False
        for node in self.world.touched:
            now = (node.alive, node.ring.me.id, node.ring.predecessor, node.ring.successors)
            if now != self._seen.get(node):
                self._seen[node] = now
                changed = True
        self.world.touched.clear()
        if not changed:
            return
        found = [fault for node in self.world.members for fault in list_faults(node)]
        if self.strict:
            found += ring_faults(self.world) + self._start_faults() + self._setbacks()
        self._predecessors = {node.ring.me: node.ring.predecessor for node in self.world.members}
        assert not found, f"at {self.world.now:.3f} s: {found[:3]}"

    def _start_faults(self) -> list[str]:
        """The proof starts from r + 1 principals and full lists: those stay for ever, these until a death."""
        count, r = len(principals(self.world)), self.world.length
        short = [node.id for node in self.world.members if len(node.ring.successors) < r]
        self.begun = self.begun or (count > r and not short)
        if not self.begun:
            return []
        nobody_died = all(node.alive and node.ring.me.incarnation == 1 for node in self.world.nodes.values())
        found = [f"{count} principals are too few"] if count <= r else []
        return found + ([f"short lists: {short}"] if short and nobody_died else [])

    def _setbacks(self) -> list[str]:
        """A predecessor that lives makes room only for a nearer one."""
        found = []
        for node in self.world.members:
            former, now = self._predecessors.get(node.ring.me), node.ring.predecessor
            if former and now and between(now.id, former.id, node.id):
                there = self.world.nodes.get(former.address)
                if there and there.alive and there.ring.joined and there.ring.me == former:
                    found.append(f"{node.id}: its predecessor {former.id} lives and was replaced by {now.id}")
        return found


def list_faults(node: Node) -> list[str]:
    """Of one node's own pointers; no fault of the network excuses these."""
    me, ids = node.id, [peer.id for peer in node.ring.successors]
    found = []
    if node.ring.predecessor is None:
        found.append(f"{me}: no predecessor")
    if len(ids) > node.ring.length:
        found.append(f"{me}: its list is longer than {node.ring.length}")
    if len(set(ids)) != len(ids):
        found.append(f"{me}: a successor twice in {ids}")
    if me in ids and ids != [me]:
        found.append(f"{me}: itself among its successors {ids}")
    distances = [distance(me, i) for i in ids]
    if distances != sorted(distances):
        found.append(f"{me}: its list is out of order: {ids}")
    return found


def ring_faults(world: World) -> list[str]:
    """Of all members together: one ring, in order; where there is one, every appendage leads to it."""
    members = {node.id: node for node in world.members}
    if not members:
        return []
    following = {me: best_successor(node, members) for me, node in members.items()}
    lonely = sorted(me for me, successor in following.items() if successor is None)
    if lonely:
        return [f"no live successor: {lonely}"]
    cycles = rings({me: successor for me, successor in following.items() if successor is not None})
    if len(cycles) != 1:
        return [f"{len(cycles)} rings: {cycles}"]
    ring = cycles[0]
    laps = sum(distance(a, b) for a, b in zip(ring, ring[1:] + ring[:1], strict=True)) >> 4 * len(ring[0])
    return [f"the ring is out of order: {ring}"] if laps > 1 else []


def best_successor(node: Node, members: dict[str, Node]) -> str | None:
    """The first of its list that lives."""
    return next((peer.id for peer in node.ring.successors if peer.id in members), None)


def rings(following: dict[str, str]) -> list[list[str]]:
    """The cycles that best successors make; all else are appendages."""
    found: list[list[str]] = []
    done: set[str] = set()
    for start in sorted(following):
        path: list[str] = []
        at = start
        while at not in done and at not in path:
            path.append(at)
            at = following[at]
        if at in path:
            found.append(path[path.index(at) :])
        done.update(path)
    return found


def principals(world: World) -> list[str]:
    """Members that no member's list passes over, nor a list that one is about to take."""
    chains = [[node.ring.me, *node.ring.successors] for node in world.members]
    pairs = {(a.id, b.id) for chain in chains + lists_in_flight(world) for a, b in pairwise(chain)}
    return [node.id for node in world.members if not any(a != b and between(a, node.id, b) for a, b in pairs)]


def lists_in_flight(world: World) -> list[list[Peer]]:
    """What nodes are about to know of their successors: as stabilise would take a reply, or as join would."""
    found = []
    for node, value in world.in_flight.values():
        if node.alive and isinstance(value, list) and len(value) == 3:  # Links, on the wire
            links = Links.of(value)
            told = [links.me, *links.successors] if node.ring.joined else links.successors
            found.append(Ring._trim(node.ring, told))
    return found


def may_crash(world: World, node: Node) -> bool:
    """Zave's condition: all keep a live successor, also who is being told a list now; r + 1 principals remain."""
    there = {other.id for other in world.members if other is not node}
    lists = [other.ring.successors for other in world.members if other is not node] + lists_in_flight(world)
    spare = [i for i in principals(world) if i != node.id]
    return len(spare) > world.length and all(any(peer.id in there for peer in some) for some in lists)


def ideal(world: World) -> bool:
    """Is every live node in one ring, with its predecessor and its whole list exact, incarnations too?"""
    order = [node.ring for node in sorted(world.live, key=lambda node: node.id)]
    peers = [ring.me for ring in order]
    for i, ring in enumerate(order):
        after = (peers[i + 1 :] + peers[:i])[: ring.length] or [ring.me]
        if ring.predecessor != peers[i - 1] or ring.successors != after:
            return False
    return True

"""What must hold of a ring: Zave's invariants, and the ideal that every ring comes to when left alone.

`faults_of` may be asked after every event. What the proof promises only while no message is lost and no node loses
all its successors is demanded by `strict` alone.
"""

from itertools import pairwise

from world import Node, World

from ringnode.protocol.idspace import between, distance


def faults_of(world: World, strict: bool = True) -> list[str]:
    """Everything that is wrong now, in words."""
    found = [fault for node in world.members for fault in list_faults(node)]
    if strict:
        found += ring_faults(world)
    return found


def list_faults(node: Node) -> list[str]:
    """Of one node's own pointers; no fault of the network excuses these."""
    me, ids = node.id, [peer.id for peer in node.ring.successors]
    found = []
    if len(ids) > node.ring.length:
        found.append(f"{me}: its list is longer than {node.ring.length}")
    if len(set(ids)) != len(ids):
        found.append(f"{me}: a successor twice in {ids}")
    if me in ids and ids != [me]:
        found.append(f"{me}: itself among its successors {ids}")
    distances = [distance(me, i) for i in ids]
    if ids != [me] and distances != sorted(distances):
        found.append(f"{me}: its list is out of order: {ids}")
    return found


def ring_faults(world: World) -> list[str]:
    """Of all members together: one ring, in order, and everybody's way leads to it."""
    members = {node.id: node for node in world.members}
    if not members:
        return []
    following = {me: best_successor(node, members) for me, node in members.items()}
    lonely = sorted(me for me, successor in following.items() if successor is None)
    if lonely:
        return [f"no live successor: {lonely}"]
    cycles = rings(following)  # type: ignore[arg-type]
    if len(cycles) != 1:
        return [f"{len(cycles)} rings: {cycles}"]
    found = []
    ring = cycles[0]
    for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
        skipped = [c for c in ring if between(a, c, b) and a != b]
        if skipped:
            found.append(f"the ring is out of order: {skipped} between {a} and {b}")
    return found


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
    """Members that no member's list passes over."""
    chains = [[node.id, *(peer.id for peer in node.ring.successors)] for node in world.members]
    pairs = [pair for chain in chains for pair in pairwise(chain)]
    return [node.id for node in world.members if not any(a != b and between(a, node.id, b) for a, b in pairs)]


def ideal(world: World) -> bool:
    """Is every live node in one ring, with its predecessor and its whole list exact?"""
    order = sorted(world.live, key=lambda node: node.id)
    ids = [node.id for node in order]
    for i, node in enumerate(order):
        ring = node.ring
        after = (ids[i + 1 :] + ids[:i])[: ring.length] or [node.id]
        if not ring.joined or ring.predecessor is None or [peer.id for peer in ring.successors] != after:
            return False
        if ring.predecessor.id != ids[i - 1]:
            return False
    return True

"""Chord's lookup, iterative: the caller walks from hint to hint, and no thread waits in a chain."""

from typing import TYPE_CHECKING

from ringnode.errors import NotJoined, PeerDown
from ringnode.protocol.idspace import between, distance
from ringnode.protocol.messages import NO_ANSWER, Call, Links, Peer, Route, Step

if TYPE_CHECKING:
    from ringnode.protocol.chord import Ring

MAX_CALLS = 64  # of one lookup: far above what a ring of a million nodes needs


def walk(ring: "Ring", key: str, candidates: list[Peer]) -> Step[Links]:
    """Iterative lookup: ask the best candidate, put what it says in front, until one says the key is its own.

    Who answers from nearer before the key narrows the search to the arc from there on. If nobody told of is left
    in it, the next live node goes on; one behind the key is the answer, as in ToN 2003: the owner has died.
    Who has somebody else to ask waits for nobody longer than the ring's own upkeep does.
    """
    asked: set[str] = set()
    dead: set[str] = set()
    near = ring.me if ring.joined else None
    for _ in range(MAX_CALLS):
        if not candidates and near:
            candidates = [p for p in ring.closer(key) if between(near.id, p.id, key) and p.id not in asked]
        if not candidates:
            following = (yield from _following(ring, near, dead)) if near else None
            if near is None or following is None:
                break
            if not between(near.id, following.me.id, key):
                return following
            near = following.me
            candidates = [] if near.id in asked else [near]
            continue
        peer, *candidates = candidates
        asked.add(peer.id)
        try:
            patience_s = ring.patience_s if candidates else None
            route = Route.of((yield Call(peer, "route", (key,), patience_s)))
        except NO_ANSWER as error:
            if isinstance(error, PeerDown):
                ring.silent(peer)
                dead.add(peer.id)
            elif isinstance(error, NotJoined):
                ring.aside(peer)
                dead.add(peer.id)
            continue
        ring.answered(peer)
        if route.found:
            return route.found
        if near is None or between(near.id, peer.id, key):
            near = peer
        # Also those that were silent to me: who names them may have heard from them since.
        after = min(route.closer, key=lambda p: distance(key, p.id), default=None)
        heard = {p.id: p for p in [*route.closer, *candidates] if p == after or between(near.id, p.id, key)}
        candidates = [p for p in heard.values() if p.id not in asked]
    raise PeerDown(f"no peer on the way to {key[:12]} answered")


def _following(ring: "Ring", peer: Peer, dead: set[str]) -> Step[Links | None]:
    """The first live node behind a live peer: of those it tells, or those there are records of."""
    told = (yield from ring.links_of(peer)).successors
    others = {p.id: p for p in [ring.me, *ring.live(ring.known.values()), *told] if p.id not in {peer.id, *dead}}
    for other in sorted(others.values(), key=lambda p: distance(peer.id, p.id))[:MAX_CALLS]:
        try:
            return (yield from ring.links_of(other))
        except (PeerDown, NotJoined):
            dead.add(other.id)
    return None

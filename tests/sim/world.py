"""A ring in virtual time: the very steps that production runs, under seeded delay, loss, partition, death.

Every yielded Call becomes two events, its arrival and its reply; what happens in between is what threads could do.
All chance comes from generators seeded by the world's seed, one for each purpose, so that one seed is one run, in
any process. Messages are copied through msgpack, as on the wire.
"""

import hashlib
import heapq
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import msgpack

from ringnode.errors import NotJoined, PeerBusy, PeerDown, RingnodeError
from ringnode.protocol.chord import SUCCESSORS, Ring
from ringnode.protocol.messages import Call, Links, Peer

TIMEOUT_S = 0.5
PERIOD_S = 1.0
DELAY_S = 0.005  # median of one way; the tail is long
HANDLERS = ("ping", "links", "route", "notify", "kick")

Back = Callable[[Any], None]  # takes an effect's result, or the error it ended with


@dataclass
class Faults:
    """Shares of messages, 0 to 1."""

    lost_requests: float = 0.0
    lost_replies: float = 0.0  # the peer has acted, and the caller does not know
    duplicates: float = 0.0
    busy: float = 0.0


class Node:
    """One simulated process, from its start to its crash."""

    def __init__(self, world: "World", peer: Peer) -> None:
        self.world = world
        self.ring = world.ring_class(peer, lambda: world.now, world.length)
        self.alive = True
        self.paused_until = 0.0
        self.maintaining = False
        self.kicked = False  # while a round was under way: another follows it

    @property
    def id(self) -> str:
        return self.ring.me.id

    def answer(self, method: str, args: list[Any]) -> Any:
        """What the remote object answers, or the error it raises."""
        assert method in HANDLERS, method
        try:
            return copied(getattr(self, f"_{method}")(*args))
        except RingnodeError as error:
            return error

    def _ping(self) -> bool:
        return self.ring.joined

    def _links(self) -> Links:
        return self.ring.links()

    def _route(self, key: str) -> Any:
        return self.ring.route(key)

    def _notify(self, peer: list[Any]) -> None:
        self.ring.notify(Peer.of(peer))

    def _kick(self, _loop: str) -> None:
        self.kicked = True
        self.world.at(self.world.now, lambda: self.world.maintain(self) if self.kicked else None)


class World:
    """All nodes, by address. `known`: do peers hear of one another beside the ring, as by records, after `news_s`?"""

    def __init__(
        self, seed: int, *, length: int = SUCCESSORS, known: bool = True, news_s: float = 0.0,
        faults: Faults | None = None, ring_class: type[Ring] = Ring,
    ) -> None:  # fmt: skip
        self.seed = seed
        self.length = length
        self.known = known
        self.news_s = news_s
        self.faults = faults or Faults()
        self.ring_class = ring_class
        self.now = 0.0
        self.nodes: dict[str, Node] = {}
        self.records: dict[str, tuple[Peer, float]] = {}  # address -> who it is, and since when
        self.in_flight: dict[int, tuple[Node, Any]] = {}  # replies, and whom they go to
        self.performers: dict[type, Callable[[Node, Any, Back], None]] = {Call: self._call}  # by type of effect
        self.groups: dict[str, int] = {}  # address -> side of a partition
        self.deaf: set[tuple[str, str]] = set()  # (from, to) that is not heard
        self.on_event: Callable[[], None] = lambda: None
        self.calls = 0
        self.trace = hashlib.sha256()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._chance = {name: random.Random(f"{seed}/{name}") for name in ("delay", "faults", "stagger", "id")}

    # -- time --------------------------------------------------------------------------------------------------

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do this then."""
        self._count += 1
        heapq.heappush(self._events, (when, self._count, action))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            self.now, _, action = heapq.heappop(self._events)
            action()
            self.on_event()
        self.now = end

    def run_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until it holds; False if it does not within `seconds`."""
        end = self.now + seconds
        while not condition():
            if self.now >= end:
                return False
            self.run(0.25)
        return True

    # -- nodes -------------------------------------------------------------------------------------------------

    def add(self, digits: int = 8, id: str = "") -> Node:
        """A new node, not joined; chance gives it an id that nobody has."""
        taken = {node.id for node in self.nodes.values()}
        while not id or id in taken:
            id = f"{self._chance['id'].getrandbits(4 * digits):0{digits}x}"
        node = Node(self, Peer(id, f"node-{len(self.nodes)}", 1))
        self._start(node)
        return node

    def _start(self, node: Node) -> None:
        self.nodes[node.ring.me.address] = node
        self.at(self.now + self._chance["stagger"].uniform(0, PERIOD_S), lambda: self._tick(node))

    def _tick(self, node: Node) -> None:
        if node.alive:
            self.maintain(node)
            self.at(self.now + self._chance["stagger"].uniform(0.9, 1.1) * PERIOD_S, lambda: self._tick(node))

    def maintain(self, node: Node) -> None:
        """One round of upkeep, unless one is under way: join while it has to, then the ring's own."""
        if not node.alive or node.maintaining or node.paused_until > self.now:
            return
        node.maintaining, node.kicked = True, False
        if self.known:
            self._hear_of_peers(node)

        def done(_: Any) -> None:
            node.maintaining = False
            me = node.ring.me
            if node.ring.joined and self.records.get(me.address, (None, 0.0))[0] != me:
                self.records[me.address] = (me, self.now)
            if node.kicked:
                self.maintain(node)

        self.spawn(node, node.ring.maintain() if node.ring.joined else self._joining(node), done)

    def _hear_of_peers(self, node: Node) -> None:
        """A simple stand-in for the replicated records of peers."""
        me = node.ring.me
        for peer, since in self.records.values():
            if peer.id != me.id and since + self.news_s <= self.now and self.hears(peer.address, me.address):
                node.ring.known[peer.id] = peer

    def _joining(self, node: Node) -> Generator[Call, Any, None]:
        seeds = [other.ring.me for other in self.live if other.ring.joined]
        if seeds:
            try:
                yield from node.ring.join(self._chance["stagger"].choice(seeds))
            except RingnodeError:
                return  # tried again at the next tick

    def crash(self, node: Node) -> None:
        """kill -9: nothing of it goes on."""
        node.alive = False

    def restart(self, node: Node) -> Node:
        """The same identity, a new incarnation, and none of the old pointers."""
        me = node.ring.me
        again = Node(self, me._replace(incarnation=me.incarnation + 1))
        self._start(again)
        return again

    @property
    def live(self) -> list[Node]:
        return [node for node in self.nodes.values() if node.alive]

    @property
    def members(self) -> list[Node]:
        return [node for node in self.live if node.ring.joined]

    # -- network -----------------------------------------------------------------------------------------------

    def hears(self, sender: str, receiver: str) -> bool:
        """Does a message get from one to the other?"""
        return self.groups.get(sender, 0) == self.groups.get(receiver, 0) and (sender, receiver) not in self.deaf

    def spawn(self, node: Node, step: Generator[Any, Any, Any], done: Back = lambda _: None) -> None:
        """Drive a step of a node to its end; `done` gets its result, or the error it ended with."""
        self._resume(node, step, done, None)

    def _resume(self, node: Node, step: Generator[Any, Any, Any], done: Back, value: Any) -> None:
        if not node.alive:
            return
        try:
            effect = step.throw(value) if isinstance(value, RingnodeError) else step.send(value)
        except StopIteration as end:
            done(end.value)
        except RingnodeError as error:
            done(error)
        else:
            self.performers[type(effect)](node, effect, lambda result: self._resume(node, step, done, result))

    def _call(self, node: Node, call: Call, back: Back) -> None:
        """The request arrives or does not, so does its reply, or patience ends: one of them resumes the step."""
        mine, theirs, args = node.ring.me.address, call.peer.address, copied(list(call.args))
        if mine == theirs:
            back(node.answer(call.method, args))
            return
        self.calls += 1
        self.trace.update(f"{self.now:.6f} {node.id} {call.peer.id} {call.method}\n".encode())
        waiting = [True]

        def once(value: Any) -> None:
            if node.paused_until > self.now:
                self.at(node.paused_until, lambda: once(value))
            elif waiting[0]:
                waiting[0] = False
                back(value)

        self.at(self.now + TIMEOUT_S, lambda: once(PeerDown(f"{theirs} does not answer")))
        if self.hears(mine, theirs) and not self._happens(self.faults.lost_requests):
            for _ in range(1 + self._happens(self.faults.duplicates)):
                self.at(self.now + self._delay(), lambda: self._arrive(node, call, args, once))

    def _arrive(self, node: Node, call: Call, args: Any, once: Back) -> None:
        there = self.nodes.get(call.peer.address)
        if there is not None and there.alive and there.paused_until > self.now:
            self.at(there.paused_until, lambda: self._arrive(node, call, args, once))
            return
        value: Any
        if there is None or not there.alive:
            value = PeerDown(f"{call.peer.address} refuses")
        elif self._happens(self.faults.busy):
            value = PeerBusy(f"{call.peer.address} is busy")
        else:
            value = there.answer(call.method, args)
        if self.hears(call.peer.address, node.ring.me.address) and not self._happens(self.faults.lost_replies):
            self._reply(node, value, once)

    def _reply(self, node: Node, value: Any, once: Back) -> None:
        number = self._count
        self.in_flight[number] = (node, value)

        def deliver() -> None:
            del self.in_flight[number]
            once(value)

        self.at(self.now + self._delay(), deliver)

    def _delay(self) -> float:
        return min(self._chance["delay"].lognormvariate(0, 1) * DELAY_S, TIMEOUT_S * 0.4)

    def _happens(self, share: float) -> bool:
        return share > 0 and self._chance["faults"].random() < share


def copied(value: Any) -> Any:
    """As the wire gives it: nothing shared, tuples as lists."""
    return msgpack.unpackb(msgpack.packb(value))


def lookups(world: World, asked: list[tuple[Node, str]], within_s: float = 30.0) -> list[Any]:
    """Look keys up from nodes, all at once: for each the Links of its owner, or the error."""
    results: list[Any] = [NotJoined("no answer in time")] * len(asked)
    open_ = [len(asked)]

    def done(n: int, result: Any) -> None:
        results[n] = result
        open_[0] -= 1

    for n, (node, key) in enumerate(asked):
        world.spawn(node, node.ring.find_successor(key), lambda result, n=n: done(n, result))  # type: ignore[misc]
    world.run_until(lambda: not open_[0], within_s)
    return results

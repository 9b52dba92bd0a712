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
from ringnode.protocol.messages import Call, Peer

TIMEOUT_S = 0.5
PERIOD_S = 1.0
DELAY_S = 0.005  # median of one way; the tail is long
HANDLERS = ("links", "route", "notify")


@dataclass
class Faults:
    """Shares of messages, 0 to 1, and pairs that do not hear each other."""

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

    @property
    def id(self) -> str:
        return self.ring.me.id

    def answer(self, method: str, args: list[Any]) -> Any:
        """What the remote object answers; raises our errors."""
        if method == "kick":
            self.world.at(self.world.now, lambda: self.world.maintain(self))
            return None
        if method == "notify":
            return self.ring.notify(Peer.of(args[0]))
        assert method in HANDLERS, method
        return getattr(self.ring, method)(*args)


class World:
    """All nodes, by address. `known` says whether peers hear of one another beside the ring, as records do."""

    def __init__(
        self, seed: int, *, length: int = SUCCESSORS, known: bool = True, faults: Faults | None = None,
        ring_class: type[Ring] = Ring,
    ) -> None:  # fmt: skip
        self.seed = seed
        self.length = length
        self.known = known
        self.faults = faults or Faults()
        self.ring_class = ring_class
        self.now = 0.0
        self.nodes: dict[str, Node] = {}
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
        if self.known:
            others = (other.ring.me for other in self.nodes.values() if other is not node and other.ring.joined)
            node.ring.known |= {peer.id: peer for peer in others if self.hears(peer.address, node.ring.me.address)}
        step = node.ring.maintain() if node.ring.joined else self._joining(node)
        node.maintaining = True

        def done(_: Any) -> None:
            node.maintaining = False

        self.spawn(node, step, done)

    def _joining(self, node: Node) -> Generator[Call, Any, None]:
        seeds = [other.ring.me for other in self.nodes.values() if other.alive and other.ring.joined]
        if seeds:
            try:
                yield from node.ring.join(self._chance["stagger"].choice(seeds))
            except (RingnodeError, IndexError):
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

    def spawn(self, node: Node, step: Generator[Any, Any, Any], done: Callable[[Any], None] = lambda _: None) -> None:
        """Drive a step of a node to its end; `done` gets its result, or the error it ended with."""
        self._resume(node, step, done, step.send, None)

    def _resume(
        self, node: Node, step: Any, done: Callable[[Any], None], resume: Callable[[Any], Any], value: Any
    ) -> None:
        while node.alive:
            try:
                call = resume(value)
            except StopIteration as end:
                done(end.value)
                return
            except RingnodeError as error:
                done(error)
                return
            if call.peer.address != node.ring.me.address:
                self._send(node, call, lambda send, v: self._resume(node, step, done, send, v), step)
                return
            try:  # to oneself, in place
                value, resume = copied(node.answer(call.method, copied(list(call.args)))), step.send
            except RingnodeError as error:
                value, resume = error, step.throw

    def _send(self, node: Node, call: Call, resume: Callable[[Any, Any], None], step: Any) -> None:
        """The request arrives or does not, so does its reply, or patience ends: one of them resumes the step."""
        self.calls += 1
        self.trace.update(f"{self.now:.6f} {node.id} {call.peer.id} {call.method}\n".encode())
        waiting = [True]

        def once(send: Any, value: Any) -> None:
            if waiting[0] and node.alive:
                waiting[0] = False
                if node.paused_until > self.now:
                    self.at(node.paused_until, lambda: resume(send, value))
                else:
                    resume(send, value)

        mine, theirs = node.ring.me.address, call.peer.address
        args = copied(list(call.args))
        self.at(self.now + TIMEOUT_S, lambda: once(step.throw, PeerDown(f"{theirs} does not answer")))
        if self.hears(mine, theirs) and not self._happens(self.faults.lost_requests):
            for _ in range(1 + self._happens(self.faults.duplicates)):
                self.at(self.now + self._delay(), lambda: self._arrive(mine, theirs, call.method, args, once, step))

    def _arrive(
        self, mine: str, theirs: str, method: str, args: Any, once: Callable[[Any, Any], None], step: Any
    ) -> None:
        there = self.nodes.get(theirs)
        if there is not None and there.paused_until > self.now:
            self.at(there.paused_until, lambda: self._arrive(mine, theirs, method, args, once, step))
            return
        if there is None or not there.alive:
            send, value = step.throw, PeerDown(f"{theirs} refuses")
        elif self._happens(self.faults.busy):
            send, value = step.throw, PeerBusy(f"{theirs} is busy")
        else:
            try:
                send, value = step.send, copied(there.answer(method, args))
            except RingnodeError as error:
                send, value = step.throw, error
        if self.hears(theirs, mine) and not self._happens(self.faults.lost_replies):
            self.at(self.now + self._delay(), lambda: once(send, value))

    def _delay(self) -> float:
        return min(self._chance["delay"].lognormvariate(0, 1) * DELAY_S, TIMEOUT_S * 0.4)

    def _happens(self, share: float) -> bool:
        return share > 0 and self._chance["faults"].random() < share


def copied(value: Any) -> Any:
    """As the wire gives it: nothing shared, tuples as lists."""
    return msgpack.unpackb(msgpack.packb(value))


def lookup(world: World, node: Node, key: str, within_s: float = 30.0) -> Any:
    """Look a key up from a node: the Links of its owner, or the error."""
    result: list[Any] = []
    world.spawn(node, node.ring.find_successor(key), result.append)
    world.run_until(lambda: bool(result), within_s)
    return result[0] if result else NotJoined("no answer in time")

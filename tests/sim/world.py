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
from functools import partial
from typing import Any

import msgpack

from ringnode.errors import NotJoined, PeerBusy, PeerDown, RingnodeError
from ringnode.protocol.chord import SUCCESSORS, Ring
from ringnode.protocol.membership import Member, Membership, Verdict
from ringnode.protocol.messages import AtOnce, Call, Links, Peer, Wait, With

TIMEOUT_S = 0.5
PERIOD_S = 1.0
DELAY_S = 0.005  # median of one way; the tail is long

Back = Callable[[Any], None]  # takes an effect's result, or the error it ended with


class NoReply(PeerDown):
    """The peer itself did not answer."""


@dataclass
class Faults:
    """Shares of messages, 0 to 1."""

    lost_requests: float = 0.0
    lost_replies: float = 0.0  # the peer has acted, and the caller does not know
    duplicates: float = 0.0
    busy: float = 0.0
    delay_s: float = DELAY_S  # a long one comes later than people wait, now and then


class Rounds:
    """One loop of a node: a round at a time, and another at once if it was kicked meanwhile."""

    def __init__(self, period_s: float, step: Callable[[], Generator[Any, Any, Any]]) -> None:
        self.period_s = period_s
        self.step = step
        self.running = False
        self.kicked = False


class Node:
    """One simulated process, from its start to its crash: the ring and the watch over its members."""

    def __init__(self, world: "World", peer: Peer) -> None:
        self.world = world
        self.ring = world.ring_class(peer, lambda: world.now, world.length)
        self.membership = Membership(self.ring, self, world.chance(f"member/{peer.address}/{peer.incarnation}"))
        self.alive = True
        self.paused_until = 0.0
        self.loops = {
            "stabilise": Rounds(PERIOD_S, lambda: world.upkeep(self)),
            "probe": Rounds(PERIOD_S, self.membership.probe),
        }

    @property
    def id(self) -> str:
        return self.ring.me.id

    def say(self, peer: Peer, verdict: Verdict) -> None:
        """There are no records here to write it in."""

    def answer(self, method: str, args: list[Any]) -> Any:
        """What the remote object answers, the error it raises, or the step that will find the answer."""
        try:
            return getattr(self, f"on_{method}")(*args)
        except RingnodeError as error:
            return error

    def on_ping(self) -> bool:
        return self.ring.joined

    def on_links(self) -> Links:
        return self.ring.links()

    def on_route(self, key: str) -> Any:
        return self.ring.route(key)

    def on_notify(self, peer: list[Any]) -> None:
        if self.ring.notify(Peer.of(peer)):
            self.on_kick("stabilise")

    def on_reaches(self, peer: list[Any]) -> Any:
        return self.membership.reaches(Peer.of(peer))

    def on_accused(self, incarnation: int) -> None:
        self.membership.accused(incarnation)

    def on_kick(self, loop: str) -> None:
        rounds = self.loops[loop]
        rounds.kicked = True
        self.world.at(self.world.now, lambda: self.world.round(self, loop) if rounds.kicked else None)


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
        self.performers: dict[type, Callable[[Node, Any, Back], None]] = {
            Call: self._call,
            With: lambda node, effect, back: self.spawn(node, effect.step, back),
            AtOnce: self._at_once,
            Wait: lambda node, effect, back: self.at(self.now + effect.seconds, lambda: back(None)),
        }
        self.tries = 1  # the pool of connections makes two; rounds are what the stories of the ring count
        self.unplugged: set[str] = set()  # addresses that do not even refuse when their node is dead
        self.groups: dict[str, int] = {}  # address -> side of a partition
        self.deaf: set[tuple[str, str]] = set()  # (from, to) that is not heard
        self.on_event: Callable[[], None] = lambda: None
        self.touched: set[Node] = set()  # nodes that did something since a watch looked
        self.calls = 0
        self.trace = hashlib.sha256()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._chance = {name: self.chance(name) for name in ("delay", "faults", "stagger", "id")}

    def chance(self, name: str) -> random.Random:
        """A generator for one purpose."""
        return random.Random(f"{self.seed}/{name}")

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
        self.touched.add(node)
        for name, rounds in node.loops.items():
            self.at(self.now + self._chance["stagger"].uniform(0, rounds.period_s), partial(self._tick, node, name))

    def _tick(self, node: Node, loop: str) -> None:
        if node.alive:
            self.round(node, loop)
            pause = self._chance["stagger"].uniform(0.9, 1.1) * node.loops[loop].period_s
            self.at(self.now + pause, partial(self._tick, node, loop))

    def round(self, node: Node, loop: str) -> None:
        """One round of a loop, unless one is under way."""
        rounds = node.loops[loop]
        if not node.alive or rounds.running or node.paused_until > self.now:
            return
        rounds.running, rounds.kicked = True, False

        def done(result: Any) -> None:
            rounds.running = False
            if rounds.kicked or result is True:  # a true answer: there is more to do now
                self.round(node, loop)

        self.spawn(node, rounds.step(), done)

    def upkeep(self, node: Node) -> Generator[Any, Any, None]:
        """A round of the ring: join while it has to, then its own."""
        if self.known:
            self._hear_of_peers(node)
        yield from node.ring.maintain() if node.ring.joined else self._joining(node)
        me = node.ring.me
        if node.ring.joined and self.records.get(me.address, (None, 0.0))[0] != me:
            self.records[me.address] = (me, self.now)

    def _hear_of_peers(self, node: Node) -> None:
        """A simple stand-in for the replicated records of peers."""
        me, heard = node.ring.me, dict(node.ring.known)
        for peer, since in self.records.values():
            if peer.id != me.id and since + self.news_s <= self.now and self.hears(peer.address, me.address):
                heard[peer.id] = peer
        if heard != node.ring.known:
            node.membership.hear(map(Member, heard.values()))

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
        self.touched.add(node)

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
        if node.paused_until > self.now:
            self.at(node.paused_until, lambda: self._resume(node, step, done, value))
            return
        self.touched.add(node)
        try:
            effect = step.throw(value) if isinstance(value, RingnodeError) else step.send(value)
        except StopIteration as end:
            done(end.value)
        except RingnodeError as error:
            done(error)
        else:
            self.performers[type(effect)](node, effect, lambda result: self._resume(node, step, done, result))

    def _call(self, node: Node, call: Call, back: Back) -> None:
        """One try, and another where nothing came back, as the pool of connections does."""
        args = copied(list(call.args)) if call.args else []
        if call.peer.address == node.ring.me.address:
            self._answered(node, node.answer(call.method, args), back)
            return
        tries = [self.tries]

        def attempt() -> None:
            tries[0] -= 1
            self._try(node, call, args, again)

        def again(value: Any) -> None:
            if isinstance(value, NoReply) and tries[0] and node.alive:
                attempt()
            else:
                back(value)

        attempt()

    def _try(self, node: Node, call: Call, args: Any, back: Back) -> None:
        """The request arrives or does not, so does its reply, or patience ends: one of them resumes the step."""
        mine, theirs = node.ring.me.address, call.peer.address
        self.calls += 1
        self.trace.update(f"{self.now:.6f} {node.id} {call.peer.id} {call.method}\n".encode())
        waiting = [True]

        def once(value: Any) -> None:
            if node.paused_until > self.now:
                self.at(node.paused_until, lambda: once(value))
            elif waiting[0]:
                waiting[0] = False
                back(value)

        self.at(self.now + (call.timeout_s or TIMEOUT_S), lambda: once(NoReply(f"{theirs} does not answer")))
        if self.hears(mine, theirs) and not self._happens(self.faults.lost_requests):
            times = 1 + self._happens(self.faults.duplicates)
            for _ in range(times):
                mine_alone = args if times == 1 else copied(args)
                self.at(self.now + self._delay(), partial(self._arrive, node, call, mine_alone, once))

    def _arrive(self, node: Node, call: Call, args: Any, once: Back) -> None:
        there = self.nodes.get(call.peer.address)
        if there is not None and there.alive and there.paused_until > self.now:
            self.at(there.paused_until, lambda: self._arrive(node, call, args, once))
            return

        def reply(value: Any) -> None:
            if self.hears(call.peer.address, node.ring.me.address) and not self._happens(self.faults.lost_replies):
                self._reply(node, value, once)

        if there is None or not there.alive:
            if call.peer.address not in self.unplugged:
                reply(NoReply(f"{call.peer.address} refuses"))
        elif self._happens(self.faults.busy):
            reply(PeerBusy(f"{call.peer.address} is busy"))
        else:
            self.touched.add(there)
            self._answered(there, there.answer(call.method, args), reply)

    def _answered(self, there: Node, value: Any, back: Back) -> None:
        """Hand on an answer as the wire gives it, also one that a step has yet to find."""

        def done(value: Any) -> None:
            back(value if isinstance(value, RingnodeError) else copied(value))

        if isinstance(value, Generator):
            self.spawn(there, value, done)
        else:
            done(value)

    def _at_once(self, node: Node, effect: AtOnce, back: Back) -> None:
        open_, spares = [0], list(effect.spares)
        done, errors = [0], []
        waiting = [True]

        def start(some: Any) -> None:
            open_[0] += 1
            if isinstance(some, Generator):
                self.spawn(node, some, ended)
            else:
                self.performers[type(some)](node, some, ended)

        def ended(value: Any) -> None:
            open_[0] -= 1
            if not isinstance(value, RingnodeError):
                done[0] += 1
            else:
                errors.append(value)
                if spares and waiting[0]:
                    start(spares.pop(0))
            look()

        def look() -> None:
            if waiting[0] and (done[0] >= effect.wanted or not open_[0]):
                waiting[0] = False
                back((done[0], errors))

        open_[0] += 1  # until all are under way: an effect may end at once
        for some in effect.effects:
            start(some)
        open_[0] -= 1
        look()

    def _reply(self, node: Node, value: Any, once: Back) -> None:
        number = self._count
        self.in_flight[number] = (node, value)

        def deliver() -> None:
            del self.in_flight[number]
            once(value)

        self.at(self.now + self._delay(), deliver)

    def _delay(self) -> float:
        delay_s = self.faults.delay_s
        longest_s = TIMEOUT_S * (0.4 if delay_s == DELAY_S else 4)
        return min(self._chance["delay"].lognormvariate(0, 1) * delay_s, longest_s)

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

"""Finding the ring: from static seeds, from every address of a DNS name, and from the peers known of old.

Repeated for ever, also after joining: what two founders or a partition split, a seed brings together again. Several
nodes started at once become one ring: each waits a settle window, then the one with the lowest address founds it.
"""

import logging
import secrets
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from ringnode.catalogue.records import AHEAD_MS, Records
from ringnode.config import Config, split_address
from ringnode.errors import ConfigError, PeerRefused, RingnodeError
from ringnode.objects.peers import Peers
from ringnode.protocol.chord import Ring
from ringnode.protocol.membership import GONE
from ringnode.protocol.messages import Peer
from ringnode.services.roster import Roster, member_of

log = logging.getLogger(__name__)

ASK_AT_ONCE = 8
SEEDS_EVERY_S = 30.0  # once joined


class Greeting(NamedTuple):
    """What a node says of itself when it is pinged."""

    peer: Peer
    name: str
    boot: str  # changes with every start: tells a node its own echo from another node with its identity
    joined: bool
    ring: str
    k: int
    clock_ms: int
    version: str
    parted: bool = False  # it is on its way out: nobody waits for it

    @classmethod
    def of(cls, value: Any) -> "Greeting":
        """From the wire; PeerRefused if it is none."""
        try:
            told = {name: value[name] for name in cls._fields if name in value}  # a newer node may say more
            return cls(**{**told, "peer": Peer.of(value["peer"])})
        except (TypeError, KeyError) as error:
            raise PeerRefused(f"this is no greeting of a node: {value!r:.80}") from error


def wrong_clock(mine: Greeting, them: Greeting) -> PeerRefused:
    """Why a node cannot join now."""
    ahead_ms = mine.clock_ms - them.clock_ms
    way = "ahead of" if ahead_ms > 0 else "behind"
    return PeerRefused(f"this node's clock is {abs(ahead_ms) // 1000} s {way} that of {them.name}: set it")


class Discovery:
    """One node's way into its ring. `fresh` tells that it was never in one.

    `founding` is called before this node is a ring of one and serves anybody, `joined` after it is in a ring.
    """

    def __init__(
        self,
        config: Config,
        ring: Ring,
        peers: Peers,
        records: Records,
        roster: Roster,
        greeting: Callable[[], Greeting],
        fresh: Callable[[], bool],
        founding: Callable[[], None],
        joined: Callable[[], None],
    ) -> None:
        self.failure: ConfigError | None = None  # why this node can never be part of its ring
        self._config = config
        self._ring = ring
        self._peers = peers
        self._records = records
        self._roster = roster
        self._greeting = greeting
        self._fresh = fresh
        self._founding = founding
        self._joined = joined
        self._started = time.monotonic()
        self._asked_at = 0.0

    def once(self) -> None:
        """Look for the ring, and join or found it. ConfigError where this node can never be part of it."""
        if self.failure:
            raise self.failure
        if self._ring.joined and time.monotonic() - self._asked_at < SEEDS_EVERY_S:
            return
        self._asked_at = time.monotonic()
        mine = self._greeting()
        seeds = self._seeds()
        addresses = sorted({*seeds, *self._known()})
        answers, refusals = self._ask(addresses)
        others = [them for them in answers if them.boot != mine.boot and self._fits(mine, them)]
        self._roster.met |= {them.peer.id: them.peer for them in others if them.joined}
        if self._ring.joined:
            return
        inside = [them for them in others if them.joined]
        off = [them for them in inside if abs(mine.clock_ms - them.clock_ms) > AHEAD_MS]
        if 2 * len(off) > len(inside):  # else it is theirs that is wrong
            raise wrong_clock(mine, off[0])
        inside = [them for them in inside if them not in off]
        if inside:
            self._join(secrets.choice(inside))
        elif not (addresses or self._config.seed_name) or self._may_found(
            mine, others, any(them.boot == mine.boot for them in answers)
        ):
            log.info("%s founds the ring", mine.name)
            self._founding()
            with self._peers.lock:
                self._ring.found()
            self._joined()
        elif refusals and not others:
            raise refusals[0]

    def _may_found(self, mine: Greeting, others: list[Greeting], named: bool) -> bool:
        """After the settle window, if no one of those waiting comes before me.

        A new node founds only a ring whose seeds name it; where they name others, it waits for them.
        """
        if time.monotonic() - self._started < self._config.settle_s or (self._fresh() and not named):
            return False
        if not all(mine.peer.address < them.peer.address for them in others if not them.parted):
            return False
        again, _ = self._ask(
            [them.peer.address for them in others]
        )  # one may have founded while the silent were waited for
        return not any(them.joined for them in again)

    def _join(self, contact: Greeting) -> None:
        try:
            self._peers.run(self._roster.enter(contact.peer, self._fresh()))
        except ConfigError as error:
            self.failure = error
            raise
        log.info("%s joined the ring by way of %s", self._config.name, contact.name)
        self._joined()

    def _fits(self, mine: Greeting, them: Greeting) -> bool:
        """Can we be in one ring? A ConfigError stops a node on its way in, never one that is in its ring."""
        wrong = ""
        if them.ring != mine.ring:
            wrong = f"{them.name} at {them.peer.address} belongs to another ring"
        elif them.k != mine.k:
            wrong = f"this node has k = {mine.k}, but its ring has k = {them.k}: set k = {them.k}"
        elif them.peer.id == mine.peer.id:
            wrong = f"{them.name} at {them.peer.address} has this node's identity: was its folder copied?"
        if wrong and them.joined and not self._ring.joined:
            self.failure = ConfigError(wrong)
            raise self.failure
        return not wrong

    # -- whom to ask -------------------------------------------------------------------------------------------

    def _seeds(self) -> list[str]:
        """The addresses the settings name, this node's own included if it is among them."""
        found = list(self._config.seeds)
        if self._config.seed_name:
            host, port = split_address(self._config.seed_name)
            try:
                resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except OSError as error:
                log.info("the name %s cannot be resolved: %s", host, error)
                resolved = []
            found += [f"[{at[0]}]:{port}" if ":" in str(at[0]) else f"{at[0]}:{port}" for *_, at in resolved]
        return found

    def _known(self) -> list[str]:
        """The addresses of the peers of the ring as last heard; none once joined: the ring probes them itself."""
        if self._ring.joined:
            return []
        members = filter(None, map(member_of, self._records.live("peer")))
        others = [member for member in members if member.peer.id != self._ring.me.id]
        return [member.peer.address for member in others if member.state not in GONE]

    def _ask(self, addresses: list[str]) -> tuple[list[Greeting], list[RingnodeError]]:
        """Greetings of those who answer, and why others refused us."""

        def ask(address: str) -> Greeting | RingnodeError:
            try:
                return Greeting.of(self._peers.call(address, "ping"))
            except RingnodeError as error:
                return error

        if not addresses:
            return [], []
        with ThreadPoolExecutor(ASK_AT_ONCE, "discovery") as pool:
            answers = list(pool.map(ask, addresses))
        greetings = {a.boot: a for a in answers if isinstance(a, Greeting)}
        return list(greetings.values()), [a for a in answers if isinstance(a, PeerRefused)]

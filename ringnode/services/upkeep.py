"""What a node does for itself, as one table of loops.

Upload, join, leaving, death and return have no machinery of their own: they kick a loop early.
"""

import logging
import random
import threading
from collections.abc import Callable
from typing import Any

from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import Conflict
from ringnode.objects.peers import Peers
from ringnode.protocol.chord import Ring
from ringnode.protocol.membership import LEFT
from ringnode.services.copies import Copies
from ringnode.services.discovery import Discovery
from ringnode.services.gossip import Gossip
from ringnode.services.loop import Loop
from ringnode.services.roster import Roster, expelled
from ringnode.services.scrub import Scrub
from ringnode.storage.blobs import Blobs

log = logging.getLogger(__name__)

PROBE_S = 1.0
GATHER_S = 0.1  # news waits so long for more of it: a message takes many records as easily as one


class Upkeep:
    """The loops of one node, over its parts. `left` is called when this node has left the ring for good."""

    def __init__(
        self,
        config: Config,
        ring: Ring,
        peers: Peers,
        blobs: Blobs,
        records: Records,
        left: Callable[[], None],
    ) -> None:
        self.ring = ring
        self.blobs = blobs
        self.records = records
        self.leaving = False
        chance = random.Random()
        self.gossip = Gossip(ring, records, chance, self.kick)
        self.roster = Roster(config.name, config.api_url, ring, records, chance, self.gossip.tell, config.inside_url)
        self.scrub = Scrub(config, blobs, self.kick)
        self.copies = Copies(config, ring, peers, blobs, records, self.scrub)
        self.discovery: Discovery | None = None  # set before the start: it needs what is made here
        self._peers = peers
        self._left = left
        joined, here = self._if(lambda: ring.joined), self._if(lambda: ring.joined or self.leaving)
        self.loops = {
            name: Loop(name, period_s, once, GATHER_S if name == "spread" else 0.0)
            for name, period_s, once in (
                ("discover", 1.0, self.discover),
                ("stabilise", config.stabilise_every_s, joined(self.stabilise)),
                ("probe", PROBE_S, here(self.probe)),
                ("spread", 3600.0, here(lambda: peers.run(self.gossip.spread()))),
                ("exchange", config.exchange_every_s, here(lambda: peers.run(self.gossip.exchange()))),
                ("replicate", config.replicate_every_s, here(self.replicate)),
                ("audit", config.audit_every_s, joined(self.audit)),
                ("scrub", config.audit_every_s, self.scrub.once),
            )
        }

    @staticmethod
    def _if(condition: Callable[[], bool]) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
        return lambda once: lambda: once() if condition() else None

    def kick(self, loop: str) -> None:
        """Run a loop early; a name that is none is passed over, a newer peer may know more loops."""
        if loop in self.loops:
            self.loops[loop].kick()

    def tell(self, news: list[Record]) -> None:
        """Have these records told to other nodes."""
        self.gossip.tell(news)

    # -- the passes that are not one part's alone --------------------------------------------------------------

    def discover(self) -> None:
        """Find the ring, unless this node is on its way out of it."""
        if self.discovery and not self.leaving:
            self.discovery.once()

    def stabilise(self) -> None:
        """One round of the ring's upkeep, with the peers that the records name."""
        with self._peers.lock:
            before = (self.ring.predecessor, self.ring.successors, self.ring.barred)
            self.roster.refresh()
        self._peers.run(self.ring.maintain())
        if before != (self.ring.predecessor, self.ring.successors, self.ring.barred):
            self.kick("replicate")

    def probe(self) -> None:
        """Look who is up; tell who I am where that has changed; stop where I am expelled."""
        self._peers.run(self.roster.probe())
        self.announce()
        by = self.roster.membership.expelled_by
        if by and self.discovery and not self.discovery.failure:
            with self._peers.lock:
                self.ring.part()
            self.discovery.failure = expelled(by)
            log.error("%s", self.discovery.failure)

    def replicate(self) -> bool:
        """Files to their owners; the last pass of a node that leaves ends it. True: there is more to do."""
        again = self.copies.replicate()
        if self.copies.replication.report.handed_over:
            with self._peers.lock:
                self.roster.say_of_me(LEFT)
            while self._peers.run(self.gossip.spread()):
                pass
            self._left()
        return again

    def announce(self) -> None:
        """Say who and where I am, if that has changed."""
        free_bytes = self.blobs.free_bytes()
        with self._peers.lock:
            self.roster.announce(free_bytes)

    def audit(self) -> None:
        """Housekeeping."""
        self.gossip.tell(self.records.take_due())
        with self._peers.lock:
            self.gossip.forget()
        self.copies.audit()

    def leave(self) -> None:
        """Begin to leave the ring; twice is harmless. Conflict where no other node stays to take its files."""
        if self.leaving:
            with self._peers.lock:
                if not self.roster.stayers():
                    raise Conflict("all other nodes leave too, or are down: nobody is there to take its music")
            return
        self._peers.run(self.roster.leave())
        self.leaving = self.copies.replication.leaving = True
        self.kick("replicate")

    # -- all of it ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start every loop."""
        for loop in self.loops.values():
            loop.start()

    def stop(self) -> None:
        """Stop them together: each waits for its own present pass."""
        stoppers = [threading.Thread(target=loop.stop) for loop in self.loops.values()]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join()

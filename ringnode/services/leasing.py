"""A lease held while something is done that only one may do at once: `with durability.lease(name): ...`.

It is asked for anew while it is held, for it ends by itself soon after its holder dies. What follows `require()` must
follow at once: a lease guards what is stored last, not what was prepared before.
"""

import secrets
import threading
import time
from typing import Self

from ringnode.errors import Conflict
from ringnode.objects.peers import Peers
from ringnode.protocol.leases import TERM_S, give_back, take
from ringnode.protocol.messages import NO_ANSWER, Peer

RENEW_S = TERM_S / 4  # several tries before a term ends


class Held:
    """A context manager: Conflict on entering while another holds `name`, PeerBusy if no node can grant it now.

    Every use is a holder of its own: two threads, two workers and two nodes exclude one another alike.
    """

    def __init__(self, peers: Peers, home: Peer, name: str, renew_s: float = RENEW_S) -> None:
        self.number = 0
        self._peers = peers
        self._home = home
        self._name = name
        self._holder = f"{home.address} {secrets.token_hex(8)}"
        self._renew_s = renew_s
        self._until = 0.0
        self._lost = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"lease {name}", daemon=True)

    def require(self) -> None:
        """Conflict if the lease ran out, for others may hold it now: call it before what must not be done twice."""
        if self._lost or time.monotonic() >= self._until:
            raise Conflict(f"{self._name} is held no more: the ring did not answer in time")

    def _take(self, *attempts: int) -> None:
        began = time.monotonic()
        number = self._peers.run(take(self._home, self._name, self._holder, *attempts))
        self._lost = self._lost or self.number not in (0, number)  # another may have had it in between
        self.number = number
        self._until = began + TERM_S

    def _renew(self) -> None:
        while not self._ended.wait(self._renew_s) and not self._lost:
            try:
                self._take(1)
            except Conflict:
                self._lost = True
            except NO_ANSWER:
                continue  # the next try is soon, and the term ends by itself

    def __enter__(self) -> Self:
        self._take()
        if time.monotonic() > self._until - TERM_S + self._renew_s:
            self._take(1)  # it was granted at the end of that time, or at its beginning: who knows
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._peers.run(give_back(self._home, self._name, self._holder, self.number))

"""Wrong passwords, counted for an address and a name together: who guesses waits longer and longer, nobody else does.

In the node's database, so that all its workers count as one; not a record, for no other node needs to know.
"""

import ipaddress
import math
from collections.abc import Callable

from ringnode.catalogue.database import Database

FREE = 5  # wrong passwords before the first wait: people mistype
LONGEST_S = 900
FORGOTTEN_S = 3600  # after so long without another one
WATCHED = 10_000  # addresses and names at once; then the oldest are forgotten
V6_BITS = 64  # what one customer has of IPv6


class Attempts:
    """Over the catalogue's database; `now_s` is the wall clock."""

    def __init__(self, db: Database, now_s: Callable[[], float]) -> None:
        self._db = db
        self._now_s = now_s

    def wait_s(self, address: str, name: str) -> int:
        """How long this address must wait until it may try this name again; 0 if it may now."""
        until = self._db.value("SELECT until_s FROM attempt WHERE who = ?", _who(address, name))
        return max(0, math.ceil((until or 0) - self._now_s()))

    def failed(self, address: str, name: str) -> None:
        """Another wrong password."""
        who, now = _who(address, name), self._now_s()
        with self._db.write() as tx:
            tx.execute("DELETE FROM attempt WHERE at_s < ?", (now - FORGOTTEN_S,))
            row = tx.execute("SELECT failures FROM attempt WHERE who = ?", (who,)).fetchone()
            failures = (row[0] if row else 0) + 1
            wait_s = min(LONGEST_S, 2 ** min(failures - FREE, 10)) if failures >= FREE else 0
            tx.execute("INSERT OR REPLACE INTO attempt VALUES (?, ?, ?, ?)", (who, failures, now, now + wait_s))
            tx.execute(
                "DELETE FROM attempt WHERE who IN (SELECT who FROM attempt ORDER BY at_s DESC LIMIT -1 OFFSET ?)",
                (WATCHED,),
            )

    def succeeded(self, address: str, name: str) -> None:
        """The right one: what was wrong before is forgotten."""
        who = _who(address, name)
        if self._db.value("SELECT 1 FROM attempt WHERE who = ?", who):
            with self._db.write() as tx:
                tx.execute("DELETE FROM attempt WHERE who = ?", (who,))


def _who(address: str, name: str) -> str:
    """Of an IPv6 address only the network: its owner has 2^64 of them."""
    try:
        ip = ipaddress.ip_address(address)
        home = str(ipaddress.ip_network((ip, V6_BITS), strict=False)) if ip.version == 6 else str(ip)
    except ValueError:
        home = address
    return f"{home} {name[:200]}".encode("utf-8", "replace").decode()

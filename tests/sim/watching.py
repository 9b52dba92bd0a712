"""What must never be true of two nodes at once, as those who hold a lease believe it.

A belief begins when `take` returns, and ends when it is given back or its term, counted from before the question,
has run out. Each side of a split network is a ring of its own and grants for itself.
"""

from machines import Machine, Machines
from people import People
from seen import SEEN

from ringnode.protocol.leases import TERM_S


class Beliefs:
    """Who believes to be alone at a name, and until when."""

    def __init__(self, world: Machines, people: People) -> None:
        self.world = world
        self.people = people
        self.held: dict[str, dict[Machine, float]] = {}
        world.on_lease = self.begins
        world.on_release = self.ends

    def begins(self, machine: Machine, name: str, until: float) -> None:
        now = self.world.now
        holders = self.held.setdefault(name, {})
        holders[machine] = until
        SEEN["leases"] += 1
        others = [other for other, end in holders.items() if other.alive and end > now and other is not machine]
        if until > now and others and self.whole():
            raise AssertionError(
                f"{machine.ring.me.address} and {others[0].ring.me.address} hold {name[:20]} at once"
            )

    def ends(self, machine: Machine, name: str) -> None:
        self.held.get(name, {}).pop(machine, None)

    def whole(self) -> bool:
        """Is the network in one piece, and was it when any lease that counts now was granted?"""
        return all(end <= self.world.now - TERM_S for _, end in self.people.splits)

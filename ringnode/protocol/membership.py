"""Who is up: probes, second opinions, suspicion that its victim can refute.

After SWIM (Das, Gupta, Motivala, DSN 2002) with the local health of Lifeguard (Dadgar, Phillips, Currey, 2018). Two
beliefs are kept apart. A peer that does not answer me is *mute*: the ring goes round it at once, since being wrong is
cheap there. That it is *down* is a verdict of all: the peers' records carry it to everyone, and only then are files
copied anew. A verdict names the incarnation it was passed on; who hears one of itself raises its own, and lives.
"""

from collections.abc import Iterable, Sequence
from math import log10
from typing import Any, NamedTuple, Protocol

from ringnode.errors import NotJoined, PeerBusy, PeerDown, PeerRefused
from ringnode.protocol.chord import Ring
from ringnode.protocol.messages import NO_ANSWER, AtOnce, Call, Peer, Step

UP, SUSPECT, DOWN, LEAVING, LEFT, EXPELLED = "up", "suspect", "down", "leaving", "left", "expelled"
GONE = (LEFT, EXPELLED)

PATIENCE_S = 0.75  # for each of two tries: within 3 s a silent death is noticed
OPINIONS = 3  # others asked to try before a peer is suspected
SUSPICION_S = 4.0  # longer than the pauses of a busy machine
SUSPICION_A_DECADE_S = 3.0  # as news takes longer in a larger ring
WORST_HEALTH = 7
AT_ONCE = 3  # mute peers looked into in one round
DOWN_EVERY = 10  # rounds: the dead are asked for ever, but seldom


class Verdict(NamedTuple):
    """What was said of a peer, of which of its incarnations, and by whom (an id, or a person's name)."""

    state: str
    incarnation: int
    by: str

    @classmethod
    def of(cls, value: Any) -> "Verdict | None":
        """From a record's document; None if it is none."""
        try:
            state, incarnation, by = value
        except (TypeError, ValueError):
            return None
        good = isinstance(state, str) and isinstance(incarnation, int) and isinstance(by, str)
        return cls(state, incarnation, by) if good else None


class Member(NamedTuple):
    """A peer and what is said of it, as its record has it."""

    peer: Peer
    verdict: Verdict | None = None

    @property
    def state(self) -> str:
        """A verdict on an earlier incarnation is history; an expulsion is for good."""
        if self.verdict and (self.verdict.state == EXPELLED or self.verdict.incarnation >= self.peer.incarnation):
            return self.verdict.state
        return UP


class Herald(Protocol):
    """Makes verdicts known to all members."""

    def say(self, peer: Peer, verdict: Verdict) -> None: ...


class Chance(Protocol):
    """A seeded generator, such as random.Random."""

    def sample(self, population: Sequence[Any], k: int) -> list[Any]: ...
    def choice(self, seq: Sequence[Any]) -> Any: ...


class Membership:
    """What one node believes of its peers. `say` is the driver's: it writes the peer's record and spreads it."""

    def __init__(self, ring: Ring, herald: Herald, chance: Chance) -> None:
        self.ring = ring
        self.members: dict[str, Member] = {}
        self.health = 0  # how much to doubt myself: slow, or ill connected
        self.expelled_by = ""
        self._since: dict[str, float] = {}  # when I heard of a peer's present state
        self._herald = herald
        self._chance = chance
        self._turns: list[str] = []
        self._round = 0

    def state(self, peer_id: str) -> str:
        """UP where nothing else is said."""
        member = self.members.get(peer_id)
        return member.state if member else UP

    # -- what is heard -----------------------------------------------------------------------------------------

    def hear(self, members: Iterable[Member]) -> None:
        """Take over what the records say now. A verdict acts when it is news: an answer since outweighs it."""
        heard = {member.peer.id: member for member in members}
        mine = heard.pop(self.ring.me.id, None)
        if mine and mine.verdict:
            self._hear_of_me(mine.state, mine.verdict)
        for id, member in heard.items():
            if member.state != self.state(id) or member.peer.incarnation != self._incarnation(id):
                self._turn(member)
        self.members = heard
        self.ring.barred = frozenset(id for id, member in heard.items() if member.state in GONE)
        self.ring.known = {id: member.peer for id, member in heard.items() if id not in self.ring.barred}

    def _hear_of_me(self, state: str, verdict: Verdict) -> None:
        if state == EXPELLED:
            self.expelled_by = verdict.by
        elif state != UP and verdict.by != self.ring.me.id:
            self.accused(verdict.incarnation)

    def _incarnation(self, id: str) -> int:
        return self.members[id].peer.incarnation if id in self.members else 0

    def _turn(self, member: Member) -> None:
        peer, now = member.peer, self.ring.now()
        self._since[peer.id] = now
        if member.state == DOWN:
            self.ring.down.setdefault(peer.id, now)
        else:
            self.ring.down.pop(peer.id, None)
        if member.state in (SUSPECT, DOWN):
            self.ring.silent(peer)
        elif member.state == LEAVING:
            self.ring.aside(peer)
        else:
            self.ring.answered(peer)

    def accused(self, incarnation: int) -> None:
        """Someone holds me for dead: a higher incarnation refutes it."""
        if incarnation >= self.ring.me.incarnation:
            self.ring.me = self.ring.me._replace(incarnation=incarnation + 1)

    # -- probes ------------------------------------------------------------------------------------------------

    def probe(self) -> Step[None]:
        """One round, every second: who fell silent, whose suspicion ran out, and one more, in turn."""
        self._round += 1
        for peer in self._targets():
            yield from self._check(peer)

    def reaches(self, peer: Peer) -> Step[None]:
        """A second opinion for another node: raises PeerDown if `peer` does not answer me either."""
        try:
            yield from self.ring.links_of(peer)
        except (NotJoined, PeerBusy, PeerRefused):
            return  # alive

    def suspicion_s(self) -> float:
        """How long a suspect has to refute."""
        return max(SUSPICION_S, SUSPICION_A_DECADE_S * log10(len(self.members) + 1))

    def _targets(self) -> list[Peer]:
        known = self.ring.known
        mute = [id for id in self.ring.mute if id in known and self.state(id) == UP]
        due = [id for id, member in self.members.items() if member.state == SUSPECT and self._ran_out(member)]
        down = [id for id, member in self.members.items() if member.state == DOWN]
        chosen = mute[:AT_ONCE] + due[:AT_ONCE]
        if down and self._round % DOWN_EVERY == 0:
            chosen.append(self._chance.choice(sorted(down)))
        live = set(known) - set(mute) - set(down) - set(due)
        self._turns = [id for id in self._turns if id in live] or self._chance.sample(sorted(live), len(live))
        if self._turns:
            chosen.append(self._turns.pop())
        return [known[id] for id in chosen if id in known]

    def _ran_out(self, member: Member) -> bool:
        """Who said it counts it out; the others wait longer, so that not all say the same at once."""
        mine = member.verdict is not None and member.verdict.by == self.ring.me.id
        limit = self.suspicion_s() * (1 if mine else 1.5) * (1 + self.health / 4)
        return self.ring.now() - self._since.get(member.peer.id, 0.0) >= limit

    def _check(self, peer: Peer) -> Step[None]:
        began = self.ring.now()
        patience = PATIENCE_S * (1 + self.health / 4)
        self.ring.patience_s = patience
        try:
            yield from self.ring.links_of(peer)
        except PeerDown:
            if self.ring.now() - began > 3 * patience:
                self._doubt_myself()  # I slept: what seemed silence was mine
            else:
                yield from self._second_opinion(peer)
            return
        except NotJoined:
            self.ring.aside(peer)
        except (PeerBusy, PeerRefused):
            self.ring.answered(peer)
        self.health = max(0, self.health - 1)
        if self.state(peer.id) in (SUSPECT, DOWN):
            try:
                yield Call(peer, "accused", (self._incarnation(peer.id),))
            except NO_ANSWER:
                return

    def _second_opinion(self, peer: Peer) -> Step[None]:
        others = sorted(other for id, other in self.ring.known.items() if id not in self.ring.mute and id != peer.id)
        asked = self._chance.sample(others, min(OPINIONS, len(others)))
        reached, _ = yield AtOnce([Call(other, "reaches", (peer,)) for other in asked], 1)
        if reached:
            self._doubt_myself()
            return
        member = self.members.get(peer.id)
        if member is None:
            return
        if member.state == UP:
            self._say(member.peer, SUSPECT)
        elif member.state == SUSPECT and self._ran_out(member):
            self._say(member.peer, DOWN)

    def _doubt_myself(self) -> None:
        self.health = min(WORST_HEALTH, self.health + 1)

    def _say(self, peer: Peer, state: str) -> None:
        verdict = Verdict(state, peer.incarnation, self.ring.me.id)
        member = Member(peer, verdict)
        self._turn(member)
        self.members[peer.id] = member
        self._herald.say(peer, verdict)

"""A checker is believed when it has caught planted bugs: the classic faults of Chord's published and toy versions."""

from collections.abc import Callable
from typing import Any

import pytest
from scenarios import all_successors_die, crashes_and_returns, joins_at_once, joins_one_by_one, partition, storm

from ringnode.protocol.chord import Ring
from ringnode.protocol.idspace import between
from ringnode.protocol.messages import NO_ANSWER, Call, Peer, Route

SEEDS = range(12)


class TakesOneSuccessor(Ring):
    """The 2001 paper's join: one pointer, and no list, from its own successor's word."""

    def join(self, seed: Peer) -> Any:
        found = yield from self._walk(self.me.id, [seed])
        self._point(predecessor=found.predecessor, successors=[found.me])
        self.length = 1


class AdoptsUnasked(Ring):
    """Takes its successor's predecessor for granted."""

    def adopt(self, candidate: Peer) -> Any:
        yield Call(self.me, "kick", ("stabilise",))
        if between(self.me.id, candidate.id, self.successors[0].id):
            self._point(successors=self._trim([candidate, *self.successors]))

    def stabilise(self) -> Any:
        head = self.successors[0]
        try:
            links = yield from self._links_of(head)
        except NO_ANSWER:
            self._point(successors=self.successors[1:] or [self.me])
            return
        if links.predecessor and between(self.me.id, links.predecessor.id, head.id):
            yield from self.adopt(links.predecessor)
        try:
            yield Call(self.successors[0], "notify", (self.me,))
        except NO_ANSWER:
            return


class NeverRectifies(Ring):
    """Keeps a dead predecessor for ever."""

    def rectify(self) -> Any:
        notifier, self._notifier = self._notifier, None
        if notifier and (not self.predecessor or between(self.predecessor.id, notifier.id, self.me.id)):
            self._point(predecessor=notifier)
        return
        yield


class ListsWrap(Ring):
    """Takes a list over as it is told, also where it comes round to itself and goes on."""

    def _trim(self, peers: Any) -> list[Peer]:
        return list({peer.id: peer for peer in peers}.values())[: self.length] or [self.me]


class OneTryOnly(Ring):
    """Stabilise without its retry loop: a dead head stays."""

    def stabilise(self) -> Any:
        try:
            links = yield from self._links_of(self.successors[0])
        except NO_ANSWER:
            return
        self._point(successors=self._trim([links.me, *links.successors]))
        if links.predecessor and between(self.me.id, links.predecessor.id, links.me.id):
            yield from self.adopt(links.predecessor)
        yield Call(self.successors[0], "notify", (self.me,))


class ClaimsWhatFollowsIt(Ring):
    """The wrong end of the interval is open: answers for keys in [me, successor) instead."""

    def owns(self, key: str) -> bool:
        return self.joined and (key == self.me.id or between(self.me.id, key, self.successors[0].id))


class NoRescue(Ring):
    """All successors dead: goes on asking the last of them."""

    def _rescue(self) -> Any:
        return
        yield

    def candidate(self) -> Any:
        return
        yield


class NoCandidate(Ring):
    """Plain Chord: what a partition split stays split."""

    def candidate(self) -> Any:
        return
        yield


class NeverNotifies(Ring):
    """Its successor never hears of it."""

    def stabilise(self) -> Any:
        step = super().stabilise()
        try:
            call = next(step)
            while True:
                if call.method == "notify":
                    return
                try:
                    call = step.send((yield call))
                except NO_ANSWER as error:
                    call = step.throw(error)
        except StopIteration:
            return


class LeadsAstray(Ring):
    """Says it found what it only believes: answers a lookup without asking the owner."""

    def route(self, key: str) -> Route:
        links = self.links()
        return Route(links, [])


BUGS: list[tuple[type[Ring], Callable[..., None]]] = [
    (TakesOneSuccessor, crashes_and_returns),
    (AdoptsUnasked, crashes_and_returns),
    (NeverRectifies, crashes_and_returns),
    (ListsWrap, joins_at_once),
    (OneTryOnly, crashes_and_returns),
    (ClaimsWhatFollowsIt, joins_at_once),
    (NoRescue, all_successors_die),
    (NoCandidate, partition),
    (NeverNotifies, joins_one_by_one),
    (LeadsAstray, storm),
]


@pytest.mark.parametrize(("bug", "story"), BUGS, ids=lambda value: getattr(value, "__name__", None))
def test_a_planted_bug_is_caught(bug: type[Ring], story: Callable[..., None]) -> None:
    for seed in SEEDS:
        try:
            story(seed, bug)
        except (AssertionError, RecursionError, StopIteration, IndexError):
            return
    raise AssertionError(f"{bug.__name__} went through {len(SEEDS)} seeds of {story.__name__} unnoticed")

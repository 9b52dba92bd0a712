"""A checker is believed when it has caught planted bugs: the classic faults of Chord's published and toy versions."""

from collections.abc import Callable
from typing import Any

import pytest
from scenarios import all_successors_die, crashes_and_returns, joins_at_once, joins_one_by_one, partition, storm, told

from ringnode.protocol.chord import Ring
from ringnode.protocol.idspace import between
from ringnode.protocol.messages import NO_ANSWER, Call, Peer, Route

SEEDS = range(12)


class TakesOneSuccessor(Ring):
    """The 2001 paper's join: one pointer, and no list."""

    def _point(self, **pointers: Any) -> None:
        if not self.joined:
            pointers["successors"] = pointers["successors"][:1]
        super()._point(**pointers)


class AdoptsUnasked(Ring):
    """Takes its successor's predecessor for granted, with no more than that successor's list behind it."""

    def adopt(self, candidate: Peer) -> Any:
        if between(self.me.id, candidate.id, self.successors[0].id):
            self._point(successors=[candidate])
        return
        yield


class FlushesPredecessor(Ring):
    """The 2001 paper's check_predecessor: who does not answer is forgotten, and nobody takes its place."""

    def rectify(self) -> Any:
        try:
            yield from self.links_of(self.predecessor or self.me)
        except NO_ANSWER:
            self.predecessor = None
        yield from super().rectify()


class ReplacesUnasked(Ring):
    """Takes every notifier, without asking whether the present predecessor lives and is nearer."""

    def rectify(self) -> Any:
        notifier, self._notifier = self._notifier, None
        if notifier:
            self._point(predecessor=notifier)
        return
        yield


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
            links = yield from self.links_of(self.successors[0])
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
    (FlushesPredecessor, crashes_and_returns),
    (ReplacesUnasked, joins_at_once),
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
        except AssertionError:
            told(story, seed)  # and the real ring is not
            return
    raise AssertionError(f"{bug.__name__} went through {len(SEEDS)} seeds of {story.__name__} unnoticed")

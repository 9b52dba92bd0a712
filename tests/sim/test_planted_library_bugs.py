"""The checkers of whole libraries catch planted bugs, one for each rule; the real nodes pass the same seeds."""

from collections.abc import Callable
from typing import Any

import pytest
from library import library_life
from machines import Machine, Place
from scenarios import told
from seen import SeenMembership, SeenReplication, Table
from tales import (
    claims,
    edits_at_once,
    edits_in_turn,
    long_absence,
    nobody_is_down,
    old_backup,
    reboot,
    rotten_heir,
    rotten_source,
    sleepers,
)

from ringnode.catalogue.record import Record
from ringnode.protocol.leases import Leases
from ringnode.protocol.membership import DOWN
from ringnode.protocol.messages import Step
from ringnode.protocol.writing import Writing
from ringnode.services.gossip import Gossip

SEEDS = range(25)


class GivesUpToOne(Machine):
    """One owner has it: that is enough."""

    class replication_class(SeenReplication):  # noqa: N801
        def _pass_on(self, key: str, owners: Any, holders: Any, asked_at: float) -> Step[None]:
            if holders and not self.leaving:
                self.store.drop(key)
                return
            yield from super()._pass_on(key, owners, holders, asked_at)


class GivesUpUnasked(Machine):
    """Others are its owners now, so they will have it."""

    class replication_class(SeenReplication):  # noqa: N801
        def _pass_on(self, key: str, owners: Any, holders: Any, asked_at: float) -> Step[None]:
            if not self.leaving:
                self.store.drop(key)
            return
            yield


class BelievesTheLast(Machine):
    """The only other node says that it has a copy: it will be whole."""

    class replication_class(SeenReplication):  # noqa: N801
        def _has_read(self, holder: Any, key: str) -> Step[bool]:
            return True
            yield


class CopiesAtOnce(Machine):
    """Who does not answer is dead, and its copies with it."""

    class replication_class(SeenReplication):  # noqa: N801
        def _away(self, scarce: Any) -> int:
            return 0


class AcknowledgesEarly(Machine):
    """One node has it: done."""

    class writing_class(Writing):  # noqa: N801
        def wanted(self) -> Step[int]:
            return 1
            yield


class RecordBeforeBytes(Machine):
    """The catalogue speaks of a song, and then its bytes are put on their owners."""

    def upload(self, key: str, title: str) -> Step[bool]:
        record = self.records.draft("song", key, {"title": title, "size_bytes": 1})
        yield from self.writing.publish("song", key, record)
        yield from self.writing.put(key, lambda peer: Place(peer, key))
        return True


class EditsUnread(Machine):
    """Changes a record as it happens to be here."""

    class writing_class(Writing):  # noqa: N801
        def latest(self, records: Any, kind: str, key: str) -> Step[Any]:
            return records.get(kind, key)
            yield


class WholeRecords(Machine):
    """Of two records the one that was changed last wins, with all its fields."""

    class table_class(Table):  # noqa: N801
        def merge(self, records: Any) -> list[Record]:
            newer = []
            for record in records:
                present = self.get(record.kind, record.key)
                if present is None or record.newest() > present.newest():
                    stamps = dict.fromkeys(record.doc, record.newest())
                    newer.append(record._replace(edits=stamps))
            return super().merge(newer)


class ForgetsEarly(Machine):
    """An old tombstone is forgotten, whoever has yet to hear of it."""

    class gossip_class(Gossip):  # noqa: N801
        def forget(self) -> int:
            self._records.forget(self._records.old_tombstones())
            return 0


class TellsOldThingsOn(Machine):
    """What the others do not know must be news, also in an old backup."""

    class table_class(Table):  # noqa: N801
        def outdated(self, record: Record) -> bool:
            return record.deleted and super().outdated(record)


class TakesDamaged(Machine):
    """Bytes that come from a peer are right."""

    verifies = False


class GrantsAlone(Machine):
    """A lease that only its granter knows of, which does not know when it has slept."""

    class leases_class(Leases):  # noqa: N801
        def _require(self, name: str, holder: str) -> None:
            self._ring.stale_s = float("inf")
            super()._require(name, holder)

        def grant(self, name: str, holder: str) -> Step[int]:
            self._require(name, holder)
            number = self._number(name)
            self._put(name, holder, number)
            return number
            yield


class GrantsAtOnce(Machine):
    """Whoever owns a name grants it, from the first moment on; and a witness only listens."""

    class leases_class(Leases):  # noqa: N801
        def _require(self, name: str, holder: str) -> None:
            self._refuse_second(name, holder)

        def witness(self, name: str, holder: str, number: int) -> None:
            return


class OneProbeIsDown(Machine):
    """Who does not answer me is down."""

    class membership_class(SeenMembership):  # noqa: N801
        def _second_opinion(self, peer: Any) -> Step[None]:
            self._say(peer, DOWN)
            return
            yield


class NeverRefutes(Machine):
    """Held for dead, it lives on in silence."""

    class membership_class(SeenMembership):  # noqa: N801
        def accused(self, incarnation: int) -> None:
            return


BUGS: list[tuple[type[Machine], Callable[..., object]]] = [
    (GivesUpToOne, library_life),
    (GivesUpUnasked, library_life),
    (BelievesTheLast, rotten_heir),
    (CopiesAtOnce, reboot),
    (AcknowledgesEarly, library_life),
    (RecordBeforeBytes, library_life),
    (EditsUnread, edits_in_turn),
    (WholeRecords, edits_at_once),
    (ForgetsEarly, long_absence),
    (TellsOldThingsOn, old_backup),
    (TakesDamaged, rotten_source),
    (GrantsAlone, claims),
    (GrantsAtOnce, claims),
    (OneProbeIsDown, nobody_is_down),
    (NeverRefutes, sleepers),
]


@pytest.mark.parametrize(("bug", "story"), BUGS, ids=lambda value: getattr(value, "__name__", None))
def test_a_planted_bug_is_caught(bug: type[Machine], story: Callable[..., object]) -> None:
    for seed in SEEDS:
        try:
            story(seed, machine_class=bug)
        except AssertionError:
            told(story, seed)  # and the real nodes are not
            return
    raise AssertionError(f"{bug.__name__} went through {len(SEEDS)} seeds of {story.__name__} unnoticed")

"""Finding the ring: who founds it, who joins, and who is told that it cannot be part of it."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ringnode.catalogue.database import Database
from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import ConfigError, PeerDown, PeerRefused
from ringnode.objects.peers import Peers
from ringnode.protocol.chord import Ring
from ringnode.protocol.messages import Peer
from ringnode.services import discovery
from ringnode.services.discovery import Discovery, Greeting
from ringnode.services.roster import Roster

NOW_MS = 1_700_000_000_000
A, B, C, D = "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:4"


class Answers(Peers):
    """Peers that answer from a table instead of the network."""

    def __init__(self, address: str) -> None:
        super().__init__(1.0)
        self.table: dict[str, Any] = {}
        self.address = address
        self.ring_knows: list[Any] = []  # of the newcomer itself
        self.asked: set[str] = set()

    def call(self, address: str, method: str, *args: Any, **more: Any) -> Any:
        self.asked.add(address)
        answer = self.table.get(address)
        if answer is None:
            raise PeerDown(f"{address} does not answer")
        if isinstance(answer, Exception):
            raise answer
        if method == "ping":
            return {**answer._asdict(), "peer": list(answer.peer)}
        if method == "place":
            return "5" * 64
        if method == "find_successor":
            return list(answer.peer)
        if method == "get_records":
            return self.ring_knows
        if method == "digests":
            return [[0] * 256 for _ in args[0]] if args[0] else [0] * 256
        if method in ("entries", "put_records"):
            return []
        links = [list(answer.peer), list(answer.peer), [list(answer.peer)]]
        return {"links": links, "route": [links, []], "notify": None, "kick": None}[method]


class Newcomer:
    """A node on its way in, at address B."""

    def __init__(self, folder: Path, seeds: str, fresh: bool = True) -> None:
        self.db = Database(folder / "c.db")
        self.records = Records(self.db, "n", lambda: NOW_MS)
        self.config = Config.load({"seeds": seeds, "settle_s": "0", "port": "2"}, {})
        self.ring = Ring(Peer("b" * 64, B, 1), lambda: 0.0)
        self.peers = Answers(B)
        self.fresh = fresh
        self.joined: list[bool] = []
        self.peers.table[B] = self.greeting()
        self.roster = Roster("me", "", self.ring, self.records, random.Random(1), lambda news: None)
        self.discovery = Discovery(
            self.config, self.ring, self.peers, self.records, self.roster,
            self.greeting, lambda: self.fresh, self.found, self.join,
        )  # fmt: skip

    def found(self) -> None:
        assert not self.ring.joined, "what a ring needs is there before anybody is served"
        self.joined.append(True)

    def join(self) -> None:
        if not self.joined:
            self.joined.append(False)

    def greeting(self) -> Greeting:
        return Greeting(self.ring.me, "me", "boot-b", self.ring.joined, "ring", 3, NOW_MS, "1")

    def other(self, address: str, **changes: Any) -> None:
        said = Greeting(
            Peer(address[-1] * 64, address, 1), f"node {address}", f"boot-{address}", True, "ring", 3, NOW_MS, "1"
        )
        self.peers.table[address] = said._replace(**changes)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path


@pytest.fixture
def made() -> Iterator[list[Newcomer]]:
    all_: list[Newcomer] = []
    yield all_
    for node in all_:
        node.db.close()


def newcomer(made: list[Newcomer], folder: Path, seeds: str, fresh: bool = True) -> Newcomer:
    made.append(Newcomer(folder, seeds, fresh))
    return made[-1]


def test_a_node_without_seeds_founds_a_ring(made: list[Newcomer], folder: Path) -> None:
    node = newcomer(made, folder, "")
    node.discovery.once()
    assert node.joined == [True] and node.ring.successors == [node.ring.me]


def test_a_new_node_waits_for_seeds_that_do_not_name_it(made: list[Newcomer], folder: Path) -> None:
    node = newcomer(made, folder, A)
    node.discovery.once()
    assert node.joined == []
    node.other(A)
    node.discovery.once()
    assert node.joined == [False]


def test_a_new_node_that_the_seeds_name_founds(made: list[Newcomer], folder: Path) -> None:
    node = newcomer(made, folder, f"{A},{B}")
    node.discovery.once()
    assert node.joined == [True]


def test_of_several_started_at_once_the_lowest_address_founds(made: list[Newcomer], folder: Path) -> None:
    node = newcomer(made, folder, f"{A},{B},{C}")
    node.other(A, joined=False)
    node.other(C, joined=False)
    node.discovery.once()
    assert node.joined == []
    del node.peers.table[A]
    node.discovery.once()
    assert node.joined == [True]


def test_nobody_founds_by_what_others_said_before_a_silent_seed_was_waited_for(
    made: list[Newcomer], folder: Path
) -> None:
    node = newcomer(made, folder, f"{A},{B},{C}")
    node.other(C, joined=False)
    waiting = node.peers.table[C]

    class Founds(Greeting):
        """It says that it waits, and then founds."""

        def _asdict(self) -> dict[str, Any]:
            node.other(C)
            return waiting._asdict()

    node.peers.table[C] = Founds(*waiting)
    node.discovery.once()
    assert node.joined == []
    node.discovery.once()
    assert node.joined == [False]


def test_a_node_on_its_way_out_is_waited_for_by_nobody(made: list[Newcomer], folder: Path) -> None:
    node = newcomer(made, folder, A, fresh=False)
    node.other(A, joined=False, parted=True)
    node.discovery.once()
    assert node.joined == [True]


def test_it_waits_out_the_settle_window(made: list[Newcomer], folder: Path) -> None:
    node = newcomer(made, folder, B)
    object.__setattr__(node.config, "settle_s", 3600.0)
    node.discovery.once()
    assert node.joined == []


def test_a_returning_node_goes_on_alone_and_finds_old_friends(made: list[Newcomer], folder: Path) -> None:
    node = newcomer(made, folder, "", fresh=False)
    node.records.put("peer", "3" * 64, {"address": C, "incarnation": 1})
    node.other(C)
    node.discovery.once()
    assert node.joined == [False] and node.ring.me.id == "b" * 64


@pytest.mark.parametrize("state", ["left", "expelled"])
def test_a_returning_node_asks_none_that_is_no_part_of_the_ring_any_more(
    made: list[Newcomer], folder: Path, state: str
) -> None:
    node = newcomer(made, folder, "", fresh=False)
    node.records.put("peer", "3" * 64, {"address": C, "incarnation": 1, "verdict": [state, 1, "3" * 64]})
    node.records.put("peer", "4" * 64, {"address": D, "incarnation": 1, "verdict": ["down", 1, "3" * 64]})
    node.other(C)
    node.other(D)
    node.discovery.once()
    assert node.joined == [False] and node.peers.asked == {B, D}


def test_a_new_node_takes_an_id_in_the_largest_gap(made: list[Newcomer], folder: Path) -> None:
    node = newcomer(made, folder, A)
    node.other(A, peer=Peer("0" * 64, A, 1))
    node.discovery.once()
    assert 0.3 < int(node.ring.me.id, 16) / 2**256 < 0.7


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"k": 2}, "set k = 2"),
        ({"ring": "another"}, "another ring"),
        ({"peer": Peer("b" * 64, A, 1)}, "folder copied"),
    ],
)
def test_what_can_never_be_stops_a_node_on_its_way_in(
    made: list[Newcomer], folder: Path, changes: dict[str, Any], words: str
) -> None:
    node = newcomer(made, folder, A)
    node.other(A, **changes)
    with pytest.raises(ConfigError, match=words):
        node.discovery.once()
    assert node.discovery.failure and not node.joined


def test_a_misfit_does_not_stop_a_node_that_is_in_its_ring(made: list[Newcomer], folder: Path) -> None:
    node = newcomer(made, folder, f"{A},{B}")
    node.ring.found()
    node.other(A, k=2)
    node.discovery.once()
    assert node.discovery.failure is None and node.roster.met == {}


@pytest.mark.parametrize(("offset_ms", "words"), [(3_600_000, "behind"), (-3_600_000, "ahead of")])
def test_a_clock_off_by_an_hour_is_said_and_waited_out(
    made: list[Newcomer], folder: Path, offset_ms: int, words: str
) -> None:
    node = newcomer(made, folder, A)
    node.other(A, clock_ms=NOW_MS + offset_ms)
    with pytest.raises(PeerRefused, match=f"3600 s {words}"):
        node.discovery.once()
    assert not node.joined and node.discovery.failure is None
    node.other(A)
    node.discovery.once()
    assert node.joined == [False]


def test_one_wrong_clock_in_the_ring_keeps_nobody_out(
    made: list[Newcomer], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = newcomer(made, folder, f"{A},{C}", fresh=False)
    choices: list[list[str]] = []

    def choice(some: list[Greeting]) -> Greeting:
        choices.append([them.peer.address for them in some])
        return some[0]

    monkeypatch.setattr(discovery.secrets, "choice", choice)
    node.other(A)
    node.other(C, clock_ms=NOW_MS - 200_000)
    node.discovery.once()
    assert node.joined == [False] and choices == [[A]], "it is not asked for the way in"


def test_a_clock_that_differs_from_most_is_the_one_that_is_wrong(made: list[Newcomer], folder: Path) -> None:
    node = newcomer(made, folder, f"{A},{C},{D}", fresh=False)
    node.other(A)
    for address in (C, D):
        node.other(address, clock_ms=NOW_MS - 200_000)
    with pytest.raises(PeerRefused, match="200 s ahead of"):
        node.discovery.once()
    assert not node.joined


def test_a_certificate_nobody_accepts_is_said(made: list[Newcomer], folder: Path) -> None:
    node = newcomer(made, folder, A)
    node.peers.table[A] = PeerRefused("certificates")
    with pytest.raises(PeerRefused, match="certificates"):
        node.discovery.once()


def test_a_founder_hears_of_another_ring_of_the_same_authority(made: list[Newcomer], folder: Path) -> None:
    """Two founders: each remembers the other as met, and the ring's own upkeep merges them."""
    node = newcomer(made, folder, f"{A},{B}")
    node.ring.found()
    node.other(A)
    node.discovery.once()
    assert node.roster.met == {"1" * 64: Peer("1" * 64, A, 1)}


def test_garbage_instead_of_a_greeting_is_refused() -> None:
    for value in (None, 5, [], {}, {"peer": None}, {"peer": ["x", "y", 1], "name": "n"}):
        with pytest.raises(PeerRefused):
            Greeting.of(value)


def test_what_a_newer_node_says_more_in_its_greeting_is_passed_over(made: list[Newcomer], folder: Path) -> None:
    mine = newcomer(made, folder, A).greeting()
    assert Greeting.of({**mine._asdict(), "peer": list(mine.peer), "colour": "red"}) == mine


def test_a_node_that_its_seeds_name_by_another_address_founds(made: list[Newcomer], folder: Path) -> None:
    """A service's DNS name leads to numbers, while the node may call itself by a name; and time goes on meanwhile."""
    node = newcomer(made, folder, C)
    node.peers.table[C] = node.greeting()._replace(clock_ms=NOW_MS + 7)
    node.discovery.once()
    assert node.joined == [True]


def test_a_new_node_waits_while_the_name_of_its_seeds_leads_nowhere(made: list[Newcomer], folder: Path) -> None:
    node = newcomer(made, folder, "")
    node.discovery._config = replace(node.config, seed_name="nobody.invalid:7700")
    node.discovery.once()
    assert node.joined == []
    node.fresh = False  # one that was in the ring may be the only one that is left
    node.discovery._asked_at = float("-inf")
    node.discovery.once()
    assert node.joined == [True]

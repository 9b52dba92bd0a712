"""Two tables, however different, become equal, and the work of one round is bounded."""

import zlib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringnode.protocol import antientropy
from ringnode.protocol.antientropy import Entry, exchange
from ringnode.protocol.messages import Peer

PEER = Peer("ab", "there:1")
SIZE = 100


class Table:
    """Records as numbers, the larger one wins; the whole of what the exchange needs, in memory."""

    def __init__(self, values: dict[str, int]) -> None:
        self.values = dict(values)
        self.answered = 0

    @staticmethod
    def bucket(key: str) -> int:
        return int.from_bytes(key.encode(), "big") * 2654435761 % 65536

    def groups(self) -> list[int]:
        return [sum(sums) for sums in self.buckets(range(256))]

    def buckets(self, groups: Sequence[int]) -> list[list[int]]:
        sums: dict[int, int] = {}
        for key, value in self.values.items():
            sums[self.bucket(key)] = sums.get(self.bucket(key), 0) + zlib.crc32(f"{key}/{value}".encode())
        return [[sums.get(group * 256 + n, 0) for n in range(256)] for group in groups]

    def entries(self, buckets: Sequence[int]) -> list[Entry]:
        return [("song", key, value) for key, value in self.values.items() if self.bucket(key) in set(buckets)]

    def documents(self, names: Sequence[tuple[str, str]], most_bytes: int) -> list[Any]:
        """Each takes SIZE."""
        here = [[kind, key, self.values[key]] for kind, key in names if key in self.values]
        return here[: max(1, most_bytes // SIZE)]

    def merge_documents(self, documents: Sequence[Any]) -> int:
        for _, key, value in documents:
            self.values[key] = max(self.values.get(key, 0), value)
        return len(documents)

    def answer(self, method: str, args: tuple[Any, ...]) -> Any:
        self.answered += 1
        if method == "digests":
            return self.buckets(args[0]) if args[0] else self.groups()
        if method == "entries":
            return self.entries(args[0])
        if method == "get_records":
            return self.documents(*args)
        assert method == "put_records"
        return self.merge_documents(args[0])


def run(mine: Table, theirs: Table) -> int:
    step = exchange(mine, PEER)
    try:
        call = next(step)
        while True:
            call = step.send(theirs.answer(call.method, call.args))
    except StopIteration as end:
        return int(end.value)


tables = st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.integers(1, 3), max_size=40)


@given(tables, tables)
def test_both_end_with_the_merge(a: dict[str, int], b: dict[str, int]) -> None:
    mine, theirs = Table(a), Table(b)
    merged = {key: max(a.get(key, 0), b.get(key, 0)) for key in a | b}
    run(mine, theirs)
    assert mine.values == theirs.values == merged
    assert run(mine, theirs) == 0


def test_equal_tables_cost_one_call() -> None:
    mine, theirs = Table({"a": 1, "b": 2}), Table({"a": 1, "b": 2})
    assert run(mine, theirs) == 0 and theirs.answered == 1


def test_a_newcomer_gets_everything_in_bounded_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(antientropy, "RECORDS_A_ROUND", 300)
    theirs = Table({f"{n:04d}": 1 for n in range(1000)})
    mine = Table({})
    rounds = 0
    while mine.values != theirs.values:
        moved = run(mine, theirs)
        assert 0 < moved < 1000
        rounds += 1
        assert rounds < 20
    assert rounds >= 3


@given(tables, tables, st.integers(0, 3 * SIZE))
def test_so_many_bytes_go_at_once_and_yet_all_arrive(a: dict[str, int], b: dict[str, int], most_bytes: int) -> None:
    mine, theirs = Table(a), Table(b)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(antientropy, "BYTES_AT_ONCE", most_bytes)
        run(mine, theirs)
    assert mine.values == theirs.values == {key: max(a.get(key, 0), b.get(key, 0)) for key in a | b}

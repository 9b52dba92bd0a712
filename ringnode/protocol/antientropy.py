"""Exchange: two nodes find out where their records differ, and both end with the merge.

Digests are sums of record hashes: 256 groups, each of 256 buckets. Comparing states instead of histories heals any
divergence, also that of a restored backup; equal nodes exchange 2 kB.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ringnode.protocol.messages import Call, Peer, Step

GROUPS_AT_ONCE = 16  # 16 * 256 sums: 40 kB an answer
BUCKETS_AT_ONCE = 64  # with 100,000 records, about 100 entries
RECORDS_AT_ONCE = 100  # of a few kB each
BYTES_AT_ONCE = 4 << 20  # but pictures have 100 kB: half the message limit, so that the last one may be large
RECORDS_A_ROUND = 10_000  # so that a round ends; the next goes on

Name = tuple[str, str]  # kind, key
Entry = tuple[str, str, int]  # kind, key, hash


class Records(Protocol):
    """The replicated table, as the exchange needs it."""

    def groups(self) -> list[int]: ...
    def buckets(self, groups: Sequence[int]) -> list[list[int]]: ...
    def entries(self, buckets: Sequence[int]) -> list[Entry]: ...
    def documents(self, names: Sequence[tuple[str, str]], most_bytes: int) -> list[Any]: ...  # or only the first
    def merge_documents(self, documents: Sequence[Any]) -> int: ...
    def put_aside(self, document: Any, why: str) -> None: ...


HoldBack = Callable[[Any], bool] | None


def catch_up(records: Records, peer: Peer, hold_back: HoldBack = None, but: Name | None = None) -> Step[int]:
    """Exchange until there is nothing more to do. Returns how many records moved."""
    total = 0
    while True:
        moved = yield from exchange(records, peer, hold_back, but)
        total += moved
        if moved < RECORDS_A_ROUND:
            return total


def exchange(records: Records, peer: Peer, hold_back: HoldBack = None, but: Name | None = None) -> Step[int]:
    """Make both sides equal. Returns how many records moved; at RECORDS_A_ROUND there may be more to do.

    What `peer` lacks and `hold_back` says must not be told is put aside here instead. `but` is not taken over.
    """
    theirs = yield Call(peer, "digests", ([],))
    groups = [g for g, (mine, other) in enumerate(zip(records.groups(), theirs, strict=True)) if mine != other]
    moved = 0
    for some in _slices(groups, GROUPS_AT_ONCE):
        theirs = yield Call(peer, "digests", (some,))
        differing = [
            group * 256 + n
            for group, mine, other in zip(some, records.buckets(some), theirs, strict=True)
            for n, (a, b) in enumerate(zip(mine, other, strict=True))
            if a != b
        ]
        for buckets in _slices(differing, BUCKETS_AT_ONCE):
            moved += yield from _exchange_buckets(records, peer, buckets, hold_back, but)
            if moved >= RECORDS_A_ROUND:
                return moved
    return moved


def _exchange_buckets(
    records: Records, peer: Peer, buckets: list[int], hold_back: HoldBack, but: Name | None
) -> Step[int]:
    theirs = {(kind, key): digest for kind, key, digest in (yield Call(peer, "entries", (buckets,)))}
    mine = {(kind, key): digest for kind, key, digest in records.entries(buckets)}
    wanted = [name for name, digest in sorted(theirs.items()) if mine.get(name) != digest and name != but]
    offered = [name for name, digest in sorted(mine.items()) if theirs.get(name) != digest]
    n = 0
    while names := wanted[n : n + RECORDS_AT_ONCE]:
        documents = yield Call(peer, "get_records", (names, BYTES_AT_ONCE))
        records.merge_documents(documents)
        n += len(documents) or len(names)  # where some are there no more, a few are asked for twice
    n = 0
    while names := offered[n : n + RECORDS_AT_ONCE]:
        documents = records.documents(names, BYTES_AT_ONCE)
        n += len(documents) or len(names)
        for held in [some for some in documents if hold_back and some[:2] not in theirs and hold_back(some)]:
            documents.remove(held)
            records.put_aside(held, "an old copy of this node's folder had it, and the ring does not know it")
        yield Call(peer, "put_records", (documents, False))
    return len(set(wanted) | set(offered))


def _slices(items: list[Any], size: int) -> list[list[Any]]:
    return [items[i : i + size] for i in range(0, len(items), size)]

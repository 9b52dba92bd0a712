"""The merge is a join: whatever order and however often records arrive, every node ends with the same one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringnode.catalogue.record import Record, canonical, merge, milliseconds, reading, stamp
from ringnode.errors import Invalid

stamps = st.builds(stamp, st.integers(0, 5), st.sampled_from(["aa", "bb"]))
values = st.none() | st.integers(0, 3) | st.text("xy", max_size=2)
fields = st.sampled_from(["title", "artist", "deleted"])


@st.composite
def records(draw: st.DrawFn) -> Record:
    """As nodes make them: a creation, then edits, each later than what it changes."""
    clock = draw(st.integers(0, 3))
    node = draw(st.sampled_from(["aa", "bb"]))
    record = Record("song", "k", draw(st.dictionaries(fields, values)), stamp(clock, node), {})
    for field, value in draw(st.lists(st.tuples(fields, values), max_size=3)):
        clock += draw(st.integers(1, 2))
        record = record.edited({field: value}, stamp(clock, draw(st.sampled_from(["aa", "bb"]))))
    return merge(record, record)


@given(records(), records())
def test_merge_is_commutative(a: Record, b: Record) -> None:
    assert merge(a, b) == merge(b, a)


@given(records(), records(), records())
def test_merge_is_associative(a: Record, b: Record, c: Record) -> None:
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@given(records(), records())
def test_merge_is_idempotent(a: Record, b: Record) -> None:
    once = merge(a, b)
    assert merge(once, a) == once and merge(once, b) == once and merge(once, once) == once


def test_two_people_who_edit_two_fields_both_keep_their_edit() -> None:
    song = Record("song", "k", {"title": "a", "artist": "b"}, stamp(1, "n"), {})
    merged = merge(song.edited({"title": "A"}, stamp(2, "n")), song.edited({"artist": "B"}, stamp(3, "m")))
    assert merged.doc == {"title": "A", "artist": "B"}


def test_the_newer_edit_of_one_field_wins() -> None:
    song = Record("song", "k", {"title": "a"}, stamp(1, "n"), {})
    merged = merge(song.edited({"title": "older"}, stamp(2, "z")), song.edited({"title": "newer"}, stamp(3, "a")))
    assert merged.doc["title"] == "newer"


def test_an_edit_does_not_undo_a_deletion_but_a_new_upload_does() -> None:
    song = Record("song", "k", {"title": "a"}, stamp(1, "n"), {})
    deleted = song.edited({"deleted": True}, stamp(2, "n"))
    assert merge(deleted, song.edited({"title": "b"}, stamp(3, "m"))).deleted
    again = Record("song", "k", {"title": "a"}, stamp(4, "n"), {})
    assert not merge(deleted, again).deleted


def test_a_digest_tells_records_apart() -> None:
    song = Record("song", "k", {"title": "a"}, stamp(1, "n"), {})
    assert song.digest() == Record.of(list(song)).digest()
    assert song.digest() != song.edited({"title": "b"}, stamp(2, "n")).digest()


def test_stamps_sort_as_their_clocks() -> None:
    assert stamp(9, "z") < stamp(10, "a") < stamp(10, "b") < stamp(1 << 60, "a")
    assert reading(stamp(12345, "n")) == 12345
    assert milliseconds(stamp(1000 << 16, "n")) == 1000


@pytest.mark.parametrize(
    "value",
    [None, 5, [], ["song"], ["song", "k", {}, "s", {}, "more"], ["song", "k", [], stamp(1, "n"), {}],
     ["song", 5, {}, stamp(1, "n"), {}], ["", "k", {}, stamp(1, "n"), {}], ["song", "k", {}, "no stamp", {}],
     ["song", "k", {}, stamp(1, "n"), {"title": "no stamp"}], ["song", "k", {"n": float("nan")}, stamp(1, "n"), {}],
     ["song", "k", {"t": "x" * 300_000}, stamp(1, "n"), {}]],
)  # fmt: skip
def test_what_is_no_record_is_refused(value: object) -> None:
    with pytest.raises((Invalid, AttributeError)):
        Record.of(value)


def test_canonical_text_does_not_depend_on_order() -> None:
    assert canonical({"b": 1, "a": [1, "é"]}) == '{"a":[1,"é"],"b":1}'


def test_stamps_of_edits_count_towards_what_a_record_may_take() -> None:
    edits = {f"field{n}": "00000f0000000000-node" for n in range(10_000)}
    with pytest.raises(Invalid, match="too large"):
        Record.of(Record("song", "k", {}, "00000f0000000000-node", edits))

"""Pages, order and search over a real table."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from ringnode.catalogue import songs
from ringnode.catalogue.database import Database
from ringnode.catalogue.model import EDITABLE, Song
from ringnode.catalogue.paging import Asked, Page
from ringnode.catalogue.records import Records
from ringnode.catalogue.search import normalise
from ringnode.catalogue.shelves import FOLLOWERS
from ringnode.errors import Invalid

LIBRARY = [
    {"title": "Humoresque", "artist": "Antonín Dvořák", "album": "Piano", "track": 2},
    {"title": "Rusalka", "artist": "Antonín Dvořák", "album": "Opera", "track": 1},
    {"title": "Økland", "artist": "Björk & Paweł", "album": "Ice", "track": 10},
    {"title": "Straße", "artist": "Björk & Paweł", "album": "Ice", "track": 9},
    {"title": "風の歌", "artist": "風", "album": "空", "track": 1},
    {"title": "Untagged"},
]


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    db = Database(tmp_path / "c.db")
    table = Records(db, "node", lambda: 1, {songs.KIND: songs.project}, followers=FOLLOWERS)
    for n, doc in enumerate(LIBRARY):
        table.put(songs.KIND, f"{n:064x}", doc)
    yield table
    db.close()


def listed(records: Records, limit: int, cursor: str | None = None, query: str = "") -> Page[Song]:
    return songs.page(records, Asked(limit, cursor), songs.Filter(query))


def titles(page: Page[Song]) -> list[str]:
    return [song.title for song in page.items]


def test_order_is_artist_album_disc_track_title(records: Records) -> None:
    page = listed(records, 100)
    assert titles(page) == ["Rusalka", "Humoresque", "Straße", "Økland", "Untagged", "風の歌"]
    assert page.total == 6 and page.next_cursor is None


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_pages_give_every_song_once(records: Records, limit: int) -> None:
    seen, cursor = [], None
    while True:
        page = listed(records, limit, cursor)
        assert len(page.items) <= limit
        seen += titles(page)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == titles(listed(records, 100))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("dvorak", ["Rusalka", "Humoresque"]), ("DVOŘÁK huM", ["Humoresque"]), ("okland", ["Økland"]),
        ("pawel strasse", ["Straße"]), ("風", ["風の歌"]), ("の歌", ["風の歌"]),
        ("歌", ["風の歌"]), ("land", ["Økland"]),
        ("nothing at all", []), ('"; DROP TABLE record; --', []), ("AND OR NOT", []), ("*", []), ("", None),
    ],
)  # fmt: skip
def test_search(records: Records, query: str, expected: list[str] | None) -> None:
    page = listed(records, 100, None, query)
    assert titles(page) == (titles(listed(records, 100)) if expected is None else expected)
    assert page.total == len(page.items)


def test_search_follows_edits_and_deletions(records: Records) -> None:
    record = records.get(songs.KIND, f"{5:064x}")
    assert record
    records.merge([records.draft_edit(record, {"title": "Renamed"})])
    assert titles(listed(records, 10, None, "renamed")) == ["Renamed"]
    assert titles(listed(records, 10, None, "untagged")) == []
    edited = records.get(songs.KIND, f"{5:064x}")
    assert edited
    records.merge([records.draft_edit(edited, {"deleted": True})])
    assert titles(listed(records, 10, None, "renamed")) == []
    assert listed(records, 10).total == 5


@pytest.mark.parametrize("cursor", ["", "x", "!!", "e30", "WzEsMl0", "W10", "é"])
def test_a_cursor_of_another_make_is_refused(records: Records, cursor: str) -> None:
    with pytest.raises(Invalid) as error:
        listed(records, 10, cursor)
    assert error.value.field == "cursor"


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_limit_has_limits(records: Records, limit: int) -> None:
    with pytest.raises(Invalid):
        listed(records, limit)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, ""), ([], ""), ({"id": "x"}, "id"), ({"size_bytes": 1}, "size_bytes"),
        ({"nonsense": 1}, "nonsense"),
        ({"title": 5}, "title"), ({"title": ""}, "title"), ({"title": " "}, "title"),
        ({"title": "x" * 1001}, "title"),
        ({"title": "a\x00b"}, "title"), ({"title": "\ud800"}, "title"), ({"track": -1}, "track"),
        ({"track": "1"}, "track"),
        ({"track": True}, "track"), ({"track": 10**9}, "track"), ({"artists": "x"}, "artists"),
        ({"artists": [1]}, "artists"), ({"artists": ["x"] * 51}, "artists"), ({"compilation": 1}, "compilation"),
        ({"track_gain_db": "loud"}, "track_gain_db"), ({"track_gain_db": float("inf")}, "track_gain_db"),
    ],
)  # fmt: skip
def test_a_bad_edit_names_its_field(changes: object, field: str) -> None:
    with pytest.raises(Invalid) as error:
        songs.checked_edit(changes)
    assert error.value.field == field


def test_good_edits_of_every_kind() -> None:
    good = {"title": " A ", "track": 3, "artists": ["x", "y"], "compilation": True, "track_gain_db": -3.5}
    assert songs.checked_edit(good) == good | {"title": "A"}
    assert songs.checked_edit({"track_gain_db": None}) == {"track_gain_db": None}


def test_every_editable_field_takes_its_own_default() -> None:
    for f in fields(Song):
        if f.name in EDITABLE and f.name != "title":
            value = list(f.default) if isinstance(f.default, tuple) else f.default
            assert songs.checked_edit({f.name: value}) == {f.name: value}


def test_a_song_of_a_strange_document_is_still_a_song() -> None:
    song = Song.of("aa", {"title": 5, "track": "x", "artists": [1, 2], "genres": ["ok"], "unknown": 1, "bpm": True})
    assert song == Song("aa", title="", genres=("ok",))


def test_documents_and_songs_are_two_views_of_one_thing() -> None:
    song = Song("aa", title="T", artists=("x", "y"), duration_s=1.5, track_gain_db=-2.0)
    assert Song.of("aa", song.doc()) == song
    assert "id" not in song.doc() and song.doc()["artists"] == ["x", "y"]


@pytest.mark.parametrize(
    ("text", "plain"),
    [("  Motörhead!  ", "motorhead"), ("Œuvre Æther", "oeuvre aether"), ("ﬁne ﬂow", "fine flow"),
     ("Ärger—Straße", "arger strasse"),
     ("１２３", "123"), ("", ""), ("...", ""), ("AC/DC", "ac dc")],
)  # fmt: skip
def test_normalise(text: str, plain: str) -> None:
    assert normalise(text) == plain

"""Songs, albums, artists, genres and years laid out from records, over a real table."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringnode.catalogue import albums, artists, songs
from ringnode.catalogue.database import Database
from ringnode.catalogue.facets import GENRE_SORTS, YEAR_SORTS, Facets
from ringnode.catalogue.grouping import album_of, artist_id
from ringnode.catalogue.paging import Asked, order_of
from ringnode.catalogue.records import Records
from ringnode.catalogue.shelves import FOLLOWERS, bring_up_to_date
from ringnode.errors import Invalid, NotFound

TABLES = ("song", "song_artist", "song_genre", "album", "artist")
LIBRARY: list[dict[str, Any]] = [
    {"title": "Fables", "artist": "Charles Mingus", "album": "Ah Um", "track": 7, "date": "1959", "genres": ["Jazz"]},
    {"title": "Better Git It", "artist": "Charles Mingus", "album": "Ah Um", "track": 1, "date": "1959-09-14",
     "genres": ["Jazz", "Hard Bop"], "has_cover": True},
    {"title": "Moanin'", "artist": "charles mingus", "album": "Blues & Roots", "track": 3, "date": "1960",
     "genres": ["jazz"]},
    {"title": "Duet", "artist": "Björk & Mingus", "artists": ["Björk", "Charles Mingus"], "album": "Duets",
     "date": "1999"},
    {"title": "One", "artist": "A", "album": "Hits", "compilation": True, "date": "1980", "format": "mp3"},
    {"title": "Two", "artist": "Björk", "album": "Hits", "compilation": True, "date": "1985", "format": "flac"},
    {"title": "Loose"},
    {"title": "Tape", "artist": "Björk"},
]  # fmt: skip


def make(path: Path) -> Records:
    db = Database(path)
    bring_up_to_date(db)
    return Records(db, "node", lambda: 1, {songs.KIND: songs.project}, followers=FOLLOWERS)


def key(n: int) -> str:
    return f"{n + 1:x}" * 64


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    table = make(tmp_path / "c.db")
    for n, doc in enumerate(LIBRARY):
        facts = {
            "duration_s": 100.5 + n,
            "size_bytes": 1000,
            "added_by": "Anna",
            "added_at": f"2026-01-0{n + 1}T00:00:00+00:00",
        }
        table.put(songs.KIND, key(n), facts | doc)
    yield table
    table.db.close()


def contents(records: Records) -> dict[str, list[tuple[Any, ...]]]:
    return {table: sorted(records.db.rows(f"SELECT * FROM {table}")) for table in TABLES}


def anew(records: Records) -> dict[str, list[tuple[Any, ...]]]:
    """The same made of the records at once."""
    with records.db.write() as tx:
        tx.execute("PRAGMA user_version = 0")
    bring_up_to_date(records.db)
    return contents(records)


def names(records: Records, **wanted: Any) -> list[str]:
    return [a.title for a in albums.page(records, Asked(), albums.Filter(**wanted)).items]


def titles(records: Records, sort: str = "", **wanted: Any) -> list[str]:
    asked = Asked(order=order_of(sort, songs.SORTS))
    return [s.title for s in songs.page(records, asked, songs.Filter(**wanted)).items]


def test_albums(records: Records) -> None:
    page = albums.page(records, Asked())
    shown = [(a.artist, a.year, a.title, a.songs) for a in page.items]
    assert shown == [
        ("Björk", 0, "[non-album]", 1), ("Björk", 1999, "Duets", 1), ("Charles Mingus", 1959, "Ah Um", 2),
        ("charles mingus", 1960, "Blues & Roots", 1), ("[unknown]", 0, "[non-album]", 1),
        ("Various Artists", 1985, "Hits", 2),
    ]  # fmt: skip
    ah_um = page.items[2]
    assert (ah_um.duration_s, ah_um.size_bytes, ah_um.has_cover, ah_um.compilation) == (202.0, 2000, True, False)
    assert (ah_um.added_at, ah_um.discs) == ("2026-01-02T00:00:00+00:00", 1)
    assert [a.compilation for a in page.items] == [False] * 5 + [True]
    view = albums.view(records, ah_um.id)
    assert view.album == ah_um and [s.title for s in view.songs] == ["Better Git It", "Fables"]
    with pytest.raises(NotFound):
        albums.view(records, "no such")


def test_filters_of_albums(records: Records) -> None:
    assert names(records, artist="Charles MINGUS") == names(records, artist=artist_id("Charles Mingus"))
    assert names(records, artist="Charles Mingus") == ["Ah Um", "Blues & Roots"]
    assert names(records, appears="Charles Mingus") == ["Duets"]
    assert names(records, appears="Björk") == ["Hits"]
    assert names(records, genre="JAZZ") == ["Ah Um", "Blues & Roots"]
    assert names(records, year_from=1960, year_to=1985) == ["Blues & Roots", "Hits"]
    assert names(records, year_to=1960) == ["Ah Um", "Blues & Roots"]
    assert names(records, has_cover=True) == ["Ah Um"]
    assert names(records, compilation=True) == ["Hits"]
    assert names(records, q="roo blu") == ["Blues & Roots"]
    assert names(records, q="um") == ["Ah Um"]  # two letters: beginnings of words
    assert names(records, q="...") == []
    assert names(records, added_since="2026-01-06") == ["[non-album]", "[non-album]", "Hits"]


def test_artists(records: Records) -> None:
    found = {a.name: a for a in artists.page(records, Asked()).items}
    assert list(found) == ["A", "Björk", "Charles Mingus", "[unknown]", "Various Artists"]
    mingus = found["Charles Mingus"]
    assert (mingus.songs, mingus.albums, mingus.appears_on, mingus.size_bytes) == (4, 2, 1, 4000)
    assert (found["A"].albums, found["A"].appears_on) == (0, 1)
    view = artists.view(records, mingus.id)
    assert [a.title for a in view.albums] == ["Ah Um", "Blues & Roots"]
    assert [a.title for a in view.appears_on] == ["Duets"]
    names = lambda **wanted: [a.name for a in artists.page(records, Asked(), artists.Filter(**wanted)).items]  # noqa: E731
    assert (
        names(q="bjo") == ["Björk"]
        and names(has_albums=False) == ["A"]
        and names(genre="hard bop") == ["Charles Mingus"]
    )
    with pytest.raises(NotFound):
        artists.view(records, "no such")


def test_filters_and_order_of_songs(records: Records) -> None:
    assert titles(records, artist="Charles Mingus") == ["Duet", "Better Git It", "Fables", "Moanin'"]
    assert titles(records, album=album_of(LIBRARY[0]).id) == ["Better Git It", "Fables"]
    assert titles(records, genre="hard bop") == ["Better Git It"]
    assert titles(records, "-year,title", year_from=1980) == ["Duet", "Two", "One"]
    assert titles(records, format="mp3") == ["One"]
    assert titles(records, has_cover=True) == ["Better Git It"]
    assert len(titles(records, added_by="ANNA")) == 8 and titles(records, added_by="eve") == []
    assert titles(records, "-added_at")[:2] == ["Tape", "Loose"]
    assert titles(records, "added_at", added_since="2026-01-07T01:00:00+01:00") == ["Loose", "Tape"]
    assert titles(records, q="mingus", genre="jazz") == ["Better Git It", "Fables", "Moanin'"]
    assert sorted(titles(records, "random")) == sorted(titles(records))
    for wrong in ("yesterday", "2026-13-01", "0001-01-01T00:00:00+14:00", "\x00"):
        with pytest.raises(Invalid) as error:
            titles(records, added_since=wrong)
        assert error.value.field == "added_since"


def test_genres_and_years(records: Records) -> None:
    facets = Facets(records)
    ask = lambda sort="": Asked(order=order_of(sort, GENRE_SORTS))  # noqa: E731
    assert [(g.name, g.songs, g.albums) for g in facets.genres(ask()).items] == [("Hard Bop", 1, 1), ("jazz", 3, 2)]
    assert [g.name for g in facets.genres(ask("-songs,name")).items] == ["jazz", "Hard Bop"]
    assert [g.name for g in facets.genres(ask(), "bo").items] == ["Hard Bop"]
    years = facets.years(Asked(order=order_of("-year", YEAR_SORTS)))
    assert [(y.year, y.songs) for y in years.items] == [(1999, 1), (1985, 1), (1980, 1), (1960, 1), (1959, 2)]
    asked, seen = Asked(limit=2), []
    while True:
        page = facets.years(asked)
        seen += [y.year for y in page.items]
        if page.next_cursor is None:
            break
        asked = asked._replace(cursor=page.next_cursor)
    assert seen == sorted(y.year for y in years.items) and page.total == 5
    records.put(songs.KIND, "ab" * 32, {"title": "New", "genres": ["Folk"], "date": "2020"})
    assert [g.name for g in facets.genres(ask()).items] == ["Folk", "Hard Bop", "jazz"]


def test_an_edit_moves_a_song(records: Records) -> None:
    record = records.get(songs.KIND, key(2))
    assert record
    old = album_of(record.doc).id
    records.merge([records.draft_edit(record, {"album": "Ah Um", "track": 4})])
    with pytest.raises(NotFound):
        albums.get(records, old)
    moved = albums.view(records, album_of(LIBRARY[0]).id)
    assert moved.album.songs == 3 and [s.title for s in moved.songs] == ["Better Git It", "Moanin'", "Fables"]
    assert artists.get(records, artist_id("Charles Mingus")).albums == 1
    for n in range(len(LIBRARY)):
        record = records.get(songs.KIND, key(n))
        assert record
        records.merge([records.draft_edit(record, {"deleted": True})])
    assert not any(contents(records).values())


def test_covers_that_were_uploaded_count(records: Records) -> None:
    album = album_of(LIBRARY[2]).id
    for name, there in ((key(2), lambda: records.db.value("SELECT has_cover FROM song WHERE title = 'moanin'")),
                        (album, lambda: albums.get(records, album).has_cover)):  # fmt: skip
        assert not there()
        cover = records.put("cover", name, {"mime": "image/jpeg"})
        assert there()
        records.merge([records.draft("cover", cover.key, {"deleted": True})])
        assert not there()


def test_new_songs_join_the_sums_of_their_album_and_artists(records: Records) -> None:
    like = {"artist": "Björk", "albumartist": "Björk", "album": "Duets", "date": "1999", "duration_s": 5}
    for n, other in enumerate((
        {}, {"size_bytes": 7}, {"date": "2001"}, {"date": "199"}, {"disc": 3}, {"has_cover": True}, {"added_at": "9"},
        {"artists": ["Björk", "A"]}, {"artists": ["Björk", "A"]}, {"artists": ["B", "C"]}, {"artists": ["B"]},
        *[{"album": "DUETS"}] * 14, {"album": ""}, {"album": ""}, {"album": "Debut"},
        *[{"album": "Debut", "albumartist": "BJÖRK"}] * 3, {"artist": "Zoë"}, *[{"artist": "ZOË"}] * 3,
    )):  # fmt: skip
        records.put(songs.KIND, f"{n:064x}", like | other)
        assert contents(records) == anew(records), (n, other)


@pytest.mark.parametrize("seed", range(8))
def test_what_many_changes_leave_is_what_the_records_say(tmp_path: Path, seed: int) -> None:
    """Whatever order records came in, the tables are those that are made of the last state at once.

    Few songs are changed often, or many are alike and new.
    """
    chance = random.Random(seed)
    records = make(tmp_path / "many.db")
    words, there = chance.choice([(("A", "a", "B", "Various Artists", ""), 15), (("A", "A", "A", "a"), 500)])
    for _ in range(150):
        doc = {name: chance.choice(words) for name in ("artist", "albumartist", "album", "mb_album_id")}
        doc |= {"artists": chance.choices(words, k=chance.randrange(3)), "genres": chance.choices("xyX", k=2),
                "title": "t", "compilation": chance.random() < 0.2, "duration_s": chance.randrange(9),
                "size_bytes": chance.randrange(9), "date": chance.choice(("1999", "2001")),
                "disc": chance.randrange(3)}  # fmt: skip
        doc |= {"has_cover": chance.random() < 0.2, "added_at": chance.choice("12")}
        ids = [f"{chance.randrange(there):064x}" for _ in range(chance.randrange(1, 4))]
        drafts = [records.draft(songs.KIND, name, doc) for name in ids]
        if chance.random() < 0.3:
            drafts = [draft._replace(doc={"deleted": True}) for draft in drafts]
        records.merge(drafts)
        if chance.random() < 0.2:
            assert contents(records) == anew(records), f"seed {seed}"
    assert records.db.value("SELECT count(*) FROM album")
    records.db.close()


def test_a_file_of_an_older_version_is_laid_out_at_start(records: Records, tmp_path: Path) -> None:
    before = contents(records)
    with records.db.write() as tx:
        for table in (*TABLES, "changes"):
            tx.execute(f"DROP TABLE {table}")
        tx.execute("PRAGMA user_version = 0")
    records.db.close()
    again = make(tmp_path / "c.db")
    assert contents(again) == before
    again.db.close()

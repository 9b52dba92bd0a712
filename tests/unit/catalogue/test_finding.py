"""Search as people type, over a real table."""

from collections.abc import Iterator

import pytest

from ringnode.catalogue import songs
from ringnode.catalogue.database import Database
from ringnode.catalogue.finding import Finding
from ringnode.catalogue.records import Records
from ringnode.catalogue.shelves import FOLLOWERS
from ringnode.errors import Invalid

LIBRARY = [
    ("Yesterday", "The Beatles", "Help!"),
    ("Help!", "The Beatles", "Help!"), ("Let It Be", "The Beatles", "Let It Be"),
    ("Help Me", "Joni Mitchell", "Court and Spark"), ("Humoresque", "Antonín Dvořák", "Piano"),
    ("Økland", "Paweł Ståle", "Ice"), ("Straße", "Motörhead", "Ærlig"), ("風の歌", "山田", "空と風"),
    ("Moanin'", "Charles Mingus", "Blues & Roots"), ("Better Git It in Your Soul", "Charles Mingus", "Mingus Ah Um"),
    ("Mingus Fingus", "Lionel Hampton", "Big Band"), ("+", "!!!", "÷"), ("Что", "Аквариум", "Радио"),
]  # fmt: skip


@pytest.fixture(scope="module")
def finding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finding]:
    db = Database(tmp_path_factory.mktemp("finding") / "c.db")
    records = Records(db, "node", lambda: 1, {songs.KIND: songs.project}, followers=FOLLOWERS)
    for n, (title, artist, album) in enumerate(LIBRARY):
        records.put(
            songs.KIND, f"{n * 0x9E3779B1 % (1 << 32):08x}" * 8, {"title": title, "artist": artist, "album": album}
        )
    yield Finding(records)
    db.close()


def first(finding: Finding, query: str) -> tuple[str, str, str]:
    """The best artist, album and song."""
    found = finding.find(query, 10)
    firsts = [[a.name for a in found.artists], [a.title for a in found.albums], [s.title for s in found.songs]]
    return tuple((names or [""])[0] for names in firsts)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("query", "artist", "album", "song"),
    [
        ("help", "", "Help!", "Help!"),  # exactly, before what begins so
        ("help m", "", "", "Help Me"),
        ("mingus", "Charles Mingus", "Mingus Ah Um", "Mingus Fingus"),
        ("charles", "Charles Mingus", "Blues & Roots", "Moanin'"),
        ("mingus soul", "", "", "Better Git It in Your Soul"),
        ("soul charles", "", "", "Better Git It in Your Soul"),
        ("dvorak", "Antonín Dvořák", "Piano", "Humoresque"),
        ("DVOŘ", "Antonín Dvořák", "Piano", "Humoresque"),
        ("okland", "", "", "Økland"), ("pawel", "Paweł Ståle", "Ice", "Økland"),
        ("strasse", "", "", "Straße"), ("aerlig", "", "Ærlig", "Straße"), ("torhe", "Motörhead", "Ærlig", "Straße"),
        ("風", "", "空と風", "風の歌"), ("の歌", "", "", "風の歌"), ("田", "山田", "空と風", "風の歌"),
        ("空", "", "空と風", "風の歌"),
        ("аква", "Аквариум", "Радио", "Что"),
        ("+", "", "", "+"), ("!!!", "!!!", "", "+"), ("÷", "", "÷", ""),
        ("nothing like it", "", "", ""),
    ],
)  # fmt: skip
def test_what_comes_first(finding: Finding, query: str, artist: str, album: str, song: str) -> None:
    assert first(finding, query) == (artist, album, song)


def test_every_beginning_finds_what_is_typed(finding: Finding) -> None:
    for title, artist, _ in LIBRARY:
        for text in (title, artist, *([f"{artist} {title}"] if title != "+" else [])):
            for n in range(1, len(text) + 1):
                found = finding.find(text[:n], 50)
                names = [song.title for song in found.songs] + [a.name for a in found.artists]
                assert title in names or artist in names or not text[:n].strip(), text[:n]


@pytest.mark.parametrize(
    ("query", "suggestion"),
    [("mingsu", "mingus"), ("charels mingus", "charles mingus"), ("yesterdya", "yesterday"), ("beetles", "beatles"),
     ("Dvořkák", "dvorak"), ("joni michell", "joni mitchell")],
)  # fmt: skip
def test_what_was_meant(finding: Finding, query: str, suggestion: str) -> None:
    suggestions = finding.find(query, 10).suggestions
    assert suggestion in suggestions
    for words in suggestions:
        found = finding.find(words, 10)
        assert found.artists or found.albums or found.songs


def test_nothing_is_suggested_for_what_is_right_or_nonsense(finding: Finding) -> None:
    for query in ("mingus", "xqzwv", "yesterday joni", "", "..."):
        assert finding.find(query, 10).suggestions == ()


def test_at_most_so_many_of_each(finding: Finding) -> None:
    found = finding.find("m", 1)
    assert len(found.songs) == len(found.albums) == len(found.artists) == 1
    for limit in (0, 51):
        with pytest.raises(Invalid):
            finding.find("m", limit)

"""Which songs are one album, and whose."""

import pytest

from ringnode.catalogue.grouping import VARIOUS_ID, album_of, artist_id, artists_of, genres_of, year_of

A = {"title": "x", "artist": "Björk", "album": "Homogenic", "date": "1997"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (A, A | {"date": "1997-09-22", "title": "y"}),
        (A, A | {"album": "  HOMOGENIC!", "artist": "bjork"}),
        (A, A | {"artist": "Björk feat. B", "artists": ["Björk", "B"]}),
        (A, A | {"artist": "B", "albumartist": "Björk"}),
        (A | {"artist": "Guns N’ Roses"}, A | {"artist": "Guns N' Roses"}),
        (A | {"compilation": True}, A | {"compilation": True, "artist": "B"}),
        (A | {"compilation": True}, A | {"albumartist": "various artists"}),
        (A | {"albumartist": "VA"}, A | {"albumartist": "Various"}),
        (A | {"mb_album_id": "AB-1"}, A | {"mb_album_id": "ab-1", "album": "Homogenic (disc 2)", "artist": "B"}),
        ({}, {"title": "x", "album": " "}),
        ({"artist": "B"}, {"artist": "b", "mb_album_id": "ab-1"}),
    ],
)
def test_one_album(one: dict, other: dict) -> None:
    assert album_of(one).id == album_of(other).id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (A, A | {"artist": "B"}),
        (A, A | {"album": "Post"}),
        (A, A | {"mb_album_id": "ab-1"}),
        (A | {"mb_album_id": "ab-1"}, A | {"mb_album_id": "ab-2"}),
        (A | {"album": ""}, A | {"album": "", "artist": "B"}),
        (A | {"album": "+"}, A | {"album": "÷"}),
        (A | {"album": "+"}, A | {"album": ""}),
        (A | {"artist": "!!!"}, A | {"artist": "???"}),
        (A | {"albumartist": "DJ", "compilation": True}, A | {"compilation": True}),
    ],
)
def test_two_albums(one: dict, other: dict) -> None:
    assert album_of(one).id != album_of(other).id


def test_ids_are_the_same_on_every_node_and_in_every_version() -> None:
    """Players keep them; a change of the rules would break what they keep, so it must be meant."""
    assert album_of(A).id == "b395b41aadbfab2b7b67b2af2a3c2149"
    assert artist_id("Björk") == "42fdbdb31939d3f9265aeee71b61598f"


def test_names_as_they_are_shown() -> None:
    assert album_of({})[1::2] == ("[non-album]", "[unknown]")
    assert album_of(A)[1::2] == ("Homogenic", "Björk")
    assert album_of(A | {"albumartist": "va"})[2:] == (VARIOUS_ID, "Various Artists")
    assert artists_of({"artist": "A & B"}) == ["A & B"]
    assert artists_of({"artist": "A & B", "artists": ["A", " ", "B"]}) == ["A", "B"]
    assert artists_of({"albumartist": "C"}) == ["C"]


def test_documents_of_strangers() -> None:
    strange = {
        "artist": 5,
        "artists": [1, None, "x"],
        "album": ["y"],
        "mb_album_id": {},
        "genres": "Jazz",
        "date": 1997,
    }
    assert album_of(strange).title == "[non-album]" and artists_of(strange) == ["x"]
    assert genres_of(strange) == [] and year_of(strange) == 0
    assert genres_of({"genres": [" Jazz ", "", 4]}) == ["Jazz"]


@pytest.mark.parametrize(("date", "year"), [("1997", 1997), ("1997-03-01", 1997), ("97", 0), ("", 0), ("x997", 0)])
def test_years(date: str, year: int) -> None:
    assert year_of({"date": date}) == year

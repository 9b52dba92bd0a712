"""What can be done with songs that came to another node just now."""

from collections.abc import Iterator
from typing import Any

import pytest
from alone import Alone, add_song, open_catalogue

from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.errors import Invalid
from ringnode.services.library import Library
from ringnode.services.playlists import Playlists


class Behind(Alone):
    """A node that asks its songs' owners, for it knows nothing yet."""

    def __init__(self, records: Records, owners: Records) -> None:
        super().__init__(records)
        self._owners = owners
        self.asked: list[str] = []

    def find(self, kind: str, key: str) -> Record | None:
        self.asked.append(key)
        if found := self._owners.get(kind, key):
            self._records.merge([found])
        return self._records.get(kind, key)


@pytest.fixture
def owners() -> Iterator[Records]:
    records = open_catalogue(node="owner")
    for n in range(3):
        add_song(records, f"Song {n}", n + 1)
    yield records
    records.db.close()


@pytest.fixture
def behind(owners: Records) -> Iterator[Behind]:
    records = open_catalogue()
    yield Behind(records, owners)
    records.db.close()


def library(durability: Behind) -> Library:
    nothing: Any = None
    return Library(nothing, durability._records, nothing, nothing, durability, nothing)  # type: ignore[arg-type]


def test_owners_are_asked_of_several_songs_too(owners: Records, behind: Behind) -> None:
    ids = owners.keys("song")[::-1]
    assert [song.title for song in library(behind).several(ids)] == ["Song 2", "Song 1", "Song 0"]
    assert sorted(behind.asked) == sorted(ids)
    assert len(library(behind).several(ids)) == len(behind.asked) == 3, "and asked once"


@pytest.mark.parametrize("unknown", ["f" * 64, "nonsense"])
def test_a_song_that_is_nowhere_is_named(owners: Records, behind: Behind, unknown: str) -> None:
    with pytest.raises(Invalid, match=f"no song {unknown}") as error:
        library(behind).several([*owners.keys("song"), unknown])
    assert error.value.field == "ids"


def test_a_playlist_takes_songs_that_came_to_another_node(owners: Records, behind: Behind) -> None:
    lists, ids = Playlists(behind._records, behind), owners.keys("song")  # type: ignore[arg-type]
    made = lists.create("Anna", {"name": "Evening"}, ids[:2])
    lists.add("Anna", made.id, ids[2:], None)
    assert [song.title for song in lists.songs("Anna", made.id)] == ["Song 0", "Song 1", "Song 2"]

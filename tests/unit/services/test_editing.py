"""Editing over a real catalogue, with real files where tags are read."""

import io
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from alone import Alone, Shelf, add_song, open_catalogue
from mutagen.id3 import ID3, TALB, TIT2, TPE1

from ringnode.catalogue.model import Song
from ringnode.catalogue.records import Records
from ringnode.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from ringnode.services.accounts import User
from ringnode.services.editing import HISTORY, Editing

ANNA, BEN, ADMIN = User("anna", "uploader"), User("ben", "uploader"), User("root", "admin")


class Made:
    """A catalogue on disk, for several threads, and what edits it."""

    def __init__(self, folder: Path) -> None:
        self.records: Records = open_catalogue(folder / "c.db")
        self.shelf = Shelf(self.records)
        self.editing = Editing(self.records, Alone(self.records), self.shelf, folder)  # type: ignore[arg-type]
        self.songs = [add_song(self.records, f"Song {n}", artist="A", added_by="anna") for n in range(3)]

    def now(self, n: int = 0) -> Song:
        return self.shelf.song(self.songs[n].id)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    one = Made(tmp_path)
    yield one
    one.records.db.close()


def test_every_change_can_be_undone_and_done_again(made: Made) -> None:
    id = made.songs[0].id
    made.editing.edit(ANNA, id, {"title": "One", "genres": ["Jazz"]})
    made.editing.edit(BEN, id, {"title": "Two", "artist": "A"})  # one of them is as it was
    edits = made.editing.history(id)
    assert [(e.by, e.before, e.after) for e in edits] == [
        ("ben", {"title": "One"}, {"title": "Two"}),
        ("anna", {"title": "Song 0", "genres": []}, {"title": "One", "genres": ["Jazz"]}),
    ]
    assert made.editing.undo(ANNA, id).title == "One"
    assert made.editing.undo(ANNA, id).title == "Two"  # an undo is a change, too
    undone = made.editing.undo(ANNA, id, edits[1].id)  # its title was changed since, its genres were not
    assert (undone.title, undone.genres) == ("Two", ())
    with pytest.raises(Conflict):
        made.editing.undo(ANNA, id, edits[1].id)
    with pytest.raises(NotFound):
        made.editing.undo(ANNA, id, "nothing")
    with pytest.raises(NotFound):
        made.editing.undo(ANNA, made.songs[1].id)
    assert made.editing.edit(ANNA, id, {"title": "Two"}).title == "Two"
    assert len(made.editing.history(id)) == 5  # what changes nothing is no change
    assert made.editing.history(made.songs[1].id) == []


def test_the_history_is_bounded(made: Made) -> None:
    for n in range(HISTORY + 5):
        made.editing.edit(ANNA, made.songs[0].id, {"title": f"T{n}"})
    assert [e.after["title"] for e in made.editing.history(made.songs[0].id)] == [
        f"T{n}" for n in range(HISTORY + 4, 4, -1)
    ]


def test_versions_hold(made: Made) -> None:
    id = made.songs[0].id
    record = made.records.get("song", id)
    assert record
    made.editing.edit(ANNA, id, {"title": "x"}, [record.newest()])
    for act in (lambda: made.editing.edit(ANNA, id, {"title": "y"}, [record.newest()]),
                lambda: made.editing.delete(ANNA, id, [record.newest()])):  # fmt: skip
        with pytest.raises(Stale):
            act()


def test_deleted_songs_come_back_while_their_files_are_there(made: Made) -> None:
    id, other = made.songs[0].id, made.songs[1].id
    made.shelf.files[id] = b"x"
    made.editing.edit(ANNA, id, {"title": "One"})
    for user in (ANNA, ADMIN):
        with pytest.raises(Forbidden):
            made.editing.delete(BEN, id)
        made.editing.delete(user, id)
        with pytest.raises(NotFound):
            made.now()
        with pytest.raises(Forbidden):
            made.editing.restore(BEN, id)
        assert made.editing.restore(user, id).title == "One"
    assert made.editing.restore(ANNA, id) == made.now()
    made.editing.delete(ANNA, other)
    with pytest.raises(NotFound, match="upload it again"):
        made.editing.restore(ANNA, other)
    assert made.records.count("song") == 2


def test_what_is_wrong_with_one_of_many_hinders_no_other(made: Made) -> None:
    first, second, third = (song.id for song in made.songs)
    outcomes = made.editing.edit_many(
        ANNA, [(first, {"album": "X"}), ("x", {"album": "X"}), (second, {"disc": "one"})]
    )
    assert [(o.id, o.done) for o in outcomes] == [(first, True), ("x", False), (second, False)]
    assert "no song" in outcomes[1].why and "disc" in outcomes[2].why
    assert [o.done for o in made.editing.delete_many(BEN, [first])] == [False]
    made.shelf.files[first] = b"x"
    assert [o.done for o in made.editing.delete_many(ANNA, [first, second])] == [True, True]
    assert [o.done for o in made.editing.restore_many(ANNA, [first, second])] == [True, False]
    assert made.now().album == "X"
    for items in ([], [third] * 501):
        with pytest.raises(Invalid):
            made.editing.delete_many(ANNA, items)


def test_songs_of_several_albums_become_songs_of_one(made: Made) -> None:
    a = made.editing.edit(ANNA, made.songs[0].id, {"album": "Roots", "mb_album_id": "m1"})
    b = made.editing.edit(ANNA, made.songs[1].id, {"album": "Roots (bonus)", "albumartist": "B", "title": "Kept"})
    outcomes = made.editing.merge_albums(BEN, [a], [b])
    assert [(o.id, o.done) for o in outcomes] == [(a.id, True), (b.id, True)]  # the first names its artist now
    assert (made.now().albumartist, made.now(1).albumartist) == ("A", "A")
    assert (made.now(1).album, made.now(1).mb_album_id, made.now(1).title) == ("Roots", "m1", "Kept")
    assert made.editing.undo(ANNA, b.id).album == "Roots (bonus)"


def tagged(**texts: bytes) -> bytes:
    """A WAV file whose ID3 tags say Latin-1 and mean something else."""
    out = io.BytesIO()
    with wave.open(out, "wb") as song:
        song.setnchannels(1)
        song.setsampwidth(2)
        song.setframerate(8000)
        song.writeframes(bytes(16000))
    tags = ID3()
    for frame in (TIT2, TPE1, TALB):
        if frame.__name__ in texts:
            tags.add(frame(encoding=0, text=texts[frame.__name__].decode("latin-1")))
    from mutagen.wave import WAVE

    out.seek(0)
    audio = WAVE(out)
    audio.add_tags()
    audio.tags.update({frame.HashKey: frame for frame in tags.values()})
    out.seek(0)
    audio.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("encoding", "artist", "title"),
    [
        ("cp1251", "Кино", "Группа крови… «на» рукаве"),
        ("gb18030", "王菲", "红豆傻繁體"),
        ("shift_jis", "久石譲", "ソラノ表現"),
        ("cp1250", "Čechomor", "Proměny"),
    ],
)
def test_garbled_tags_are_read_from_the_file_as_they_were_meant(
    made: Made, encoding: str, artist: str, title: str
) -> None:
    id = made.songs[0].id
    made.shelf.files[id] = tagged(TPE1=artist.encode(encoding), TIT2=title.encode(encoding), TALB=b"Plain")
    reading = made.editing.read_as([id], encoding)[0]
    assert reading.after == {"title": title, "artist": artist, "artists": [artist]}
    assert reading.before == {"title": "Song 0", "artist": "A", "artists": []}
    fixed = made.editing.edit(ANNA, id, reading.after)
    assert (fixed.title, fixed.artist) == (title, artist)


def test_readings_that_cannot_be(made: Made) -> None:
    made.shelf.files[made.songs[0].id] = b"no audio"
    first, second = made.editing.read_as([made.songs[0].id, "x"], "cp1251")
    assert first.why and second.why and not first.after
    for encoding in ("rot13", "zip", "", "utf-16"):
        with pytest.raises(Invalid):
            made.editing.read_as([made.songs[0].id], encoding)

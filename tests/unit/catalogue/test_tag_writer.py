"""What is written into tags is read from them again, in every format."""

import io

import pytest

from ringnode.catalogue import tags
from ringnode.catalogue.tag_writer import write

NEW = {
    "title": "Jóga — 風", "artist": "Björk", "artists": ["Björk", "Other"], "album": "Homogenic",
    "albumartist": "Björk", "track": 3, "tracks": 10, "disc": 1, "discs": 2, "date": "1997-09-22",
    "genres": ["Electronic", "Pop"], "composers": ["A", "B"], "compilation": True, "bpm": 99, "comment": "Two\nlines",
    "isrc": ["GBAAA9700001"], "mb_recording_id": "r-1", "mb_album_id": "a-1", "track_gain_db": -6.2,
    "track_peak": 0.98, "album_gain_db": -5.5, "album_peak": 1.0,
}  # fmt: skip
NAMES = ["cbr.mp3", "song.flac", "vorbis.ogg", "song.opus", "flac.oga", "aac.m4a", "alac.m4a", "song.wav",
         "song.aiff", "song.wma", "song.wv", "song.tta"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_field_comes_back(audio, name):
    file = io.BytesIO(audio[name].read_bytes())
    before = tags.read(file, name)
    assert write(file, name, NEW, set(NEW))
    after = tags.read(file, name)
    for field, value in NEW.items():
        assert after[field] == value, field
    assert after["duration_s"] == pytest.approx(before["duration_s"], abs=0.1)
    # twice, and less than before: what is unknown now is taken away
    assert write(file, name, NEW | {"album": "", "genres": [], "track": 0, "compilation": False},
                 {"album", "genres", "track", "compilation", "title"})  # fmt: skip
    last = tags.read(file, name)
    assert (last["album"], last["genres"], last["compilation"], last["title"]) == ("", [], False, NEW["title"])
    assert last["artist"] == "Björk"


def test_only_the_fields_named_are_touched(audio):
    file = io.BytesIO(audio["song.flac"].read_bytes())
    write(file, "a.flac", NEW, set(NEW))
    write(file, "a.flac", NEW | {"title": "Other", "album": "Not this"}, {"title"})
    after = tags.read(file, "a.flac")
    assert (after["title"], after["album"]) == ("Other", "Homogenic")


def test_what_cannot_carry_tags_says_so(audio):
    assert not write(io.BytesIO(b"no audio at all" * 100), "a.xyz", NEW, {"title"})

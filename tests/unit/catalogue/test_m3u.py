from pathlib import Path

import pytest
from alone import add_song, open_catalogue

from ringnode.catalogue import m3u
from ringnode.catalogue.m3u import Wanted
from ringnode.catalogue.model import Song
from ringnode.catalogue.records import Records


@pytest.fixture
def records() -> Records:
    return open_catalogue()


def test_what_is_written_is_found_again(records: Records) -> None:
    songs = [add_song(records, f"Title {n}", artist="An Artist", filename=f"{n}.mp3") for n in range(3)]
    text = m3u.write("Två\nrader", [(song, f"https://a/api/v1/songs/{song.id}/stream") for song in songs])
    assert text.splitlines()[:3] == ["#EXTM3U", "#PLAYLIST:Två rader", "#EXTINF:60,An Artist - Title 0"]
    assert [m3u.find(records, wanted) for wanted in m3u.parse(text.encode())] == [[song.id] for song in songs]


@pytest.mark.parametrize(
    "lines",
    [
        "#EXTINF:61,Björk - Jóga\nanywhere.mp3",
        "#EXTINF:61,bjork - joga\nanywhere.mp3",
        "#EXTINF:-1 tvg-id=x,Björk - Jóga\nhttps://radio/x",
        "Homogenic\\02 - Jóga.mp3",
        "/music/Homogenic/02 Jóga.flac",
        "../Homogenic/02_Joga.ogg",
        "Björk - Jóga.mp3",
        "other name.mp3",
        "file:///music/Homogenic/02%20J%C3%B3ga.flac",
        "http://other:80/stream/other%20name.mp3?token=a/b.mp3",
        "\n".join(["#EXTVLCOPT:x", "", "#EXTINF:60,Jóga", "x.mp3"]),
    ],
)
def test_lines_of_other_programs(records: Records, lines: str) -> None:
    add_song(records, "Jóga", 7, artist="Somebody Else", duration_s=200.0)
    song = add_song(records, "Jóga", artist="Björk", album="Homogenic", filename="other name.mp3")
    assert [m3u.find(records, wanted) for wanted in m3u.parse(lines.encode())] == [[song.id]]


def test_lengths_and_artists_tell_songs_of_one_name_apart(records: Records) -> None:
    short, long = add_song(records, "Intro", artist="A"), add_song(records, "Intro", artist="A", duration_s=300.0)
    assert m3u.find(records, Wanted("", artist="A", title="Intro", duration_s=299.0)) == [long.id]
    assert m3u.find(records, Wanted("", artist="A", title="Intro", duration_s=62.0)) == [short.id]
    assert m3u.find(records, Wanted("", artist="A", title="Intro", duration_s=150.0)) == []
    assert m3u.find(records, Wanted("", artist="B", title="Intro", duration_s=60.0)) == []
    assert m3u.find(records, Wanted("", title="")) == []


def test_of_many_files_of_one_name_the_one_in_its_folders_is_meant(records: Records) -> None:
    for n, (artist, album) in enumerate([("Björk", "Homogenic"), ("Björk", "Post"), ("Abba", "Arrival")]):
        add_song(records, f"Title {n}", n + 1, artist=artist, album=album, filename="01.mp3")

    def found(line: str) -> list[int]:
        return [int(id) for id in m3u.find(records, next(m3u.parse(line.encode())))]

    assert found("01.mp3") == found("/music/01.mp3") == [1, 2, 3], "which is not clear"
    assert found("/music/Björk/Post/01.mp3") == found("Bjork - Post (1995)/01.mp3") == [2]
    assert found("D:\\Abba\\01.mp3") == [3]
    assert found("Björk/01.mp3") == [1, 2]
    assert found("#EXTINF:60,Abba - Title 2\n01.mp3") == [3]
    assert found("#EXTINF:60,Abba - Not here\nBjörk/Homogenic/01.mp3") == [1]


def test_a_title_of_several_is_not_clear_and_copies_of_one_song_are(records: Records) -> None:
    joga = [add_song(records, "Jóga", artist="Björk", filename=name) for name in ("a.mp3", "b.flac")]
    assert m3u.find(records, next(m3u.parse("02 Jóga.ogg".encode()))) == [joga[0].id]
    other = add_song(records, "Jóga", artist="Somebody Else")
    assert m3u.find(records, next(m3u.parse(b"../02_Joga.ogg"))) == [joga[0].id, joga[1].id, other.id]
    assert m3u.find(records, next(m3u.parse("#EXTINF:60,Jóga\nb.flac".encode()))) == [joga[1].id]


def test_a_dash_in_a_name_parts_nothing(records: Records) -> None:
    song = add_song(records, "Intro", artist="Crosby - Nash", filename="x.mp3")
    other = add_song(records, "Live - Intro", artist="Nash", filename="y.mp3")
    assert m3u.find(records, next(m3u.parse(b"#EXTINF:60,Crosby - Nash - Intro\nz.mp3"))) == [song.id]
    assert m3u.find(records, next(m3u.parse(b"#EXTINF:60,Nash - Live - Intro\nz.mp3"))) == [other.id]


def test_no_file_name_names_no_file(records: Records) -> None:
    add_song(records, "Other", artist="A", filename="")
    assert m3u.find(records, next(m3u.parse(b"http://radio/"))) == []


def test_places_are_written_as_they_are(records: Records) -> None:
    song = add_song(records, "A", artist="B")
    assert m3u.write("x", [(song, "1 B  -  A.flac")]).splitlines()[-1] == "1 B  -  A.flac"


def test_a_byte_order_mark_and_old_encodings() -> None:
    assert [w.title for w in m3u.parse(b"\xef\xbb\xbf#EXTINF:1,A - B\r\nx\r\n")] == ["B"]
    assert [w.filename for w in m3u.parse(b"J\xf3ga.mp3")] == ["Jóga.mp3"]
    assert [w.title for w in m3u.parse("#EXTINF:1,A - Ł\r\nx\r\n".encode("utf-16"))] == ["Ł"]
    assert [w.filename for w in m3u.parse("a\u2028b.mp3\rc.mp3".encode())] == ["a\u2028b.mp3", "c.mp3"]
    assert list(m3u.parse(b"#EXTM3U\n\n# nothing\n")) == []


def test_a_deleted_song_is_not_found(records: Records, tmp_path: Path) -> None:
    song: Song = add_song(records, "Gone", artist="A")
    records.put("song", song.id, {"deleted": True})
    assert m3u.find(records, Wanted("", id=song.id, artist="A", title="Gone")) == []

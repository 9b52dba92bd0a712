"""Many songs as one zip."""

import io
import wave
import zipfile

import pytest
from alone import Alone, Shelf, add_song
from mutagen.wave import WAVE

from ringnode.catalogue.paging import PAGE_LIMIT
from ringnode.services.browse import Browse
from ringnode.services.editing import Editing


@pytest.fixture
def songs(gateway):
    gateway.browse = Browse(gateway.records)
    found = []
    tags = {"album": "Homogenic", "albumartist": "Björk", "artist": "Björk"}
    for n, (title, filename) in enumerate([("Jóga/5", "a.flac"), ("Same", "b.mp3"), ("Same", "C.mp3"), ("..", "d")]):
        facts = {"track": n + 1, "filename": filename, "size_bytes": 1000 * n}
        found.append(add_song(gateway.records, title, **tags, **facts))
    gateway.library = Shelf(gateway.records, {song.id: bytes([n]) * song.size_bytes for n, song in enumerate(found)})
    return found


def unzip(answer):
    assert (answer.status_code, answer.content_type) == (200, "application/zip")
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_album(client, gateway, songs):
    path = f"/api/v1/albums/{client.get('/api/v1/albums').json['items'][0]['id']}/download"
    answer = client.get(path, role="listener")
    assert 'filename="Bjork - Homogenic.zip"' in answer.headers["Content-Disposition"]
    files = unzip(answer)
    assert list(files) == ["01 Jóga_5.flac", "02 Same.mp3", "03 Same.mp3", "04"]
    assert [len(data) for data in files.values()] == [0, 1000, 2000, 3000]
    head = client.head(path)
    assert (head.headers["Content-Length"], head.data) == (answer.headers["Content-Length"], b"")
    assert client.get("/api/v1/albums/x/download").status_code == 404


def test_an_album_of_more_songs_than_a_page_is_whole(client, gateway, songs):
    doc = {"album": "Box", "artist": "A", "title": "T", "size_bytes": 0, "added_at": "2026-01-01T00:00:00+00:00"}
    many = [gateway.records.draft("song", f"{n:064x}", doc | {"track": n}) for n in range(PAGE_LIMIT + 1)]
    gateway.records.merge(many)
    gateway.library = Shelf(gateway.records, {record.key: b"" for record in many})
    box = client.get("/api/v1/albums?q=box").json["items"][0]
    assert len(unzip(client.get(f"/api/v1/albums/{box['id']}/download"))) == PAGE_LIMIT + 1


def test_names_fit_any_disk_and_are_each_there_once(client, gateway, songs):
    made = [add_song(gateway.records, title, artist="", filename="x.flac", size_bytes=0) for title in
            ["歌" * 300, "歌" * 299, "Same (2)", "Same", "Same", "same"]]  # fmt: skip
    gateway.library = Shelf(gateway.records, {song.id: b"" for song in made})
    names = list(unzip(client.get(f"/api/v1/songs/download?ids={','.join(song.id for song in made)}")))
    assert names[2:] == ["Same (2).flac", "Same.flac", "Same (3).flac", "same (4).flac"]
    assert len(set(names)) == 6 and all(len(name.encode()) < 255 for name in names)


def test_no_songs_is_no_zip(client):
    for query in ("", "?ids=", "?ids=,"):
        answer = client.get(f"/api/v1/songs/download{query}")
        assert (answer.status_code, answer.json["field"]) == (422, "ids")


def test_a_playlist_comes_with_its_list(client, songs):
    ids = [songs[2].id, songs[1].id, songs[2].id]
    made = client.post("/api/v1/playlists", json={"name": "Even/ing", "songs": ids}, role="listener").json
    path = f"/api/v1/playlists/{made['id']}/download"
    files = unzip(client.get(path, role="listener"))
    assert list(files) == ["1 Björk - Same.mp3", "2 Björk - Same.mp3", "3 Björk - Same.mp3", "Even_ing.m3u8"]
    lines = files["Even_ing.m3u8"].decode().splitlines()
    assert [line for line in lines if not line.startswith("#")] == list(files)[:3]
    assert client.get(path, role="admin").status_code == 404
    empty = client.post("/api/v1/playlists", json={"name": "x"}).json["id"]
    assert client.get(f"/api/v1/playlists/{empty}/download").status_code == 404


def test_any_songs(client, songs):
    ids = ",".join(song.id for song in songs[1:3])
    assert list(unzip(client.get(f"/api/v1/songs/download?ids={ids}"))) == [
        "Björk - Same.mp3",
        "Björk - Same (2).mp3",
    ]
    for query in ("", "?ids=", f"?ids={ids},x", "?ids=" + "x" * 40_000):
        assert client.get(f"/api/v1/songs/download{query}").json["field"] == "ids"


def test_a_file_that_is_another_length_ends_the_answer(client, gateway, songs):
    gateway.library.files[songs[1].id] = b"short"
    with pytest.raises(Exception, match="has 5 bytes"):
        client.get(f"/api/v1/songs/download?ids={songs[1].id}")


def test_a_zip_with_the_edited_tags_in_its_files(client, gateway, tmp_path):
    sound = io.BytesIO()
    with wave.open(sound, "wb") as song:
        song.setparams((1, 2, 8000, 0, "NONE", ""))
        song.writeframes(bytes(16_000))
    data = sound.getvalue()
    known = [add_song(gateway.records, name, filename=f"{name}.wav", size_bytes=len(data)) for name in ("a", "b")]
    gateway.library = Shelf(gateway.records, {song.id: data for song in known})
    gateway.editing = Editing(gateway.records, Alone(gateway.records), gateway.library, tmp_path)
    assert client.patch(f"/api/v1/songs/{known[0].id}", json={"title": "Edited"}).status_code == 200
    path = f"/api/v1/songs/download?ids={known[0].id},{known[1].id}"
    assert set(unzip(client.get(path)).values()) == {data}
    answer = client.get(f"{path}&tags=edited")
    assert "Content-Length" not in client.head(f"{path}&tags=edited").headers
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        edited, other = (archive.read(name) for name in archive.namelist())
    assert str(WAVE(io.BytesIO(edited)).tags["TIT2"]) == "Edited"
    assert other == data
    assert client.get(f"{path}&tags=x").json["field"] == "tags"

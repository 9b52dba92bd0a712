"""Pictures and lyrics over HTTP."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from ringnode.catalogue.grouping import album_of
from ringnode.catalogue.tags import Cover

API = "/api/v1"


def picture(color: str, size: int = 300, kind: str = "PNG") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (size, size // 2), color).save(data, kind)
    return data.getvalue()


def shown(answer) -> tuple[tuple[int, int], str]:
    """Size and colour of an answer's picture."""
    assert answer.status_code == 200, answer.text
    image = Image.open(io.BytesIO(answer.data)).convert("RGB")
    red, _, blue = image.getpixel((5, 5))
    return image.size, "red" if red > 200 else "blue" if blue > 200 else "other"


@pytest.fixture
def catalogued(gateway, library, song):
    """The song is in the catalogue too, and has a blue picture in its file."""
    doc = {"title": song.title, "artist": song.artist, "album": "Ice", "has_cover": True}
    gateway.records.put("song", song.id, doc)
    library.songs[song.id] = replace(song, has_cover=True)
    library.covers[song.id] = Cover("image/png", picture("blue"))
    return {name: f"{API}/{name}/{id}/cover" for name, id in (
        ("songs", song.id), ("albums", album_of(doc).id), ("artists", album_of(doc).artist_id))}  # fmt: skip


@pytest.mark.parametrize("name", ["songs", "albums", "artists"])
def test_the_picture_in_a_file_in_every_size(client, catalogued, name):
    url = catalogued[name]
    whole = client.get(url)
    assert (whole.data, whole.content_type) == (picture("blue"), "image/png")
    for size, width in ((1, 64), (64, 64), (65, 128), (200, 256), (1024, 300)):
        answer = client.get(f"{url}?size={size}")
        assert (shown(answer), answer.content_type) == (((width, width // 2), "blue"), "image/jpeg")
        again = client.get(f"{url}?size={size}", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])
    for size in ("0", "1025", "x", "-1", ""):
        assert client.get(f"{url}?size={size}").json["field"] == "size"
    assert client.head(url).headers["Content-Length"] == str(len(whole.data))


def test_a_song_that_was_given_a_picture_is_not_the_one_that_the_client_has(client, library, song):
    url = f"{API}/songs/{song.id}"
    bare = client.get(url).headers["ETag"]
    library.songs[song.id] = replace(song, has_cover=True)
    pictured = client.get(url, headers={"If-None-Match": bare})
    assert pictured.json["has_cover"] and pictured.headers["ETag"] != bare
    assert client.get(url, headers={"If-None-Match": pictured.headers["ETag"]}).status_code == 304
    changed = client.patch(url, json={"title": "New"}, headers={"If-Match": pictured.headers["ETag"]})
    assert changed.json["title"] == "New"
    assert client.patch(url, json={"title": "x"}, headers={"If-Match": pictured.headers["ETag"]}).status_code == 412


def test_made_sizes_are_kept(client, catalogued, library, gateway):
    client.get(catalogued["songs"] + "?size=64")
    library.covers.clear()
    assert shown(client.get(catalogued["albums"] + "?size=64"))[1] == "blue"
    assert client.get(catalogued["songs"] + "?size=128").status_code == 404


@pytest.mark.parametrize("name", ["songs", "albums"])
def test_an_uploaded_picture_stands_before_others_until_it_is_removed(client, catalogued, name):
    url = catalogued[name]
    old = client.get(f"{url}?size=64").headers["ETag"]
    assert client.put(url, data=picture("red", 2000), content_type="image/png", role="uploader").status_code == 204
    fresh = client.get(f"{url}?size=64", headers={"If-None-Match": old})
    assert shown(fresh) == ((64, 32), "red")
    assert shown(client.get(url)) == ((1024, 512), "red")
    assert shown(client.get(catalogued["artists"]))[1] == "red"
    assert client.put(url, data=picture("blue", 50, "GIF"), content_type="image/gif").status_code == 204
    assert shown(client.get(url)) == ((50, 25), "blue")
    assert client.delete(url, role="uploader").status_code == 204
    assert client.delete(url).status_code == 404
    assert client.get(f"{url}?size=64", headers={"If-None-Match": old}).status_code == 304


def test_a_song_without_a_picture_gets_one(client, catalogued, library, gateway, song):
    library.covers.clear()
    library.songs[song.id] = replace(song, has_cover=False)
    gateway.records.put("song", song.id, {"title": "x", "artist": song.artist, "album": "Ice"})
    for url in catalogued.values():
        assert client.get(url).status_code == 404
    assert client.put(catalogued["albums"], data=picture("red"), content_type="image/png").status_code == 204
    assert shown(client.get(catalogued["artists"]))[1] == "red"


@pytest.mark.parametrize("mime", ["text/html", "image/svg+xml", "a\r\nb", ""])
def test_a_files_word_for_its_picture_is_not_passed_on(client, catalogued, library, song, mime):
    library.covers[song.id] = Cover(mime, b"<script>")
    assert client.get(catalogued["songs"]).content_type == "application/octet-stream"
    assert client.get(catalogued["songs"] + "?size=64").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"data": b"no picture", "content_type": "image/png"}, 422),
        ({"data": b"", "content_type": "image/png"}, 422),
        ({"data": picture("red")[:100], "content_type": "image/png"}, 422),
        ({"data": bytes((16 << 20) + 1), "content_type": "image/png"}, 413),
        ({"data": picture("red"), "content_type": "image/svg+xml"}, 415),
        ({"data": picture("red")}, 415),
        ({"data": picture("red"), "content_type": "image/png", "role": "listener"}, 403),
    ],
)
def test_bad_pictures(client, catalogued, gateway, body, status):
    for name in ("songs", "albums"):
        assert client.put(catalogued[name], **body).status_code == status
    assert not gateway.records.keys("cover")
    assert not list((gateway.covers._folder).glob("*.new"))


def test_pictures_of_what_is_not_there(client):
    for name, id in (("songs", "5f" * 32), ("albums", "5f" * 16), ("songs", "x"), ("albums", "x")):
        url = f"{API}/{name}/{id}/cover"
        assert client.get(url).status_code == client.delete(url).status_code == 404
        assert client.put(url, data=picture("red"), content_type="image/png").status_code == 404
    assert client.get(f"{API}/artists/x/cover").status_code == 404


def test_lyrics(client, song):
    url = f"{API}/songs/{song.id}/lyrics"
    assert client.get(url).status_code == 404
    answer = client.put(f"{url}?language=eng", data="[00:01.50]Hüm\n", content_type="text/plain", role="uploader")
    expected = {"synced": [{"at_ms": 1500, "text": "Hüm"}], "plain": "Hüm", "language": "eng", "source": "upload"}
    assert (answer.status_code, answer.json) == (200, expected)
    assert client.get(url, role="listener").json == expected
    assert client.put(url, data="Other", content_type="application/x-lrc").json["plain"] == "Other"
    assert client.get(url).json["synced"] == []
    assert client.delete(url).status_code == 204
    assert client.delete(url).status_code == client.get(url).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"data": b"\xff\xfe", "content_type": "text/plain"}, 422),
        ({"data": b"", "content_type": "text/plain"}, 422),
        ({"data": b"[ti:x]\n[00:01]", "content_type": "text/plain"}, 422),
        ({"data": b"x" * 60_000, "content_type": "text/plain"}, 413),
        ({"data": b"x" * 90_000, "content_type": "text/plain"}, 413),
        ({"data": b"x", "content_type": "text/html"}, 415),
        ({"json": {"plain": "x"}}, 415),
        ({"data": b"x", "content_type": "text/plain", "role": "listener"}, 403),
        ({"data": b"x", "content_type": "text/plain", "query_string": {"language": "x" * 36}}, 422),
    ],
)
def test_bad_lyrics(client, song, gateway, body, status):
    assert client.put(f"{API}/songs/{song.id}/lyrics", **body).status_code == status
    assert not gateway.records.keys("lyrics")

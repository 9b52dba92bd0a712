import io

import pytest

from ringnode.errors import NoSpace, NotEnoughReplicas

SONGS = "/api/v1/songs"
TERMINATED = {"wsgi.input_terminated": True}  # as granian says of every body: it ends where the stream ends
CHUNKED = {**TERMINATED, "HTTP_TRANSFER_ENCODING": "chunked"}


def upload(data: bytes, name: str = "a.mp3") -> dict:
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return {"data": head.encode() + data + b"\r\n--b--\r\n", "content_type": "multipart/form-data; boundary=b"}


def test_multipart_upload(client, library):
    answer = client.post(SONGS, **upload(b"music", "dir/käse.mp3"))
    assert answer.status_code == 201
    song = answer.json
    assert (song["filename"], song["added_by"], song["artists"]) == ("käse.mp3", "admin", [])
    assert library.files[song["id"]] == b"music"
    assert answer.headers["Location"] == f"{SONGS}/{song['id']}"
    assert client.get(answer.headers["Location"]).json == song
    again = client.post(SONGS + "/", **upload(b"music", "other.mp3"))
    assert (again.status_code, again.json) == (200, song)
    assert again.headers["Location"] == answer.headers["Location"]


@pytest.mark.parametrize("mimetype", [None, "audio/mpeg", "application/x-www-form-urlencoded"])
def test_raw_upload(client, library, mimetype):
    answer = client.post(f"{SONGS}?filename=b.mp3", data=b"bytes", content_type=mimetype, role="uploader")
    assert answer.status_code == 201
    assert library.files[answer.json["id"]] == b"bytes"
    assert answer.json["added_by"] == "uploader"


def test_uploads_may_be_larger_than_other_bodies_and_come_in_large_pieces(client, library):
    data = bytes(900_000)
    for body in (upload(data), {"data": data, "query_string": {"filename": "x"}}):
        assert client.post(SONGS, **body).status_code in (200, 201)
    assert min(sorted(library.pieces)[2:]) >= 64 << 10  # but for the last ones


def test_too_large_an_upload(client, library):
    for body in (upload(bytes(2 << 20)), {"data": bytes(2 << 20), "query_string": {"filename": "x"}}):
        assert client.post(SONGS, **body).status_code == 413
    assert not library.songs


@pytest.mark.parametrize("terminated", [{}, TERMINATED])
def test_a_raw_body_that_is_cut(client, library, terminated):
    answer = client.post(
        f"{SONGS}?filename=x", input_stream=io.BytesIO(b"half"), headers={"Content-Length": "8"},
        environ_overrides={"CONTENT_LENGTH": "8", **terminated},
    )  # fmt: skip
    assert answer.status_code in (400, 422)
    assert not library.songs


def test_a_raw_body_of_unknown_length(client, library):
    answer = client.post(f"{SONGS}?filename=x", input_stream=io.BytesIO(b"half"), environ_overrides=CHUNKED)
    assert answer.status_code == 411
    assert not library.songs


def test_a_multipart_body_of_unknown_length(client, library):
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    for body, status in ((head + b"music\r\n--b--", 201), (head + b"mus", 422), (head + b"music\r\n--b", 422)):
        library.songs.clear()
        answer = client.post(
            SONGS, input_stream=io.BytesIO(body), content_type="multipart/form-data; boundary=b",
            environ_overrides=CHUNKED,
        )  # fmt: skip
        assert answer.status_code == status
        assert len(library.songs) == (status == 201)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"data": b"x"}, 422, "filename"),
        ({"data": b"x", "query_string": {"filename": ""}}, 422, "filename"),
        ({"data": b"x", "query_string": {"filename": "x" * 10_000}}, 422, "filename"),
        ({"data": b"x", "query_string": {"filename": "x", "name": "y"}}, 422, "name"),
        ({"environ_overrides": {"CONTENT_LENGTH": "0"}, "query_string": {"filename": "x"}}, 422, "file"),
        ({"json": {"file": "x"}}, 422, "filename"),
        (upload(b""), 422, "file"),
        (upload(b"x", "") , 422, "file"),
        ({"data": {"file": "x"}, "content_type": "multipart/form-data"}, 422, "file"),
        ({"data": {"a": "x"}, "content_type": "multipart/form-data"}, 422, "file"),
        ({"data": b"x", "content_type": "multipart/form-data"}, 400, None),
        ({"data": b"x", "content_type": "multipart/form-data; boundary=\"a\x7fb\""}, 400, None),
    ],
)  # fmt: skip
def test_bad_uploads(client, library, body, status, field):
    answer = client.post(SONGS, **body)
    assert (answer.status_code, answer.json.get("field")) == (status, field), answer.text
    assert not library.songs


@pytest.mark.parametrize(("error", "status"), [(NoSpace("full"), 507), (NotEnoughReplicas("few"), 503)])
def test_uploads_the_ring_cannot_take(client, library, error, status):
    library.error = error
    assert client.post(SONGS, **upload(b"x")).status_code == status


def test_pages(client):
    for i in range(5):
        client.post(f"{SONGS}?filename=song {i}", data=bytes([i]))
    first = client.get(f"{SONGS}?limit=2").json
    assert [song["title"] for song in first["items"]] == ["song 0", "song 1"]
    assert (first["next_cursor"], first["total"]) == ("2", 5)
    last = client.get(f"{SONGS}?limit=2&cursor=4").json
    assert (len(last["items"]), last["next_cursor"]) == (1, None)
    assert client.get(f"{SONGS}?q=song 3").json["total"] == 1
    assert len(client.get(SONGS).json["items"]) == 5


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "", "1.5", "٣", "1e2", "9" * 5000, " 5"])
def test_bad_limits(client, limit):
    answer = client.get(SONGS, query_string={"limit": limit})
    assert (answer.status_code, answer.json["field"]) == (422, "limit")


@pytest.mark.parametrize(("name", "size"), [("q", 201), ("q", 10_000), ("cursor", 30_000)])
def test_long_texts(client, name, size):
    answer = client.get(SONGS, query_string={name: "x" * size})
    assert (answer.status_code, answer.json["field"]) == (422, name)


def test_a_song_and_its_version(client, song):
    url = f"{SONGS}/{song.id}"
    answer = client.get(url)
    assert answer.json["title"] == "Sóng"
    tag = answer.headers["ETag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert client.patch(url, json={"title": "New", "genres": ["a"]}, headers={"If-Match": tag}).json["title"] == "New"
    assert client.get(url, headers={"If-None-Match": tag}).json["genres"] == ["a"]
    assert client.patch(url, json={"title": "x"}, headers={"If-Match": tag}).status_code == 412
    assert client.delete(url, headers={"If-Match": tag}).status_code == 412
    assert client.patch(url, json={"title": "x"}, headers={"If-Match": "*"}).status_code == 200
    new = client.get(url).headers["ETag"]
    answer = client.delete(url, headers={"If-Match": new})
    assert (answer.status_code, answer.data) == (204, b"")
    assert client.get(url).status_code == 404
    assert client.delete(url).status_code == 404
    assert client.delete(url, headers={"If-Match": new}).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"json": {"title": "x"}}, 200, None),
        ({"data": '{"title": "x"}', "content_type": "application/merge-patch+json"}, 200, None),
        ({"data": '{"title": "x"}', "content_type": "application/json; charset=utf-8"}, 200, None),
        ({"data": '{"title": "x"}'}, 415, None),
        ({"data": '{"title"', "content_type": "application/json"}, 400, None),
        ({"json": []}, 422, None),
        ({"json": {}}, 422, None),
        ({"json": {"titel": "x"}}, 422, "titel"),
        ({"json": {"id": "5e" * 32}}, 422, "id"),
        ({"json": {"title": 5}}, 422, "title"),
        ({"json": {"title": None}}, 422, "title"),
        ({"json": {"title": "x" * 10_000}}, 422, "title"),
        ({"json": {"track": -1}}, 422, "track"),
        ({"json": {"track": True}}, 422, "track"),
        ({"data": '{"track_peak": NaN}', "content_type": "application/json"}, 422, "track_peak"),
        ({"data": '{"track_peak": 1e999}', "content_type": "application/json"}, 422, "track_peak"),
        ({"json": {"genres": "Jazz"}}, 422, "genres"),
        ({"json": {"title": "\ud800"}}, 422, "title"),
        ({"json": {"\ud800": "x"}}, 422, "\ud800"),
    ],
)
def test_edits(client, song, body, status, field):
    answer = client.patch(f"{SONGS}/{song.id}", **body)
    assert (answer.status_code, answer.json.get("field")) == (status, field), answer.text


def test_copies(client, song):
    answer = client.get(f"{SONGS}/{song.id}/copies").json
    assert answer["wanted"] == 3
    assert answer["copies"][0]["owner"] is True


def test_the_ring(client, gateway):
    ring = client.get("/api/v1/ring").json
    assert (ring["k"], ring["nodes"][0]["files"], ring["nodes"][0]["state"]) == (3, None, "down")
    key = "ab" * 32
    owners = client.get(f"/api/v1/ring/owners?key={key}").json
    assert owners == {"key": key, "owners": [{"id": key, "address": "10.0.0.5:7700"}]}
    for query in ("", "?key=", "?key=zz"):
        assert client.get(f"/api/v1/ring/owners{query}").json["field"] == "key"


def test_health_and_version(client, gateway):
    answer = client.get("/api/v1/health", raw=True)
    assert (answer.status_code, answer.json["status"]) == (200, "ok")
    gateway.overview.joined = False
    answer = client.get("/api/v1/health", raw=True)
    assert (answer.status_code, answer.json["joined"]) == (503, False)
    assert answer.content_type == "application/json"
    assert client.get("/api/v1/version", raw=True).json["api"] == "v1"

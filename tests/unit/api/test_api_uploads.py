"""Resumable uploads by tus, over HTTP."""

import hashlib
from base64 import b64encode

import pytest

from ringnode.errors import Invalid, NotEnoughReplicas

DATA = bytes(range(256)) * 40
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = "application/offset+octet-stream"


def metadata(name="a song.mp3"):
    return {"Upload-Metadata": f"filename {b64encode(name.encode()).decode()},filetype YQ=="}


SIZE = len(DATA)


def begin(client, size=SIZE, role="uploader", **more):
    headers = TUS | metadata() | {"Upload-Length": str(size)} | more.pop("headers", {})
    answer = client.post("/api/v1/uploads", headers=headers, role=role, **more)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def send(client, path, data, offset, role="uploader", **headers):
    return client.patch(path, data=data, headers=TUS | {"Upload-Offset": str(offset)} | headers, content_type=BYTES,
                        role=role)  # fmt: skip


def ask(client, path, role="uploader"):
    answer = client.head(path, headers=TUS, role=role)
    return answer.status_code, int(answer.headers.get("Upload-Offset", -1))


def test_a_file_in_pieces_becomes_a_song(client, library):
    path = begin(client)
    assert ask(client, path) == (200, 0)
    first = send(client, path, DATA[:5000], 0)
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "5000")
    assert {"Tus-Resumable", "Upload-Expires"} <= set(first.headers.keys())
    assert (ask(client, path), client.get(path, role="uploader").json["state"]) == ((200, 5000), "open")
    last = send(client, path, DATA[5000:], 5000)
    song = library.songs[last.headers["Upload-Song"]]
    assert (last.headers["Upload-Offset"], last.headers["Upload-New"]) == (str(len(DATA)), "true")
    assert (song.filename, song.added_by, library.files[song.id]) == ("a song.mp3", "uploader", DATA)
    assert ask(client, path) == (200, len(DATA))
    listed = client.get("/api/v1/uploads", role="uploader").json
    assert [(u["state"], u["song"], u["offset"]) for u in listed] == [("done", song.id, len(DATA))]
    again = send(client, begin(client), DATA, 0)
    assert (again.headers["Upload-Song"], again.headers["Upload-New"]) == (song.id, "false")


def test_a_file_sent_with_the_beginning(client):
    headers = TUS | metadata() | {"Upload-Length": str(len(DATA))}
    answer = client.post("/api/v1/uploads", data=DATA[:100], headers=headers, content_type=BYTES)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "100")
    answer = client.post("/api/v1/uploads", data=DATA, headers=headers, content_type=BYTES)
    assert answer.headers["Upload-Song"] == hashlib.sha256(DATA).hexdigest()
    assert client.post("/api/v1/uploads", data=DATA, headers=headers, content_type="audio/mpeg").status_code == 415


def test_what_comes_at_the_wrong_place_is_refused(client, library):
    path = begin(client)
    for offset in (1, len(DATA)):
        assert send(client, path, b"x", offset).status_code == 409
    send(client, path, DATA[:10], 0)
    assert send(client, path, DATA[:10], 0).status_code == 409
    assert send(client, path, DATA, 10).status_code == 422  # more than announced
    assert ask(client, path) == (200, 10)
    assert not library.songs


def test_a_post_stands_for_another_method_where_no_other_passes(client, library):
    path = begin(client)
    override = {"X-HTTP-Method-Override": "PATCH", "Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    sent = {"content_type": "application/offset+octet-stream", "role": "uploader"}
    assert client.post(path, data=b"abc", headers=override, **sent).headers["Upload-Offset"] == "3"
    for method in ("GET", "PUT", "patch", ""):
        assert client.post(path, headers={"X-HTTP-Method-Override": method}, role="uploader").status_code == 405
    assert client.post(path, headers={"X-HTTP-Method-Override": "DELETE"}, role="uploader").status_code == 204
    other = {"X-HTTP-Method-Override": "DELETE"}
    assert client.post(f"/api/v1/songs/{'0' * 64}", headers=other).status_code == 405


def test_checksums(client):
    path = begin(client)
    digest = b64encode(hashlib.sha1(DATA[:100]).digest()).decode()
    wrong = send(client, path, DATA[1:101], 0, **{"Upload-Checksum": f"sha1 {digest}"})
    assert (wrong.status_code, wrong.json["type"]) == (460, "urn:ringnode:problem:checksum-wrong")
    assert ask(client, path) == (200, 0)
    assert send(client, path, DATA[:100], 0, **{"Upload-Checksum": f"sha1 {digest}"}).status_code == 204
    assert send(client, path, DATA[100:], 100, **{"Upload-Checksum": "crc32 AAAA"}).status_code == 422
    digest = b64encode(hashlib.sha256(DATA[100:]).digest()).decode()
    assert send(client, path, DATA[100:], 100, **{"Upload-Checksum": f"sha256 {digest}"}).headers["Upload-Song"]


def test_a_ring_that_cannot_take_it_now_is_asked_again_with_the_last_byte(client, library, gateway):
    path = begin(client)
    library.error = NotEnoughReplicas("only 1")
    assert send(client, path, DATA, 0).status_code == 503
    assert ask(client, path) == (200, len(DATA) - 1)
    assert send(client, path, b"x", len(DATA) - 1).status_code == 409  # not the byte that came before
    library.error = None
    answer = send(client, path, DATA[-1:], len(DATA) - 1)
    assert library.files[answer.headers["Upload-Song"]] == DATA
    assert not list((gateway.config.data / "music" / "incoming").iterdir())
    assert [p.suffix for p in (gateway.config.data / "music" / "uploads").iterdir()] == [".json"]


def test_a_file_that_is_no_song_is_refused_for_good(client, library):
    path = begin(client)
    library.error = Invalid("this is not audio", "file")
    assert (send(client, path, DATA, 0).status_code, ask(client, path)) == (422, (200, len(DATA)))
    view = client.get(path, role="uploader").json
    assert (view["state"], view["why"], view["song"]) == ("refused", "this is not audio", "")
    assert send(client, path, b"x", len(DATA)).status_code == 409


def test_only_whose_it_is_and_only_where_it_is(client):
    path = begin(client)
    elsewhere = path.replace("7f3a90cd12ab", "000000000000")
    for other, role in ((path, "admin"), (elsewhere, "uploader"), ("/api/v1/uploads/x", "uploader"),
                        (path + "..%2f", "uploader")):  # fmt: skip
        assert ask(client, other, role)[0] == 404
        assert send(client, other, b"x", 0, role).status_code == 404
        assert client.delete(other, headers=TUS, role=role).status_code == 404
        assert client.get(other, role=role).status_code == 404
    assert client.get("/api/v1/uploads", role="admin").json == []
    assert client.delete(path, headers=TUS, role="uploader").status_code == 204
    assert ask(client, path)[0] == 404
    for method in ("post", "patch", "delete"):
        assert (
            getattr(client, method)("/api/v1/uploads" + "/x" * (method != "post"), role="listener").status_code == 403
        )


@pytest.mark.parametrize(
    ("headers", "status", "field"),
    [
        ({"Upload-Length": "0"}, 422, "Upload-Length"),
        ({"Upload-Length": "-1"}, 422, "Upload-Length"),
        ({"Upload-Length": "x"}, 422, "Upload-Length"),
        ({"Upload-Length": "9" * 30}, 422, "Upload-Length"),
        ({"Upload-Length": str((1 << 20) + 1)}, 413, "Upload-Length"),
        ({"Upload-Metadata": ""}, 422, "Upload-Metadata"),
        ({"Upload-Metadata": "filename !!!"}, 422, "Upload-Metadata"),
        ({"Upload-Metadata": "filename /w=="}, 422, "Upload-Metadata"),
        ({"Tus-Resumable": "0.2.0"}, 412, None),
    ],
)
def test_bad_beginnings(client, headers, status, field):
    headers = TUS | metadata() | {"Upload-Length": "100"} | headers
    answer = client.post("/api/v1/uploads", headers=headers)
    assert (answer.status_code, answer.json.get("field")) == (status, field), answer.text


def test_what_the_server_can_do(client):
    answer = client.options("/api/v1/uploads")
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Max-Size"] == str(1 << 20)
    assert set(answer.headers["Tus-Extension"].split(",")) == {
        "creation", "creation-with-upload", "checksum", "termination", "expiration"
    }  # fmt: skip
    assert "sha1" in answer.headers["Tus-Checksum-Algorithm"]


def test_what_is_known_need_not_be_sent(client, gateway):
    song = gateway.records.put("song", "ab" * 32, {"title": "x"})
    answer = client.post("/api/v1/uploads/known", json={"hashes": ["cd" * 32, song.key]}, role="uploader")
    assert answer.json == {"known": [song.key]}
    assert client.post("/api/v1/uploads/known", json={"hashes": ["x"]}).status_code == 422

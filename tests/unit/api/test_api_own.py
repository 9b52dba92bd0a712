"""Playlists, marks and queues over HTTP."""

import pytest
from alone import add_song


@pytest.fixture
def songs(gateway):
    return [add_song(gateway.records, f"Song {n}", artist="A", filename=f"{n}.mp3").id for n in range(3)]


def test_a_playlist_from_birth_to_death(client, songs):
    answer = client.post("/api/v1/playlists", json={"name": "Evening", "songs": songs[:2]}, role="listener")
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/api/v1/playlists/{answer.json['id']}")
    path = answer.headers["Location"]
    added = client.post(f"{path}/entries", json={"songs": [songs[2]], "after": ""}, role="listener")
    assert (added.status_code, added.json[0]["song"]["title"]) == (201, "Song 2")
    page = client.get(f"{path}/entries?limit=2", role="listener").json
    assert [e["song_id"] for e in page["items"]] == [songs[2], songs[0]]
    rest = client.get(f"{path}/entries?limit=2&cursor={page['next_cursor']}", role="listener").json
    assert ([e["song_id"] for e in rest["items"]], rest["next_cursor"], rest["total"]) == ([songs[1]], None, 3)
    first = page["items"][0]["id"]
    moved = client.patch(f"{path}/entries", json={"move": [first], "after": None}, role="listener")
    assert moved.status_code == 204
    etag = client.get(path, role="listener").headers["ETag"]
    assert client.get(path, role="listener", headers={"If-None-Match": etag}).status_code == 304
    assert client.patch(path, json={"public": True}, role="listener", headers={"If-Match": '"x"'}).status_code == 412
    changed = client.patch(path, json={"public": True}, role="listener", headers={"If-Match": etag})
    assert (changed.json["public"], changed.json["songs"], changed.json["owner"]) == (True, 3, "listener")
    for method, body in (("PATCH", {"json": {"name": "x"}}), ("DELETE", {})):
        assert client.open(path, method=method, role="admin", **body).status_code == 403
    copy = client.post(f"{path}/duplicate", json={}, role="admin")
    assert (copy.status_code, copy.json["owner"]) == (201, "admin")
    assert client.get("/api/v1/playlists?mine=false", role="admin").json["total"] == 1
    text = client.get(f"{path}/m3u8", role="admin")
    assert text.content_type == "audio/x-mpegurl; charset=utf-8"
    assert text.headers["Content-Disposition"].startswith('attachment; filename="Evening.m3u8"')
    assert f"http://localhost/api/v1/songs/{songs[0]}/stream" in text.text
    back = client.post("/api/v1/playlists/import?name=Back", data=text.data + b"no.mp3\n", role="uploader")
    assert (back.status_code, back.json["found"], back.json["missing"]) == (201, 3, ["no.mp3"])
    assert client.delete(path, role="listener").status_code == 204
    assert client.get(path, role="listener").status_code == 404


def test_another_users_playlist_is_as_if_it_were_not_there(client, songs):
    path = client.post("/api/v1/playlists", json={"name": "x"}, role="listener").headers["Location"]
    for method, tail, body in (
        ("GET", "", {}), ("PATCH", "", {"json": {"name": "y"}}), ("DELETE", "", {}), ("GET", "/entries", {}),
        ("POST", "/entries", {"json": {"songs": songs}}), ("PATCH", "/entries", {"json": {"remove": ["x"]}}),
        ("GET", "/m3u8", {}), ("POST", "/duplicate", {"json": {}}),
    ):  # fmt: skip
        assert client.open(path + tail, method=method, role="admin", **body).status_code == 404, (method, tail)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/playlists", {}, "name"),
        ("/playlists", {"name": 5}, "name"),
        ("/playlists", {"name": "x", "songs": [5]}, "songs"),
        ("/playlists", {"name": "x", "songs": ["00"]}, "songs"),
        ("/playlists", {"name": "x", "songs": ["00"] * 501}, "songs"),
        ("/playlists", {"name": "x", "readers": ["\ud800"]}, "readers"),
        ("/playlists", {"name": "x", "owner": "y"}, "owner"),
        ("/me/stars", {"what": "song", "ids": ["00"], "starred": True}, "ids"),
        ("/me/stars", {"what": "label", "ids": ["00"], "starred": True}, "what"),
        ("/me/stars", {"what": "album", "ids": ["00"], "starred": 1}, "starred"),
        ("/me/stars", {"what": "album", "ids": ["00"]}, "starred"),
        ("/me/ratings", {"what": "album", "ids": ["00"], "rating": 6}, "rating"),
        ("/me/ratings", {"what": "album", "ids": ["00"], "rating": True}, "rating"),
        ("/me/plays", {"song": "x"}, "ids"),
        ("/me/plays", {"song": ["x"]}, "song"),
        ("/me/plays", {"song": "x", "when": "now"}, "when"),
    ],
)
def test_bad_bodies_are_refused_with_the_name_of_the_field(client, path, body, field):
    answer = client.post(f"/api/v1{path}", json=body)
    assert (answer.status_code, answer.json.get("field")) == (422, field), answer.text


def test_marks_and_lists_of_songs(client, songs):
    star = {"what": "song", "ids": songs[:2], "starred": True}
    assert client.post("/api/v1/me/stars", json=star, role="listener").status_code == 204
    assert client.post("/api/v1/me/ratings", json={"what": "artist", "ids": ["A"], "rating": 4}).status_code == 204
    play = client.post("/api/v1/me/plays", json={"song": songs[1], "at": "2026-01-01T00:00:00Z"}, role="listener")
    assert (play.json["plays"], play.json["played_at"]) == (1, "2026-01-01T00:00:00+00:00")
    marks = client.get(f"/api/v1/me/marks?what=song&ids={','.join(songs)}", role="listener").json
    assert [(bool(m["starred_at"]), m["plays"]) for m in marks] == [(True, 0), (True, 1), (False, 0)]
    assert client.get("/api/v1/me/stars?what=song", role="listener").json["total"] == 2
    history = client.get("/api/v1/me/songs?played=true&sort=-plays", role="listener").json
    assert [m["song"]["id"] for m in history["items"]] == [songs[1]]
    assert client.get("/api/v1/me/songs?played=false", role="listener").json["total"] == 2
    assert client.get("/api/v1/me/songs?starred=true", role="admin").json["total"] == 0
    for query in ("sort=plays", "starred=maybe", "rating=x", "sort=title"):
        assert client.get(f"/api/v1/me/songs?{query}").status_code == 422


def test_the_queue_and_who_listens(client, songs):
    put = client.put("/api/v1/me/queue", json={"songs": songs, "index": 1}, role="listener")
    assert (put.json["index"], put.json["position_s"], "songs" in put.json) == (1, 0.0, False)
    moved = client.patch("/api/v1/me/queue", json={"position_s": 9.5, "device": "phone"}, role="listener").json
    assert client.get("/api/v1/me/queue", role="listener").json == moved | {"songs": songs}
    assert (moved["position_s"], moved["device"]) == (9.5, "phone")
    late = client.patch("/api/v1/me/queue", json={"index": 0, "device": "kitchen"}, role="listener")
    assert (late.status_code, "phone" in late.json["detail"]) == (409, True), "another's index was put into the queue"
    assert client.get("/api/v1/me/queue", role="listener").json == moved | {"songs": songs}
    assert client.get("/api/v1/me/queue", role="admin").json["songs"] == []
    assert client.patch("/api/v1/me/queue", json={"index": 3}, role="listener").json["field"] == "index"
    assert client.put("/api/v1/me/queue", json={"songs": ["0" * 64] * 2000}).status_code == 200
    assert client.put("/api/v1/me/queue", data=b" " * (257 << 10), content_type="application/json").status_code == 413
    assert client.put("/api/v1/me/now-playing", json={"song": songs[0]}, role="listener").status_code == 204
    assert [x["user"] for x in client.get("/api/v1/now-playing").json] == ["listener"]

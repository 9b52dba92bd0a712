"""Changing many songs, undoing and restoring over HTTP."""

import pytest
from alone import Alone, Shelf, add_song, open_catalogue

from ringnode.services.browse import Browse
from ringnode.services.editing import Editing


@pytest.fixture
def songs(gateway, tmp_path):
    records = open_catalogue(tmp_path / "c.db")  # on disk: several threads change it
    made = [add_song(records, f"Song {n}", artist="A", album=f"Album {n}", added_by="uploader") for n in range(3)]
    shelf = Shelf(records, {song.id: b"x" for song in made})
    gateway.editing = Editing(records, Alone(records), shelf, tmp_path)
    gateway.browse = Browse(records)
    gateway.library = shelf
    yield made
    records.db.close()


def test_many_songs_are_changed_deleted_and_brought_back(client, songs):
    ids = [song.id for song in songs]
    alike = {"ids": [*ids[:2], "x"], "changes": {"album": "One"}}
    answer = client.post("/api/v1/songs/edits", json=alike, role="uploader").json
    assert [(o["id"], o["done"]) for o in answer] == [(ids[0], True), (ids[1], True), ("x", False)]
    apart = {"edits": [{"id": ids[2], "changes": {"title": "Three"}}, {"id": ids[0], "changes": {"bpm": "x"}}]}
    answer = client.post("/api/v1/songs/edits", json=apart, role="uploader").json
    assert [(o["done"], o["why"]) for o in answer] == [(True, ""), (False, answer[1]["why"])]
    gone = client.post("/api/v1/songs/delete", json={"ids": ids}, role="uploader").json
    assert all(o["done"] for o in gone)
    assert client.get("/api/v1/songs").json["total"] == 0
    back = client.post("/api/v1/songs/restore", json={"ids": ids[:2]}, role="admin").json
    assert all(o["done"] for o in back)
    assert client.post(f"/api/v1/songs/{ids[2]}/restore", role="uploader").json["title"] == "Three"
    assert client.get("/api/v1/songs").json["total"] == 3


def test_history_and_undo(client, songs):
    id = songs[0].id
    client.patch(f"/api/v1/songs/{id}", json={"title": "Wrong"}, role="uploader")
    history = client.get(f"/api/v1/songs/{id}/history", role="listener").json
    assert [(e["by"], e["before"], e["after"]) for e in history] == [
        ("uploader", {"title": "Song 0"}, {"title": "Wrong"})
    ]
    undone = client.post(f"/api/v1/songs/{id}/undo", json={"edit": history[0]["id"]}, role="uploader")
    assert undone.json["title"] == "Song 0"
    again = client.post(f"/api/v1/songs/{id}/undo", json={"edit": history[0]["id"]}, role="uploader")
    assert (again.status_code, again.json["type"]) == (409, "urn:ringnode:problem:conflict")
    assert client.post(f"/api/v1/songs/{'0' * 64}/undo", json={}).status_code == 404


def test_albums_are_made_one(client, songs):
    albums = {a["title"]: a["id"] for a in client.get("/api/v1/albums").json["items"]}
    body = {"into": albums["Album 0"], "albums": [albums["Album 1"], albums["Album 2"]]}
    answer = client.post("/api/v1/albums/merge", json=body, role="uploader").json
    assert all(o["done"] for o in answer)
    assert [(a["title"], a["songs"]) for a in client.get("/api/v1/albums").json["items"]] == [("Album 0", 3)]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("edits", {}, "ids"),
        ("edits", {"ids": ["x"], "changes": []}, "changes"),
        ("edits", {"edits": [5]}, "edits"),
        ("edits", {"edits": [{"id": 5, "changes": {}}]}, "edits"),
        ("edits", {"ids": ["x"] * 501, "changes": {}}, "ids"),
        ("delete", {"ids": "x"}, "ids"),
        ("restore", {}, "ids"),
        ("encoding-preview", {"ids": ["x"], "encoding": "zip"}, "encoding"),
        ("encoding-preview", {"ids": [], "encoding": "cp1251"}, "ids"),
    ],
)
def test_bad_bodies(client, songs, path, body, field):
    answer = client.post(f"/api/v1/songs/{path}", json=body)
    assert (answer.status_code, answer.json.get("field")) == (422, field), answer.text


def test_a_listener_changes_nothing(client, songs):
    for path in ("edits", "delete", "restore", "encoding-preview", f"{songs[0].id}/undo", f"{songs[0].id}/restore"):
        assert client.post(f"/api/v1/songs/{path}", json={}, role="listener").status_code == 403
    assert client.post("/api/v1/albums/merge", json={}, role="listener").status_code == 403


def test_a_download_with_the_edited_tags(client, songs):
    path = f"/api/v1/songs/{songs[0].id}/download?tags="
    same = client.get(path + "edited", role="listener")
    assert (same.data, same.headers["Tags-Written"], same.headers["Content-Length"]) == (b"x", "true", "1")
    client.patch(f"/api/v1/songs/{songs[0].id}", json={"title": "New"})
    cannot = client.get(path + "edited", role="listener")  # one byte is no audio
    assert (cannot.data, cannot.headers["Tags-Written"]) == (b"x", "false")
    assert 'filename="A - New' in cannot.headers["Content-Disposition"]
    assert client.head(path + "edited").headers["Content-Length"] == "1"
    assert client.get(path + "x").json["field"] == "tags"

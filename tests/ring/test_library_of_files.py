"""Real tagged files in real processes: lists, search, pictures and lyrics, at the node that did not take them."""

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from processes import RingOfProcesses
from support import eventually

LRC = "[00:00.50]Hum\n[00:01.50]Hum again"
FILES = {
    "1.mp3": {"title": "Fables", "artist": "Charles Mingus", "album": "Ah Um", "date": "1959", "genre": "Jazz",
              "track": "2"},
    "2.flac": {"title": "Better Git It", "artist": "Charles Mingus", "album": "Ah Um", "date": "1959-09-14",
               "genre": "Jazz; Blues", "track": "1", "LYRICS": LRC},
    "3.opus": {"title": "Økland", "artist": "Björk", "album": "Hits", "compilation": "1", "date": "1999"},
    "4.m4a": {"title": "Two", "artist": "Paweł", "album": "Hits", "compilation": "1", "date": "2001"},
    "5.ogg": {},
}  # fmt: skip


def make(folder: Path) -> list[Path]:
    """Files of every family of tags, the first with a picture."""
    Image.new("RGB", (400, 400), "blue").save(folder / "cover.png")
    paths = []
    for n, (name, tags) in enumerate(FILES.items()):
        command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"sine=frequency={300 + 50 * n}:duration=2"]
        if n == 0:
            command += ["-i", str(folder / "cover.png"), "-map", "0", "-map", "1", "-disposition:v", "attached_pic"]
        command += [part for tag, text in tags.items() for part in ("-metadata", f"{tag}={text}")]
        subprocess.run([*command, str(folder / name)], check=True, timeout=30)
        paths.append(folder / name)
    return paths


@pytest.fixture
def node(tmp_path: Path) -> Any:
    ring = RingOfProcesses(tmp_path, 2, k=2)
    try:
        ring.start()
        for path in make(tmp_path):
            status, answer = ring.nodes[0].upload(path)
            assert status == 201, answer
        other = ring.nodes[1]
        eventually(lambda: other.get("/songs")["total"] == len(FILES))
        yield other
    finally:
        ring.close()


def test_a_library_as_people_see_it(node: Any) -> None:
    albums = node.get("/albums?sort=title")["items"]
    shown = [(a["title"], a["artist"], a["year"], a["songs"], a["has_cover"]) for a in albums]
    assert shown == [
        ("Ah Um", "Charles Mingus", 1959, 2, True), ("Hits", "Various Artists", 2001, 2, False),
        ("[non-album]", "[unknown]", 0, 1, False),
    ]  # fmt: skip
    view = node.get(f"/albums/{albums[0]['id']}")
    assert [song["title"] for song in view["songs"]] == ["Better Git It", "Fables"]
    artist = node.get(f"/artists/{albums[0]['artist_id']}")["artist"]
    assert (artist["name"], artist["songs"], round(artist["duration_s"])) == ("Charles Mingus", 2, 4)
    assert [g["name"] for g in node.get("/genres")["items"]] == ["Blues", "Jazz"]
    assert [y["year"] for y in node.get("/years?sort=-year")["items"]] == [2001, 1999, 1959]
    assert [s["title"] for s in node.get("/search?q=okl")["songs"]] == ["Økland"]
    assert node.get("/search?q=mingsu")["suggestions"] == ["mingus"]

    fables = view["songs"][1]
    for path, width in ((f"/songs/{fables['id']}/cover", 400), (f"/albums/{albums[0]['id']}/cover?size=100", 128)):
        status, headers, body = node.request("GET", path)
        assert (status, Image.open(io.BytesIO(body)).width) == (200, width)
        assert node.request("GET", path, headers={"If-None-Match": headers["etag"]})[0] == 304
    lyrics = node.get(f"/songs/{view['songs'][0]['id']}/lyrics")
    assert lyrics["synced"] == [{"at_ms": 500, "text": "Hum"}, {"at_ms": 1500, "text": "Hum again"}]

    hits = f"/albums/{albums[1]['id']}/cover"
    assert node.request("GET", hits)[0] == 404
    assert node.request("PUT", hits, b"no picture", {"Content-Type": "image/png"})[0] == 422
    picture = io.BytesIO()
    Image.new("RGB", (2000, 1000), "red").save(picture, "JPEG")
    assert node.request("PUT", hits, picture.getvalue(), {"Content-Type": "image/jpeg"})[0] == 204
    assert node.get(f"/albums/{albums[1]['id']}")["album"]["has_cover"] is True
    assert node.request("DELETE", hits)[0] == 204

    change = json.dumps({"album": "Fables", "albumartist": "Charles Mingus"}).encode()
    assert node.request("PATCH", f"/songs/{fables['id']}", change, {"Content-Type": "application/json"})[0] == 200
    assert node.get(f"/albums?artist={albums[0]['artist_id']}")["total"] == 2

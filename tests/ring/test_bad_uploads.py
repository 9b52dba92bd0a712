"""Bad input gets a clear error and loses nothing: over real HTTP, against a real node."""

import contextlib
import io
import json
import os
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mutagen.id3 import TIT2
from mutagen.wave import WAVE
from processes import NodeProcess, RingOfProcesses
from support import eventually

LIMIT = 1_000_000


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    ring = RingOfProcesses(tmp_path_factory.mktemp("bad"), 1, upload_limit_bytes=LIMIT)
    try:
        ring.start()
        yield ring.nodes[0]
    finally:
        ring.close()


@pytest.fixture(autouse=True)
def nothing_is_half_there(node: NodeProcess) -> Iterator[None]:
    """Every file on the disk is a song of the catalogue, and nothing is left on its way in."""
    yield
    incoming = node.home / "data" / "music" / "incoming"

    def tidy() -> bool:
        songs = {song["id"] for song in node.get("/songs?limit=500")["items"]}
        return node.keys() == songs and not list(incoming.iterdir())

    eventually(tidy)


def sound(seconds: float = 1.0, seed: int = 0) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as song:
        song.setnchannels(1)
        song.setsampwidth(2)
        song.setframerate(8000)
        song.writeframes(bytes([seed, 1]) * int(8000 * seconds))
    return out.getvalue()


def post(node: NodeProcess, body: bytes, query: str = "filename=a.wav", **headers: str) -> tuple[int, Any]:
    status, _, answer = node.request("POST", f"/songs?{query}", body, headers)
    return status, json.loads(answer)


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("empty.wav", b"", "empty"),
        ("text.mp3", b"these are words, not music\n" * 100, ""),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(1000), ""),
        ("noise.flac", os.urandom(5000), ""),
        ("zeros.mp3", bytes(5000), ""),
        ("page.ogg", b"<html><script>alert(1)</script></html>", ""),
        ("cut.wav", sound(10)[:40_000], "ends early"),
        ("cut.wav", sound()[:20], ""),
    ],
)
def test_what_is_no_whole_audio_is_refused_with_a_reason(
    node: NodeProcess, name: str, body: bytes, words: str
) -> None:
    status, problem = post(node, body, f"filename={name}")
    assert status == 422 and problem["field"] == "file", problem
    assert words in problem["detail"] and len(problem["detail"]) > 10


def test_a_file_over_the_limit(node: NodeProcess) -> None:
    status, problem = post(node, sound() + bytes(LIMIT))
    assert status == 413 and "0 MiB" in problem["detail"]


def test_a_length_that_is_a_lie(node: NodeProcess) -> None:
    body = sound()
    with contextlib.closing(node.connection()) as connection:
        connection.putrequest("POST", "/api/v1/songs?filename=a.wav")
        connection.putheader("Authorization", f"Bearer {node.token}")
        connection.putheader("Content-Length", str(len(body) + 500))
        connection.endheaders()
        connection.send(body)
    assert node.get("/songs")["total"] >= 0


def test_a_title_of_ten_thousand_characters(node: NodeProcess, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(sound(seed=2))
    tags = WAVE(path)
    tags.add_tags()
    tags.tags.add(TIT2(encoding=3, text="long " * 2000))
    tags.save()
    status, song = node.upload(path)
    assert status == 201 and 0 < len(song["title"]) <= 1000
    assert node.get(f"/songs/{song['id']}") == song


def test_tags_in_a_broken_encoding(node: NodeProcess, tmp_path: Path) -> None:
    path = tmp_path / "broken.wav"
    path.write_bytes(sound(seed=3))
    tags = WAVE(path)
    tags.add_tags()
    tags.tags.add(TIT2(encoding=0, text="Привет".encode("cp1251").decode("latin-1")))
    tags.save()
    status, song = node.upload(path)
    assert status == 201 and song["title"]


@pytest.mark.parametrize(
    ("filename", "kept"),
    [
        ("..%2F..%2Fetc%2Fpasswd.wav", "passwd.wav"),
        ("..%5C..%5Cboot.wav", "boot.wav"),
        ("a%00b%0d%0aX-Evil:%201.wav", "abX-Evil: 1.wav"),
        ("%E2%80%AEgnp.wav", "gnp.wav"),
        ("x" * 200 + ".wav", "x" * 200 + ".wav"),
    ],
)
def test_names_are_only_names(node: NodeProcess, filename: str, kept: str) -> None:
    body = sound(seed=10 + len(filename))
    status, song = post(node, body, f"filename={filename}")
    assert status == 201 and song["filename"] == kept
    status, headers, data = node.request("GET", f"/songs/{song['id']}/download")
    assert status == 200 and data == body and "x-evil" not in headers
    assert "/" not in headers["content-disposition"].replace("UTF-8''", "")
    assert node.request("DELETE", f"/songs/{song['id']}")[0] == 204


def test_no_name_at_all(node: NodeProcess) -> None:
    status, problem = post(node, sound(), "")
    assert status == 422 and problem["field"] == "filename"


def test_a_form_without_a_file(node: NodeProcess) -> None:
    kind = "multipart/form-data; boundary=XX"
    body = b'--XX\r\nContent-Disposition: form-data; name="other"\r\n\r\nvalue\r\n--XX--\r\n'
    status, _, answer = node.request("POST", "/songs", body, {"Content-Type": kind})
    assert status == 422 and json.loads(answer)["field"] == "file"


def test_a_form_with_a_file(node: NodeProcess) -> None:
    data = sound(seed=60)
    head = (
        b'--XX\r\nContent-Disposition: form-data; name="file"; filename="form.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    )
    body = head + data + b"\r\n--XX--\r\n"
    status, _, answer = node.request("POST", "/songs", body, {"Content-Type": "multipart/form-data; boundary=XX"})
    assert status == 201 and json.loads(answer)["size_bytes"] == len(data)


@pytest.mark.parametrize("token", ["", "x", "Bearer", "eyJ1c2VyIjoiYWRtaW4ifQ.aaaaaa.bbbbbb"])
def test_without_a_valid_login_nothing_is_taken_or_told(node: NodeProcess, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    for method, path, body in (
        ("GET", "/songs", None), ("POST", "/songs?filename=a.wav", sound()), ("GET", "/ring", None),
        ("GET", "/me", None),
    ):  # fmt: skip
        status, answered, _ = node.request(method, path, body, headers)
        assert status == 401 and "bearer" in answered["www-authenticate"].lower(), path


def test_unknown_songs_and_ids_that_are_none(node: NodeProcess) -> None:
    for key in ("ab" * 32, "x", "..%2f..", "AB" * 32, "%00", "ab" * 1000):
        for tail in ("", "/stream", "/download", "/cover", "/copies"):
            assert node.request("GET", f"/songs/{key}{tail}")[0] in (404, 422), key
        assert node.request("DELETE", f"/songs/{key}")[0] == 404

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from api.streaming import attachment
from ringnode.catalogue.model import Song
from ringnode.services.transcoding import Made

ALL = bytes(range(100))
YEAR = "private, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-1", 0, 2),
        ("bytes=0-", 0, 100),
        ("bytes=0-99", 0, 100),
        ("bytes=0-100", 0, 100),
        ("bytes=0-999999999999999999", 0, 100),
        ("bytes=5-", 5, 100),
        ("bytes=99-", 99, 100),
        ("bytes=99-99", 99, 100),
        ("bytes=-5", 95, 100),
        ("bytes=-1", 99, 100),
        ("bytes=-100", 0, 100),
        ("bytes=-101", 0, 100),
        ("bytes=10-20", 10, 21),
        ("Bytes=10-20", 10, 21),
        ("bytes= 10-20 ", 10, 21),
    ],
)
def test_ranges(client, library, song, header, start, end):
    answer = client.get(f"/api/v1/songs/{song.id}/stream", headers={"Range": header})
    assert answer.status_code == 206
    assert answer.data == ALL[start:end]
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/100"
    assert answer.headers["Content-Length"] == str(end - start)
    assert answer.content_type == "audio/flac"
    assert not library.opened


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=9999-", "bytes=-0", "bytes=999999999999999999-"])
def test_ranges_outside(client, library, song, header):
    answer = client.get(f"/api/v1/songs/{song.id}/stream", headers={"Range": header})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */100"
    assert not library.opened


@pytest.mark.parametrize(
    "header",
    ["", "bytes", "bytes=", "bytes=-", "bytes=5-2", "items=0-1", "bytes=a-b", "bytes=0-1,5-6", "bytes=1", "bytes=--5",
     "bytes=0x1-2", "bytes=1.5-2", "bytes=٣-٤", "bytes=" + "9" * 5000 + "-", "0-1", "bytes=0-1,", "bytes=+1-2"],
)  # fmt: skip
def test_ranges_to_be_ignored(client, song, header):
    answer = client.get(f"/api/v1/songs/{song.id}/stream", headers={"Range": header.encode().decode("latin-1")})
    assert answer.status_code == 200
    assert answer.data == ALL
    assert "Content-Range" not in answer.headers


def test_whole_file(client, library, song):
    answer = client.get(f"/api/v1/songs/{song.id}/stream")
    assert answer.status_code == 200
    assert answer.data == ALL
    assert answer.headers["Content-Length"] == "100"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"] == f'"{song.id}"'
    assert answer.headers["Cache-Control"] == YEAR
    assert "Content-Disposition" not in answer.headers
    assert not library.opened


@pytest.mark.parametrize("name", ["stream", "download"])
@pytest.mark.parametrize("header", [{}, {"Range": "bytes=5-9"}, {"Range": "bytes=500-"}])
def test_head_says_what_the_whole_has_and_opens_nothing(client, library, song, name, header):
    library.error = AssertionError("opened")
    answer = client.head(f"/api/v1/songs/{song.id}/{name}", headers=header)
    assert answer.status_code == 200
    assert answer.data == b""
    assert answer.headers["Content-Length"] == "100"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.content_type == "audio/flac"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("tag", ['"{id}"', 'W/"{id}"', "*", '"x", "{id}"'])
def test_what_the_client_has_is_not_sent(client, library, song, tag, method):
    library.error = AssertionError("opened")
    headers = {"If-None-Match": tag.format(id=song.id), "Range": "bytes=0-1"}
    answer = client.open(f"/api/v1/songs/{song.id}/stream", method=method, headers=headers)
    assert answer.status_code == 304
    assert answer.data == b""
    assert answer.headers["ETag"] == f'"{song.id}"'
    assert answer.headers["Cache-Control"] == YEAR


@pytest.mark.parametrize("tag", ['"other"', "", "garbage"])
def test_what_the_client_has_not_is_sent(client, song, tag):
    assert client.get(f"/api/v1/songs/{song.id}/stream", headers={"If-None-Match": tag}).data == ALL


@pytest.mark.parametrize(
    ("given", "status"),
    [('"{id}"', 206), ('W/"{id}"', 200), ('"other"', 200), ("Wed, 21 Oct 2099 07:28:00 GMT", 200), ("", 200)],
)
def test_if_range(client, song, given, status):
    headers = {"Range": "bytes=0-1", "If-Range": given.format(id=song.id)}
    assert client.get(f"/api/v1/songs/{song.id}/stream", headers=headers).status_code == status


def test_if_range_of_another_file_hides_a_bad_range(client, song):
    headers = {"Range": "bytes=500-", "If-Range": '"other"'}
    assert client.get(f"/api/v1/songs/{song.id}/stream", headers=headers).status_code == 200


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_the_file_is_closed_when_the_client_leaves(app, library, song, taken):
    app.test_client_class = FlaskClient
    headers = {"Authorization": "Bearer listener"}
    answer = app.test_client().get(f"/api/v1/songs/{song.id}/stream", headers=headers, buffered=False)
    assert len(library.opened) == 1
    for _ in range(taken):
        next(answer.response)
    answer.close()
    assert not library.opened


@pytest.mark.parametrize("name", ["stream", "download", "cover", "copies", ""])
@pytest.mark.parametrize("id", ["5f" * 32, "x", "..", "%2e%2e%2f", "ä"])
def test_unknown_songs(client, song, name, id):
    assert client.get(f"/api/v1/songs/{id}/{name}").status_code == 404
    assert client.head(f"/api/v1/songs/{id}/{name}").status_code == 404


@pytest.mark.parametrize(
    ("artist", "title", "filename", "plain", "extended"),
    [
        ("Mingus", "Moanin'", "x.flac", "Mingus - Moanin'.flac", "Mingus%20-%20Moanin%27.flac"),
        ("", "Only", "a.mp3", "Only.mp3", "Only.mp3"),
        ("AC/DC", "T.N.T", "a.mp3", "AC_DC - T.N.T.mp3", "AC_DC%20-%20T.N.T.mp3"),
        ("Björk", "Jóga", "a.ogg", "Bjork - Joga.ogg", "Bj%C3%B6rk%20-%20J%C3%B3ga.ogg"),
        ("", "椎名林檎", "a.mp3", "ID.mp3", "%E6%A4%8E%E5%90%8D%E6%9E%97%E6%AA%8E.mp3"),
        ("", '"><script>', "a.mp3", "___script_.mp3", "___script_.mp3"),
        ("", 'a"; filename=evil.exe', "a.mp3", "a_; filename=evil.exe.mp3", "a_%3B%20filename%3Devil.exe.mp3"),
        ("", "a\r\nX-Evil: 1", "a.mp3", "aX-Evil_ 1.mp3", "aX-Evil_%201.mp3"),
        ("..", "../../etc/passwd", "a.mp3", "_.._etc_passwd.mp3", "-%20.._.._etc_passwd.mp3"),
        ("", "...", "a.mp3", "ID.mp3", None),
        ("", "x", "noname", "x", "x"),
        ("", "x", "noname.", "x", "x"),
        ("", "x", "a.é漢", "x.e", "x.%C3%A9%E6%BC%A2"),
        ("", "x", "evil.m\r\np3", "x.mp3", "x.mp3"),
        ("", "x", 'evil."/3', "x.__3", "x.__3"),
        ("", "a\u202egnp.exe", "a.mp3", "agnp.exe.mp3", None),
        ("", "x", "a." + "b" * 100, "x.bbbbbbbbbb", None),
        ("", "\ud800", "a.mp3", "ID.mp3", None),
        ("x" * 1000, "y", "a.mp3", "x" * 220 + ".mp3", None),
    ],
)
def test_names_of_downloads(client, library, song, artist, title, filename, plain, extended):
    library.songs[song.id] = replace(song, artist=artist, title=title, filename=filename)
    answer = client.get(f"/api/v1/songs/{song.id}/download")
    assert answer.data == ALL
    first, given, wide = answer.headers["Content-Disposition"].split("; filename", 1)[0], *_names(answer)
    assert first == "attachment"
    assert "X-Evil" not in answer.headers
    if plain is not None:
        assert given == plain.replace("ID", song.id)
    if extended is not None:
        assert wide == extended


def _names(answer) -> tuple[str, str]:
    header = answer.headers["Content-Disposition"]
    plain, wide = header.removeprefix('attachment; filename="').split("\"; filename*=UTF-8''")
    return plain, wide


def test_names_of_downloads_are_ascii_headers():
    header = attachment(Song("5e" * 32, title="ä\x00\x7f\u2028ö漢", filename="x.mp3"))
    assert header.isascii()
    assert header.isprintable()


def test_a_download_is_checked_for_a_new_name_each_time(client, song):
    assert client.get(f"/api/v1/songs/{song.id}/download").headers["Cache-Control"] == "private, no-cache"


def test_another_format_is_sent_with_ranges_and_a_tag_of_its_own(client, gateway, song, tmp_path):
    made = tmp_path / "made"
    made.write_bytes(ALL)
    gateway.transcoding.open = lambda id, name: Made(made.open("rb"))
    path = f"/api/v1/songs/{song.id}/stream?format=opus"
    answer = client.get(path, headers={"Range": "bytes=10-19"})
    assert (answer.status_code, answer.data, answer.content_type) == (206, ALL[10:20], "audio/ogg")
    assert answer.headers["ETag"] == f'"{song.id}-opus"'
    assert client.get(path, headers={"If-None-Match": f'"{song.id}-opus"'}).status_code == 304
    assert client.get(path, headers={"Range": "bytes=100-"}).status_code == 416
    assert client.head(path).headers["Content-Length"] == "100"


def test_a_node_without_ffmpeg_says_so(client, song):
    answer = client.get(f"/api/v1/songs/{song.id}/stream?format=mp3")
    assert (answer.status_code, answer.json["type"]) == (501, "urn:ringnode:problem:not-able")
    assert client.get(f"/api/v1/songs/{song.id}/stream?format=wma").status_code == 422
    assert client.get("/api/v1/health").json["makes"] == []

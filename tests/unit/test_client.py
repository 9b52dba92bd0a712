"""The client of the REST API, against a fake of it."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_api import DROP, GARBLE, PASSWORD, FakeApi, serving

from ringnode import ca
from ringnode.client import TRIES, ApiError, Client
from ringnode.errors import Invalid, PeerDown

SONG = b"sound" * 300_000  # several pieces


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving() as api:
        yield api


@pytest.fixture
def client(api: FakeApi) -> Iterator[Client]:
    with Client([api.url], "admin", PASSWORD) as client:
        yield client


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "naïve & loud #1.mp3"
    path.write_bytes(SONG)
    return path


def free_url() -> str:
    """Where nobody listens."""
    with FakeApi() as api:
        return api.url


def test_an_upload_arrives_whole_and_the_second_one_is_known(api: FakeApi, client: Client, song: Path) -> None:
    told: list[int] = []
    first, new = client.upload(song, told.append)
    assert new and api.files[first["id"]] == SONG and first["filename"] == song.name
    assert told[0] == 0 and told[-1] == len(SONG) and len(told) > 3
    assert client.upload(song) == (first, False)
    assert api.logins == 1


def test_an_empty_file_is_for_the_server_to_judge(client: Client, tmp_path: Path) -> None:
    (tmp_path / "bad.mp3").touch()
    with pytest.raises(ApiError, match="no music"):
        client.upload(tmp_path / "bad.mp3")


def test_all_songs_are_listed_over_pages(api: FakeApi, client: Client) -> None:
    for n in range(7):
        api.add(f"song {n}.mp3")
    assert [song["title"] for song in client.every_song()] == [f"song {n}" for n in range(7)]
    assert client.songs("song 4")["total"] == 1
    assert client.has(next(iter(api.songs))) and not client.has("0" * 64)


def test_an_expired_login_is_renewed_once(api: FakeApi, client: Client, song: Path) -> None:
    client.ring()
    api.tokens.clear()
    assert client.upload(song)[1]
    assert api.logins == 2 and api.asked == ["GET /ring", "POST /songs", "POST /songs"]


def test_a_wrong_password_is_said(api: FakeApi) -> None:
    with Client([api.url], "admin", "guess") as client, pytest.raises(ApiError, match="wrong name or password"):
        client.ring()
    assert api.asked == []


def test_a_login_is_kept_for_the_next_command_in_a_file_of_ones_own(api: FakeApi, tmp_path: Path) -> None:
    with Client([api.url], "admin", lambda: PASSWORD, cache=tmp_path / "cache") as client:
        client.ring()
    [kept] = (tmp_path / "cache").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600 and PASSWORD not in kept.read_text()
    with Client([api.url], "admin", "not needed", cache=tmp_path / "cache") as client:
        client.ring()
    with Client([api.url], "other", PASSWORD, cache=tmp_path / "cache") as client:
        client.ring()
    assert api.logins == 2


def test_a_damaged_or_unwritable_cache_costs_a_login_only(api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "tokens.json").write_text("[1, 2")
    (tmp_path / "file").touch()
    for cache in (tmp_path, tmp_path / "file"):
        with Client([api.url], "admin", PASSWORD, cache=cache) as client:
            client.ring()
    assert api.logins == 2


@pytest.mark.parametrize("troubles", [[503], [DROP], [DROP, 503, 429, DROP], [503] * (TRIES - 1)])
def test_what_passes_is_tried_again(api: FakeApi, client: Client, song: Path, troubles: list[int]) -> None:
    client.ring()
    api.troubles.extend(troubles)
    found, new = client.upload(song)
    assert new and api.files[found["id"]] == SONG


def test_a_kept_connection_that_was_closed_is_no_failure(api: FakeApi, client: Client) -> None:
    client.ring()
    api.troubles.append(DROP)
    assert client.ring()["k"] == 3


def test_trying_again_has_an_end(api: FakeApi, client: Client) -> None:
    client.ring()
    api.troubles.extend([503] * 2 * TRIES)
    with pytest.raises(ApiError) as raised:
        client.ring()
    assert (raised.value.status, raised.value.retry_after_s, len(api.troubles)) == (503, 0, TRIES)


def test_a_long_wait_is_left_to_the_person(api: FakeApi, client: Client) -> None:
    api.retry_after = "30"
    api.troubles.append(429)
    with pytest.raises(ApiError) as raised:
        client.ring()
    assert (raised.value.status, raised.value.retry_after_s) == (429, 30)


@pytest.mark.parametrize(("name", "status"), [("huge.mp3", 413), ("bad.mp3", 422)])
def test_a_refusal_is_not_tried_again(api: FakeApi, client: Client, tmp_path: Path, name: str, status: int) -> None:
    (tmp_path / name).write_bytes(SONG * 4)
    with pytest.raises(ApiError) as raised:
        client.upload(tmp_path / name)
    assert (raised.value.status, raised.value.retry_after_s, api.asked) == (status, None, ["POST /songs"])
    assert client.ring()["songs"] == 0


def test_the_next_node_serves_when_one_is_down(api: FakeApi, song: Path) -> None:
    with Client([free_url(), api.url], "admin", PASSWORD) as client:
        assert client.upload(song)[1]
        assert client.url == api.url


def test_another_node_is_asked_when_one_is_busy(api: FakeApi) -> None:
    with serving() as busy, Client([busy.url, api.url], "admin", PASSWORD) as client:
        api.tokens.add(client.token())
        busy.troubles.append(503)
        assert client.ring()["nodes"][0]["api"] == api.url


def test_nobody_answers() -> None:
    urls = [free_url(), free_url()]
    with Client(urls, "admin", PASSWORD) as client, pytest.raises(PeerDown, match=r"refused.*; .*refused"):
        client.ring()


def test_a_stopped_client_asks_no_more(api: FakeApi, client: Client) -> None:
    client.ring()
    client.stop()
    with pytest.raises(PeerDown, match="stopped"):
        client.ring()


@pytest.mark.parametrize(
    "url", ["", "node:7701", "ftp://node", "https://", "https://h:99999", "https://h:x", "http:/x"]
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="not the URL"):
        Client([url], "admin", PASSWORD)


@pytest.mark.parametrize("url", ["http://example.org:7701", "http://192.0.2.1", "http://localhost.example.org"])
def test_no_password_leaves_this_machine_in_the_clear(url: str) -> None:
    with pytest.raises(Invalid, match="not encrypted"):
        Client([url], "admin", PASSWORD)
    for near in ("http://localhost:1/", "http://127.0.0.2", "http://[::1]:80"):
        Client([near], "admin", PASSWORD)


def test_https_trusts_the_authority_given_and_no_other(tmp_path: Path) -> None:
    for ring in ("ours", "other"):
        ca.init(tmp_path / ring)
    ca.issue(tmp_path / "ours", tmp_path / "node", "node", ())
    with serving(tmp_path / "node") as api:
        with Client([api.url], "admin", PASSWORD, tmp_path / "ours/ca.crt") as client:
            assert client.ring()["k"] == 3
        for trusted in (tmp_path / "other/ca.crt", None):
            with Client([api.url], "admin", PASSWORD, trusted) as client, pytest.raises(PeerDown, match="--ca"):
                client.ring()
    (tmp_path / "empty").touch()
    for broken in ("empty", "missing"):
        with pytest.raises(Invalid, match=broken):
            Client([api.url], "admin", PASSWORD, tmp_path / broken)


def test_a_file_that_cannot_be_read_is_no_trouble_of_the_network(
    api: FakeApi, client: Client, tmp_path: Path
) -> None:
    for path in (tmp_path / "missing.mp3", tmp_path):
        with pytest.raises(Invalid, match="cannot be read"):
            client.upload(path)
    assert api.asked == []


def test_a_file_that_shrinks_while_it_is_sent_is_refused(api: FakeApi, client: Client, song: Path) -> None:
    def cut(_: int) -> None:
        with song.open("r+b") as file:
            file.truncate(10)

    with pytest.raises(Invalid, match="shorter"):
        client.upload(song, cut)
    assert client.ring()["songs"] == 0


def test_an_answer_of_another_program_is_named(api: FakeApi, client: Client) -> None:
    api.troubles.append(GARBLE)
    with pytest.raises(ApiError, match="no answer of a ringnode: 200 OK"):
        client.ring()

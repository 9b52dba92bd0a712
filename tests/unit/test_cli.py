"""The command line, against a fake of the API; errors are sentences, exit codes mean what help says."""

import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fake_api import DROP, PASSWORD, FakeApi, node, serving
from Pyro5.api import expose

from ringnode import __version__, ca
from ringnode.cache import cache_folder
from ringnode.cli import main
from ringnode.errors import NotFound
from ringnode.objects import wire
from ringnode.objects.peers import OBJECT
from ringnode.terminal import length, plain
from ringnode.uploading import audio_files

Run = Callable[..., Result]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving() as api:
        yield api


@pytest.fixture
def run(api: FakeApi, tmp_path: Path) -> Run:
    """Runs the command line with a cache of its own; `code` is what it must end with."""
    known = {"RINGNODE_URL": api.url, "RINGNODE_PASSWORD": PASSWORD, "XDG_CACHE_HOME": str(tmp_path / "cache")}

    def run(*arguments: str | Path, code: int = 0, typed: str = "", **env: str | None) -> Result:
        result = CliRunner().invoke(main, [os.fspath(a) for a in arguments], typed, {**known, **env})
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output and PASSWORD not in result.output
        return result

    return run


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Three songs in two folders, and what is no music."""
    folder = tmp_path / "music"
    for name in ("b.flac", "A/a.MP3", "A/c.ogg", "cover.jpg", ".hidden.mp3", ".trash/old.mp3", "A/notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode() * 1000)
    return folder


def lines(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]


# -- finding files ---------------------------------------------------------------------------------------------


def test_folders_are_walked_and_what_is_no_music_is_counted(music: Path) -> None:
    skipped: list[Path] = []
    found = audio_files([music], skipped.append)
    assert [path.relative_to(music).as_posix() for path in found] == ["b.flac", "A/a.MP3", "A/c.ogg"]
    assert {path.name for path in skipped} == {"cover.jpg", ".hidden.mp3", "notes.txt"}


def test_a_file_that_is_named_is_sent_whatever_it_looks_like(music: Path) -> None:
    assert audio_files([music / "cover.jpg"]) == [music / "cover.jpg"]


def test_circles_of_links_end(music: Path) -> None:
    (music / "A/again").symlink_to(music)
    (music / "also").symlink_to(music / "A")
    assert len(audio_files([music, music])) == 3


# -- upload ----------------------------------------------------------------------------------------------------


def test_upload_tells_of_every_file_and_sums_up(api: FakeApi, run: Run, music: Path) -> None:
    result = run("upload", music, "--jobs", "1")
    assert result.stdout.splitlines()[:-1] == [f"new     {path}" for path in audio_files([music])]
    assert "3 new (20.0 kB), 0 already there, 0 refused, 3 files skipped (hidden, or no music); " in result.stdout
    assert len(api.songs) == 3 and api.logins == 1


def test_a_second_run_sends_only_what_is_new_or_changed(api: FakeApi, run: Run, music: Path) -> None:
    run("upload", music)
    (music / "b.flac").write_bytes(b"another recording")
    (music / "new.wav").write_bytes(b"new")
    api.asked.clear()
    result = run("upload", music)
    assert "2 new (20 bytes), 2 already there" in result.stdout
    assert api.asked.count("POST /songs") == 2
    api.asked.clear()
    run("upload", music, "--again")
    assert api.asked.count("POST /songs") == 4


def test_the_journal_is_not_believed_when_the_ring_has_lost_the_song(api: FakeApi, run: Run, music: Path) -> None:
    run("upload", music)
    api.songs.clear()
    assert "3 new" in run("upload", music).stdout


def test_a_torn_journal_is_read_as_far_as_it_goes(api: FakeApi, run: Run, music: Path, tmp_path: Path) -> None:
    run("upload", music)
    journal = tmp_path / "cache/ringnode/uploaded.jsonl"
    journal.write_text(journal.read_text()[:-20])
    api.asked.clear()
    run("upload", music)
    assert api.asked.count("POST /songs") == 1


def test_refused_files_are_named_and_do_not_stop_the_others(api: FakeApi, run: Run, music: Path) -> None:
    (music / "bad.mp3").write_bytes(b"bad")
    (music / "huge.mp3").write_bytes(bytes(8 << 20))
    (music / "gone.mp3").symlink_to("nowhere")
    os.mkfifo(music / "pipe.mp3")
    result = run("upload", music, code=1)
    said = sorted(result.stderr.splitlines())
    assert said == [
        f"refused {music}/bad.mp3: this is no music",
        f"refused {music}/gone.mp3: it cannot be read: No such file or directory",
        f"refused {music}/huge.mp3: larger than 1024 MiB",
        f"refused {music}/pipe.mp3: it is no file that can be read",
    ]
    assert "3 new" in result.stdout and "4 refused" in result.stdout
    assert api.asked.count("POST /songs") == 5


def test_upload_for_programs(run: Run, music: Path) -> None:
    (music / "bad.mp3").write_bytes(b"bad")
    result = run("upload", music, "--json", code=1)
    *files, summary = lines(result)
    assert {(Path(f["path"]).name, f["status"], f["why"]) for f in files} == {
        ("a.MP3", "new", ""), ("b.flac", "new", ""), ("c.ogg", "new", ""), ("bad.mp3", "refused", "this is no music"),
    }  # fmt: skip
    assert {**summary, "seconds": 0} == {
        "new": 3, "there": 0, "refused": 1, "skipped": 3, "bytes": 20_000, "seconds": 0,
    }  # fmt: skip
    assert result.stderr == ""


def test_names_no_text_can_hold_are_sent_and_shown(api: FakeApi, run: Run, tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\x1b[31m.mp3")
    Path(path).write_bytes(b"sound")
    assert "\x1b" not in run("upload", path).stdout
    assert lines(run("upload", path, "--json"))[0]["path"] == path


def test_ctrl_c_hangs_up_and_the_next_run_goes_on(api: FakeApi, run: Run, music: Path) -> None:
    (music / "interrupt.mp3").write_bytes(bytes(8 << 20))
    result = run("upload", music, "--jobs", "1", code=130)
    assert "the same command goes on from here" in result.stderr and "1 new" in result.stdout
    (music / "interrupt.mp3").unlink()
    assert "2 new" in run("upload", music).stdout


@pytest.mark.parametrize(("status", "said"), [(403, "trouble 403"), (503, "trouble 503"), (DROP, "no node answers")])
def test_what_would_stop_every_file_ends_the_upload(
    api: FakeApi, run: Run, music: Path, status: int, said: str
) -> None:
    run("songs")
    api.troubles.extend([200, *[status] * 30])
    result = run("upload", music, code=2)
    assert f"error: {said}" in result.stderr and "goes on from here" in result.stderr


def test_an_upload_without_files_is_refused(run: Run) -> None:
    run("upload", code=2)
    run("upload", "missing.mp3", code=2)


# -- songs, play-url, status -----------------------------------------------------------------------------------


def test_songs_are_shown_as_a_table(api: FakeApi, run: Run) -> None:
    for n in range(4):
        api.add(f"Song {n}.mp3", artist="[bold]Sigur Rós\x1b[2J :smile:")
    key = next(iter(api.songs))
    head, first, *_, last = run("songs", "--limit", "2").stdout.splitlines()
    assert head.split() == ["artist", "title", "album", "length", "format", "id"]
    assert first.split("  ")[0] == "[bold]Sigur Rós\ufffd[2J :smile:" and first.rstrip().endswith(
        f"3:45  mp3     {key[:12]}"
    )
    assert last == "4 songs, 2 shown; see --all"
    assert run("songs", "--all").stdout.splitlines()[-1] == "4 songs"
    assert run("songs", "Song 3").stdout.splitlines()[-1] == "1 song"
    assert lines(run("songs", "--all", "--json")) == list(api.songs.values())


def test_a_song_is_found_by_its_id_the_beginning_of_it_or_a_query(api: FakeApi, run: Run) -> None:
    for n in range(5):
        api.add(f"Song {n}.mp3")
    song = list(api.songs.values())[4]
    for text in (song["id"], song["id"][:6], "Song 4"):
        [line] = lines(run("play-url", text, "--json"))
        assert line["url"] == f"{api.url}/api/v1/songs/{song['id']}/stream"
        assert line["headers"]["Authorization"].removeprefix("Bearer ") in api.tokens
    assert [
        json.loads(line)["url"] for line in run("play-url", "Song 4", "--all-nodes", "--json").stdout.splitlines()
    ] == [f"{base}/api/v1/songs/{song['id']}/stream" for base in (api.url, "https://two:7701")]


def test_several_or_no_hits_are_said(api: FakeApi, run: Run) -> None:
    songs = [api.add(f"Song {n}.mp3") for n in range(2)]
    said = run("play-url", "Song", code=2).stderr
    assert said.splitlines() == [
        "error: 2 songs fit; give the id of one:", *(f"  {s['id'][:12]}  Artist - {s['title']}" for s in songs),
    ]  # fmt: skip
    assert "no song 'decade'" in run("play-url", "decade", code=2).stderr
    assert "no such song" in run("play-url", "0" * 64, code=2).stderr


def test_commands_for_players_can_be_pasted(api: FakeApi, run: Run, tmp_path: Path) -> None:
    song = api.add("x.mp3")
    ca.init(tmp_path / "our ring")
    url, curl, mpv = run("play-url", song["id"], "--ca", tmp_path / "our ring/ca.crt").stdout.splitlines()
    login = f"Authorization: Bearer {next(iter(api.tokens))}"
    trusted = f"{tmp_path}/our ring/ca.crt"
    assert shlex.split(curl) == ["curl", "--cacert", trusted, "--header", login, "--output", "song", url]
    assert shlex.split(mpv) == [
        "mpv",
        "--tls-verify",
        f"--tls-ca-file={trusted}",
        f"--http-header-fields={login}",
        url,
    ]


def test_status_of_a_healthy_ring(api: FakeApi, run: Run) -> None:
    api.add("x.mp3")
    api.nodes.append(node("three", "https://three:7701"))
    result = run("status")
    assert "one    up     50.0%      2  1.00  2.5 MB  1.0 GB      3        0" in result.stdout
    assert result.stdout.endswith("1 song\nevery song has its 3 copies\n")
    assert lines(run("status", "--json"))[0]["nodes"][0]["free_bytes"] == 10**9


def test_status_of_a_small_ring_promises_no_more_than_there_is(run: Run) -> None:
    assert "every node that is up has every song; 3 copies need as many nodes" in run("status").stdout


def test_status_says_what_is_wrong(api: FakeApi, run: Run) -> None:
    api.nodes.append(node("three", "https://three:7701", "down"))
    assert "three  down" in run("status", code=1).stdout
    api.counts = {"short": 12, "waiting": 1, "lost": 2}
    said = run("status", code=1).stdout.splitlines()[-3:]
    assert said == [
        "12 songs have fewer than 3 copies",
        "1 song has a copy missing that may come back with its node",
        "2 songs have no copy on any node that is up",
    ]
    run("status", "--json", code=1)


def test_status_tells_of_loops_that_failed_and_of_disks(api: FakeApi, run: Run) -> None:
    loop = {"name": "probe", "runs": 90, "errors": 2, "error": "x\x1b[0m", "error_at": "2026-01-01T00:00:00+00:00"}
    api.nodes[0]["work"] = api.nodes[0]["work"] | {"loops": [loop], "disk": "Input/output error", "repairs": 3}
    api.nodes.append(node("old", "https://old:7701", "expelled"))
    said = run("status").stdout  # who was expelled is no trouble
    assert "one: probe failed 2 times in 90, last at 2026-01-01T00:00:00+00:00: x\ufffd[0m" in said
    assert "disk: Input/output error" in said and "3 (0 bytes)" in said and "old   expelled" in said


def test_a_node_leaves_while_one_watches(api: FakeApi, run: Run) -> None:
    said = run("leave", "two", typed="y\n").stdout
    assert "two is leaving: 0 files to hand over" in said
    assert said.endswith("two has left: others hold all its files\n")
    run("leave", "one", typed="n\n", code=1)
    assert [asked for asked in api.asked if asked.startswith("POST")] == [
        f"POST /ring/nodes/{b'two'.hex():0<64}/leave"
    ]


def test_a_node_is_expelled_by_name_or_id(api: FakeApi, run: Run) -> None:
    assert "have it leave instead" in run("expel", "--yes", "two", code=2).stderr
    assert "two is expelled" in run("expel", "--yes", "--force", b"two".hex()).stdout
    assert "there is no node 'ten'; there are: one, two" in run("expel", "--yes", "ten", code=2).stderr
    api.nodes.append(node("one", "https://other:7701") | {"id": "ab" * 32})
    assert "2 nodes fit" in run("expel", "--yes", "one", code=2).stderr


def test_a_scrub_is_watched_to_its_end(api: FakeApi, run: Run) -> None:
    assert run("scrub", "one").stdout.endswith("5 files read, 0 damaged\n")
    api.rot = 2
    result = run("scrub", "one", "--json", code=1)
    assert lines(result) == [{"checked": 5, "damaged": 2, "files_aside": 0}]


def test_the_inventory_of_all_pages(api: FakeApi, run: Run) -> None:
    told = {"id": "ab" * 32, "name": "one", "address": "one:7700", "files": 2, "damaged": 0, "error": ""}
    lost = {"key": "cd" * 32, "what": "lost", "title": "Gone", "size_bytes": 10, "nodes": [], "aside": ["one"]}
    page = {"wanted": 3, "nodes": [told], "songs": 2, "files": 2, "copies": 5, "items": [], "next_cursor": "1"}
    api.pages = [page, page | {"items": [lost], "next_cursor": None}]
    said = run("inventory", code=1).stdout
    assert "lost  cdcdcdcdcdcd  Gone" in said and said.endswith("4 songs, 10 copies of 4 files: 1 lost\n")
    assert lines(run("inventory", "--json", code=1))[-1]["findings"] == {"lost": 1}
    api.pages = [page | {"next_cursor": None}]
    assert run("inventory").stdout.endswith("2 songs, 5 copies of 2 files: all as it should be\n")
    api.pages[0]["nodes"] = [told | {"error": "it is down"}]
    run("inventory", code=1)


# -- errors and options ----------------------------------------------------------------------------------------


def test_no_node_answers(run: Run) -> None:
    with FakeApi() as gone:
        url = gone.url
    result = run("status", "--url", url, code=2)
    assert result.stderr.startswith(f"error: no node answers: {url}: ") and result.stdout == ""


def test_several_nodes_in_options_or_the_environment(api: FakeApi, run: Run) -> None:
    with FakeApi() as gone:
        url = gone.url
    run("songs", "--url", url, "--url", api.url)
    run("songs", RINGNODE_URL=f"{url}, {api.url}")
    assert "no URL" in run("songs", "--url", ",", code=2).stderr


def test_without_a_password_and_a_terminal_it_is_said(run: Run) -> None:
    assert "set RINGNODE_PASSWORD" in run("songs", code=2, RINGNODE_PASSWORD=None).stderr
    run("songs")
    run("songs", RINGNODE_PASSWORD=None)


def test_debug_shows_where_an_error_comes_from(api: FakeApi, run: Run) -> None:
    result = CliRunner().invoke(main, ["--debug", "play-url", "nothing"], env={"RINGNODE_URL": "http://far"})
    assert result.exception is not None and "not encrypted" in str(result.exception)


def test_help_and_version(run: Run) -> None:
    assert __version__ in run("--version").stdout
    for command in ("upload", "songs", "play-url", "status", "ca", "console"):
        assert run(command, "-h").stdout == run(command, "--help").stdout
    for command in ("upload", "songs", "play-url", "status", "leave", "expel", "scrub", "inventory"):
        help = run(command, "-h").stdout
        assert f"\n  ringnode {command}" in help and "RINGNODE_PASSWORD" in help
    assert "No such command" in run("uplaod", code=2).stderr


def test_a_client_command_loads_no_server() -> None:
    code = (
        "import sys, ringnode.cli as cli; cli.main(['--help'], standalone_mode=False);"
        "print({'Pyro5', 'flask', 'ringnode.node', 'cryptography'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "serve      Run one node." in done.stdout and done.stdout.endswith("\nset()\n")


def test_an_authority_is_made_and_issues_certificates(run: Run, tmp_path: Path) -> None:
    run("ca", "init", tmp_path / "ca", "--ring", "club")
    run(
        "ca",
        "issue",
        tmp_path / "ca",
        tmp_path / "one",
        "--name",
        "one",
        "--host",
        "one.example.org",
        "--host",
        "::1",
    )
    assert ca.fingerprint(tmp_path / "one")
    assert "already holds an authority" in run("ca", "init", tmp_path / "ca", code=2).stderr
    said = run("ca", "issue", tmp_path, tmp_path / "two", "--name", "two", "--host", "h", code=2).stderr
    assert said.startswith("error: ") and "holds no authority" in said


def test_lengths_and_texts_as_people_read_them() -> None:
    assert [length(s) for s in (0, 59.6, 225, 3600, 36_061)] == ["0:00", "1:00", "3:45", "1:00:00", "10:01:01"]
    assert plain("Ænima\n\x1b[0m\u202e") == "Ænima\ufffd\ufffd[0m\ufffd"


def test_the_cache_is_where_the_desktop_wants_it() -> None:
    assert cache_folder({"XDG_CACHE_HOME": "/cache"}) == Path("/cache/ringnode")
    assert cache_folder({"XDG_CACHE_HOME": "relative"}) == cache_folder({}) == Path.home() / ".cache/ringnode"


# -- console ---------------------------------------------------------------------------------------------------


@expose
class FakeNode:
    """A node of a ring of two, the other of which is down; it has two songs."""

    me, gone = ["a" * 64, "", 1], ["b" * 64, "127.0.0.1:1", 1]
    keys = ("c" * 64, "cd" * 32)

    def ping(self) -> dict[str, Any]:
        return {"name": "one", "k": 3}

    def state(self) -> dict[str, Any]:
        return {"name": "one", "peer": self.me, "predecessor": None, "successors": [self.gone, self.me], "files": 7}

    def find_successor(self, key: str) -> list[Any]:
        return self.me

    def owners(self, key: str, count: int) -> list[Any]:
        return [self.me]

    def peers(self) -> list[Any]:
        return [self.me, self.gone]

    def has_replicas(self, keys: list[str]) -> list[bool]:
        return [key in self.keys for key in keys]

    def digests(self, groups: list[int]) -> list[int]:
        return [0, 5]

    def entries(self, buckets: list[int]) -> list[Any]:
        return [["song", key, 1] for key in self.keys] if buckets[0] == 256 else []

    def union(self, after: str, count: int) -> dict[str, Any]:
        told = {"name": "one", "address": "here", "files": 3, "error": "" if after else "it was busy"}
        return {"nodes": [told], "items": [{"key": after, "what": "lost"}], "next_cursor": None if after else "ab"}

    def kick(self, loop: str) -> None:
        raise NotFound(f"no loop {loop}")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    ca.init(folder / "ca")
    ca.issue(folder / "ca", folder / "node", "node", ())
    return folder / "node"


@pytest.fixture
def inside(tls: Path, run: Run) -> Iterator[Run]:
    """Runs a statement in the console of a node; without one its prompt, which reads what is typed."""
    wire.setup(tls)
    with wire.NodeDaemon("127.0.0.1") as daemon:
        fake = FakeNode()
        fake.me = [fake.me[0], daemon.locationStr, 1]
        daemon.register(fake, OBJECT)
        thread = threading.Thread(target=daemon.requestLoop)
        thread.start()
        command = ("console", "--tls", tls, "--node", daemon.locationStr)
        yield lambda text="", **more: run(*command, *(("-c", text) if text else ()), **more)
        daemon.shutdown()
        thread.join()


def test_the_console_walks_the_ring(inside: Run) -> None:
    said = inside("found = ring(); print(len(found), found[0]['name'])").stdout
    head, one, gone, last = said.splitlines()
    assert head.split() == ["name", "id", "address", "predecessor", "successors", "files"]
    assert one.split()[:2] == ["one", "a" * 12] and one.split()[-3:] == ["b" * 12, "a" * 12, "7"]
    assert "127.0.0.1:1" in gone and "does not answer" in gone and last == "1 one"


def test_the_console_counts_all_files(inside: Run) -> None:
    said = inside("print([item['key'] for item in inventory()])").stdout
    assert "one could not be asked: it was busy" in said and "one       6" in said and said.endswith("['', 'ab']\n")


def test_the_console_finds_owners_and_copies(inside: Run) -> None:
    assert inside(f"lookup('{'c' * 64}')").stdout.startswith(f"Peer(id='{'a' * 64}'")
    assert inside("lookup('hello')").stdout.startswith("the BLAKE3 of 'hello' is ea8f163db38682925e4491c5e58d4bb3")
    assert "[Peer(id='aaaa" in inside("who_has('cdc')").stdout
    assert "2 songs have ids" in inside("who_has('c')", code=2).stderr
    assert "no song whose id" in inside("who_has('f')", code=2).stderr


def test_the_console_reaches_nodes_as_any_pyro_program_does(inside: Run) -> None:
    assert inside("node.ping()['k']").stdout == inside("peer('one').ping()['k']").stdout == "3\n"
    assert "no loop x" in inside("node.kick('x')", code=2).stderr
    assert "called 'two'" in inside("peer('two')", code=2).stderr
    assert "does not answer" in inside("peer('127.0.0.1:1').ping()", code=2).stderr


def test_the_prompt_explains_itself_and_says_errors_as_sentences(inside: Run) -> None:
    result = inside(typed="node.ping()['name']\nwho_has('f')\nlookup('hello')\n")
    assert "'one'" in result.stdout and "Peer(id='aaaa" in result.stdout
    assert "who_has(song)" in result.stderr and "error: the node has no song" in result.stderr


def test_the_console_says_why_it_does_not_open(run: Run, tls: Path, tmp_path: Path) -> None:
    assert "is not HOST:PORT" in run("console", "--tls", tls, "--node", "here", code=2).stderr
    assert "does not answer" in run("console", "--tls", tls, "--node", "127.0.0.1:1", code=2).stderr
    assert "lacks ca.crt" in run("console", "--tls", tmp_path, "--node", "127.0.0.1:1", code=2).stderr

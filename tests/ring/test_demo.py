"""`ringnode demo` as a newcomer and as a program would use it, and the command line against it."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from processes import make_wav
from support import eventually

READY_S = 90.0


class Demo:
    """One run of `ringnode demo --json`."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ringnode", "demo", "--json", "--data", str(data), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate(timeout=10)[1])
        self.info: dict[str, Any] = json.loads(line)

    def stop(self) -> int:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=60)
        return self.process.returncode

    def run(self, *arguments: str, ok: int = 0) -> str:
        """A client command against the first node."""
        env = os.environ | {
            "RINGNODE_URL": self.info["nodes"][0]["api"],
            "RINGNODE_CA": self.info["ca"],
            "RINGNODE_USER": self.info["username"],
            "RINGNODE_PASSWORD": self.info["password"],
            "XDG_CACHE_HOME": str(Path(self.info["ca"]).parent / "cache"),
        }
        done = subprocess.run(
            [sys.executable, "-m", "ringnode", *arguments],
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == ok, (arguments, done.stdout, done.stderr)
        self.complaints = done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[Demo]:
    made = Demo(folder)
    yield made
    if made.process.poll() is None:
        made.stop()


def test_it_says_in_one_line_what_programs_need(demo: Demo) -> None:
    assert {"nodes", "ca", "username", "password", "k"} <= set(demo.info) and demo.info["k"] == 3
    assert len(demo.info["nodes"]) == 3
    for node in demo.info["nodes"]:
        assert {"name", "api", "pyro", "pid", "data"} <= set(node)
        assert Path(node["data"]).is_dir() and Path(f"/proc/{node['pid']}").exists()


def test_every_song_plays_from_every_node_by_the_commands(demo: Demo) -> None:
    songs = [json.loads(line) for line in demo.run("songs", "--all", "--json").splitlines()]
    assert len(songs) >= 6 and all(song["title"] and song["artist"] and song["duration_s"] > 5 for song in songs)
    urls = [json.loads(line) for line in demo.run("play-url", "--all-nodes", "--json", songs[0]["id"]).splitlines()]
    assert len(urls) == 3
    context = ssl.create_default_context(cafile=demo.info["ca"])
    for url in urls:
        request = urllib.request.Request(url["url"], headers=url["headers"])
        with urllib.request.urlopen(request, context=context, timeout=20) as answer:
            assert len(answer.read()) == songs[0]["size_bytes"]


def test_plain_http_shows_the_docs_on_loopback(demo: Demo) -> None:
    with urllib.request.urlopen(demo.info["nodes"][0]["http"] + "/api/docs", timeout=20) as answer:
        assert answer.status == 200 and b"swagger" in answer.read().lower()


def test_status_and_upload_and_console(demo: Demo, tmp_path: Path) -> None:
    assert "every song has its 3 copies" in demo.run("status").lower()
    (tmp_path / "deep").mkdir()
    make_wav(tmp_path / "deep" / "mine.wav", 50_000, 7)
    (tmp_path / "broken.mp3").write_text("this is no music")
    said = demo.run("upload", str(tmp_path), ok=1)
    assert "1 new" in said and "1 refused" in said and "broken.mp3" in demo.complaints
    mine = json.loads(demo.run("songs", "--json", "mine").splitlines()[0])
    assert mine["filename"] == "mine.wav"
    node = demo.info["nodes"][0]
    code = f"print(len(ring()), len(who_has({mine['id']!r})))"
    assert demo.run("console", "--tls", node["tls"], "--node", node["pyro"], "-c", code).splitlines()[-1] == "3 3"


def test_kill_9_takes_a_whole_node_and_the_same_folder_starts_the_same_ring(demo: Demo, folder: Path) -> None:
    before = json.loads(demo.run("songs", "--all", "--json").splitlines()[0])
    tree = parents()
    node = demo.info["nodes"][2]
    below = [pid for pid, ppid in tree.items() if ppid == node["pid"] or tree.get(ppid) == node["pid"]]
    assert below
    os.kill(node["pid"], signal.SIGKILL)
    eventually(lambda: not any(running(pid) for pid in below), 5)
    demo.run("status", ok=1)
    assert json.loads(demo.run("songs", "--all", "--json").splitlines()[0]) == before
    assert demo.stop() == 0
    everyone = [n["pid"] for n in demo.info["nodes"]] + [
        pid for pid in tree if tree.get(tree[pid]) == demo.process.pid
    ]
    eventually(lambda: not any(running(pid) for pid in everyone), 10)

    again = Demo(folder)
    try:
        assert [n["api"] for n in again.info["nodes"]] == [n["api"] for n in demo.info["nodes"]]
        assert again.info["password"] == demo.info["password"]
        assert json.loads(again.run("songs", "--all", "--json").splitlines()[0]) == before
        assert "3 copies" in again.run("status")
    finally:
        started = time.monotonic()
        assert again.stop() == 0
        assert time.monotonic() - started < READY_S


def parents() -> dict[int, int]:
    """Every process and its parent."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return {int(pid): int(parent) for pid, parent in (line.split() for line in listing.splitlines())}


def running(pid: int) -> bool:
    """Is the process there, and no zombie that its parent has yet to take away?"""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False

"""What cannot work is said at once, in one sentence, with exit code 2; what can is not hindered by it."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import NodeProcess, RingOfProcesses, make_wav
from support import eventually

from ringnode import ca


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RingOfProcesses]:
    """A ring of one node."""
    ring = RingOfProcesses(tmp_path_factory.mktemp("one"), 1)
    try:
        ring.start()
        yield ring
    finally:
        ring.close()


def refused(node: NodeProcess, seeds: list[str]) -> str:
    """Start a node that cannot work; what it says."""
    node.start(seeds)
    assert node.process
    try:
        assert node.process.wait(30) == 2, node.log
    finally:
        if node.alive:
            node.kill()
    assert "Traceback" not in node.log
    return node.log


def newcomer(one: RingOfProcesses, **settings: object) -> NodeProcess:
    node = one.add(**settings)
    one.nodes.remove(node)
    return node


def seeds(one: RingOfProcesses) -> list[str]:
    return [one.nodes[0].address]


def test_another_k(one: RingOfProcesses) -> None:
    assert "its ring has k = 3: set k = 3" in refused(newcomer(one, k=2), seeds(one))


def test_another_rings_certificate(one: RingOfProcesses, tmp_path: Path) -> None:
    """It waits, and says why: the seed may be the one that is wrong."""
    node = newcomer(one)
    ca.init(tmp_path / "ca")
    ca.issue(tmp_path / "ca", node.home / "tls", "stranger", ())
    node.start(seeds(one))
    try:
        eventually(lambda: "do not accept each other's certificates" in node.log)
        assert "Traceback" not in node.log
    finally:
        node.kill()
    assert one.is_one()


def test_a_folder_of_another_ring(one: RingOfProcesses, tmp_path: Path) -> None:
    node = newcomer(one)
    node.start(seeds(one))
    eventually(lambda: "joined the ring" in node.log)
    assert node.stop() == 0
    ca.init(tmp_path / "ca")
    ca.issue(tmp_path / "ca", node.home / "tls", "stranger", ())
    assert "belongs to another ring" in refused(node, seeds(one))


def test_a_folder_in_use(one: RingOfProcesses) -> None:
    node = newcomer(one, data=one.nodes[0].home / "data")
    assert "another node is running on" in refused(node, seeds(one))


def test_a_copied_folder(one: RingOfProcesses) -> None:
    node = newcomer(one)
    (node.home / "data").mkdir()
    original = one.nodes[0].home / "data" / "identity.json"
    (node.home / "data" / "identity.json").write_bytes(original.read_bytes())
    assert "was its folder copied?" in refused(node, seeds(one))


def test_a_folder_that_cannot_be(one: RingOfProcesses) -> None:
    node = newcomer(one)
    (node.home / "data").write_text("a file")
    assert "cannot be written" in refused(node, seeds(one))


@pytest.mark.parametrize("port", ["port", "api_port"])
def test_a_port_in_use(one: RingOfProcesses, port: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        said = refused(newcomer(one, **{port: taken}), seeds(one))
    assert f"cannot listen on 127.0.0.1:{taken}" in said


def test_certificates_that_are_not_there(one: RingOfProcesses, tmp_path: Path) -> None:
    assert "lacks ca.crt, node.crt" in refused(newcomer(one, tls=tmp_path), seeds(one))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sedes": "a:1"}, "unknown setting sedes"),
        ({"k": "many"}, "k must be int"),
        ({"seed_name": "x"}, "HOST:PORT"),
    ],
)
def test_settings_that_are_none(one: RingOfProcesses, settings: dict[str, str], words: str) -> None:
    assert words in refused(newcomer(one, **settings), seeds(one))


def test_a_dns_name_leads_to_the_ring(one: RingOfProcesses) -> None:
    node = newcomer(one, seed_name=f"localhost:{one.nodes[0].port}")
    node.start([])
    try:
        eventually(lambda: "joined the ring" in node.log)
    finally:
        node.stop()


def test_a_full_disk_refuses_and_keeps_what_there_is(tmp_path: Path) -> None:
    ring = RingOfProcesses(tmp_path, 1, reserve_bytes=1 << 60)
    try:
        ring.start()
        status, problem = ring.nodes[0].upload(make_wav(tmp_path / "song.wav", 100_000, 1))
        assert status == 507 and "disk is full" in problem["detail"]
        assert ring.nodes[0].get("/songs")["total"] == 0
    finally:
        ring.close()


def test_two_of_three_nodes_gone_refuse_uploads_and_go_on_playing(tmp_path: Path) -> None:
    ring = RingOfProcesses(tmp_path, 3)
    try:
        ring.start()
        first = ring.nodes[0]
        status, song = first.upload(make_wav(tmp_path / "one.wav", 100_000, 1))
        assert status == 201
        eventually(lambda: all(node.has(song["id"]) for node in ring.nodes))
        for node in ring.nodes[1:]:
            node.kill()
        status, headers, body = first.request(
            "POST", "/songs?filename=two.wav", make_wav(tmp_path / "two.wav", 100_000, 2).read_bytes()
        )
        assert status == 503 and headers["retry-after"], body
        assert first.get("/songs")["total"] == 1
        assert first.request("GET", f"/songs/{song['id']}/stream")[0] == 200
        assert first.request("PATCH", f"/songs/{song['id']}", {"title": "No"})[0] == 503
        assert first.get(f"/songs/{song['id']}")["title"] != "No"
    finally:
        ring.close()


def test_help_and_version_need_nothing() -> None:
    for arguments in (["--help"], ["--version"], ["serve", "--help"], ["demo", "--help"], ["upload", "--help"]):
        done = subprocess.run(
            [sys.executable, "-m", "ringnode", *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 and done.stdout, arguments

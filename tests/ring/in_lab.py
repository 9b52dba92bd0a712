"""Partitions of a ring of real processes. `test_hard_faults.py` runs this inside a network of its own."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blake3 import blake3
from lab import Lab, Place, Router
from processes import NodeProcess, RingOfProcesses, make_wav
from support import eventually


@pytest.fixture
def lab_ring(tmp_path: Path) -> Iterator[tuple[Lab, RingOfProcesses]]:
    lab, ring = Lab(), RingOfProcesses(tmp_path, 0)
    try:
        for place in (lab.place() for _ in range(6)):
            ring.add(place.address, place.prefix)
        ring.start()
        yield lab, ring
    finally:
        ring.close()
        lab.close()


def insists(node: NodeProcess, *request: object, wanted: tuple[int, ...]) -> Callable[[], bool]:
    return lambda: node.request(*request)[0] in wanted  # type: ignore[arg-type]


def test_both_halves_go_on_and_are_one_again(lab_ring: tuple[Lab, RingOfProcesses], tmp_path: Path) -> None:
    lab, ring = lab_ring
    left, right = ring.nodes[:3], ring.nodes[3:]
    files = [make_wav(tmp_path / f"{n}.wav", 80_000, n) for n in range(8)]
    shared, deleted = (left[0].upload(path)[1]["id"] for path in files[:2])
    for node in ring.nodes:
        eventually(insists(node, "GET", f"/songs/{shared}", wanted=(200,)))
        eventually(insists(node, "GET", f"/songs/{deleted}", wanted=(200,)))
    lab.split(lab.places[:3])
    keys = []
    for half, path in zip([*left, *right], files[2:], strict=True):
        data = path.read_bytes()
        keys.append(blake3(data).hexdigest())
        eventually(insists(half, "POST", f"/songs?filename={path.name}", data, wanted=(200, 201)), 90)
    eventually(insists(left[1], "PATCH", f"/songs/{shared}", {"title": "Left"}, wanted=(200,)), 60)
    eventually(insists(right[1], "PATCH", f"/songs/{shared}", {"artist": "Right"}, wanted=(200,)), 60)
    eventually(insists(right[2], "DELETE", f"/songs/{deleted}", wanted=(204,)), 60)
    assert left[0].request("GET", f"/songs/{deleted}")[0] == 200  # they cannot know
    lab.heal()

    ring.settle(90)
    eventually(lambda: all(node.get("/songs?limit=1")["total"] == 7 for node in ring.nodes), 60)
    for node in ring.nodes:
        song = node.get(f"/songs/{shared}")
        assert (song["title"], song["artist"]) == ("Left", "Right")
        assert node.request("GET", f"/songs/{deleted}")[0] == 404
        for key in keys:
            status, _, body = node.request("GET", f"/songs/{key}/stream")
            assert (status, blake3(body).hexdigest()) == (200, key)

    def placed() -> bool:
        return all(
            {node.address for node in ring.nodes if node.has(key)}
            == {owner["address"] for owner in ring.nodes[0].get(f"/ring/owners?key={key}")["owners"]}
            for key in [shared, *keys]
        )

    eventually(placed, 90, every_s=0.5)
    eventually(lambda: not any(node.has(deleted) for node in ring.nodes), 60)


def asks(client: Place, address: str, port: int) -> int:
    """How curl's request from there ends: 0 with an answer, 7 refused, 28 with nothing heard."""
    command = [*client.prefix, "curl", "-sk", "-m", "2", "-o", "/dev/null", f"https://{address}:{port}/api/v1/health"]
    return subprocess.run(command).returncode


@pytest.mark.skipif(not (shutil.which("iptables") and shutil.which("curl")), reason="needs iptables and curl")
def test_clients_reach_the_api_through_the_router_and_never_the_peers_port(tmp_path: Path) -> None:
    lab, ring = Lab(), RingOfProcesses(tmp_path, 0)
    outside: list[Place] = []
    try:
        for place in (lab.place() for _ in range(3)):
            ring.add(place.address, place.prefix)
        router = Router(lab.places)
        outside += [router, router.client(1)]
        ring.start()
        assert asks(outside[1], ring.nodes[0].host, ring.nodes[0].api_port) == 28  # nothing is let through yet
        for node in ring.nodes:
            router.let_through(node.host, node.api_port)
            assert asks(outside[1], node.host, node.api_port) == 0
            assert asks(outside[1], node.host, node.port) == 28
        cut = ring.nodes[0]
        router.filter("--insert", "FORWARD", "--destination", cut.host, "--jump", "DROP")
        assert [asks(outside[1], node.host, node.api_port) for node in ring.nodes] == [28, 0, 0]
        assert ring.is_one()  # the peers hear each other as before
        router.filter("--delete", "FORWARD", "--destination", cut.host, "--jump", "DROP")
        assert asks(outside[1], cut.host, cut.api_port) == 0
    finally:
        ring.close()
        for place in outside:
            place.close()
        lab.close()

"""What disks, power cuts and pauses do to a ring of real processes; and leaving it in peace."""

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from lab import UNSHARE, available
from processes import NodeProcess, RingOfProcesses, make_wav
from support import eventually

from ringnode.objects import wire
from ringnode.objects.peers import Peers

TMPFS = 12 << 20


@pytest.fixture(scope="module", autouse=True)
def in_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[bytes], Path] | None]:
    """`in_lab.py` runs beside the other tests, in a network of its own: it mostly waits, as they do."""
    if not available():
        yield None
        return
    output = tmp_path_factory.mktemp("lab") / "output"
    command = [*UNSHARE, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command.append(str(Path(__file__).with_name("in_lab.py")))
    with output.open("wb") as file:
        run = subprocess.Popen(command, stdout=file, stderr=file)
    yield run, output
    run.terminate()
    run.wait()


def put(node: NodeProcess, folder: Path, size: int, seed: int) -> str:
    status, song = node.upload(make_wav(folder / f"{seed}.wav", size, seed))
    assert status == 201, song
    return str(song["id"])


def call(node: NodeProcess, method: str, *args: Any) -> Any:
    wire.setup(node.home / "tls")
    peers = Peers(10)
    try:
        return peers.call(node.address, method, *args)
    finally:
        peers.close()


def holders(ring: RingOfProcesses, key: str) -> set[str]:
    return {node.name for node in ring.nodes if node.alive and call(node, "has_replicas", [key])[0]}


def owners(ring: RingOfProcesses, key: str) -> set[str]:
    addresses = {owner["address"] for owner in ring.nodes[0].get(f"/ring/owners?key={key}")["owners"]}
    return {node.name for node in ring.nodes if node.address in addresses}


def at_home(ring: RingOfProcesses, keys: list[str]) -> bool:
    return all(holders(ring, key) == owners(ring, key) for key in keys)


def heard(node: NodeProcess, key: str) -> bool:
    status, _, body = node.request("GET", f"/songs/{key}/stream")
    return status == 200 and blake3(body).hexdigest() == key


def inodes(ring: RingOfProcesses, keys: list[str]) -> dict[str, dict[str, int]]:
    """Which node holds which of the songs, and in which file: another would be a copy made anew."""
    return {
        node.name: {key: (node.music / key[:2] / key).stat().st_ino for key in keys if node.has(key)}
        for node in ring.nodes
    }


def test_when_all_lose_power_at_once_nothing_is_lost_or_copied(ring: RingOfProcesses, tmp_path: Path) -> None:
    keys = [put(ring.nodes[n % 5], tmp_path, 60_000, seed=n) for n in range(8)]
    assert ring.nodes[1].request("PATCH", f"/songs/{keys[0]}", {"title": "Kept"})[0] == 200
    assert ring.nodes[2].request("DELETE", f"/songs/{keys[1]}")[0] == 204
    eventually(lambda: at_home(ring, keys[2:]), 60)
    before = inodes(ring, keys[2:])
    for node in ring.nodes:
        node.kill()
    ring.start()
    for node in ring.nodes:
        assert node.get(f"/songs/{keys[0]}")["title"] == "Kept"
        assert node.request("GET", f"/songs/{keys[1]}")[0] == 404
        assert all(heard(node, key) for key in keys[2:])
    assert inodes(ring, keys[2:]) == before


def test_a_node_that_slept_until_it_was_called_down_is_up_again_and_calls_nobody_down(
    ring: RingOfProcesses, tmp_path: Path
) -> None:
    keys = [put(ring.nodes[0], tmp_path, 60_000, seed=100 + n) for n in range(4)]
    eventually(lambda: at_home(ring, keys), 60)
    before = inodes(ring, keys)
    sleeper, others = ring.nodes[4], ring.nodes[:4]
    me = call(sleeper, "ping")["peer"][0]
    sleeper.signal_all(signal.SIGSTOP)
    try:
        eventually(lambda: all(call(node, "state")["states"][me] == "down" for node in others), 90, every_s=0.5)
        assert all(heard(node, key) for node in others for key in keys)
        assert inodes(ring, keys) == before
    finally:
        sleeper.signal_all(signal.SIGCONT)
    eventually(lambda: all(call(node, "state")["states"][me] == "up" for node in others), 60, every_s=0.2)
    ring.settle()
    assert not [node.name for node in others if any(f"{node.name} is down" in other.log for other in ring.nodes)]
    assert inodes(ring, keys) == before  # and nothing was copied meanwhile


def test_a_rotten_file_is_put_aside_and_a_good_one_fetched(ring: RingOfProcesses, tmp_path: Path) -> None:
    key = put(ring.nodes[0], tmp_path, 300_000, seed=200)
    eventually(lambda: at_home(ring, [key]), 60)
    node = next(node for node in ring.nodes if node.has(key))
    path = node.music / key[:2] / key
    with path.open("r+b") as file:
        file.seek(150_000)
        byte = file.read(1)
        file.seek(150_000)
        file.write(bytes([byte[0] ^ 1]))
    with contextlib.suppress(http.client.IncompleteRead):  # who hears it finds it out, if the scrub did not before
        assert heard(node, key)
    eventually(lambda: list((node.home / "data" / "music" / "aside").glob(f"{key}*")), 30)
    eventually(lambda: node.has(key) and blake3(path.read_bytes()).hexdigest() == key, 30)
    assert all(heard(node, key) for node in ring.nodes)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="only root may mount a small disk")
def test_a_full_disk_is_gone_round_and_a_node_that_leaves_hands_all_over(
    ring: RingOfProcesses, tmp_path: Path
) -> None:
    small = ring.add()
    music = small.home / "data" / "music"
    music.mkdir(parents=True)
    mount = f'mount -t tmpfs -o size={TMPFS} none "{music}" && exec "$@"'
    small.prefix = ["unshare", "--mount", "sh", "-c", mount, "sh"]  # its disk: nobody else sees it
    ring.start(small)
    assert small.process
    inside = Path(f"/proc/{small.process.pid}/root{music}")
    filler = inside / "filler"
    with filler.open("wb") as file:
        file.write(bytes(os.statvfs(inside).f_bavail * os.statvfs(inside).f_bsize - 100_000))
    # It cannot even take in an upload for others: people send theirs elsewhere.
    keys = [put(ring.nodes[n % 5], tmp_path, 250_000, seed=300 + n) for n in range(10)]
    theirs = [key for key in keys if small.name in owners(ring, key)]
    assert theirs, "by chance none is the small node's: more songs are needed"
    eventually(lambda: all(len(holders(ring, key)) == 3 for key in keys), 60)
    assert not any(small.name in holders(ring, key) for key in theirs)
    filler.unlink()
    eventually(lambda: at_home(ring, keys), 60)

    call(small, "leave")
    assert small.process.wait(60) == 0
    ring.nodes.remove(small)
    assert all(len(holders(ring, key)) == 3 for key in keys)
    ring.settle()


@pytest.mark.timeout(300)
def test_in_networks_of_their_own(in_lab: tuple[subprocess.Popen[bytes], Path] | None) -> None:
    """What `in_lab.py` came to."""
    if in_lab is None:
        pytest.skip("this machine makes no network namespaces")
    run, output = in_lab
    assert run.wait(280) == 0, output.read_text()

"""The main job, with real processes, real files, real HTTP and kill -9."""

import contextlib
import json
import os
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from processes import NodeProcess, RingOfProcesses, make_wav
from Pyro5.api import Proxy
from support import eventually

from ringnode.errors import PeerDown, RingnodeError
from ringnode.objects import wire
from ringnode.objects.peers import OBJECT, Peers

BIG = 40 << 20  # more than all buffers between a disk and a client hold


def sha(data: bytes) -> str:
    return blake3(data).hexdigest()


def put(node: NodeProcess, folder: Path, size: int, seed: int) -> dict[str, Any]:
    status, song = node.upload(make_wav(folder / f"song {seed}.wav".replace(" ", "-"), size, seed))
    assert status == 201, song
    return song


def holders(ring: RingOfProcesses, key: str) -> list[NodeProcess]:
    return [node for node in ring.nodes if node.has(key)]


def copied(ring: RingOfProcesses, key: str, copies: int = 3) -> None:
    eventually(lambda: len(holders(ring, key)) == copies, 30)


def test_nodes_started_at_once_are_one_ring_with_one_account(ring: RingOfProcesses) -> None:
    views = [node.get("/ring") for node in ring.nodes]
    assert all(view["k"] == 3 and len(view["nodes"]) == 5 for view in views)
    assert len({tuple(n["id"] for n in view["nodes"]) for view in views}) == 1
    assert sum("founds the ring" in node.log for node in ring.nodes) == 1
    assert abs(sum(n["arc"] for n in views[0]["nodes"]) - 1) < 0.001


def test_what_one_node_took_every_node_plays(ring: RingOfProcesses, tmp_path: Path) -> None:
    song = put(ring.nodes[0], tmp_path, 3 << 20, seed=1)
    data = next(tmp_path.glob("*.wav")).read_bytes()
    assert song["id"] == sha(data) and song["size_bytes"] == len(data)
    for node in ring.nodes:  # at once: what one node acknowledged all can serve
        status, headers, body = node.request("GET", f"/songs/{song['id']}/stream")
        assert (status, sha(body)) == (200, song["id"]), node.name
        assert headers["content-type"] == "audio/wav" and headers["accept-ranges"] == "bytes"
        status, headers, body = node.request(
            "GET", f"/songs/{song['id']}/stream", headers={"Range": "bytes=1000-1999"}
        )
        assert (status, body) == (206, data[1000:2000])
    copied(ring, song["id"])
    view = ring.nodes[0].get(f"/songs/{song['id']}/copies")
    assert view["wanted"] == 3 and {c["node"] for c in view["copies"]} == {n.name for n in holders(ring, song["id"])}
    status, again = ring.nodes[3].upload(next(tmp_path.glob("*.wav")))
    assert (status, again["id"]) == (200, song["id"])


def test_a_stream_outlives_two_of_three_holders_and_they_return_to_what_they_had(
    ring: RingOfProcesses, tmp_path: Path
) -> None:
    song = put(ring.nodes[0], tmp_path, BIG, seed=2)
    copied(ring, song["id"])
    having = holders(ring, song["id"])
    reader = next(node for node in ring.nodes if node not in having)
    reader.login()
    digest = blake3()
    with contextlib.closing(reader.connection()) as connection:
        connection.request(
            "GET", f"/api/v1/songs/{song['id']}/stream", headers={"Authorization": f"Bearer {reader.token}"}
        )
        answer = connection.getresponse()
        assert answer.status == 200
        digest.update(answer.read(2 << 20))
        for node in having[:2]:
            node.kill()
        while chunk := answer.read(1 << 20):
            digest.update(chunk)
    assert digest.hexdigest() == song["id"]

    # One copy was left, so others were made at once. The dead return to what they had, and the surplus goes.
    ring.settle()
    before = {node.name: inode(node, song["id"]) for node in having[:2]}
    ring.start(*having[:2])
    eventually(lambda: owner_names(ring, song["id"]) == {node.name for node in holders(ring, song["id"])}, 30)
    assert {node.name: inode(node, song["id"]) for node in having[:2]} == before


def inode(node: NodeProcess, key: str) -> int:
    """Another number would be another file: copied anew."""
    return (node.music / key[:2] / key).stat().st_ino


def owner_names(ring: RingOfProcesses, key: str) -> set[str]:
    owners = ring.nodes[0].get(f"/ring/owners?key={key}")["owners"]
    return {node.name for node in ring.nodes if node.address in {owner["address"] for owner in owners}}


def test_a_short_absence_copies_nothing(ring: RingOfProcesses, tmp_path: Path) -> None:
    songs = [put(ring.nodes[0], tmp_path, 50_000, seed=50 + n)["id"] for n in range(8)]
    for key in songs:
        copied(ring, key)
    before = copies(ring, songs)
    node = ring.nodes[3]
    node.kill()
    ring.settle()
    some_passes(ring)
    ring.start(node)
    some_passes(ring)
    assert copies(ring, songs) == before


def copies(ring: RingOfProcesses, keys: list[str]) -> dict[str, dict[str, int]]:
    """Which node holds which of the songs, and in which file."""
    return {node.name: {key: inode(node, key) for key in keys if node.has(key)} for node in ring.nodes}


def some_passes(ring: RingOfProcesses) -> None:
    """Until every live node has looked for missing copies a few times."""
    runs = {node.name: replications(node) for node in ring.live}
    eventually(lambda: all(replications(node) > runs[node.name] + 2 for node in ring.live), 30)


def replications(node: NodeProcess) -> int:
    return int(node_state(node)["loops"]["replicate"]["runs"])


def node_state(node: NodeProcess) -> dict[str, Any]:
    wire.setup(node.home / "tls")
    peers = Peers(5)
    try:
        state: dict[str, Any] = peers.call(node.address, "state")
        return state
    finally:
        peers.close()


def test_a_file_cut_on_the_disk_goes_unheard(ring: RingOfProcesses, tmp_path: Path) -> None:
    song = put(ring.nodes[0], tmp_path, 3 << 20, seed=9)
    copied(ring, song["id"])
    node = holders(ring, song["id"])[0]
    os.truncate(node.music / song["id"][:2] / song["id"], 1 << 20)
    status, _, body = node.request("GET", f"/songs/{song['id']}/stream")
    assert (status, sha(body)) == (200, song["id"])


def test_a_dead_node_takes_its_http_workers_with_it(ring: RingOfProcesses) -> None:
    node = ring.nodes[1]
    node.kill()

    def silent() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", node.api_port)) != 0

    eventually(silent, 5)
    ring.start(node)


def test_edits_reach_everyone_and_two_at_once_are_both_kept(ring: RingOfProcesses, tmp_path: Path) -> None:
    song = put(ring.nodes[0], tmp_path, 100_000, seed=3)
    path = f"/songs/{song['id']}"
    eventually(lambda: all(n.request("GET", path)[0] == 200 for n in ring.nodes))
    edits = [(ring.nodes[1], {"title": "Ünsere Lieder"}), (ring.nodes[2], {"artist": "Los Ríos"})]
    threads = [threading.Thread(target=node.request, args=("PATCH", path, change)) for node, change in edits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    def everywhere() -> bool:
        songs = [node.get(path) for node in ring.nodes]
        return all((s["title"], s["artist"]) == ("Ünsere Lieder", "Los Ríos") for s in songs)

    eventually(everywhere)
    assert all(node.get("/songs?q=unsere")["total"] == 1 for node in ring.nodes)


def test_a_deletion_reaches_everyone_and_the_files_go(ring: RingOfProcesses, tmp_path: Path) -> None:
    song = put(ring.nodes[0], tmp_path, 100_000, seed=4)
    copied(ring, song["id"])
    assert ring.nodes[4].request("DELETE", f"/songs/{song['id']}")[0] == 204
    eventually(lambda: all(n.request("GET", f"/songs/{song['id']}")[0] == 404 for n in ring.nodes))
    eventually(lambda: not holders(ring, song["id"]), 30)
    status, again = ring.nodes[2].upload(next(tmp_path.glob("*.wav")))
    assert status == 201 and again["id"] == song["id"]
    copied(ring, song["id"])


def test_a_fresh_node_takes_its_share_and_a_surplus_is_given_up(ring: RingOfProcesses, tmp_path: Path) -> None:
    songs = [put(ring.nodes[n % 5], tmp_path, 50_000, seed=100 + n)["id"] for n in range(24)]
    node = ring.add()
    ring.start(node)

    def placed() -> bool:
        where = {key: {n.address for n in holders(ring, key)} for key in songs}
        owners = {key: {o["address"] for o in node.get(f"/ring/owners?key={key}")["owners"]} for key in songs}
        return where == owners

    eventually(placed, 60, every_s=0.5)
    assert node.keys()
    assert node.get("/songs?limit=1")["total"] == ring.nodes[0].get("/songs?limit=1")["total"]
    node.stop()
    assert node.process and node.process.returncode == 0
    node.process = None
    ring.nodes.remove(node)


def test_without_a_certificate_pyro_gives_nothing(ring: RingOfProcesses) -> None:
    node = ring.nodes[0]
    context = ssl.create_default_context(cafile=str(node.home / "tls" / "ca.crt"))
    context.check_hostname = False
    with (
        socket.create_connection(("127.0.0.1", node.port), 5) as raw,
        context.wrap_socket(raw) as client,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        client.sendall(b"PYRO")
        if client.recv(100) == b"":
            raise ConnectionError("closed")
    with socket.create_connection(("127.0.0.1", node.port), 5) as plain:
        plain.sendall(b"PYRO" + bytes(36))
        plain.settimeout(10)
        with contextlib.suppress(ConnectionError):
            assert b"PYRO" not in plain.recv(1000)


def test_a_bare_proxy_with_a_certificate_asks_what_it_likes(ring: RingOfProcesses) -> None:
    wire.setup(ring.nodes[0].home / "tls")
    with Proxy(f"PYRO:{OBJECT}@{ring.nodes[0].address}") as node:
        eventually(lambda: len(node.links()[2]) == 4)  # a list forgets a node that left within as many rounds
        me, predecessor, successors = node.links()
        assert me[1] == ring.nodes[0].address and len(successors) == 4 and predecessor[0] == successors[-1][0]
        eventually(lambda: answers(node))
        owner = node.find_successor("ab" * 32)
        assert owner[0] == node.owners("ab" * 32, 3)[0][0]
        with pytest.raises(RingnodeError, match="64 hex digits"):
            node.find_successor("nonsense")


def answers(node: Any) -> bool:
    """Has the ring closed over the last death? Until then nobody may answer for the keys of the dead."""
    with contextlib.suppress(PeerDown):
        return bool(node.find_successor("ab" * 32))
    return False


def test_an_upload_cut_in_the_middle_leaves_nothing(ring: RingOfProcesses, tmp_path: Path) -> None:
    node = ring.nodes[0]
    path = make_wav(tmp_path / "cut.wav", 4 << 20, seed=5)
    before = node.get("/songs?limit=1")["total"]
    node.login()
    with contextlib.closing(node.connection()) as connection:
        connection.putrequest("POST", "/api/v1/songs?filename=cut.wav")
        connection.putheader("Authorization", f"Bearer {node.token}")
        connection.putheader("Content-Length", str(path.stat().st_size))
        connection.endheaders()
        connection.send(path.read_bytes()[: 2 << 20])
        connection.sock.shutdown(socket.SHUT_RDWR)
    incoming = node.home / "data" / "music" / "incoming"
    eventually(lambda: not list(incoming.iterdir()), 20)
    assert node.get("/songs?limit=1")["total"] == before
    assert node.upload(path)[0] == 201


def test_a_flood_of_requests_delays_no_heartbeat(ring: RingOfProcesses) -> None:
    """No node is called down meanwhile."""
    song = ring.nodes[0].get("/songs?limit=1")["items"][0]

    def load() -> None:
        for _ in range(30):
            ring.nodes[0].request("GET", f"/songs/{song['id']}/stream")

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ring.is_one()


def test_stopping_leaves_no_process(ring: RingOfProcesses) -> None:
    node = ring.nodes[2]
    assert node.process
    children = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and parent(int(pid)) == node.process.pid]
    assert children
    assert node.stop() == 0
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), 10)
    ring.start(node)


def parent(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def test_the_api_describes_itself(ring: RingOfProcesses) -> None:
    status, _, body = ring.nodes[0].request("GET", "/swagger.json")
    assert status == 200 and "/songs/{id}/stream" in json.loads(body)["paths"]

"""What people have of their own, in a ring of real processes."""

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from processes import NodeProcess, RingOfProcesses, make_wav
from support import eventually


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RingOfProcesses]:
    """Three nodes, two copies: every song is at one node only by way of others."""
    made = RingOfProcesses(tmp_path_factory.mktemp("house"), 3, k=2, delete_grace_s=60)
    try:
        made.start()
        yield made
    finally:
        made.close()


def send(node: NodeProcess, method: str, path: str, body: Any = None) -> Any:
    status, _, answer = node.request(method, path, body)
    assert status in (200, 201, 204), (node.name, method, path, status, answer)
    return json.loads(answer) if answer else None


def test_what_is_done_at_two_nodes_at_once_merges_on_all(house: RingOfProcesses, tmp_path: Path) -> None:
    a, b, c = house.nodes
    songs = [a.upload(make_wav(tmp_path / f"{n}.wav", 20_000, n))[1]["id"] for n in range(5)]
    path = f"/playlists/{send(a, 'POST', '/playlists', {'name': 'Evening', 'songs': songs[:2]})['id']}"

    def listed(node: NodeProcess) -> list[str]:
        return [entry["song_id"] for entry in node.get(f"{path}/entries")["items"]]

    eventually(lambda: all(listed(node) == songs[:2] for node in house.nodes))
    first = b.get(f"{path}/entries")["items"][0]["id"]
    send(a, "POST", f"{path}/entries", {"songs": [songs[2]], "after": first})
    send(b, "POST", f"{path}/entries", {"songs": [songs[3], songs[4]], "after": first})
    send(c, "PATCH", f"{path}/entries", {"move": [first]})
    send(b, "PATCH", path, {"description": "Slow"})
    send(c, "PATCH", path, {"public": True})
    eventually(lambda: all(set(listed(node)) == set(songs) and listed(node) == listed(a) for node in house.nodes))
    assert listed(a)[-1] == songs[0] and listed(a).index(songs[4]) == listed(a).index(songs[3]) + 1
    eventually(lambda: all(node.get(path) == a.get(path) for node in house.nodes))
    assert (a.get(path)["description"], a.get(path)["public"]) == ("Slow", True)

    for node, id in ((a, "x"), (b, "y"), (c, "x"), (b, "x")):  # of these two are the same play, sent again
        send(node, "POST", "/me/plays", {"song": songs[0], "id": id})
    send(c, "POST", "/me/stars", {"what": "song", "ids": [songs[0]], "starred": True})
    eventually(lambda: all(_plays(node, songs[0]) == (2, True) for node in house.nodes))

    send(a, "PUT", "/me/queue", {"songs": songs, "index": 1})
    send(b, "PATCH", "/me/queue", {"position_s": 7.5})
    assert (c.get("/me/queue")["index"], c.get("/me/queue")["position_s"]) == (1, 7.5)  # at once: owners are asked


def _plays(node: NodeProcess, song: str) -> tuple[int, bool]:
    mark = node.get(f"/me/marks?what=song&ids={song}")[0]
    return mark["plays"], bool(mark["starred_at"])


def test_what_one_node_changes_and_deletes_another_undoes_and_restores(
    house: RingOfProcesses, tmp_path: Path
) -> None:
    a, b, c = house.nodes
    id = a.upload(make_wav(tmp_path / "x.wav", 20_000, 55))[1]["id"]
    send(a, "PATCH", f"/songs/{id}", {"title": "Wrong", "bpm": 99})
    eventually(lambda: len(b.get(f"/songs/{id}/history")) == 1)
    assert send(b, "POST", f"/songs/{id}/undo", {})["title"] == "x"
    send(b, "DELETE", f"/songs/{id}")
    eventually(lambda: a.request("GET", f"/songs/{id}")[0] == 404 and c.request("GET", f"/songs/{id}")[0] == 404)
    assert send(c, "POST", f"/songs/{id}/restore")["bpm"] == 0
    eventually(lambda: all(node.request("GET", f"/songs/{id}/stream")[0] == 200 for node in house.nodes))


TUS_CLIENT = "tus-js-client@4.3.1"


@pytest.fixture(scope="module")
def tus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where tus' official JavaScript client is installed."""
    folder = tmp_path_factory.mktemp("tus")
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm, which run tus' official client, are not installed")
    install = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", TUS_CLIENT]
    done = subprocess.run(install, capture_output=True, timeout=60, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot install {TUS_CLIENT}: {done.stderr.decode()[-200:]}")
    return folder


def test_the_official_tus_client_goes_on_over_a_killed_worker(
    house: RingOfProcesses, tus_folder: Path, tmp_path: Path
) -> None:
    node = house.nodes[0]
    node.login()
    file = make_wav(tmp_path / "long.wav", 24 << 20, 77)
    url = f"https://127.0.0.1:{node.api_port}/api/v1/uploads"
    command = ["node", str(Path(__file__).with_name("resume.mjs")), str(tus_folder), url, node.token, str(file)]
    env = os.environ | {"NODE_EXTRA_CA_CERTS": str(node.home / "tls" / "ca.crt")}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as client:
        assert client.stdout and client.stderr
        assert client.stdout.readline() == "kill\n", client.stderr.read()
        for worker in workers(node):
            os.kill(worker, signal.SIGKILL)
        song, errors = client.communicate(timeout=60)
    assert client.returncode == 0, errors
    assert song.strip() == blake3(file.read_bytes()).hexdigest()
    uploads = node.get("/uploads")
    assert [(u["state"], u["song"], u["new"]) for u in uploads] == [("done", song.strip(), True)]
    status, _, body = house.nodes[2].request("GET", f"/songs/{song.strip()}/stream")
    assert (status, body) == (200, file.read_bytes())


def test_an_upload_goes_on_through_any_node(house: RingOfProcesses, tmp_path: Path) -> None:
    a, b, _ = house.nodes
    data = make_wav(tmp_path / "any.wav", 3 << 20, 78).read_bytes()
    tus = {"Tus-Resumable": "1.0.0", "Upload-Metadata": "filename YW55Lndhdg=="}
    status, headers, _ = a.request("POST", "/uploads", b"", tus | {"Upload-Length": str(len(data))})
    path = headers["location"].removeprefix("/api/v1")
    piece = {"Content-Type": "application/offset+octet-stream"} | tus
    half = len(data) // 2
    assert (status, b.request("PATCH", path, data[:half], piece | {"Upload-Offset": "0"})[0]) == (201, 204)
    status, headers, _ = b.request("HEAD", path)
    assert (status, headers["upload-offset"], headers["upload-length"]) == (200, str(half), str(len(data)))
    assert b.request("PATCH", path, data[:5], piece | {"Upload-Offset": "0"})[0] == 409
    status, headers, _ = b.request("PATCH", path, data[half:], piece | {"Upload-Offset": str(half)})
    assert (status, headers["upload-song"]) == (204, blake3(data).hexdigest())
    assert b.request("PATCH", path, data[:5], {"Ringnode-Forwarded": "1", "Upload-Offset": "0"} | piece)[0] == 404
    assert b.request("DELETE", path)[0] == 204
    assert [node.request("HEAD", path)[0] for node in (a, b)] == [404, 404]


def test_a_zip_outlives_a_node_that_it_comes_from(house: RingOfProcesses, tmp_path: Path) -> None:
    files = [make_wav(tmp_path / f"zip{n}.wav", 16 << 20, 90 + n) for n in range(2)]
    ids = [house.nodes[0].upload(file)[1]["id"] for file in files]
    eventually(lambda: all(sum(node.has(id) for node in house.nodes) == 2 for id in ids))
    reader = next(node for node in house.nodes if not node.has(ids[0]))
    path = f"/songs/download?ids={','.join(ids)}"
    eventually(lambda: reader.request("HEAD", path)[0] == 200)  # news of the songs comes there a moment later
    size = int(reader.request("HEAD", path)[1]["content-length"])
    with contextlib.closing(reader.connection()) as connection:
        connection.request("GET", f"/api/v1{path}", headers={"Authorization": f"Bearer {reader.token}"})
        answer = connection.getresponse()
        data = answer.read(1 << 20)
        next(node for node in house.nodes if node is not reader).kill()
        data += answer.read()
    assert len(data) == size
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [file.read_bytes() for file in files]


def workers(node: NodeProcess) -> list[int]:
    """The processes that answer HTTP: children of the server, which is a child of the node."""
    assert node.process
    return [pid for server in children(node.process.pid) for pid in children(server)]


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

"""What an admin has real nodes do: count all files, read them again, leave, and one that is dead is expelled."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from processes import NodeProcess, RingOfProcesses, make_wav
from support import eventually

SONGS = 6


def found(node: NodeProcess) -> dict[str, Any]:
    page = node.get("/ring/inventory")
    assert page["next_cursor"] is None
    return page


def as_it_should_be(node: NodeProcess, nodes: int) -> bool:
    page = found(node)
    well = not page["items"] and page["copies"] == 3 * page["songs"] and len(page["nodes"]) == nodes
    return well and not any(told["error"] for told in page["nodes"])


def act(node: NodeProcess, other: NodeProcess, does: str) -> tuple[int, dict[str, Any]]:
    id = next(n["id"] for n in node.get("/ring")["nodes"] if n["address"] == other.address)
    status, _, body = node.request("POST", f"/ring/nodes/{id}/{does}")
    return status, json.loads(body)


def seen(node: NodeProcess, other: NodeProcess) -> dict[str, Any]:
    return next(n for n in node.get("/ring")["nodes"] if n["address"] == other.address)


@pytest.fixture
def ring(tmp_path: Path) -> Any:
    made = RingOfProcesses(tmp_path / "ring", 4)
    try:
        made.start()
        yield made
    finally:
        made.close()


def test_counted_scrubbed_left_and_expelled(ring: RingOfProcesses, tmp_path: Path) -> None:
    first, second, leaver, victim = ring.nodes
    songs = [first.upload(make_wav(tmp_path / f"{n}.wav", 100_000, n))[1]["id"] for n in range(SONGS)]
    eventually(lambda: as_it_should_be(second, 4), 30)

    # a damaged copy and a file that no song is of are found
    holder = next(node for node in ring.nodes if node.has(songs[0]))
    (holder.music / songs[0][:2] / songs[0]).write_bytes(b"rot" * 1000)
    stray = make_wav(tmp_path / "stray.wav", 5_000, 99).read_bytes()
    key = blake3(stray).hexdigest()
    (second.music / key[:2]).mkdir(exist_ok=True)
    (second.music / key[:2] / key).write_bytes(stray)
    assert {(item["key"], item["what"]) for item in found(first)["items"]} == {(songs[0], "cut"), (key, "unrecorded")}
    assert act(first, holder, "scrub")[0] == 202
    eventually(lambda: seen(first, holder)["work"]["files_aside"] == 1, 20)
    eventually(lambda: [item["what"] for item in found(first)["items"] if item["key"] == songs[0]] == ["damaged"], 20)
    copies = first.get(f"/songs/{songs[0]}/copies")["copies"]
    assert [copy["damaged"] for copy in copies if copy["node"] == holder.name] == [1]
    assert sum(copy["whole"] for copy in copies) == 3
    (second.music / key[:2] / key).unlink()
    shutil.rmtree(holder.home / "data" / "music" / "aside")
    (holder.home / "data" / "music" / "aside").mkdir()

    # a node leaves, and nothing is lost
    assert act(first, leaver, "leave")[0] == 202
    eventually(lambda: not leaver.alive, 30)
    assert leaver.process is not None and leaver.process.returncode == 0
    eventually(lambda: seen(first, leaver)["state"] == "left", 10)
    eventually(lambda: as_it_should_be(second, 3), 30)
    assert "cannot be asked to leave" in act(first, leaver, "leave")[1]["detail"]

    # one that is dead is expelled, and its copies count no more
    assert act(first, victim, "expel")[0] == 409
    victim.kill()
    eventually(lambda: act(first, victim, "expel")[0] == 202, 30)
    eventually(lambda: all(node.has(key) for key in songs for node in (first, second)), 30)
    assert seen(first, victim)["state"] == "expelled"
    victim.start([first.address])
    assert victim.process is not None and victim.process.wait(30) != 0
    assert "was expelled from its ring by admin" in victim.log


def test_all_are_told_to_leave_and_those_whom_nobody_can_relieve_stay_what_they_are(tmp_path: Path) -> None:
    """As `docker compose down` does where the stop signal is the one to leave."""
    ring = RingOfProcesses(tmp_path / "ring", 3)
    try:
        ring.start()
        songs = [ring.nodes[0].upload(make_wav(tmp_path / f"{n}.wav", 100_000, n))[1]["id"] for n in range(SONGS)]
        for node in ring.nodes:
            assert node.process
            node.process.send_signal(signal.SIGUSR1)
        eventually(lambda: not ring.live, 60)
        assert [node.process.returncode for node in ring.nodes if node.process] == [0, 0, 0]
        ring.start()
        assert all(node.request("GET", f"/songs/{song}/stream")[0] == 200 for node in ring.nodes for song in songs)
    finally:
        ring.close()

"""What people have of their own, in a ring of real processes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from processes import NodeProcess, RingOfProcesses, make_wav
from support import eventually


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RingOfProcesses]:
    """Three nodes."""
    made = RingOfProcesses(tmp_path_factory.mktemp("house"), 3)
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

"""What docker/compose.yaml promises, in real containers. The tests run in this order, each leaves the ring whole."""

import json
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from browser import CHROMIUM, Listener, launched
from playwright.sync_api import expect
from processes import make_wav
from stack import Stack, docker
from support import eventually

pytestmark = pytest.mark.timeout(400)  # the first test also builds the images

LONG_BYTES = 40_000_000  # far more than browser, proxies and sockets take in ahead


def inspected(container: str) -> dict[str, Any]:
    return dict(json.loads(docker("inspect", container))[0])


def small_songs(folder: Path, first_seed: int) -> list[bytes]:
    return [make_wav(folder / f"{n}.wav", 300_000, first_seed + n).read_bytes() for n in range(6)]


def test_servers_started_at_the_same_moment_are_one_ring(stack: Stack) -> None:
    assert sorted(stack.nodes_up()) == [f"server-{n + 1}" for n in range(7)]
    first = stack.containers("server")[0]
    walk = ("ringnode", "console", "--tls", "/tls", "--node", f"{first}:7700", "-c", "print(len(ring()))")
    status, told = stack.run(first, *walk)
    assert (status, told.split()[-1]) == (0, "7"), told


def test_every_container_is_shut_in(stack: Stack) -> None:
    for name in stack.every:
        seen = inspected(name)
        host = seen["HostConfig"]
        assert seen["Config"]["User"] == "10001:10001", name
        assert (host["ReadonlyRootfs"], host["CapDrop"]) == (True, ["ALL"]), name
        assert host["SecurityOpt"] == ["no-new-privileges:true"] and host["Memory"] > 0, name
        told = stack.run(name, "sh", "-c", "id -u; touch /x; cat /proc/1/status")[1]
        assert told.startswith("10001\n") and "Read-only" in told and "CapBnd:\t0000000000000000" in told, told


def test_nothing_secret_is_in_environments_or_logs(stack: Stack) -> None:
    ring_secret = stack.run(stack.containers("server")[0], "cat", "/tls/ring.secret")[1].strip()
    hidden = [*stack.settings.values(), ring_secret]
    assert len(hidden) == 3 and all(len(word) > 12 for word in hidden)
    stack.request("GET", "/api/v1/songs?ticket=very-secret-ticket")
    for name in [*stack.every, f"{stack.project}-ca-1"]:
        told = docker("inspect", name) + docker("logs", name, check=False)
        assert not [word for word in [*hidden, "very-secret-ticket"] if word in told], name


def test_from_the_clients_network_only_the_api_can_be_reached(stack: Stack) -> None:
    client = stack.containers("client")[0]
    api = "https://router:8443/api/v1/health"
    assert stack.run(client, "curl", "-sS", "--fail", "--cacert", "/tls/ca.crt", api)[0] == 0
    assert (
        stack.run(client, "curl", "-sS", "--fail", "--cacert", "/tls/ca.crt", "https://router:8443/metrics")[0] == 22
    )
    assert stack.run(client, "getent", "hosts", "server")[0] == 2
    assert stack.run(client, "curl", "-sS", "-m", "1", "router:7700")[0] == 7  # nobody listens
    hosts = []
    for server in stack.containers("server"):
        networks = inspected(server)["NetworkSettings"]["Networks"]
        assert list(networks) == [f"{stack.project}_servers"]
        hosts.append(networks[f"{stack.project}_servers"]["IPAddress"])
    ports = [f"{host}/{port}" for host in hosts for port in (7700, 7701)]
    assert reached_by(stack, stack.containers("router")[0], ports) == ports, "they are there"
    assert reached_by(stack, client, ports) == []


def reached_by(stack: Stack, container: str, ports: list[str]) -> list[str]:
    """Those of HOST/PORT that accept a connection from the container within two seconds."""
    each = " ".join(f"(timeout 2 bash -c '</dev/tcp/{port}' && echo {port}) &" for port in ports)
    told = stack.run(container, "bash", "-c", f"{{ {each} wait; }} 2>/dev/null")[1].split()
    return sorted(told, key=ports.index)


def test_client_nodes_serve_the_player_as_nodes_do(stack: Stack) -> None:
    for client in (0, 1):
        status, headers, page = stack.request("GET", "/any/address/of/the/player", client=client)
        assert status == 200 and b"<div id=" in page
        assert "script-src 'self'" in headers["content-security-policy"] and headers["cache-control"] == "no-cache"
    asset = page.decode().split('src="/assets/')[1].split('"')[0]
    status, headers, _ = stack.request("GET", f"/assets/{asset}", headers={"Accept-Encoding": "gzip"})
    assert (status, headers["content-encoding"]) == (200, "gzip") and "immutable" in headers["cache-control"]
    assert stack.request("GET", "/assets/of-another-build.js")[0] == 404
    assert stack.request("GET", "/api/v1/nothing")[0] == 404


def test_a_song_goes_on_when_the_container_that_serves_it_is_killed(stack: Stack, tmp_path: Path) -> None:
    if not CHROMIUM:
        pytest.skip("no Chromium is installed")
    song = make_wav(tmp_path / "Long noise.wav", LONG_BYTES, 1)
    key = blake3(song.read_bytes()).hexdigest()
    songs = stack.get("/songs?limit=1")["total"]
    with (
        launched() as browser,
        Listener(browser, f"https://localhost:{stack.port}", ignore_https_errors=True) as listener,
    ):
        listener.log_in(stack.settings["admin_password"])
        listener.page.get_by_role("link", name="Upload").first.click()
        listener.page.locator("input[type=file]").first.set_input_files(song)
        eventually(lambda: stack.get("/songs?limit=1")["total"] == songs + 1, 60)
        listener.page.get_by_role("link", name="Songs").first.click()
        expect(listener.row("Long noise")).to_be_visible()
        listener.play("Long noise")
        eventually(lambda: len(stack.serving()) == 1, 30)
        before, victim = listener.audio(), stack.serving()[0]
        docker("kill", victim)
        listener.page.evaluate("window.made.forEach((audio) => { audio.playbackRate = 8 })")
        eventually(lambda: listener.audio()["at"] > before["to"] + 10, 120)  # what no dead container sent
        assert listener.now == "Long noise" and listener.audio()["playing"]
    assert victim in stack.containers("server")
    docker("start", victim)
    stack.settle()
    status, _, body = stack.request("GET", f"/api/v1/songs/{key}/stream")
    assert (status, blake3(body).hexdigest()) == (200, key)


def test_two_servers_are_unplugged_and_come_back(stack: Stack, tmp_path: Path) -> None:
    songs = small_songs(tmp_path, 10)
    for data in songs:
        stack.upload(data)
    network, unplugged = f"{stack.project}_servers", stack.containers("server")[1:3]
    for name in unplugged:
        docker("network", "disconnect", network, name)
    eventually(lambda: len(stack.nodes_up()) == stack.servers - 2, 60, every_s=0.5)
    for data in songs:
        key = blake3(data).hexdigest()
        eventually(lambda key=key: stack.request("GET", f"/api/v1/songs/{key}/stream")[0] == 200, 30)
        assert stack.request("GET", f"/api/v1/songs/{key}/stream", headers={"Range": "bytes=9-99"})[2] == data[9:100]
    for name in unplugged:
        docker("network", "connect", "--alias", "server", network, name)
    stack.settle()


def test_containers_made_anew_are_the_same_nodes(stack: Stack) -> None:
    before, songs = stack.nodes_up(), stack.get("/songs")["items"]
    assert sorted(before) == [f"server-{n + 1}" for n in range(7)] and len(songs) >= 6
    old = {name: inspected(name)["Id"] for name in stack.every}
    stack.up(7, "--force-recreate", "--timeout", "10")
    assert all(inspected(name)["Id"] != id for name, id in old.items())
    assert stack.nodes_up() == before
    assert all(stack.plays(song["id"]) for song in songs)


def test_removing_two_containers_loses_nothing(stack: Stack, tmp_path: Path) -> None:
    songs = [stack.upload(data) for data in small_songs(tmp_path, 20)]
    eventually(lambda: not stack.findings(), 60, every_s=0.5)
    stack.up(5, "--no-recreate")
    assert sorted(stack.nodes_up()) == [f"server-{n + 1}" for n in range(5)]
    assert all(stack.plays(song) for song in songs)


def test_the_ring_grows_and_who_leaves_hands_over_first(stack: Stack) -> None:
    """Two more containers, whose stop signal is the one to leave."""
    songs = [song["id"] for song in stack.get("/songs")["items"]]
    stack.env |= {"RINGNODE_STOP_SIGNAL": "SIGUSR1", "RINGNODE_STOP_GRACE": "5m"}
    stack.up(7, "--no-recreate")
    eventually(lambda: not stack.findings(), 60, every_s=0.5)
    assert all(node["files"] for node in stack.nodes())

    # an admin has one leave: its container is not started again, and it comes back only when somebody starts it
    last = stack.containers("server")[6]
    status, _, body = stack.request("POST", f"/api/v1/ring/nodes/{stack.nodes_up()['server-7']}/leave")
    assert status == 202, body
    eventually(lambda: stack.run(last, "ringnode-health")[1].startswith("left"), 60, every_s=1)
    assert stack.findings() <= {"surplus"}
    seen = inspected(last)
    assert (seen["State"]["Running"], seen["RestartCount"]) == (True, 0)
    whole = ("ringnode-health", "--whole")  # what an update waits for; who has left is not waited for
    eventually(lambda: stack.run(stack.containers("server")[0], *whole)[0] == 0, 60, every_s=1)
    docker("restart", last)
    stack.settle()

    # two are stopped, and go when five others have all
    stack.up(5, "--no-recreate")
    states = {node["name"]: node["state"] for node in stack.nodes()}
    assert (states["server-6"], states["server-7"]) == ("left", "left")
    assert stack.findings() <= {"surplus"} and all(stack.plays(song) for song in songs)

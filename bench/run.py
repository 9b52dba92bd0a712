"""Figures of a ring of three nodes on this machine: python bench/run.py [--songs N] [--seconds S].

Clients, nodes and disk share the machine. Prints min, median and max over repetitions, and the disk's own limit taken
between them, so that ratios hold where absolute figures drift. Asserts nothing.
"""

import argparse
import contextlib
import http.client
import multiprocessing
import os
import random
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent / "tests"), str(Path(__file__).parent.parent / "tests" / "ring")]

from processes import NodeProcess, RingOfProcesses, make_wav  # noqa: E402

from ringnode.objects import wire  # noqa: E402
from ringnode.objects.peers import Peers  # noqa: E402

MB = 1e6
SONG = 5_000_000
LONG_SONG = 30_000_000
CLIENTS = 4
REPETITIONS = 3
READ = 1 << 20

Row = tuple[str, list[float], str]


def show(rows: list[Row]) -> None:
    print(f"\n{'what':58} {'min':>9} {'median':>9} {'max':>9}")
    for what, values, unit in rows:
        print(f"{what:58} {min(values):9.2f} {statistics.median(values):9.2f} {max(values):9.2f} {unit}")


# -- the disk's own limit --------------------------------------------------------------------------------------


def write_three_copies(folder: Path, songs: int) -> float:
    """MB/s of songs written three times with fsync, CLIENTS at once: what no k = 3 can beat on one disk."""
    data = os.urandom(SONG)

    def one(n: int) -> None:
        for copy in range(3):
            new, done = folder / f"{n}.{copy}.new", folder / f"{n}.{copy}"
            with new.open("wb", buffering=0) as file:
                file.write(data)
                os.fdatasync(file.fileno())
            new.rename(done)
            descriptor = os.open(folder, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)

    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(one, range(songs)))
    seconds = time.perf_counter() - started
    for path in folder.iterdir():
        path.unlink()
    return songs * SONG / MB / seconds


def touch_memory(folder: Path, size: int) -> None:
    """Fill and empty the page cache: on a virtual machine the first touch of a page costs more than a write."""
    data = os.urandom(READ)
    path = folder / "touch"
    with path.open("wb", buffering=0) as file:
        for _ in range(size // READ):
            file.write(data)
    path.unlink()


# -- clients ---------------------------------------------------------------------------------------------------


class Client:
    """One keep-alive connection."""

    def __init__(self, ca: str, port: int, token: str) -> None:
        context = ssl.create_default_context(cafile=ca)
        self.http = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60, blocksize=READ)
        self.headers = {"Authorization": f"Bearer {token}"}
        self.buffer = memoryview(bytearray(READ))

    def upload(self, path: Path) -> None:
        with path.open("rb") as file:
            length = {"Content-Length": str(path.stat().st_size)}
            self.http.request("POST", f"/api/v1/songs?filename={path.name}", file, self.headers | length)
            answer = self.http.getresponse()
            body = answer.read()
            assert answer.status == 201, (answer.status, body)

    def get(self, path: str, range_: str = "") -> int:
        self.http.request("GET", path, headers=self.headers | ({"Range": range_} if range_ else {}))
        answer = self.http.getresponse()
        assert answer.status in (200, 206), (answer.status, answer.read())
        total = 0
        while n := answer.readinto(self.buffer):
            total += n
        return total


def upload_some(ca: str, port: int, token: str, paths: list[Path], start: float) -> None:
    client = Client(ca, port, token)
    while time.time() < start:
        time.sleep(0.001)
    for path in paths:
        client.upload(path)


def upload_all(node: NodeProcess, paths: list[Path]) -> float:
    """MB/s of CLIENTS processes that share the songs."""
    ca = str(node.home / "tls" / "ca.crt")
    start = time.time() + 1.0
    workers = [
        multiprocessing.Process(
            target=upload_some, args=(ca, node.api_port, node.token, paths[n::CLIENTS], start), daemon=True
        )
        for n in range(CLIENTS)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    return sum(path.stat().st_size for path in paths) / MB / (time.time() - start)


def many(seconds: float, act: Callable[[], float]) -> list[float]:
    """What `act` gives, again and again."""
    values, ends = [], time.perf_counter() + seconds
    while time.perf_counter() < ends:
        values.append(act())
    return values


def rate(act: Callable[[], int]) -> float:
    started = time.perf_counter()
    return act() / MB / (time.perf_counter() - started)


def milliseconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


# -- memory ----------------------------------------------------------------------------------------------------


def tree(pid: int, depth: int = 0) -> Iterator[tuple[int, int]]:
    """A process and all below it, with their depth."""
    yield pid, depth
    for child in Path("/proc").iterdir():
        if child.name.isdigit():
            with contextlib.suppress(OSError):
                if int((child / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    yield from tree(int(child.name), depth + 1)


def memory_mib(node: NodeProcess) -> dict[str, float]:
    """Resident memory of each process of a node, in MiB; the largest of a kind."""
    assert node.process
    found: dict[str, float] = {}
    for pid, depth in tree(node.process.pid):
        kind = ("node process", "HTTP server's supervisor", "gateway worker", "tag reader")[depth]
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        found[kind] = max(found.get(kind, 0.0), pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
    return found


# -- the run ---------------------------------------------------------------------------------------------------


def song_files(folder: Path, count: int, size: int, seed: int) -> list[Path]:
    """Songs nobody has yet; one noise with a number in it, because making noise takes longer than sending it."""
    first = make_wav(folder / f"{seed}.wav", size, seed)
    data = bytearray(first.read_bytes())
    first.unlink()
    paths = []
    for n in range(count):
        data[1000:1016] = random.Random(f"{seed}/{n}").randbytes(16)
        paths.append(folder / f"{seed}-{n}.wav")
        paths[-1].write_bytes(data)
    return paths


def lookups(ring: RingOfProcesses) -> list[Row]:
    wire.setup(ring.nodes[0].home / "tls")
    peers = Peers(5)
    address = ring.nodes[0].address
    keys = [f"{random.Random(n).getrandbits(256):064x}" for n in range(2000)]
    pings = [milliseconds(lambda: peers.call(address, "closest_preceding", keys[0])) for _ in range(500)]
    found = [milliseconds(lambda key=key: peers.call(address, "owners", key, 3)) for key in keys]
    peers.close()
    p99 = sorted(found)[int(len(found) * 0.99)]
    return [
        ("one RPC to a node (no lookup)", pings, "ms"),
        ("warm lookup, asked of a node over TLS", found, "ms"),
        ("... its 99th percentile", [p99], "ms"),
    ]


def uploads(ring: RingOfProcesses, folder: Path, songs: int) -> list[Row]:
    put, disk = [], []
    for n in range(REPETITIONS + 1):
        (folder / "disk").mkdir(exist_ok=True)
        touch_memory(folder, songs * SONG * 8)
        limit = write_three_copies(folder / "disk", songs)
        paths = song_files(folder, songs, SONG, seed=n)
        value = upload_all(ring.nodes[0], paths)
        for path in paths:
            path.unlink()
        if n:  # the first round touches memory for the first time
            put.append(value)
            disk.append(limit)
    ratio = [a / b for a, b in zip(put, disk, strict=True)]
    return [
        (f"POST of 5 MB songs, k = 3, {CLIENTS} clients, HTTPS", put, "MB/s"),
        ("every byte three times with fsync, same disk", disk, "MB/s"),
        ("ratio", ratio, ""),
    ]


def downloads(ring: RingOfProcesses, seconds: float) -> list[Row]:
    node = ring.nodes[0]
    client = Client(str(node.home / "tls" / "ca.crt"), node.api_port, node.token)
    items = node.get("/songs?limit=500")["items"]
    rows: list[Row] = []
    held = node.keys()
    local = [f"/api/v1/songs/{i['id']}/stream" for i in items if i["id"] in held]
    remote = [f"/api/v1/songs/{i['id']}/stream" for i in items if i["id"] not in held]
    chance = random.Random(5)
    for what, paths in (("held here", local), ("held elsewhere", remote)):
        if not paths:
            continue
        whole = many(seconds, lambda paths=paths: rate(lambda: client.get(chance.choice(paths))))
        part = many(
            seconds,
            lambda paths=paths: milliseconds(lambda: client.get(chance.choice(paths), "bytes=2000000-2065535")),
        )
        rows += [
            (f"GET of a whole 5 MB song {what}, one client", whole, "MB/s"),
            (f"GET of a 64 KiB range of a song {what}", part, "ms"),
        ]
    page = many(seconds, lambda: milliseconds(lambda: client.get("/api/v1/songs?limit=100")))
    return [*rows, ("GET of a page of 100 songs", page, "ms")]


def memory(ring: RingOfProcesses, folder: Path, idle: dict[str, float]) -> list[Row]:
    node = ring.nodes[0]
    client = Client(str(node.home / "tls" / "ca.crt"), node.api_port, node.token)
    paths = song_files(folder, 8, LONG_SONG, seed=99)
    for path in paths:
        client.upload(path)
    streams = [f"/api/v1/songs/{i['id']}/stream" for i in node.get("/songs?limit=500")["items"]]
    after = []
    for _ in range(4):
        for path in streams[:40]:
            client.get(path)
        after.append(memory_mib(node))
    rows: list[Row] = [(f"resident memory, idle: {kind}", [size], "MiB") for kind, size in sorted(idle.items())]
    kinds = ("node process", "gateway worker")
    return rows + [(f"resident memory, while songs stream: {k}", [a[k] for a in after], "MiB") for k in kinds]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=80, help="songs in one round of uploads")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each download measurement")
    parser.add_argument("--nodes", type=int, default=4, help="nodes; more than k, so that some songs are elsewhere")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ringnode-bench-") as name:
        folder = Path(name)
        ring = RingOfProcesses(folder, options.nodes, stabilise_every_s=1, exchange_every_s=5, replicate_every_s=10,
                               audit_every_s=60, threads=128)  # fmt: skip
        try:
            ring.start()
            ring.nodes[0].login()
            idle = memory_mib(ring.nodes[0])
            show(lookups(ring))
            show(uploads(ring, folder, options.songs))
            show(downloads(ring, options.seconds))
            show(memory(ring, folder, idle))
        finally:
            ring.close()


if __name__ == "__main__":
    main()

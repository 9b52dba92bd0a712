"""How many small songs a second a ring of three nodes takes: python bench/small_songs.py [--songs N] [--size BYTES].

Clients, nodes and disk share the machine. Each client sends its share to a node of its own, one song after the other.
Prints songs a second, the disk's own limit, and the time of one upload. Asserts nothing.
"""

import argparse
import contextlib
import multiprocessing
import os
import statistics
import tempfile
import time
from multiprocessing.queues import Queue
from pathlib import Path

from run import CLIENTS, Client, RingOfProcesses, milliseconds, show, song_files, tree

NODES = 3


def upload_some(ca: str, port: int, token: str, paths: list[Path], start: float, out: "Queue[list[float]]") -> None:
    client = Client(ca, port, token)
    while time.time() < start:
        time.sleep(0.001)
    out.put([milliseconds(lambda path=path: client.upload(path)) for path in paths])


def upload_all(ring: RingOfProcesses, paths: list[Path]) -> tuple[float, list[float]]:
    """Songs a second, and the milliseconds of each."""
    out: Queue[list[float]] = multiprocessing.Queue()
    start = time.time() + 1.0
    workers = []
    for n in range(CLIENTS):
        node = ring.nodes[n % NODES]
        ca = str(node.home / "tls" / "ca.crt")
        args = (ca, node.api_port, node.token, paths[n::CLIENTS], start, out)
        workers.append(multiprocessing.Process(target=upload_some, args=args, daemon=True))
    for worker in workers:
        worker.start()
    times = [ms for _ in workers for ms in out.get()]
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    return len(paths) / (time.time() - start), times


def syncs_per_s(folder: Path, seconds: float = 2.0) -> float:
    """Small files a second that one thread can write and fsync."""
    count, ends = 0, time.perf_counter() + seconds
    while time.perf_counter() < ends:
        with (folder / f"sync{count}").open("wb", buffering=0) as file:
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
        count += 1
    return count / seconds


def cpu_s(ring: RingOfProcesses) -> dict[str, float]:
    """Seconds of CPU that each kind of process has used; unlike rates, it does not depend on who else is at work."""
    found: dict[str, float] = {}
    for node in ring.nodes:
        assert node.process
        for pid, depth in tree(node.process.pid):
            with contextlib.suppress(OSError):
                parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                kind = ("node process", "HTTP server's supervisor", "gateway worker", "tag reader")[depth]
                seconds = (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
                found[kind] = found.get(kind, 0.0) + seconds
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=2000)
    parser.add_argument("--size", type=int, default=30_000, help="bytes of each")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ringnode-bench-") as name:
        folder = Path(name)
        ring = RingOfProcesses(folder, NODES, stabilise_every_s=1, exchange_every_s=5, replicate_every_s=10,
                               audit_every_s=60, threads=128)  # fmt: skip
        try:
            ring.start()
            for node in ring.nodes:
                node.login()
            rates, times, syncs = [], [], []
            before = cpu_s(ring)
            for n in range(options.rounds):
                syncs.append(syncs_per_s(folder))
                rate, some = upload_all(ring, song_files(folder, options.songs, options.size, seed=n))
                rates.append(rate)
                times += some
            total = options.songs * options.rounds
            used = {kind: (after - before.get(kind, 0.0)) * 1000 / total for kind, after in cpu_s(ring).items()}
            show([
                (f"small songs a second, {CLIENTS} clients, {NODES} nodes, k = 3", rates, "/s"),
                ("one upload", times, "ms"),
                ("... its 99th percentile", [statistics.quantiles(times, n=100)[98]], "ms"),
                ("files written and fsynced by one thread, same disk", syncs, "/s"),
                *((f"CPU of one song: {kind}, all nodes", [ms], "ms") for kind, ms in used.items()),
            ])  # fmt: skip
        finally:
            ring.close()


if __name__ == "__main__":
    main()

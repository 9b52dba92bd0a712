"""How fast real nodes bring 600 MB of songs back to a node that lost its disk."""

import shutil
import tempfile
import time
from pathlib import Path

from processes import NodeProcess, RingOfProcesses
from run import MB, SONG, song_files, upload_all
from support import eventually

NODES = 3  # k of them: the wiped one needs every song, and all others hold them
SONGS = 120
AS_INSTALLED = {"stabilise_every_s": 1, "exchange_every_s": 5, "replicate_every_s": 10, "audit_every_s": 60,
                "quiet_s": 30, "settle_s": 3, "threads": 256}  # fmt: skip


def recopied() -> list[tuple[float, float]]:
    """(MB/s from the first to the last file, seconds from the node's start to the last file) of one wiped node."""
    with tempfile.TemporaryDirectory(prefix="ringnode-recopy-") as name:
        folder = Path(name)
        ring = RingOfProcesses(folder, NODES, **AS_INSTALLED)
        try:
            ring.start()
            ring.nodes[0].login()
            paths = song_files(folder, SONGS, SONG, seed=1)
            upload_all(ring.nodes[0], paths)
            for path in paths:
                path.unlink()
            eventually(lambda: all(len(node.keys()) == SONGS for node in ring.nodes), 120, every_s=0.5)
            return [wiped_and_back(ring, node) for node in ring.nodes[1:]]
        finally:
            ring.close()


def wiped_and_back(ring: RingOfProcesses, node: NodeProcess) -> tuple[float, float]:
    """Kill it, empty its disk, start it, and wait until it has every song again."""
    node.kill()
    shutil.rmtree(node.home / "data")
    started = time.time()
    node.start([other.address for other in ring.nodes])
    eventually(lambda: len(node.keys()) == SONGS, 600, every_s=0.2)
    files = [path.stat() for path in node.music.glob("*/*")]
    arrived = sorted(file.st_mtime for file in files)
    size = sum(file.st_size for file in files) - files[0].st_size  # the first marks the beginning
    return size / MB / (arrived[-1] - arrived[0]), arrived[-1] - started


def recopy(_: int) -> list[list[object]]:
    """One row for each node that was wiped."""
    return [[n, f"{rate:.0f}", 80, f"{seconds:.0f}"] for n, (rate, seconds) in enumerate(recopied(), start=1)]

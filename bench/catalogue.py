"""Figures of a large catalogue: python bench/catalogue.py [--songs N] [--albums N] [--seconds S].

Fills one node's catalogue with made-up songs (no files), starts the node with `ringnode serve`, and measures lists
and search over HTTPS with kept connections, as one client and as 16. Clients and node share the machine. Asserts
nothing.
"""

import argparse
import http.client
import json
import multiprocessing
import random
import ssl
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

sys.path[:0] = [str(Path(__file__).parent.parent / "tests"), str(Path(__file__).parent.parent / "tests" / "ring")]

from blake3 import blake3  # noqa: E402
from processes import NodeProcess, RingOfProcesses  # noqa: E402

from ringnode.catalogue import songs  # noqa: E402
from ringnode.catalogue.record import Record  # noqa: E402
from ringnode.config import Config  # noqa: E402
from ringnode.node import open_records  # noqa: E402

ARTISTS_AN_ALBUM = 4  # albums of one artist, on average
BATCH = 2000
CLIENTS = 16
PROCESSES = 4
WORDS = 12_000
GENRES = 60
SOUNDS = (
    "ka",
    "lo",
    "mi",
    "re",
    "tu",
    "shan",
    "vel",
    "dor",
    "nía",
    "böl",
    "est",
    "or",
    "qui",
    "zem",
    "ha",
    "fjø",
    "ny",
)

# -- a made-up library -----------------------------------------------------------------------------------------


def library(count: int, albums: int, seed: int = 1) -> Iterator[tuple[str, dict[str, Any]]]:
    """Keys and documents; words as unequally frequent as those of a language."""
    chance = random.Random(seed)
    words = ["".join(chance.choices(SOUNDS, k=chance.randint(1, 4))) for _ in range(WORDS)]
    weights = [1 / (n + 5) for n in range(WORDS)]

    def name(least: int, most: int) -> str:
        return " ".join(chance.choices(words, weights, k=chance.randint(least, most))).title()

    artists = [name(1, 3) for _ in range(max(1, albums // ARTISTS_AN_ALBUM))]
    genres = [name(1, 2) for _ in range(GENRES)]
    for n in range(count):
        if n * albums // count != (n - 1) * albums // count or not n:
            artist, album, year, track = chance.choice(artists), name(1, 4), chance.randint(1950, 2025), 0
            genre = chance.choices(genres, [1 / (n + 1) for n in range(GENRES)])[0]
        track += 1
        yield blake3(f"{seed}/{n}".encode()).hexdigest(), {
            "title": name(1, 5), "artist": artist, "artists": [artist], "album": album, "albumartist": artist,
            "track": track, "tracks": 12, "disc": 1, "discs": 1, "date": str(year), "genres": [genre],
            "composers": [artist], "duration_s": round(chance.uniform(90, 480), 3), "bitrate": 256_000,
            "sample_rate": 44_100, "channels": 2, "format": chance.choice(("mp3", "flac", "opus")), "mime": "audio/x",
            "has_cover": True, "size_bytes": chance.randrange(10**6, 10**8), "filename": f"{track:02} {n}.flac",
            "added_at": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(1.6e9 + n * 700)), "added_by": "anna",
        }  # fmt: skip


def fill(node: NodeProcess, count: int, albums: int) -> float:
    """Seconds it took to put a library into the node's catalogue, as if it had come from peers."""
    (node.home / "data").mkdir()
    db, records = open_records(Config(data=node.home / "data"), "bench")
    started = time.perf_counter()
    batch: list[Record] = []
    for n, (key, doc) in enumerate(library(count, albums), 1):
        batch.append(Record(songs.KIND, key, doc, f"{n << 16:016x}-bench", {}))
        if len(batch) == BATCH or n == count:
            records.merge(batch)
            batch = []
    seconds = time.perf_counter() - started
    db.close()
    return seconds


# -- clients ---------------------------------------------------------------------------------------------------


class Client:
    """One kept connection."""

    def __init__(self, ca: str, port: int, token: str) -> None:
        self._http = http.client.HTTPSConnection(
            "127.0.0.1", port, context=ssl.create_default_context(cafile=ca), timeout=60
        )
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> bytes:
        self._http.request("GET", "/api/v1" + path, headers=self._headers)
        answer = self._http.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status, body[:300])
        return body

    def ms(self, path: str) -> float:
        started = time.perf_counter()
        self.get(path)
        return (time.perf_counter() - started) * 1000


def ask(who: tuple[str, int, str], paths: list[str], seconds: float, seed: int) -> list[float]:
    """Milliseconds of each request that one client makes, one after the other."""
    client, chance = Client(*who), random.Random(seed)
    client.get(paths[0])
    times, ends = [], time.perf_counter() + seconds
    while time.perf_counter() < ends:
        times.append(client.ms(chance.choice(paths)))
    return times


def several(who: tuple[str, int, str], paths: list[str], seconds: float, seed: int, queue: Any) -> None:
    times: list[float] = []
    threads = [
        threading.Thread(target=lambda n=n: times.extend(ask(who, paths, seconds, seed * 100 + n)))
        for n in range(CLIENTS // PROCESSES)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.put(times)


def crowd(who: tuple[str, int, str], paths: list[str], seconds: float) -> list[float]:
    """The same of CLIENTS clients at once, in PROCESSES processes."""
    queue: Any = multiprocessing.Queue()
    workers = [
        multiprocessing.Process(target=several, args=(who, paths, seconds, n, queue), daemon=True)
        for n in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    times = [ms for _ in workers for ms in queue.get(timeout=seconds + 60)]
    for worker in workers:
        worker.join()
    return times


# -- what is measured ------------------------------------------------------------------------------------------


def questions(client: Client) -> dict[str, list[str]]:
    """Paths by what they stand for; several of each, so that no cache of one answer is measured."""
    chance = random.Random(3)
    albums = [a for s in range(4) for a in json.loads(client.get(f"/albums?limit=500&sort=random&seed={s}"))["items"]]
    artists = json.loads(client.get("/artists?limit=500&sort=random"))["items"]
    some = json.loads(client.get("/songs?limit=500&sort=random&seed=4"))["items"]
    cursor, pages = "", []
    for _ in range(8):
        pages.append(f"/songs?limit=100{cursor}")
        cursor = f"&cursor={json.loads(client.get(pages[-1]))['next_cursor']}"
    typed = []
    for song in chance.sample(some, 100):
        text = chance.choice((song["title"], song["artist"], f"{song['artist']} {song['title']}"))
        typed += [f"/search?q={quote(text[:n])}" for n in range(1, len(text) + 1)]
    return {
        "a page of 100 songs": pages,
        "a page of 100 songs of a genre, newest first": [
            f"/songs?limit=100&sort=-added_at&genre={quote(s['genres'][0])}" for s in some[:20]
        ],
        "a page of 100 songs by chance": [f"/songs?limit=100&sort=random&seed={n}" for n in range(50)],
        "one song": [f"/songs/{s['id']}" for s in some],
        "an album with its songs": [f"/albums/{a['id']}" for a in albums],
        "an artist with albums": [f"/artists/{a['id']}" for a in artists],
        "first page of all albums (50)": ["/albums"],
        "the 50 newest albums": ["/albums?sort=-added_at"],
        "all genres": ["/genres?limit=500"],
        "search as you type, each letter": typed,
        "search with a typing mistake": [f"/search?q={quote(a['name'][:-1] + 'x')}" for a in artists[:100]],
    }


def show(what: str, one: list[float], many: list[float], size: int) -> None:
    def p(values: list[float], share: float) -> float:
        return sorted(values)[int(len(values) * share)]

    print(
        f"{what:46} {statistics.median(one):7.1f} {p(one, 0.99):7.1f}   {statistics.median(many):7.1f}"
        f" {p(many, 0.99):7.1f} {size / 1024:7.0f}",
        flush=True,
    )


def starts(ring: RingOfProcesses, times: int = 3) -> list[float]:
    """Seconds from the start of `ringnode serve` to its first answer that it serves."""
    node, seconds = ring.nodes[0], []
    for _ in range(times):
        node.stop()
        started = time.perf_counter()
        node.start([])
        while not node.ready():
            time.sleep(0.02)
        seconds.append(time.perf_counter() - started)
    return seconds


def measure(node: NodeProcess, seconds: float, only: str) -> None:
    who = (str(node.home / "tls" / "ca.crt"), node.api_port, node.token)
    client = Client(*who)
    print(f"\n{'ms':46} {'p50, 1':>7} {'p99, 1':>7}   {'p50, 16':>7} {'p99, 16':>7} {'KiB':>7}")
    for what, paths in questions(client).items():
        if only in what:
            size = len(client.get(paths[0]))
            show(what, ask(who, paths, seconds, 1), crowd(who, paths, seconds), size)


def timed(what: str, act: Callable[[], Any]) -> Any:
    started = time.perf_counter()
    result = act()
    print(f"{what}: {time.perf_counter() - started:.1f} s", flush=True)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=100_000)
    parser.add_argument("--albums", type=int, default=8_000)
    parser.add_argument("--workers", type=int, default=1, help="processes that serve HTTP")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each measurement")
    parser.add_argument("--only", default="", help="only what has this text in its name")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ringnode-bench-") as name:
        # No files belong to these songs: looking for them is not what is measured.
        ring = RingOfProcesses(Path(name), 1, replicate_every_s=3600, audit_every_s=3600, exchange_every_s=5,
                               stabilise_every_s=1, settle_s=1, k=1, threads=64,
                               workers=options.workers)  # fmt: skip
        node = ring.nodes[0]
        try:
            timed(f"{options.songs} songs into the catalogue", lambda: fill(node, options.songs, options.albums))
            size = (node.home / "data" / "catalogue.db").stat().st_size
            print(f"catalogue.db: {size / 1e6:.0f} MB")
            timed("first start, which founds a ring", ring.start)
            node.login()
            print("starts, s:", " ".join(f"{s:.2f}" for s in starts(ring)))
            measure(node, options.seconds, options.only)
        finally:
            ring.close()


if __name__ == "__main__":
    main()

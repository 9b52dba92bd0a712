"""People who use a ring of processes all the time, and the record of what they were told.

Each song is in one person's hands at a time; an answer that never came leaves unknown whether the deed was done.
"""

import contextlib
import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from blake3 import blake3
from processes import NodeProcess, RingOfProcesses, make_wav

LINGER_S = 30.0  # an unanswered request may still be carried out for so long, by a node that was paused
ANSWER_S = 25.0  # longer than any pause
LONG_BYTES = 12 << 20  # of the songs that are heard for seconds: more than the buffers on the way hold


@dataclass
class Deed:
    """What a person did to a song. `said`: True once acknowledged, False if it cannot have happened, None unknown."""

    title: str | None  # None for a deletion
    began: float
    ended: float = float("inf")
    said: bool | None = None


@dataclass
class Song:
    """What people remember of one song, first to last."""

    key: str
    path: Path
    deeds: list[Deed] = field(default_factory=list)
    free_at: float = 0.0  # infinite while somebody is at it
    last: str | None = None  # its title when all was over

    @property
    def there(self) -> bool:
        """Do people believe that it is in the library?"""
        return bool(self.deeds) and self.deeds[-1].said is True and self.deeds[-1].title is not None

    @property
    def needed(self) -> bool:
        """Was it acknowledged, and not its deletion?"""
        return any(deed.said for deed in self.deeds) and (self.there or self.deeds[-1].said is not True)

    def possible(self, splits: list[tuple[float, float]]) -> set[str | None]:
        """Titles it may have at the end, None for deleted: what no later acknowledged deed has replaced."""
        found: set[str | None] = set() if any(deed.said for deed in self.deeds) else {None}
        for n, deed in enumerate(self.deeds):
            later = [late for late in self.deeds[n + 1 :] if late.said and not apart(deed, late, splits)]
            if deed.said is not False and not later:
                found.add(deed.title)
        return found


def apart(a: Deed, b: Deed, splits: list[tuple[float, float]]) -> bool:
    """Could those who did one not know of the other, because the ring was split? Then neither was later."""
    return any(began <= b.ended and a.began <= ended for began, ended in splits)


@dataclass
class Trouble:
    """A fault: until `ended` what it touches may fail to answer. `split`: W nodes may not know what W others do."""

    nodes: list[NodeProcess]
    began: float
    split: bool = False
    ended: float = float("inf")


class History:
    """Everything that happened, in order, in a file; and what must not have."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.touch()
        self.wrong: list[str] = []
        self.counts: dict[str, int] = {}
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def note(self, text: str, count: str = "") -> None:
        """Write a line; count it under a name."""
        with self._lock, self.path.open("a") as file:
            file.write(f"{time.monotonic() - self._began:8.2f} {text}\n")
            self.counts[count] = self.counts.get(count, 0) + 1

    def summary(self) -> str:
        """How often each thing happened."""
        return ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()) if name)

    def blame(self, text: str) -> None:
        """This must not happen."""
        self.wrong.append(text)
        self.note(f"WRONG: {text}", "wrong")


class People:
    """`count` people at all nodes of `ring`, by the seed's chance, until `stop`. `troubles` says what may fail."""

    def __init__(self, ring: RingOfProcesses, folder: Path, seed: int, history: History) -> None:
        self.ring = ring
        self.folder = folder
        self.history = history
        self.songs: list[Song] = []
        self.troubles: list[Trouble] = []
        self._seed = seed
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, count: int) -> None:
        """Let them in."""
        for n in range(count):
            self._threads.append(threading.Thread(target=self._live, args=(f"person {n}", n == 0)))
            self._threads[-1].start()

    def stop(self) -> None:
        """Each ends what it is at."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        threading.Event().wait(seconds)

    def _live(self, name: str, listens: bool) -> None:
        chance = random.Random(f"{self._seed}/{name}")
        while not self._ending.wait(chance.uniform(0.02, 0.3)):
            deed = self._stream if listens else chance.choices(
                [self._upload, self._edit, self._delete, self._stream], [4, 3, 1, 4])[0]  # fmt: skip
            try:
                deed(chance)
            except Exception as error:
                self.history.blame(f"{name}: {type(error).__name__}: {error}")

    # -- deeds -------------------------------------------------------------------------------------------------

    def _upload(self, chance: random.Random) -> None:
        gone = lambda song: bool(song.deeds) and song.deeds[-1].said is True and not song.there  # noqa: E731
        song = self._take(chance, gone) if chance.random() < 0.2 else None
        if song is None:
            size = LONG_BYTES if chance.random() < 0.05 else chance.randrange(20_000, 300_000)
            song = self.new_song(size, chance.getrandbits(64))
        data = song.path.read_bytes()
        title = f"song-{song.key[:6]}-{len(song.deeds)}"
        self._change(chance, song, "POST", f"/songs?filename={title}.wav", data, title)

    def new_song(self, size: int, seed: int) -> Song:
        """A file that the library has never seen, in the hands of whoever made it."""
        path = make_wav(self.folder / f"{seed:016x}.wav", size, seed)
        song = Song(blake3(path.read_bytes()).hexdigest(), path, free_at=float("inf"))
        with self._lock:
            self.songs.append(song)
        return song

    def _edit(self, chance: random.Random) -> None:
        song = self._take(chance, lambda song: song.there)
        if song:
            title = f"edited {chance.getrandbits(32):08x}"
            self._change(chance, song, "PATCH", f"/songs/{song.key}", {"title": title}, title)

    def _delete(self, chance: random.Random) -> None:
        song = self._take(chance, lambda song: song.there)
        if song:
            self._change(chance, song, "DELETE", f"/songs/{song.key}", None, None)

    def _take(self, chance: random.Random, fits) -> Song | None:  # type: ignore[no-untyped-def]
        """A song that nobody is at, and nobody else will be until it is given back."""
        with self._lock:
            free = [song for song in self.songs if song.free_at < time.monotonic() and fits(song)]
            if not free:
                return None
            song = chance.choice(free)
            song.free_at = float("inf")
            return song

    def _change(
        self, chance: random.Random, song: Song, method: str, path: str, body: object, title: str | None
    ) -> None:
        node = chance.choice(self.ring.nodes)
        deed = Deed(title, time.monotonic())
        song.deeds.append(deed)
        try:
            status, _, answer = node.request(method, path, body)
            deed.said = True if status in (200, 201, 204) else False if status == 404 else None
            if deed.said and title is not None:
                deed.title = json.loads(answer)["title"]
            self._judge(node, deed.began, method, song, status, answer)
        except ConnectionRefusedError as error:
            deed.said = False
            self._judge(node, deed.began, method, song, 0, str(error).encode())
        except (OSError, http.client.HTTPException) as error:
            self._judge(node, deed.began, method, song, 0, repr(error).encode())
        deed.ended = time.monotonic()
        if deed.said is False and method != "POST":
            song.deeds.remove(deed)
        song.free_at = deed.ended + (LINGER_S if deed.said is None else 0)
        took_s = deed.ended - deed.began
        text = f"{method} {song.key[:6]} {deed.title!r} at {node.name} in {took_s:.1f} s: {deed.said}"
        self.history.note(text, f"{method} {deed.said}")

    def _judge(self, node: NodeProcess, began: float, method: str, song: Song, status: int, answer: bytes) -> None:
        """Failing is excused by a fault meanwhile, and only by one; an error of ours by none."""
        if status in (200, 201, 204, 206):
            return
        took_s = time.monotonic() - began
        text = f"{method} {song.key[:6]} at {node.name} after {took_s:.1f} s: {status} {answer[:300]!r}"
        self.history.note(text, f"{method} failed")
        if status == 500 or not self._excused(method, node, song, began):
            self.history.blame(text)

    def _excused(self, method: str, node: NodeProcess, song: Song, began: float) -> bool:
        """A write may fail in any trouble; hearing only in that of the node itself, or of all that have the file."""
        now = [trouble for trouble in self.troubles if trouble.ended >= began]
        if method != "stream" or any(trouble.split or node in trouble.nodes for trouble in now):
            return bool(now)
        hit = [node for trouble in now for node in trouble.nodes]
        return not any(other.has(song.key) for other in self.ring.nodes if other not in hit)

    # -- listening ---------------------------------------------------------------------------------------------

    def _stream(self, chance: random.Random) -> None:
        with self._lock:
            there = [song for song in self.songs if song.there and song.free_at < time.monotonic()]
        if not there:
            return
        song, node = chance.choice(there), chance.choice(self.ring.nodes)
        long = [song for song in there if song.path.stat().st_size >= LONG_BYTES]
        song = chance.choice(long) if long and chance.random() < 0.5 else song
        before, began = len(song.deeds), time.monotonic()
        status, data, error = self._listen(node, song, chance.uniform(0, 0.05))
        if status == 200 and not error:
            if data != song.path.read_bytes():
                self.history.blame(f"stream of {song.key[:6]} at {node.name}: {len(data)} wrong bytes")
            self.history.note(f"heard {song.key[:6]} at {node.name} in {time.monotonic() - began:.1f} s", "heard")
        elif data != song.path.read_bytes()[: len(data)] and status == 200:
            self.history.blame(f"stream of {song.key[:6]} at {node.name}: wrong bytes before it broke")
        elif len(song.deeds) == before or song.there:
            self._judge(node, began, "stream", song, status if status != 200 else 0, error or data)

    def _listen(self, node: NodeProcess, song: Song, pause_s: float) -> tuple[int, bytes, bytes]:
        """Status, the bytes that came, and why it broke off."""
        data, status = b"", 0
        try:
            with contextlib.closing(node.connection()) as connection:
                headers = {"Authorization": f"Bearer {node.token}"}
                connection.request("GET", f"/api/v1/songs/{song.key}/stream", headers=headers)
                answer = connection.getresponse()
                status = answer.status
                while chunk := answer.read(64 << 10):
                    data += chunk
                    self._ending.wait(pause_s)
                if answer.length:
                    return status, data, f"{answer.length} bytes are missing".encode()
        except (OSError, http.client.HTTPException) as error:
            return status, data, repr(error).encode()
        return status, data, b""

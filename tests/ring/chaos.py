"""A ring of real processes under everything that can happen to them, while people use it: nothing may be lost.

`python tests/ring/chaos.py --minutes 5 --seed 1`; exit code 1 and the whole history if something went wrong. Needs
network namespaces for the faults of the network (`lab.py`); without them nodes are killed, paused and wiped only.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

import lab  # noqa: E402
from blake3 import blake3  # noqa: E402
from crowd import History, People, Song, Trouble  # noqa: E402
from processes import NodeProcess, RingOfProcesses, descendants  # noqa: E402
from support import eventually  # noqa: E402

from ringnode.objects import wire  # noqa: E402
from ringnode.objects.peers import Peers  # noqa: E402

NODES, PEOPLE = 7, 10
WITHIN_S = 120.0  # to be one ring again, and at rest: other things run beside


class Chaos:
    """One run: a ring, its people, its faults. By the seed, but for what processes race for."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(f"{seed}/faults")
        self.history = History(folder / "history")
        self.network = lab.Lab() if lab.INSIDE in os.environ else None
        self.ring = RingOfProcesses(folder, 0)
        for _ in range(NODES):
            place = self.network.place() if self.network else None
            self.ring.add(place.address, place.prefix) if place else self.ring.add()
        (folder / "songs").mkdir()
        self.people = People(self.ring, folder / "songs", seed, self.history)
        self.faults = [self.kill, self.kill, self.pause, self.wipe, self.kill_all]
        if self.network:
            self.faults += [self.split, self.split, self.deafen]
        self.bag: list[Callable[[Trouble], None]] = []

    def run(self, seconds: float) -> None:
        """Start all, let faults happen for so long, end them, and look at what is there."""
        self.ring.start()
        self.ring.nodes[0].login()
        for node in self.ring.nodes:
            node.token, node.timeout_s = self.ring.nodes[0].token, 25.0
        self.people.start(PEOPLE)
        end = time.monotonic() + seconds
        try:
            self.rest(2)
            while time.monotonic() < end:
                self.strike()
            self.recover()
            self.rest(1)
        finally:
            self.people.stop()
        self.check()

    def rest(self, most_s: float) -> None:
        """Let time pass."""
        self.people.wait(self.chance.uniform(most_s / 4, most_s))

    # -- faults ------------------------------------------------------------------------------------------------

    def strike(self) -> None:
        """One fault and its end; then mostly the ring is left to recover, sometimes the next one comes at once."""
        self.bag = self.bag or self.chance.sample(self.faults, len(self.faults))  # each kind once before any again
        fault = self.bag.pop()
        trouble = Trouble(self.chance.sample(self.ring.nodes, self.chance.choice([1, 1, 2])), time.monotonic())
        trouble.split = len(trouble.nodes) > 1
        names = ", ".join(node.name for node in trouble.nodes)
        self.history.note(f"FAULT {fault.__name__} {names}", fault.__name__)
        print(f"{fault.__name__} {names}; {self.history.summary()}", flush=True)
        self.people.troubles.append(trouble)
        fault(trouble)
        if self.chance.random() < 0.7:
            self.recover()

    def recover(self) -> None:
        """Wait until the ring is one again."""
        self.ring.settle(WITHIN_S)
        for trouble in self.people.troubles:
            trouble.ended = min(trouble.ended, time.monotonic())
        self.history.note("one ring", "recovered")
        self.rest(3)

    def kill(self, trouble: Trouble) -> None:
        """kill -9, and start again."""
        self._down(trouble.nodes)
        self.rest(6)
        self._up(trouble.nodes)

    def kill_all(self, trouble: Trouble) -> None:
        """The power fails."""
        trouble.nodes, trouble.split = list(self.ring.nodes), True
        self._down(trouble.nodes)
        self._up(trouble.nodes)

    def wipe(self, trouble: Trouble) -> None:
        """A disk is lost whose files are elsewhere too; the node comes as a new one."""
        self.recover()  # two disks lost at once are more than is promised
        trouble.ended = float("inf")
        victim = self.chance.choice(self.ring.nodes)
        trouble.nodes, trouble.split = [victim], False
        self._down([victim])
        elsewhere = set().union(*(node.keys() for node in self.ring.nodes if node != victim))
        if victim.keys() & {song.key for song in self.people.songs if song.needed} <= elsewhere:
            shutil.rmtree(victim.home / "data")
        else:
            self.history.note(f"{victim.name} keeps its disk: it has the last copy of something", "spared")
        self._up([victim])
        self.recover()

    def pause(self, trouble: Trouble) -> None:
        """Stopped in the middle of whatever they do, as a virtual machine that is moved."""
        for node in trouble.nodes:
            node.signal_all(signal.SIGSTOP)
        try:
            self.rest(10)
        finally:
            for node in trouble.nodes:
                node.signal_all(signal.SIGCONT)

    def split(self, trouble: Trouble) -> None:
        """Two or three nodes, or one, and the others hear nothing of one another."""
        trouble.nodes = self.chance.sample(self.ring.nodes, self.chance.choice([1, 2, 3]))
        self._cut(trouble, both_ways=True)

    def deafen(self, trouble: Trouble) -> None:
        """Some are not heard any more, but hear."""
        self._cut(trouble, both_ways=False)

    def _cut(self, trouble: Trouble, both_ways: bool) -> None:
        assert self.network
        trouble.split = True
        self.network.split([self.network.places[self.ring.nodes.index(node)] for node in trouble.nodes], both_ways)
        self.rest(12)
        self.network.heal()

    def _down(self, nodes: list[NodeProcess]) -> None:
        children = [pid for node in nodes if node.process for pid in descendants(node.process.pid)]
        for node in nodes:
            node.kill()
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))  # their port is free again

    def _up(self, nodes: list[NodeProcess]) -> None:
        for node in nodes:
            node.start([node.address for node in self.ring.nodes[:3]])

    # -- the end -----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Everything that was acknowledged is everywhere, and every file where it belongs. AssertionError."""
        print(f"faults are over; {self.history.summary()}", flush=True)
        splits = [(trouble.began, trouble.ended) for trouble in self.people.troubles if trouble.split]
        self.ring.settle(WITHIN_S)
        self._become("catalogues are equal", lambda: len({str(sums) for sums in self._ask_all("digests", [])}) == 1)
        for song in self.people.songs:
            self._check_title(song, splits)
        self._become("every song lies on its owners", self._misplaced, nothing=True)
        for song in self.people.songs:
            self._check_bytes(song)
        self._become("no loop fails", self._failing, nothing=True)
        assert not self.history.wrong, "\n".join(self.history.wrong)

    def _become(self, what: str, look: Callable[[], Any], nothing: bool = False) -> None:
        """Wait until it is so; say what is not."""
        seen: list[Any] = []

        def so() -> bool:
            seen[:] = [look()]
            return bool(seen[0]) != nothing

        try:
            eventually(so, WITHIN_S, every_s=0.5)
        except AssertionError as error:
            raise AssertionError(f"not so within {WITHIN_S} s: {what}: {seen[0]}") from error
        self.history.note(what)

    def _ask_all(self, method: str, *args: Any) -> list[Any]:
        """Every node's answer, in their order."""
        wire.setup(self.ring.nodes[0].home / "tls")
        peers = Peers(10)
        try:
            return [peers.call(node.address, method, *args) for node in self.ring.nodes]
        finally:
            peers.close()

    def _check_title(self, song: Song, splits: list[tuple[float, float]]) -> None:
        titles = {}
        for node in self.ring.nodes:
            status, _, body = node.request("GET", f"/songs/{song.key}")
            assert status in (200, 404), (node.name, status, body)
            titles[node.name] = json.loads(body)["title"] if status == 200 else None
        song.last = next(iter(titles.values()))
        if len(set(titles.values())) != 1 or song.last not in song.possible(splits):
            self.history.blame(f"{song.key}: {titles}, possible {song.possible(splits)}; told {song.deeds}")

    def _misplaced(self) -> dict[str, Any]:
        """Songs that do not lie on exactly their owners, and deleted ones that lie anywhere."""
        wrong = {}
        for song in self.people.songs:
            lies = {node.address for node in self.ring.nodes if node.has(song.key)}
            owners = self.ring.nodes[0].get(f"/ring/owners?key={song.key}")["owners"]
            wanted = {owner["address"] for owner in owners} if song.last is not None else set()
            if lies != wanted and not (song.last is None and not any(deed.said for deed in song.deeds)):
                wrong[song.key[:12]] = (song.last, sorted(lies), sorted(wanted))
        return wrong

    def _check_bytes(self, song: Song) -> None:
        for node in self.ring.nodes:
            status, _, body = node.request("GET", f"/songs/{song.key}/stream")
            if song.last is None:
                assert status == 404, (song.key, node.name, status)
            elif (status, blake3(body).hexdigest()) != (200, song.key):
                self.history.blame(f"{song.key} at {node.name}: {status}, {len(body)} bytes")

    def _failing(self) -> list[str]:
        """Loops whose last pass failed."""
        before = self._ask_all("state")
        self.people.wait(3)
        return [
            f"{state['name']}: {name}: {loop['last_error']}"
            for old, state in zip(before, self._ask_all("state"), strict=True)
            for name, loop in state["loops"].items()
            if loop["errors"] > old["loops"][name]["errors"]
        ]

    def close(self) -> None:
        """End every process and the network."""
        for node in self.ring.live:
            node.signal_all(signal.SIGCONT)
        self.ring.close()
        if self.network:
            self.network.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of what people do and what fails")
    parser.add_argument("--minutes", type=float, default=5, help="how long faults happen")
    parser.add_argument("--keep", type=Path, help="an empty folder for the nodes' data and logs, which stay there")
    options = parser.parse_args()
    lab.enter()
    print(f"chaos: seed {options.seed}, {options.minutes} minutes", flush=True)
    folder = options.keep or Path(tempfile.mkdtemp(prefix="ringnode-chaos-"))
    folder.mkdir(exist_ok=True)
    chaos = Chaos(folder, options.seed)
    try:
        chaos.run(options.minutes * 60)
        print(f"nothing is lost: {chaos.history.summary()}")
        return 0
    except Exception as error:
        print(f"{chaos.history.path.read_text()}\nFAILED with seed {options.seed}: {type(error).__name__}: {error}")
        return 1
    finally:
        chaos.close()
        if not options.keep:
            shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())

"""Are the files here still what they were? They are read and hashed again: in turn, in doubt, and when asked to."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from ringnode.config import Config
from ringnode.errors import CorruptReplica, NotFound
from ringnode.services.pace import Pace
from ringnode.storage.blobs import Blobs

DAY_S = 86_400
WHOLE_S = 30 * DAY_S  # every file is read again in this time
DOUBTS = 1000  # keys to be read again soon
SLICE_S = 1.0  # of a whole scrub: doubts do not wait for its end


class Scrub:
    """Of one node. Damaged files go aside, and replication, kicked early, fetches good copies."""

    def __init__(self, config: Config, blobs: Blobs, kick: Callable[[str], None]) -> None:
        self.verified: dict[str, float] = {}  # when a file was last found whole, seconds since 1970
        self.checked = 0
        self.damaged = 0
        self._cursor = config.data / "scrubbed"  # where to go on after a restart; any text will do
        self._period_s = config.audit_every_s
        self._blobs = blobs
        self._kick = kick
        self._pace = Pace(config.repair_bytes_per_s)
        self._doubted: deque[str] = deque(maxlen=DOUBTS)
        self._asked: deque[tuple[str, int]] = deque()
        self._due_at = 0.0

    def doubt(self, key: str) -> None:
        """A copy of mine may be damaged."""
        self._doubted.append(key)
        self._kick("scrub")

    def whole(self) -> None:
        """Read all files again, now; twice is harmless."""
        sizes = []
        keys = self._blobs.keys()
        for key in keys:
            try:
                sizes.append((key, self._blobs.size(key)))
            except NotFound:
                continue  # dropped meanwhile
        self._asked = deque(sizes)
        self._kick("scrub")

    def verify(self, key: str) -> bool:
        """Read my copy again. A damaged one goes aside, and a good one is fetched soon. NotFound without one."""
        good = self._blobs.verify(key, self._pace)
        self.checked += 1
        if good:
            self.verified[key] = time.time()
        else:
            self.damaged += 1
            self.verified.pop(key, None)
            self._kick("replicate")
        return good

    def once(self) -> None:
        """What is in doubt, a slice of what was asked for, and the share that is due. CorruptReplica names damage."""
        damaged: list[str] = []
        while self._doubted:
            self._read(self._doubted.popleft(), damaged)
        until = time.monotonic() + SLICE_S
        while self._asked and time.monotonic() < until:
            self._read(self._asked.popleft()[0], damaged)
        if time.monotonic() >= self._due_at:
            self._due_at = time.monotonic() + self._period_s / 2
            self._read_share(damaged)
        if self._asked:
            self._kick("scrub")
        if damaged:
            raise CorruptReplica(
                f"{len(damaged)} of my copies were damaged and lie aside; good ones are fetched: {damaged[0][:12]}"
            )

    def _read(self, key: str, damaged: list[str]) -> None:
        try:
            if not self.verify(key):
                damaged.append(key)
        except NotFound:
            self.verified.pop(key, None)  # dropped meanwhile

    def _read_share(self, damaged: list[str]) -> None:
        with self._blobs.disk.errors():
            last = self._cursor.read_bytes().decode("ascii", "replace") if self._cursor.exists() else ""
        keys = self._blobs.keys()
        due = int(-(-len(keys) * self._period_s // WHOLE_S))
        following = [key for key in keys if key > last] + [key for key in keys if key <= last]
        for key in following[:due]:
            self._read(key, damaged)
        if due:
            with self._blobs.disk.errors():
                self._cursor.write_text(following[due - 1], "ascii")

    def state(self) -> dict[str, Any]:
        """For people: files read and found damaged since the start; files and bytes left of a whole scrub."""
        left = list(self._asked)
        return {
            "checked": self.checked,
            "damaged": self.damaged,
            "todo": len(left),
            "todo_bytes": sum(size for _, size in left),
        }

"""What a person's commands remember from one to the next: logins and uploads. Losing it costs time, nothing else."""

import json
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where it is."""
    given = environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if given.startswith("/") else Path.home() / ".cache") / "ringnode"


class Tokens:
    """The tokens of logins, under the names given, in a file that only this person can read; nowhere without one."""

    def __init__(self, folder: Path | None, names: Sequence[str]) -> None:
        self._path = folder / "tokens.json" if folder else None
        self._names = names

    def load(self) -> str:
        """The first token there is; "" for none."""
        known = self._all()
        return next((known[name] for name in self._names if name in known), "")

    def save(self, token: str) -> None:
        """Keep it; where that cannot be, the next command logs in again."""
        if self._path is None:
            return
        with suppress(OSError):
            self._path.parent.mkdir(0o700, parents=True, exist_ok=True)
            beside = self._path.with_name(f"tokens.{os.getpid()}.new")
            beside.unlink(missing_ok=True)
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(self._all() | dict.fromkeys(self._names, token), file)
            beside.replace(self._path)

    def _all(self) -> dict[str, str]:
        with suppress(OSError, ValueError):
            known = json.loads(self._path.read_bytes()) if self._path else {}
            return {name: token for name, token in dict(known).items() if isinstance(token, str)}
        return {}


class Journal:
    """The ids of the files that were taken, by path, size and time: a line of JSON each.

    A file that changed has another id. The journal says nothing of whether a ring still has the song: ask it.
    """

    def __init__(self, path: Path, again: bool = False) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._ids = {} if again else self._load()

    def _load(self) -> dict[tuple[str, int, int], str]:
        ids = {}
        with suppress(OSError):
            for line in self._path.read_bytes().splitlines():
                with suppress(ValueError, TypeError):  # the last line of a run that was killed
                    name, size, mtime_ns, key = json.loads(line)
                    ids[name, size, mtime_ns] = key
        return ids

    def find(self, path: Path, stat: os.stat_result) -> str:
        """The file's id; "" if it is not known."""
        return self._ids.get((str(path.absolute()), stat.st_size, stat.st_mtime_ns), "")

    def note(self, path: Path, stat: os.stat_result, key: str) -> None:
        """Remember it at once, so that a run may end at any time."""
        line = json.dumps([str(path.absolute()), stat.st_size, stat.st_mtime_ns, key]) + "\n"
        with self._lock, suppress(OSError):
            self._path.parent.mkdir(0o700, parents=True, exist_ok=True)
            with self._path.open("a", encoding="ascii") as file:
                file.write(line)

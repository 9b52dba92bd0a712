"""Reads tags in processes of their own, so that a hostile file can hurt nobody else.

A child takes one line of JSON (path and name) and answers with one (fields, or what is wrong). It may use so much
memory and so much time; a child that takes more, or dies, is replaced, and the file is called unreadable.
"""

import json
import queue
import resource
import selectors
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from ringnode.errors import Invalid

TIMEOUT_S = 20.0  # no file of several hundred measured took more than 0.15 s
MEMORY_BYTES = 1 << 30
WORKERS = 2
STOP_S = 5.0
UNREADABLE = "the file could not be read in reasonable time and memory: it is damaged, or made to do harm"


class Child:
    """One process that reads tags."""

    def __init__(self, memory_bytes: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ringnode.catalogue.tag_reader", str(memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, path: str, filename: str, timeout_s: float) -> dict[str, Any]:
        """Its answer. TimeoutError, OSError or ValueError if it does not give a whole one."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin and stdout
        stdin.write(json.dumps([path, filename]).encode() + b"\n")
        stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            if not selector.select(timeout_s):
                raise TimeoutError
        answer: dict[str, Any] = json.loads(stdout.readline())
        return answer

    def end(self) -> None:
        """Now; and wait until it is gone."""
        self._process.kill()
        with suppress(BrokenPipeError), self._process:  # closes the pipes and waits; a question may still be in one
            pass


class TagReader:
    """Up to `workers` children, started when they are needed."""

    def __init__(
        self, timeout_s: float = TIMEOUT_S, memory_bytes: int = MEMORY_BYTES, workers: int = WORKERS
    ) -> None:
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._free: queue.LifoQueue[Child | None] = queue.LifoQueue()  # None: one may be started
        self._lock = threading.Lock()
        self._closed = False
        for _ in range(workers):
            self._free.put(None)
        self._workers = workers

    def read(self, path: str, filename: str) -> dict[str, Any]:
        """What `tags.read` says of the file. Invalid if that does, or if the child did not survive it."""
        child = self._free.get()
        try:
            if child is None:
                child = Child(self._memory_bytes)
            answer = child.ask(path, filename, self._timeout_s)
        except (OSError, ValueError) as error:  # TimeoutError is an OSError
            if child:
                child.end()
            child = None
            raise Invalid(UNREADABLE, "file") from error
        finally:
            self._free.put(child)
        if "error" in answer:
            raise Invalid(answer["error"], "file")
        return dict(answer["fields"])

    def close(self) -> None:
        """End the children, when those under way have answered. Twice is harmless."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        for _ in range(self._workers):
            child = self._free.get()
            if child:
                child.end()


def main() -> None:
    """The child: a line in, a line out, until there are no more."""
    from ringnode.catalogue import tags  # only the child needs mutagen

    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then closes our input
    for line in sys.stdin:
        path, filename = json.loads(line)
        try:
            with Path(path).open("rb") as file:
                answer = {"fields": tags.read(file, filename)}
        except Invalid as error:
            answer = {"error": str(error)}  # type: ignore[dict-item]
        except Exception:  # noqa: BLE001  whatever it is, the file is at fault and the next one is not
            answer = {"error": UNREADABLE}  # type: ignore[dict-item]
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

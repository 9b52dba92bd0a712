"""Reads tags and pictures in processes of their own, so that a hostile file can hurt nobody else.

A child takes one line of JSON (what to do, and with what) and answers with one (fields, or what is wrong). It may use
so much memory and so much time; a child that takes more, or dies, is replaced, and the file is called unreadable.
"""

import json
import os
import queue
import resource
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ringnode.errors import Invalid

TIMEOUT_S = 20.0  # no file of several hundred measured took more than 0.15 s
MEMORY_BYTES = 1 << 30
WORKERS = 2
UNREADABLE = "the file could not be read in reasonable time and memory: it is damaged, or made to do harm"


class Child:
    """One process that reads tags, one file at a time."""

    def __init__(self, memory_bytes: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ringnode.catalogue.tag_reader", str(memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def alive(self) -> bool:
        """May it be asked?"""
        return self._process.poll() is None

    def ask(self, question: tuple[Any, ...], timeout_s: float) -> dict[str, Any]:
        """Its answer. Invalid, and the end of the child, if it does not give a whole one in time."""
        try:
            answer: dict[str, Any] = json.loads(self._exchange(json.dumps(question), timeout_s))
        except (OSError, ValueError) as error:
            self.end()
            raise Invalid(UNREADABLE, "file") from error
        except BaseException:  # interrupted: its answer would be taken for that to the next question
            self.end()
            raise
        return answer

    def _exchange(self, line: str, timeout_s: float) -> bytes:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin and stdout
        deadline = time.monotonic() + timeout_s
        stdin.write(line.encode("ascii") + b"\n")
        stdin.flush()
        answer = b""
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while not answer.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError
                part = os.read(stdout.fileno(), 1 << 16)
                if not part:
                    raise BrokenPipeError
                answer += part
        return answer

    def end(self) -> None:
        """Now; and wait until it is gone. Twice is harmless."""
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
        self._workers = workers
        self._free: queue.LifoQueue[Child | None] = queue.LifoQueue()  # None: one may be started
        for _ in range(workers):
            self._free.put(None)
        self._lock = threading.Lock()
        self._closed = False

    def read(self, path: str, filename: str) -> dict[str, Any]:
        """What `tags.read` says of the file. Invalid if that does, or if the child did not survive it.

        RuntimeError after `close()`.
        """
        return self._ask("read", path, filename)

    def shrink(self, source: str, target: str, edge: int) -> None:
        """`pictures.shrink`, as `read` reads."""
        self._ask("shrink", source, target, edge)

    def keep(self, source: str, target: str, most_bytes: int) -> None:
        """`pictures.keep`, as `read` reads."""
        self._ask("keep", source, target, most_bytes)

    def _ask(self, *question: Any) -> dict[str, Any]:
        child = self._free.get()
        try:
            if self._closed:
                raise RuntimeError("the tag reader is closed")
            if child and not child.alive():  # it died while nobody asked: no fault of this file
                child.end()
                child = None
            child = child or Child(self._memory_bytes)
            answer = child.ask(question, self._timeout_s)
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
        children = [self._free.get() for _ in range(self._workers)]
        for child in children:
            if child:
                child.end()
            self._free.put(None)  # whoever still waits is told


def main() -> None:
    """The child: a line in, a line out, until there are no more."""
    from ringnode.catalogue import pictures, tags  # only the child needs mutagen's and Pillow's memory

    def read(path: str, filename: str) -> dict[str, Any]:
        with Path(path).open("rb") as file:
            return tags.read(file, filename)

    acts: dict[str, Callable[..., dict[str, Any] | None]] = {
        "read": read, "shrink": pictures.shrink, "keep": pictures.keep,
    }  # fmt: skip
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    memory = min(int(sys.argv[1]), hard if hard != resource.RLIM_INFINITY else sys.maxsize)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then closes our input
    for line in sys.stdin:
        act, *given = json.loads(line)
        answer: dict[str, Any]
        try:
            answer = {"fields": acts[act](*given) or {}}
        except Invalid as error:
            answer = {"error": str(error)}
        except Exception:  # noqa: BLE001  whatever it is, the file is at fault and the next one is not
            answer = {"error": UNREADABLE}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""One SQLite file for two kinds of process: WAL, a reader a thread, one writer at a time.

Commits are fsynced (`synchronous = FULL`): what is acknowledged survives a power cut.
"""

import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from ringnode.errors import ConfigError, DiskFailed, NoSpace

BUSY_MS = 10_000  # a writer of another process holds the lock for milliseconds; this long means it hangs
FAILED = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
WAL_PAGES = 4000  # 16 MB; a page that many changes touch meanwhile goes into the file once
CACHE_KIB = 4096  # a thread's page cache: many threads read, and the system caches the file anyway


class _Own:
    """A thread's connection. It ends with the thread; left to itself it would wait for the collector of cycles."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class Database:
    """Connections to the catalogue's file; `path` may be ":memory:" where only one thread uses it."""

    def __init__(self, path: Path | str) -> None:
        self.path = str(path)
        self._local = threading.local()
        self._all: weakref.WeakSet[_Own] = weakref.WeakSet()  # a thread that ends takes its own with it
        self._lock = threading.Lock()  # one writer in this process; those of other processes wait in SQLite
        try:
            self._connection().executescript(files(__package__).joinpath("schema.sql").read_text("utf-8"))
        except sqlite3.DatabaseError as error:
            self.close()
            raise ConfigError(f"the catalogue {self.path} cannot be opened: {error}") from error

    def _connection(self) -> sqlite3.Connection:
        own: _Own | None = getattr(self._local, "own", None)
        if own is None:
            connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            own = _Own(connection)
            connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
            self._local.own = own
            with self._lock:
                self._all.add(own)
        return own.connection

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The answer to a question, whole."""
        return self._connection().execute(sql, values).fetchall()

    def value(self, sql: str, *values: Any) -> Any:
        """The first column of the first row, None if there is none."""
        row = self._connection().execute(sql, values).fetchone()
        return row[0] if row else None

    @contextmanager
    def read(self) -> Iterator[None]:
        """Questions asked inside see one state."""
        connection = self._connection()
        connection.execute("BEGIN")
        try:
            yield
        finally:
            connection.execute("COMMIT")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it durable at the end, or nothing. NoSpace if the disk is full, DiskFailed."""
        connection = self._connection()
        with self._lock:
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                code = error.sqlite_errorcode & 0xFF
                if code == sqlite3.SQLITE_FULL:
                    raise NoSpace("the disk is full: the catalogue cannot be written") from error
                if code in FAILED:
                    raise DiskFailed(f"the disk failed: the catalogue cannot be written ({error})") from error
                raise
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close every thread's connection; nobody may use the database after this."""
        with self._lock:
            for own in list(self._all):
                own.connection.close()
            self._all.clear()

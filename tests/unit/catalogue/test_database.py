"""A catalogue whose process is killed, or whose disk is full."""

import os
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from support import eventually

from ringnode.catalogue.database import Database
from ringnode.catalogue.records import Records
from ringnode.errors import ConfigError, DiskFailed, NoSpace


def test_killed_while_it_writes_it_has_all_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    expected = 0
    for life in range(6):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            write_until_killed(path, expected, writing)
        os.close(writing)
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            told = pipe.read(4 * (life + 1))
            time.sleep(0.003 * life)  # somewhere in a transaction
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            while more := pipe.read(1 << 16):
                told += more
        expected += len(told)
        db = Database(path)
        assert db.value("PRAGMA integrity_check") == "ok"
        records = Records(db, "n", lambda: 1)
        there = records.count("song")
        assert expected <= there <= expected + 1
        assert len(db.rows("SELECT number FROM search")) == there or not db.rows("SELECT number FROM search")
        db.close()
        expected = there


def write_until_killed(path: Path, first: int, pipe: int) -> None:
    try:
        records = Records(Database(path), "n", lambda: 1)
        for n in range(first, first + 10_000):
            records.put("song", f"{n:064x}", {"title": str(n)})
            os.write(pipe, b".")
    finally:
        os._exit(1)


def test_a_full_disk_refuses_writes_and_serves_reads(tmp_path: Path) -> None:
    db = Database(tmp_path / "catalogue.db")
    records = Records(db, "n", lambda: 1)
    records.put("song", "ab" * 32, {"title": "here"})
    db.rows(f"PRAGMA max_page_count = {db.value('PRAGMA page_count') + 2}")
    refused = 0
    for n in range(50):
        try:
            records.put("song", f"{n:064x}", {"title": "x" * 2000})
        except NoSpace as error:
            assert "full" in str(error)
            refused += 1
    assert refused
    count = records.count("song")
    assert count == 1 + 50 - refused and records.get("song", "ab" * 32)
    assert sum(db.value("SELECT total FROM digest WHERE level = 1 AND n = ?", n) or 0 for n in range(256)) >= 0
    db.rows("PRAGMA max_page_count = 1000000")
    records.put("song", "cd" * 32, {"title": "room again"})
    assert records.count("song") == count + 1
    db.close()


def test_a_disk_that_became_read_only_serves_reads(tmp_path: Path) -> None:
    db = Database(tmp_path / "catalogue.db")
    records = Records(db, "n", lambda: 1)
    records.put("song", "ab" * 32, {"title": "here"})
    db.rows("PRAGMA query_only = ON")
    with pytest.raises(DiskFailed, match="cannot be written"):
        records.put("song", "cd" * 32, {"title": "no"})
    assert records.count("song") == 1
    db.close()


def test_a_damaged_catalogue_is_said(tmp_path: Path) -> None:
    (tmp_path / "catalogue.db").write_bytes(b"garbage" * 1000)
    with pytest.raises(ConfigError, match="cannot be opened"):
        Database(tmp_path / "catalogue.db")


def test_a_threads_connection_ends_with_it(tmp_path: Path) -> None:
    db = Database(tmp_path / "catalogue.db")
    made: list[sqlite3.Connection] = []
    thread = threading.Thread(target=lambda: made.append(db._connection()))
    thread.start()
    thread.join()

    def ended() -> bool:
        try:
            return not made[0].execute("SELECT 1")
        except sqlite3.ProgrammingError:
            return True

    eventually(ended)
    assert db.value("SELECT 1") == 1
    db.close()

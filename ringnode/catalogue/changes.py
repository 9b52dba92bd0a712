"""What has changed in the catalogue here, in order: the tail of a log that the database's triggers write."""

from typing import NamedTuple

from ringnode.catalogue.database import Database


class Change(NamedTuple):
    """One change; `number` rises by one with each, on this node."""

    number: int
    kind: str
    key: str


def bounds(db: Database) -> tuple[int, int]:
    """The numbers of the oldest change that is remembered, and of the newest; (1, 0) for none."""
    oldest, newest = db.rows("SELECT min(number), max(number) FROM change")[0]
    return oldest or 1, newest or 0


def after(db: Database, number: int, limit: int) -> list[Change]:
    """The changes behind that number, the oldest first."""
    sql = "SELECT number, kind, key FROM change WHERE number > ? ORDER BY number LIMIT ?"
    return [Change(*row) for row in db.rows(sql, number, limit)]

"""Pages of a list in a chosen order, each beginning where the last one ended.

A cursor carries the place itself (what the last item is sorted by), not a count: songs that come and go meanwhile
neither repeat others nor hide them, and any node goes on where another one stopped.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from ringnode.catalogue.database import Database
from ringnode.errors import Invalid

T = TypeVar("T")
PAGE = 50
PAGE_LIMIT = 500
SORT_LIMIT = 3  # fields to sort by at once: nobody sees an order of more
WHOLE = 1 << 63  # SQLite's numbers end there

Order = tuple[tuple[str, bool], ...]
"""Names of sort fields, each with: is it from large to small?"""


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some items in order."""

    items: list[T] = field(metadata={"help": "The items in the order asked for"})
    next_cursor: str | None = field(metadata={"help": "To be sent as `cursor` for the next page; null on the last"})
    total: int = field(metadata={"help": "How many items there are on all pages"})


class Asked(NamedTuple):
    """What somebody wants to see of a list; checked by `page`."""

    limit: int = PAGE
    cursor: str | None = None
    order: Order = ()
    seed: int = 0  # of the order `random`


class Rows(NamedTuple):
    """A list in the database.

    `table` is what is counted and sorted, `join` what only the rows of a page need; `key` is a column that tells rows
    apart. `orders`: names people sort by, and what that is in SQL ({} stands for the seed). With `pick`, something of
    `table`, rows are sorted before they are joined, by `page.pick`: a whole library is sorted without its documents.
    """

    columns: str
    table: str
    key: str
    orders: Mapping[str, str]
    default: str
    pick: str = ""
    join: str = ""


class Where:
    """Conditions that must all hold, with their values."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.values: list[Any] = []

    def add(self, sql: str, *values: Any) -> None:
        """One more; its question marks stand for `values`."""
        self.parts.append(sql)
        self.values += values

    def __str__(self) -> str:
        return f" WHERE {' AND '.join(self.parts)}" if self.parts else ""


def order_of(text: str, names: Sequence[str]) -> Order:
    """`field,-field` as an order; Invalid if a field is none of `names`."""
    order = tuple((part.strip().removeprefix("-"), part.strip().startswith("-")) for part in text.split(",") if text)
    for name, _ in order:
        if name not in names:
            raise Invalid(f"it cannot be sorted by {name[:40]!r}, but by: {', '.join(names)}", "sort")
    if len(order) > SORT_LIMIT:
        raise Invalid(f"sort names more than {SORT_LIMIT} fields", "sort")
    return order


def page(db: Database, rows: Rows, asked: Asked, where: Where, of: Callable[[Sequence[Any]], T]) -> Page[T]:
    """A page of `rows`; `of` makes an item of the columns. Invalid for a limit or a cursor that is none."""
    if not 1 <= asked.limit <= PAGE_LIMIT:
        raise Invalid(f"limit must be between 1 and {PAGE_LIMIT}", "limit")
    order = asked.order or order_of(rows.default, list(rows.orders))
    terms = [(rows.orders[name].replace("{}", str(asked.seed)), down) for name, down in order]
    terms.append((rows.key, terms[-1][1]))  # so that an index is read from one end or the other
    made_for = [*map(list, order), asked.seed]
    total = db.value(f"SELECT count(*) FROM {rows.table}{where}", *where.values)  # noqa: S608
    if asked.cursor is not None:
        where.add(*_behind(terms, position_of(asked.cursor, made_for, len(terms))))
    found = db.rows(_question(rows, terms, where), *where.values, asked.limit + 1)
    more = None
    if len(found) > asked.limit:
        more = cursor_of(made_for, found[asked.limit - 1][: len(terms)])
    return Page([of(row[len(terms) :]) for row in found[: asked.limit]], more, total)


def _question(rows: Rows, terms: Sequence[tuple[str, bool]], where: Where) -> str:
    """SQL for what rows are sorted by and the columns of a page; its last value is how many."""
    by = ", ".join(f"{n + 1} DESC" if down else f"{n + 1}" for n, (_, down) in enumerate(terms))
    found = ", ".join(f"{term} AS o{n}" for n, (term, _) in enumerate(terms))
    end = f"{where} ORDER BY {by} LIMIT ?"
    if not rows.pick:
        return f"SELECT {found}, {rows.columns} FROM {rows.table} {rows.join}{end}"  # noqa: S608
    names = ", ".join(f"o{n}" for n in range(len(terms)))
    return (
        f"SELECT {names}, {rows.columns} FROM (SELECT {found}, {rows.pick} AS pick FROM {rows.table}{end}) page"  # noqa: S608
        f" {rows.join} ORDER BY {by}"
    )


def _behind(terms: Sequence[tuple[str, bool]], values: Sequence[Any]) -> tuple[Any, ...]:
    """The condition that a row comes after these values, and its own values."""
    if len({down for _, down in terms}) == 1:  # one that an index can follow
        marks = ", ".join("?" for _ in terms)
        return f"({', '.join(term for term, _ in terms)}) {'<' if terms[0][1] else '>'} ({marks})", *values
    sql = "0"
    found: list[Any] = []
    for (term, down), value in reversed(list(zip(terms, values, strict=True))):
        sql = f"({term} {'<' if down else '>'} ? OR ({term} = ? AND {sql}))"
        found[:0] = [value, value]
    return sql, *found


def cursor_of(made_for: list[Any], values: Sequence[Any]) -> str:
    """A place in a list: behind the row that has these values, in the order `made_for`."""
    return base64.urlsafe_b64encode(json.dumps([made_for, values]).encode()).decode().rstrip("=")


def position_of(cursor: str, made_for: list[Any], count: int) -> list[Any]:
    """The `count` values in a cursor, which may come from a stranger. Invalid if it is none of this order."""
    try:
        order, values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, RecursionError, binascii.Error):
        order, values = None, None
    if not isinstance(values, list) or len(values) != count or not all(map(_storable, values)):
        raise Invalid("this cursor is not one of ours: use next_cursor of an answer, or leave it away", "cursor")
    if order != made_for:
        raise Invalid("this cursor was made for another order: send the same sort and seed with every page", "cursor")
    return values


def _storable(value: Any) -> bool:
    if isinstance(value, str):
        return not any("\ud800" <= c <= "\udfff" for c in value)
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < WHOLE

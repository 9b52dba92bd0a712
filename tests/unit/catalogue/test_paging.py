"""Every order gives every row once, page by page."""

import base64
import itertools
import json
import random
from collections.abc import Iterator

import pytest

from ringnode.catalogue.database import Database
from ringnode.catalogue.paging import Asked, Page, Rows, Where, order_of, page
from ringnode.errors import Invalid

ROWS = Rows("key", "thing", "key", {"name": "name", "size": "size", "random": "(dice * ({} * 7 + 1)) % 1009"}, "name")


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    db = Database(tmp_path_factory.mktemp("paging") / "c.db")
    chance = random.Random(4)
    with db.write() as tx:
        tx.execute("CREATE TABLE thing (key TEXT, name TEXT, size REAL, dice INTEGER)")
        for n in range(57):  # many are equal in one thing or another
            row = (f"{n:03}", chance.choice("abä"), chance.randrange(4) / 2, chance.randrange(1009))
            tx.execute("INSERT INTO thing VALUES (?, ?, ?, ?)", row)
    yield db
    db.close()


def pages(db: Database, sort: str, limit: int, seed: int = 0) -> list[str]:
    seen: list[str] = []
    asked = Asked(limit, None, order_of(sort, list(ROWS.orders)), seed)
    while True:
        found: Page[str] = page(db, ROWS, asked, Where(), lambda row: str(row[0]))
        assert len(found.items) <= limit and found.total == 57
        seen += found.items
        if found.next_cursor is None:
            return seen
        asked = asked._replace(cursor=found.next_cursor)


SORTS = ["", "name", "-name", "name,size", "-name,size", "name,-size", "-size,-name", "random"]


@pytest.mark.parametrize(("sort", "limit"), list(itertools.product(SORTS, [1, 7, 56, 57, 500])))
def test_every_row_once_in_order(db: Database, sort: str, limit: int) -> None:
    seen = pages(db, sort, limit)
    assert len(set(seen)) == len(seen) == 57
    assert seen == pages(db, sort, 500)
    facts = {key: {"name": name, "size": size} for key, name, size in db.rows("SELECT key, name, size FROM thing")}
    for name, down in reversed(order_of(sort or "name", ("name", "size", "random"))):
        if name != "random":
            expected = sorted(seen, key=lambda key, name=name: facts[key][name], reverse=down)
            if sort.count(",") == 0:
                assert [facts[k][name] for k in seen] == [facts[k][name] for k in expected]


def test_the_second_field_orders_within_the_first(db: Database) -> None:
    facts = {key: (name, -size) for key, name, size in db.rows("SELECT key, name, size FROM thing")}
    seen = [facts[key] for key in pages(db, "name,-size", 5)]
    assert seen == sorted(seen)


def test_seeds_give_different_orders(db: Database) -> None:
    assert pages(db, "random", 10, 1) != pages(db, "random", 10, 2)
    assert pages(db, "random", 10, 1) == pages(db, "random", 57, 1)


@pytest.mark.parametrize("sort", ["nonsense", "-", "name,,size", "name,size,name,size", "--name"])
def test_unknown_orders(sort: str) -> None:
    with pytest.raises(Invalid) as error:
        order_of(sort, ["name", "size"])
    assert error.value.field == "sort"


def cursor(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


ORDER = [["name", False], 0]


@pytest.mark.parametrize(
    "given",
    ["", "x", "!!", "e30", "é", cursor(1), cursor([]), cursor([ORDER, ["a"]]), cursor([ORDER, "ab"]),
     cursor([ORDER, ["a", None]]), cursor([ORDER, ["a", "\ud800"]]), cursor([ORDER, [1 << 70, "a"]]),
     cursor([ORDER, [float("nan"), "a"]]), cursor([ORDER, [True, "a"]]), cursor([ORDER, [["a"], "a"]]),
     cursor([[["size", False], 0], ["a", "b"]]), cursor([[["name", False], 1], ["a", "b"]]), "W" * 20_000],
)  # fmt: skip
def test_cursors_of_strangers(db: Database, given: str) -> None:
    with pytest.raises(Invalid) as error:
        page(db, ROWS, Asked(cursor=given), Where(), list)
    assert error.value.field == "cursor"
    assert page(db, ROWS, Asked(cursor=cursor([ORDER, ["a", "b"]])), Where(), list).items


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_limits(db: Database, limit: int) -> None:
    with pytest.raises(Invalid):
        page(db, ROWS, Asked(limit), Where(), list)

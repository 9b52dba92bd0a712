"""What is a person's own: told to that person alone, and passed on when the account goes. And the audit trail."""

from pathlib import Path

import pytest
from alone import Alone, add_song, open_catalogue

from ringnode.catalogue.paging import Asked
from ringnode.catalogue.personal import PARTS
from ringnode.errors import Conflict, Invalid, NotFound
from ringnode.services import audit
from ringnode.services.accounts import Accounts, put_user
from ringnode.services.audit import Audit
from ringnode.services.belongings import Belongings
from ringnode.services.marks import Marks
from ringnode.services.playlists import Playlists


class Made:
    """The services over one node, with two people who have something each."""

    def __init__(self, folder: Path) -> None:
        self.records = open_catalogue()
        alone = Alone(self.records)
        for name, role in (("root", "admin"), ("Ana B", "listener"), ("ana", "listener")):
            put_user(self.records, name, "correct horse", role)
        self.people = Accounts(self.records, alone)  # type: ignore[arg-type]
        self.lists = Playlists(self.records, alone)  # type: ignore[arg-type]
        self.belongings = Belongings(self.records, alone, self.people, self.lists)  # type: ignore[arg-type]
        marks = Marks(self.records, alone, "n", folder)  # type: ignore[arg-type]
        song = add_song(self.records, "A song")
        for name in ("Ana B", "ana"):
            self.lists.create(name, {"name": f"List of {name}"}, [song.id])
            marks.star(name, "song", [song.id], True)
            for kind in ("session", "app", "now", "queue"):
                self.records.put(kind, f"{'ana%20b' if name == 'Ana B' else name}/1", {"of": name})

    def kept_of(self, key: str) -> list[str]:
        return sorted({r.kind for r in self.records.where("deleted = 0") if r.key.startswith(key + "/")})


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def test_a_person_gets_all_that_is_known_and_nothing_of_others(made: Made) -> None:
    export = made.belongings.export(made.people.get("ana b"))
    assert set(export.own) == {*PARTS, "playlist", "entry"}
    assert all(export.own.values())
    assert [p["name"] for p in export.own["playlist"]] == ["List of Ana B"] and len(export.own["entry"]) == 1
    assert {d["of"] for kind in ("session", "app", "now", "queue") for d in export.own[kind]} == {"Ana B"}
    assert "argon2" not in str(export)


@pytest.mark.parametrize("wish", ["delete", "publish", "give"])
def test_what_was_a_persons_own_goes_with_the_account(made: Made, wish: str) -> None:
    made.belongings.delete("ana b", wish, "ANA" if wish == "give" else "")
    with pytest.raises(NotFound):
        made.people.get("ana b")
    assert made.kept_of("ana%20b") == [] and made.kept_of("ana") == sorted(PARTS)
    names = {p.name for p in made.lists.page("ana", None, Asked()).items}
    assert names == {"List of ana"} | (set() if wish == "delete" else {"List of Ana B"})
    mine = {p.name for p in made.lists.page("ana", True, Asked()).items}
    assert ("List of Ana B" in mine) == (wish == "give")
    put_user(made.records, "Ana B", "another person", "listener")
    assert not made.lists.page("Ana B", True, Asked()).items, "who takes the name later gets nothing"


@pytest.mark.parametrize(
    ("wish", "to", "field"),
    [
        ("", "", "playlists"),
        ("burn", "", "playlists"),
        ("give", "", "to"),
        ("give", "nobody", "to"),
        ("give", "ANA", "to"),
    ],
)
def test_what_becomes_of_playlists_must_be_said(made: Made, wish: str, to: str, field: str) -> None:
    with pytest.raises(Invalid) as error:
        made.belongings.delete("ana", wish, to)
    assert error.value.field == field
    assert made.kept_of("ana") == sorted(PARTS)


def test_the_last_admin_and_what_is_theirs_stay(made: Made) -> None:
    made.lists.create("root", {"name": "Mine"})
    with pytest.raises(Conflict):
        made.belongings.delete("root", "delete", "")
    assert made.lists.page("root", True, Asked()).total == 1


def test_the_trail_is_read_backwards_page_by_page_and_ends_after_half_a_year(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail = Audit(made.records, Alone(made.records))  # type: ignore[arg-type]
    now = [1_800_000_000.0]
    monkeypatch.setattr(audit.time, "time", lambda: now[0])
    for n in range(5):
        now[0] += 1
        trail.note("root", "edit_user", f"/users/{n}", "10.0.0.1")
    first = trail.page(Asked(limit=3))
    rest = trail.page(Asked(limit=3, cursor=first.next_cursor))
    assert [e.on[-1] for e in [*first.items, *rest.items]] == list("43210") and first.total == 5
    now[0] += audit.KEPT_S + 1
    trail.note("root", "x", "y" * 10_000, "")
    last = trail.page(Asked())
    assert [e.action for e in last.items] == ["x"] and len(last.items[0].on) == audit.LIMIT

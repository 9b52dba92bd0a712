"""Accounts: made once, changed by those who may, and never without an admin."""

import pytest
from alone import Alone, open_catalogue

from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import Conflict, Invalid, NotFound, Stale
from ringnode.services.accounts import ADMINISTERED, EDITABLE, Accounts, User, found_admin, put_user

LONG = "correct horse battery"


@pytest.fixture
def records() -> Records:
    return open_catalogue()


@pytest.fixture
def people(records: Records) -> Accounts:
    put_user(records, "root", "a password", "admin")
    return Accounts(records, Alone(records))  # type: ignore[arg-type]


def test_an_account_is_made_and_found_whatever_the_case(people: Accounts, records: Records) -> None:
    made = people.create("Ana", LONG, "listener", "Ana B.")
    assert people.get("aNA") == made and (made.name, made.role, made.display_name) == ("Ana", "listener", "Ana B.")
    assert [user.name for user in people.everyone()] == ["Ana", "root"]
    record = records.get("user", "ana")
    assert record and record.doc["password"].startswith("$argon2id$") and "horse" not in str(record)
    with pytest.raises(Conflict, match="taken"):
        people.create("ANA", LONG, "listener")


def test_a_name_written_in_two_ways_is_one(people: Accounts) -> None:
    people.create("हिन्दी गीत", LONG, "listener")
    people.create("Rene\u0301", LONG, "listener")
    assert people.get("Ren\u00e9").name == "Ren\u00e9"


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ana",
        "ana ",
        "a/b",
        "a\nb",
        "\x00",
        "x" * 65,
        "..",
        "a%2fb",
        "\u202eana",
        "\ud800",
        "_",
        "a?b",
        "\u0301a",
    ],
)
def test_what_is_no_name(people: Accounts, name: str) -> None:
    with pytest.raises(Invalid) as error:
        people.create(name, LONG, "listener")
    assert error.value.field == "name"
    with pytest.raises(NotFound):
        people.get(name)


@pytest.mark.parametrize(
    ("password", "role", "display", "field"),
    [
        ("short", "listener", "", "password"),
        ("x" * 1025, "listener", "", "password"),
        ("ana-ana-ana", "listener", "", "password"),
        (LONG, "owner", "", "role"),
        (LONG, "listener", "x" * 101, "display_name"),
        (LONG, "listener", "a\nb", "display_name"),
    ],
)
def test_what_is_no_account(people: Accounts, password: str, role: str, display: str, field: str) -> None:
    with pytest.raises(Invalid) as error:
        people.create("ana-ana-ana", password, role, display)
    assert error.value.field == field


def test_two_at_once_make_one_account(people: Accounts, records: Records) -> None:
    other = Alone(records)
    people = Accounts(records, other)  # type: ignore[arg-type]
    with other.lease("account/ana"), pytest.raises(Conflict):
        people.create("ana", LONG, "listener")
    assert people.create("ana", LONG, "listener")


def test_changes_and_who_may_make_which(people: Accounts, records: Records) -> None:
    people.create("ana", LONG, "listener")
    version = people.version("ana")
    assert people.edit("ana", {"language": "pt-BR"}, EDITABLE).language == "pt-BR"
    assert people.edit("ana", {"role": "uploader"}, ADMINISTERED).role == "uploader"
    with pytest.raises(Stale):
        people.edit("ana", {"role": "listener"}, ADMINISTERED, {version})
    for changes, field in (({"role": "admin"}, "role"), ({"epoch": "x"}, "epoch"), ({"name": "eve"}, "name")):
        with pytest.raises(Invalid) as error:
            people.edit("ana", changes, EDITABLE)
        assert error.value.field == field
    for bad in ([], {}, "x", {"active": "no"}, {"active": 1}, {"language": "not a language"}, {"role": ["admin"]}):
        with pytest.raises(Invalid):
            people.edit("ana", bad, ADMINISTERED)


def test_a_new_password_and_being_inactive_end_all_logins(people: Accounts, records: Records) -> None:
    people.create("ana", LONG, "listener")
    epochs = [records.get("user", "ana").doc["epoch"]]  # type: ignore[union-attr]
    for changes in ({"password": "another one"}, {"active": False}):
        people.edit("ana", changes, ADMINISTERED)
        epochs.append(records.get("user", "ana").doc["epoch"])  # type: ignore[union-attr]
    people.edit("ana", {"display_name": "A"}, ADMINISTERED)
    assert len(set(epochs)) == 3 and records.get("user", "ana").doc["epoch"] == epochs[-1]  # type: ignore[union-attr]


def test_the_last_admin_stays(people: Accounts) -> None:
    for attempt in (
        lambda: people.edit("root", {"role": "listener"}, ADMINISTERED),
        lambda: people.edit("root", {"active": False}, ADMINISTERED),
        lambda: people.deleting("root").__enter__(),
    ):
        with pytest.raises(Conflict, match="last admin"):
            attempt()
    people.create("eve", LONG, "admin")
    people.edit("eve", {"active": False}, ADMINISTERED)
    with pytest.raises(Conflict):
        people.edit("root", {"role": "listener"}, ADMINISTERED)
    people.edit("eve", {"active": True}, ADMINISTERED)
    assert people.edit("root", {"role": "listener"}, ADMINISTERED).role == "listener"


def test_two_admins_who_demote_each_other_at_two_nodes_leave_one(people: Accounts, records: Records) -> None:
    """What another node has just done is asked of the owners, not looked up here."""

    class Owners(Alone):
        def latest(self, kind, key):  # type: ignore[no-untyped-def]
            found = self._records.get(kind, key)
            return found._replace(doc=found.doc | {"role": "listener"}) if key == "eve" else found

    people.create("eve", LONG, "admin")
    with pytest.raises(Conflict, match="last admin"):
        Accounts(records, Owners(records)).edit("root", {"role": "listener"}, ADMINISTERED)  # type: ignore[arg-type]


def test_a_deleted_account_is_gone_and_its_name_begins_anew(people: Accounts, records: Records) -> None:
    people.create("ana", LONG, "admin", "Ana")
    before = records.get("user", "ana")
    with pytest.raises(ZeroDivisionError), people.deleting("ana"):
        raise ZeroDivisionError
    assert people.get("ana"), "what belongs to it could not be removed: nothing is"
    with people.deleting("ana"):
        pass
    with pytest.raises(NotFound):
        people.get("ana")
    again = people.create("ana", LONG, "listener")
    after = records.get("user", "ana")
    assert again.display_name == "" and before and after and after.doc["epoch"] != before.doc["epoch"]


def test_the_founder_makes_one_account_and_says_its_password_once(caplog: pytest.LogCaptureFixture) -> None:
    records = open_catalogue()
    made = found_admin(records, Config.load({}, {}))
    assert len(made) == 1 and "admin" in caplog.text
    assert found_admin(records, Config.load({}, {})) == []


def test_a_given_password_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    records = open_catalogue()
    found_admin(records, Config.load({"admin_password": "given one", "admin_name": "Root"}, {}))
    assert "given one" not in caplog.text
    root = Accounts(records, Alone(records)).get("root")  # type: ignore[arg-type]
    assert (root.name, root.role) == (User("Root", "admin").name, "admin")

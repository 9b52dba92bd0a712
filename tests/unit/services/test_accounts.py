"""Logins: right, wrong, forged, expired, too many."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from itsdangerous import URLSafeTimedSerializer

from ringnode.catalogue.database import Database
from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import TooManyRequests, Unauthenticated
from ringnode.services import accounts
from ringnode.services.accounts import Accounts, User, found_admin, put_user

SECRET = "s" * 64


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    db = Database(tmp_path / "c.db")
    yield Records(db, "node", lambda: 1_700_000_000_000)
    db.close()


@pytest.fixture
def people(records: Records) -> Accounts:
    put_user(records, "Ana", "correct horse", "admin")
    return Accounts(records.get, SECRET, session_s=3600)


def test_a_right_password_gives_a_token_any_node_accepts(people: Accounts, records: Records) -> None:
    login = people.login("ana", "correct horse", "10.0.0.1")
    assert login.user == User("Ana", "admin") and login.expires_at
    assert Accounts(records.get, SECRET, 3600).user(login.token) == login.user


@pytest.mark.parametrize(("name", "password"), [("ana", "wrong"), ("nobody", "correct horse"), ("", ""), ("ana", "")])
def test_what_is_wrong_is_not_told_apart(people: Accounts, name: str, password: str) -> None:
    with pytest.raises(Unauthenticated, match="the name or the password is wrong"):
        people.login(name, password, "10.0.0.1")


def test_a_password_of_any_size_and_shape_is_only_wrong(people: Accounts) -> None:
    for password in ("x" * 10_000_000, "\x00", "\ud800", "🎵" * 100):
        with pytest.raises(Unauthenticated):
            people.login("ana", password, "10.0.0.1")


def test_passwords_are_kept_as_argon2(people: Accounts, records: Records) -> None:
    record = records.get("user", "ana")
    assert record and record.doc["password"].startswith("$argon2id$") and "horse" not in str(record)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "eyJ1c2VyIjoiYW5hIn0.x.y"])
def test_what_is_no_token_is_refused(people: Accounts, token: str) -> None:
    with pytest.raises(Unauthenticated):
        people.user(token)


def test_tokens_of_another_ring_another_use_or_another_shape_are_refused(people: Accounts) -> None:
    good = {"user": "ana", "epoch": 0}
    for secret, salt, claim in (
        ("t" * 64, "login", good), (SECRET, "other", good), (SECRET, "login", {}), (SECRET, "login", []),
        (SECRET, "login", {"user": "ana", "epoch": 1}), (SECRET, "login", {"user": "nobody", "epoch": 0}),
    ):  # fmt: skip
        token = str(URLSafeTimedSerializer(secret, salt=salt).dumps(claim))
        with pytest.raises(Unauthenticated):
            people.user(token)


def test_an_expired_token_is_refused(records: Records, people: Accounts) -> None:
    token = people.login("ana", "correct horse", "10.0.0.1").token
    with pytest.raises(Unauthenticated):
        Accounts(records.get, SECRET, session_s=-10).user(token)


def test_raising_the_epoch_ends_every_login(people: Accounts, records: Records) -> None:
    token = people.login("ana", "correct horse", "10.0.0.1").token
    record = records.get("user", "ana")
    assert record
    records.merge([records.draft_edit(record, {"epoch": 1})])
    with pytest.raises(Unauthenticated):
        people.user(token)


def test_many_wrong_passwords_slow_down_one_address_and_lock_nobody_out(
    people: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "FAILURES", 3)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            people.login("ana", "guess", "6.6.6.6")
    with pytest.raises(TooManyRequests):
        people.login("ana", "correct horse", "6.6.6.6")
    assert people.login("ana", "correct horse", "10.0.0.1").user.name == "Ana"


def test_the_founder_makes_one_account_and_says_its_password_once(
    records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    made = found_admin(records, Config.load({}, {}))
    assert len(made) == 1 and "admin" in caplog.text
    assert found_admin(records, Config.load({}, {})) == []


def test_a_given_password_is_not_logged(records: Records, caplog: pytest.LogCaptureFixture) -> None:
    found_admin(records, Config.load({"admin_password": "given one", "admin_name": "Root"}, {}))
    assert "given one" not in caplog.text
    assert Accounts(records.get, SECRET, 60).login("root", "given one", "x").user == User("Root", "admin")


def test_a_ticket_is_no_login_and_ends_with_the_logins(people: Accounts, records: Records) -> None:
    login = people.login("ana", "correct horse", "10.0.0.1")
    ticket = people.ticket(login.user).ticket
    assert Accounts(records.get, SECRET, 3600).ticket_user(ticket) == login.user
    for given, asked in ((ticket, people.user), (login.token, people.ticket_user), ("forged", people.ticket_user)):
        with pytest.raises(Unauthenticated):
            asked(given)
    record = records.get("user", "ana")
    assert record
    records.merge([records.draft_edit(record, {"epoch": 1})])
    with pytest.raises(Unauthenticated):
        people.ticket_user(ticket)

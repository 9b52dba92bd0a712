"""Logins: right, wrong, forged, expired, ended, too many; and app passwords."""

import itertools
from collections.abc import Callable

import pytest
from alone import Alone, open_catalogue
from itsdangerous import URLSafeTimedSerializer

from ringnode.catalogue.attempts import FREE, Attempts
from ringnode.catalogue.records import Records
from ringnode.errors import Conflict, Invalid, NotFound, TooManyRequests, Unauthenticated
from ringnode.services import sessions
from ringnode.services.accounts import ADMINISTERED, Accounts, put_user
from ringnode.services.sessions import Access, Client, Sessions

SECRET = "s" * 64
HERE = Client("10.0.0.1", "Player 1.0\n")
PASSWORD = "correct horse"


def sessions_at(records: Records, session_s: float = 3600.0) -> Sessions:
    attempts = Attempts(records.db, lambda: 1_800_000_000.0)
    return Sessions(records, Alone(records), attempts, SECRET, session_s)  # type: ignore[arg-type]


@pytest.fixture
def records() -> Records:
    records = open_catalogue()
    put_user(records, "Ana", PASSWORD, "admin")
    put_user(records, "Ben", PASSWORD, "listener")
    return records


@pytest.fixture
def here(records: Records) -> Sessions:
    return sessions_at(records)


@pytest.fixture
def there(records: Records) -> Sessions:
    """Another node, which knows the accounts and of no login here."""
    other = open_catalogue(node="m")
    other.merge(records.live("user"))
    return sessions_at(other)


def enter(at: Sessions, name: str = "ana") -> Access:
    return at.access(at.login(name, PASSWORD, HERE).token)


def test_a_right_password_gives_a_token_any_node_accepts(here: Sessions, there: Sessions) -> None:
    login = here.login("ANA", PASSWORD, HERE)
    assert (login.user.name, login.user.role) == ("Ana", "admin") and login.expires_at
    assert there.access(login.token) == here.access(login.token)


@pytest.mark.parametrize(
    ("name", "password"),
    [("ana", "wrong"), ("nobody", PASSWORD), ("", ""), ("ana", ""), ("\ud800", "x"), ("a/b", "x")],
)
def test_what_is_wrong_is_not_told_apart(here: Sessions, name: str, password: str) -> None:
    with pytest.raises(Unauthenticated, match="the name or the password is wrong"):
        here.login(name, password, HERE)


def test_a_password_of_any_size_and_shape_is_only_wrong(here: Sessions) -> None:
    for n, password in enumerate(("x" * 10_000_000, "\x00", "\ud800", "🎵" * 100)):
        with pytest.raises(Unauthenticated):
            here.login("ana", password, Client(f"10.0.0.{n}"))


@pytest.mark.parametrize(
    "token", ["", "x", "a.b", "a.b.c", "é", "eyJ1c2VyIjoiYW5hIn0.x.y", "." * 10_000, "WyJhIl0.x"]
)
def test_what_is_no_token_is_refused(here: Sessions, token: str) -> None:
    with pytest.raises(Unauthenticated):
        here.access(token)


def test_tokens_of_another_ring_another_use_or_another_shape_are_refused(here: Sessions, records: Records) -> None:
    epoch = records.get("user", "ana").doc["epoch"]  # type: ignore[union-attr]
    good = {"user": "ana", "epoch": epoch, "id": "1"}
    for secret, salt, claim in (
        ("t" * 64, "login", good), (SECRET, "ticket", good), (SECRET, "login", {}), (SECRET, "login", []),
        (SECRET, "login", good | {"epoch": "x"}), (SECRET, "login", good | {"user": "nobody"}),
        (SECRET, "login", {"user": "ana"}), (SECRET, "login", {"user": "ana", "id": "1"}), (SECRET, "app", good),
    ):  # fmt: skip
        token = str(URLSafeTimedSerializer(secret, salt=salt).dumps(claim))
        with pytest.raises(Unauthenticated):
            here.access(token)
    assert here.access(str(URLSafeTimedSerializer(SECRET, salt="login").dumps(good)))


def test_an_expired_token_is_refused(here: Sessions, records: Records) -> None:
    token = here.login("ana", PASSWORD, HERE).token
    with pytest.raises(Unauthenticated):
        sessions_at(records, session_s=-10).access(token)


def test_guessing_gets_slow_from_there_and_locks_nobody_out(here: Sessions) -> None:
    for _ in range(FREE):
        with pytest.raises(Unauthenticated):
            here.login("ana", "guess", Client("6.6.6.6"))
    with pytest.raises(TooManyRequests) as error:
        here.login("Ana", PASSWORD, Client("6.6.6.6"))
    assert error.value.retry_after_s == 1
    assert here.login("ana", PASSWORD, HERE).user.name == "Ana"
    assert here.login("ben", PASSWORD, Client("6.6.6.6")).user.name == "Ben"


def test_few_passwords_are_hashed_at_once(here: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringnode.services.passwords.HASH_WAIT_S", 0.01)
    busy = here._passwords._hashing
    with busy, busy, pytest.raises(TooManyRequests):
        here.login("ana", PASSWORD, HERE)
    assert here.login("ana", PASSWORD, HERE)


def test_logins_are_listed_and_ended_one_by_one(here: Sessions, there: Sessions, records: Records) -> None:
    first, second, other = enter(here), enter(here), enter(here, "ben")
    listed = here.sessions(second)
    assert {s.id for s in listed} == {first.session, second.session}
    assert [s.current for s in listed if s.id == second.session] == [True]
    assert (listed[0].agent, listed[0].address) == ("Player 1.0", "10.0.0.1")
    token = here.login("ana", PASSWORD, HERE).token
    third = here.access(token)
    with pytest.raises(NotFound):
        here.end(other, third.session)
    here.end(second, third.session)
    with pytest.raises(Unauthenticated, match="ended"):
        here.access(token)
    assert there.access(token), "the news has not come there yet"
    there._records.merge(records.where("kind = 'session'"))
    with pytest.raises(Unauthenticated, match="ended"):
        there.access(token)
    for bad in ("", "x/y", "../ben", "é", "ffff"):
        with pytest.raises(NotFound):
            here.end(second, bad)


def test_one_can_log_out_where_the_login_is_not_known_yet(there: Sessions, here: Sessions) -> None:
    token = here.login("ana", PASSWORD, HERE).token
    access = there.access(token)
    there.end(access, access.session)
    with pytest.raises(Unauthenticated):
        there.access(token)


def test_the_oldest_of_too_many_logins_and_those_run_out_end(
    here: Sessions, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "SESSIONS_LIMIT", 3)
    numbers = itertools.count(10)
    monkeypatch.setattr(sessions, "in_s", lambda s: f"2027-01-01T00:00:{next(numbers)}" if s == 0 else "2027-01-02")
    tokens = [here.login("ana", PASSWORD, HERE).token for _ in range(5)]
    with pytest.raises(Unauthenticated):
        here.access(tokens[0])
    assert here.access(tokens[-1]) and len(list(records.live("session"))) == 3
    monkeypatch.setattr(sessions, "in_s", lambda s: "2027-01-03" if s == 0 else "2027-01-04")
    here.login("ana", PASSWORD, HERE)
    assert len(list(records.live("session"))) == 1


def test_being_seen_is_noted_once_an_hour(here: Sessions, records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    token = here.login("ana", PASSWORD, HERE).token
    before = next(records.live("session"))
    here.access(token)
    assert next(records.live("session")) == before
    later = sessions.in_s(2 * sessions.SEEN_S)
    monkeypatch.setattr(sessions, "in_s", lambda s: later)
    here.access(token)
    assert next(records.live("session")).doc["seen_at"] == later


def test_another_password_ends_every_other_login_and_no_app_password(here: Sessions, records: Records) -> None:
    old, mine = here.login("ana", PASSWORD, HERE).token, enter(here)
    app = here.new_app(mine, "car").password
    with pytest.raises(Unauthenticated):
        here.change_password(mine, "wrong", "wrong donkey", HERE)
    for bad in ("short", "ANA", "x" * 2000):
        with pytest.raises(Invalid) as error:
            here.change_password(mine, PASSWORD, bad, HERE)
        assert error.value.field == "new_password"
    login = here.change_password(mine, PASSWORD, "wrong donkey", HERE)
    with pytest.raises(Unauthenticated):
        here.access(old)
    assert here.access(login.token).session == mine.session
    assert [s.id for s in here.sessions(mine)] == [mine.session]
    assert here.access(app).user.name == "Ana"
    with pytest.raises(Unauthenticated):
        here.login("ana", PASSWORD, HERE)
    assert here.login("ana", "wrong donkey", HERE)


@pytest.mark.parametrize("deactivate", [True, False])
def test_who_is_inactive_or_gone_is_out(here: Sessions, records: Records, deactivate: bool) -> None:
    people = Accounts(records, Alone(records))  # type: ignore[arg-type]
    token, mine = here.login("ben", PASSWORD, HERE).token, enter(here, "ben")
    app, ticket = here.new_app(mine, "car").password, here.ticket(mine).ticket
    if deactivate:
        people.edit("ben", {"active": False}, ADMINISTERED)
    else:
        with people.deleting("ben"):
            pass
    attempts: list[Callable[[], object]] = [
        lambda: here.access(token), lambda: here.access(app), lambda: here.ticket_user(ticket),
        lambda: here.login("ben", PASSWORD, HERE),
    ]  # fmt: skip
    for attempt in attempts:
        with pytest.raises(Unauthenticated):
            attempt()
    if deactivate:
        people.edit("ben", {"active": True}, ADMINISTERED)
        assert here.login("ben", PASSWORD, HERE)
        with pytest.raises(Unauthenticated):
            here.access(token)


def test_an_app_password_is_told_once_and_revoked_by_its_owner_alone(here: Sessions, records: Records) -> None:
    mine, other = enter(here), enter(here, "ben")
    made = here.new_app(mine, "the car")
    assert here.access(made.password) == Access(mine.user, app=made.id)
    listed = here.apps(mine)
    assert [(app.id, app.name, app.password) for app in listed] == [(made.id, "the car", "")] and listed[0].seen_at
    assert made.password not in str(list(records.where("1 = 1"))), "nothing that is kept opens anything"
    assert here.apps(other) == []
    with pytest.raises(NotFound):
        here.revoke_app(other, made.id)
    here.revoke_app(mine, made.id)
    with pytest.raises(Unauthenticated, match="revoked"):
        here.access(made.password)
    with pytest.raises(Unauthenticated):
        here.access(made.password[:-1] + ("A" if made.password[-1] != "A" else "B"))


def test_app_passwords_have_names_and_a_limit(here: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "APPS_LIMIT", 2)
    mine = enter(here)
    for bad in ("", "x" * 101, "a\nb"):
        with pytest.raises(Invalid):
            here.new_app(mine, bad)
    for name in "ab":
        here.new_app(mine, name)
    with pytest.raises(Conflict):
        here.new_app(mine, "c")


def test_a_ticket_is_no_login_and_ends_with_the_login(here: Sessions, there: Sessions) -> None:
    login = here.login("ana", PASSWORD, HERE)
    access = here.access(login.token)
    ticket = here.ticket(access).ticket
    assert there.ticket_user(ticket) == login.user
    for given, asked in ((ticket, here.access), (login.token, here.ticket_user), ("forged", here.ticket_user)):
        with pytest.raises(Unauthenticated):
            asked(given)  # type: ignore[operator]
    here.end(access, access.session)
    with pytest.raises(Unauthenticated):
        here.ticket_user(ticket)


def test_a_ticket_ends_with_the_app_password_that_it_was_made_with(here: Sessions) -> None:
    mine = enter(here)
    app = here.new_app(mine, "radio")
    ticket = here.ticket(here.access(app.password)).ticket
    assert here.ticket_user(ticket) == mine.user
    here.revoke_app(mine, app.id)
    with pytest.raises(Unauthenticated, match="revoked"):
        here.ticket_user(ticket)

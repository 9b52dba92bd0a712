"""`ringnode users` and `ringnode invite`, against a fake of the API."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fake_api import PASSWORD, serving

from ringnode.cli import main


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Result]]:
    with serving() as api:
        known = {"RINGNODE_URL": api.url, "RINGNODE_PASSWORD": PASSWORD, "XDG_CACHE_HOME": str(tmp_path)}
        yield lambda *arguments: CliRunner().invoke(main, arguments, env=known)


def test_accounts_are_listed(run: Callable[..., Result]) -> None:
    shown = run("users")
    assert shown.exit_code == 0 and "2 accounts" in shown.output
    assert [line.split()[:2] for line in shown.output.splitlines() if "ben" in line] == [["ben", "listener"]]
    lines = [json.loads(line) for line in run("users", "--json").stdout.splitlines()]
    assert [(user["name"], user["active"]) for user in lines] == [("admin", True), ("ben", False)]


def test_a_link_for_a_guest(run: Callable[..., Result]) -> None:
    shown = run("invite", "--role", "uploader", "--days", "2", "--note", "Anna")
    assert shown.exit_code == 0 and shown.stdout == "https://cellar:7701/join#t\n"
    assert "uploader" in shown.stderr
    made = json.loads(run("invite", "--json").stdout)
    assert (made["role"], made["days"], made["note"], made["token"]) == ("listener", 7, "", "t")
    assert run("invite", "--days", "0").exit_code == run("invite", "--role", "owner").exit_code == 2

"""The commands about people, for admins: who has an account, and a link for a guest."""

import click

from ringnode.cli import json_option, with_client
from ringnode.client import Client
from ringnode.terminal import counted, plain, show_json, show_table

ROLES = ("listener", "uploader", "admin")


@click.command()
@json_option("Print a line of JSON for each account.")
@with_client
def users(client: Client, as_json: bool) -> None:
    """List the accounts.

    \b
    ringnode users
    ringnode users --json | jq -r 'select(.role == "admin").name'
    """
    items = client.users()
    if as_json:
        for user in items:
            show_json(user)
        return
    state = {True: "active", False: "locked"}
    rows = [(u["name"], u["display_name"], u["role"], state[u["active"]], u["created_at"][:10]) for u in items]
    show_table(("name", "shown as", "role", "state", "since"), rows)
    click.echo(counted(len(rows), "account"))


@click.command()
@click.option("--role", type=click.Choice(ROLES), default=ROLES[0], show_default=True, help="What the guest may do.")
@click.option("--days", type=click.IntRange(1, 90), default=7, show_default=True, help="How long the link holds.")
@click.option("--note", default="", help="For whom it is; only admins see it.")
@json_option("Print one line of JSON: token, url ...")
@with_client
def invite(client: Client, role: str, days: int, note: str, as_json: bool) -> None:
    """Make a link with which a guest makes one account, once, with a name and a password of their own.

    \b
    ringnode invite --note "Anna from the choir"
    ringnode invite --role uploader --days 2
    """
    made = client.invite(role, days, note)
    if as_json:
        show_json(made)
        return
    click.echo(plain(made["url"]))
    click.echo(f"makes one account, {made['role']}, until {made['expires_at'][:16].replace('T', ' ')} UTC", err=True)

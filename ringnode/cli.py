"""The command line: `ringnode`. What a command does is in other modules, loaded when it is called."""

import functools
import importlib
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ringnode import __version__
from ringnode.cache import Journal, cache_folder
from ringnode.client import API, Client, Json
from ringnode.errors import Invalid, NotFound, RingnodeError, Unauthenticated
from ringnode.terminal import counted, length, plain, show_json, show_table
from ringnode.uploading import REFUSED, Report, audio_files, upload_all

# Commands in other modules, and what the list of commands says of them without loading those.
ELSEWHERE = {
    "demo": ("ringnode.demo", "Start a real ring on this machine, with a few songs in it."),
    "expel": ("ringnode.ring_commands", "Take a node that is down out of the ring for good."),
    "invite": ("ringnode.people_commands", "Make a link with which a guest makes one account."),
    "inventory": ("ringnode.ring_commands", "Compare the files on all nodes with the catalogue."),
    "leave": ("ringnode.ring_commands", "Have a node leave its ring for good, without loss."),
    "scrub": ("ringnode.ring_commands", "Have a node read all its files again."),
    "serve": ("ringnode.serve", "Run one node."),
    "status": ("ringnode.ring_commands", "Show the nodes of the ring, and whether every song has its copies."),
    "users": ("ringnode.people_commands", "List the accounts."),
}
DEFAULT_URL = "https://127.0.0.1:7701"
ID_DIGITS = 64
SHORT_ID = 12  # digits shown of an id
ID_START = re.compile("[0-9a-f]{6,64}")
HITS = 10  # songs named when a query finds several
INTERRUPTED = 130  # as shells have it


class Commands(click.Group):
    """Finds commands in other modules when they are called, and says our errors without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(importlib.import_module(ELSEWHERE[cmd_name][0]), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        said = {name: command.get_short_help_str(80) for name, command in self.commands.items()}
        said |= {name: help for name, (_, help) in ELSEWHERE.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(said.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RingnodeError as error:
            if ctx.params["debug"]:
                raise
            click.echo(f"error: {error}", err=True)
            ctx.exit(2)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show where in the program an error comes from.")
def main(debug: bool) -> None:
    """A music library that no single machine can lose.

    \b
    Try it:        ringnode demo
    Use it:        export RINGNODE_URL=https://node1:7701,https://node2:7701 RINGNODE_CA=ca.crt
                   ringnode upload ~/Music
                   ringnode songs coltrane
                   ringnode status
    Run a ring:    ringnode ca --help, ringnode serve --help
    """


def with_client(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of a client, and as its first argument the client."""

    @click.option("--url", "urls", multiple=True, envvar="RINGNODE_URL", show_envvar=True, default=[DEFAULT_URL],
                  show_default=True, help="A node of the ring. More of them, here or separated by commas, help when"
                  " one is down.")  # fmt: skip
    @click.option("--ca", type=click.Path(exists=True, dir_okay=False, path_type=Path), envvar="RINGNODE_CA",
                  show_envvar=True, help="The ca.crt of the ring's authority; else the system's are trusted."
                  )  # fmt: skip
    @click.option("--user", envvar="RINGNODE_USER", show_envvar=True, default="admin", show_default=True,
                  help="Who logs in.")  # fmt: skip
    @click.option("--password", envvar="RINGNODE_PASSWORD", show_envvar=True,
                  help="Others on this machine can see it here, so better use the environment or be asked."
                  " A login is remembered.")  # fmt: skip
    @functools.wraps(command)
    def run(urls: tuple[str, ...], ca: Path | None, user: str, password: str | None, **given: Any) -> None:
        nodes = [url.strip() for several in urls for url in several.split(",") if url.strip()]
        with Client(nodes, user, password or functools.partial(ask_password, user), ca, cache_folder()) as client:
            command(client, **given)

    return run


def ask_password(user: str) -> str:
    """From the person at the terminal. Unauthenticated if there is none."""
    if not sys.stdin.isatty():
        raise Unauthenticated(f"the password of {user} is needed: set RINGNODE_PASSWORD")
    return str(click.prompt(f"Password of {user}", hide_input=True, err=True))


def json_option(help: str) -> Callable[..., Any]:
    """For programs: no command prints anything else on standard output then."""
    return click.option("--json", "as_json", is_flag=True, help=help)


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--jobs", type=click.IntRange(1, 32), default=4, show_default=True, help="Files sent at once.")
@click.option("--again", is_flag=True, help="Send also what an earlier run has sent.")
@json_option("Print a line of JSON for each file, and one with the sums.")
@with_client
def upload(client: Client, paths: tuple[Path, ...], jobs: int, again: bool, as_json: bool) -> None:
    """Put songs into the library: files, and folders of music.

    After an interruption the same command goes on where it stopped. Ends with 0 if all files are in the library now,
    1 if some were refused, 2 if it could not go on.

    \b
    ringnode upload ~/Music
    ringnode upload --jobs 8 song.flac /mnt/cd/*.wav
    """
    client.songs(limit=1)  # says at once what is wrong, and asks for the password before there is a bar
    skipped: list[Path] = []
    files = audio_files(paths, skipped.append)
    report = Report(files, len(skipped), as_json)
    try:
        with report:
            upload_all(client, files, Journal(cache_folder() / "uploaded.jsonl", again), jobs, report)
    except (KeyboardInterrupt, RingnodeError) as error:
        click.echo("stopped; the same command goes on from here", err=True)
        if isinstance(error, RingnodeError):
            raise
        click.get_current_context().exit(INTERRUPTED)
    finally:
        report.summary()
    if report.counts[REFUSED]:
        click.get_current_context().exit(1)


@main.command()
@click.argument("query", default="")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="At most so many.")
@click.option("--all", "every", is_flag=True, help="All of them.")
@json_option("Print a line of JSON for each song.")
@with_client
def songs(client: Client, query: str, limit: int, every: bool, as_json: bool) -> None:
    """List songs, or those that QUERY finds.

    \b
    ringnode songs
    ringnode songs "miles kind of blue"
    ringnode songs --all --json | jq -r .title
    """
    page: Json = {} if every else client.songs(query, limit)
    items = client.every_song(query) if every else page["items"]
    if as_json:
        for song in items:
            show_json(song)
        return
    rows = [
        (s["artist"], s["title"], s["album"], length(s["duration_s"]), s["format"], s["id"][:SHORT_ID]) for s in items
    ]
    show_table(("artist", "title", "album", "#length", "format", "id"), rows)
    total = page.get("total", len(rows))
    click.echo(counted(total, "song") + (f", {len(rows)} shown; see --all" if len(rows) < total else ""))


@main.command("play-url")
@click.argument("song")
@click.option("--all-nodes", is_flag=True, help="A URL for every node that is up; any of them plays every song.")
@json_option("Print a line of JSON for each URL: url, headers.")
@with_client
def play_url(client: Client, song: str, all_nodes: bool, as_json: bool) -> None:
    """Print the URL of SONG for a player program, and how to open it.

    SONG is an id, at least six digits of its beginning, or a query that finds one song. The login printed with it is
    as good as your password until it ends: keep it to yourself.

    \b
    ringnode play-url 5f3a9c
    ringnode play-url "so what"
    """
    key = find_song(client, song)["id"]
    nodes = [node["api"] for node in client.ring()["nodes"] if node["state"] == "up"] if all_nodes else [client.url]
    login = f"Authorization: Bearer {client.token()}"
    ca = click.get_current_context().params["ca"]
    for node in nodes:
        url = f"{node}{API}/songs/{key}/stream"
        if as_json:
            show_json({"url": url, "headers": dict([login.split(": ")])})
            continue
        trust = ("--cacert", str(ca)) if ca else ()
        trust_mpv = ("--tls-verify", f"--tls-ca-file={ca}") if ca else ()
        click.echo(url)
        click.echo("  " + shlex.join(["curl", *trust, "--header", login, "--output", "song", url]))
        click.echo("  " + shlex.join(["mpv", *trust_mpv, f"--http-header-fields={login}", url]))


def find_song(client: Client, text: str) -> Json:
    """The one song meant. NotFound for none, Invalid if there are several."""
    hits: list[Json] = []
    if ID_START.fullmatch(text):
        if len(text) == ID_DIGITS:
            return client.song(text)
        hits = [song for song in client.every_song() if song["id"].startswith(text)]
    total = len(hits)
    if not hits:
        page = client.songs(text, limit=HITS)
        hits, total = page["items"], page["total"]
    if not hits:
        raise NotFound(f"there is no song {plain(text)!r}")
    if total > 1:
        names = [plain(f"  {hit['id'][:SHORT_ID]}  {hit['artist']} - {hit['title']}") for hit in hits[:HITS]]
        raise Invalid("\n".join([f"{counted(total, 'song')} fit; give the id of one:", *names]))
    return hits[0]


@main.group("ca")
def authority() -> None:
    """The ring's certificates: who has one is a node of the ring."""


@authority.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--ring", default="ringnode", show_default=True, help="Name of the ring, for people.")
def ca_init(folder: Path, ring: str) -> None:
    """Make a new ring's authority in DIR. Keep ca.key in a safe place.

    \b
    ringnode ca init authority --ring club
    """
    from ringnode import ca

    ca.init(folder, ring)
    click.echo(f"{folder} holds the ring's authority; next: ringnode ca issue {folder} DIR --name NAME --host HOST")


@authority.command("issue")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Name of the node, for people.")
@click.option("--host", "hosts", multiple=True, required=True, help="Name or address it is reached by; repeatable.")
def ca_issue(folder: Path, out: Path, name: str, hosts: tuple[str, ...]) -> None:
    """Write a node's certificate, and what else it needs, into OUT; the authority is in DIR.

    \b
    ringnode ca issue authority tls/one --name one --host one.example.org --host 192.0.2.7
    """
    from ringnode import ca

    ca.issue(folder, out, name, hosts)
    click.echo(f"{out} is what this node needs: ringnode serve --tls {out}")


@main.command("console")
@click.option("--tls", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Folder with a certificate of the ring.")  # fmt: skip
@click.option("--node", "address", required=True, help="HOST:PORT at which peers reach a node.")
@click.option("-c", "code", default="", help="Run this statement instead, and end.")
def open_console(tls: Path, address: str, code: str) -> None:
    """Look into the ring from a Python prompt, as a node would.

    \b
    ringnode console --tls tls/one --node 127.0.0.1:7700
    ringnode console --tls tls/one --node 127.0.0.1:7700 -c "ring()"
    """
    from ringnode.console import console

    console(tls, address, code)

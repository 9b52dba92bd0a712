"""The commands about the ring itself: how it is, and what an admin has its nodes do."""

import time

import click

from ringnode.cli import SHORT_ID, json_option, with_client
from ringnode.client import Client, Json
from ringnode.errors import Invalid, NotFound
from ringnode.terminal import counted, plain, show_json, show_table, size

UNWELL = ("short", "waiting", "lost")  # counts of songs, no song in two of them
OUT = ("left", "expelled")
EVERY_S = 2.0
FINDINGS = 200  # lines shown unless all are asked for


@click.command()
@json_option("Print one line of JSON.")
@click.option("--watch", is_flag=True, help="Show it anew every two seconds, until Ctrl-C.")
@with_client
def status(client: Client, as_json: bool, watch: bool) -> None:
    """Show the nodes of the ring, and whether every song has its copies.

    Ends with 0 if all is well, 1 if a node is down or copies are missing, 2 if no node answers.

    \b
    ringnode status
    ringnode status --watch
    """
    while True:
        ring = client.ring()
        if watch and not as_json:
            click.clear()
        if as_json:
            show_json(ring)
        else:
            show_status(ring)
        if not watch:
            break
        time.sleep(EVERY_S)
    if any(ring[name] for name in UNWELL) or any(node["state"] not in ("up", *OUT) for node in ring["nodes"]):
        click.get_current_context().exit(1)


def show_status(ring: Json) -> None:
    """For people."""
    columns = (
        "name", "state", "#arc", "#files", "#load", "#size", "#free", "#songs", "#to copy", "#to read", "#aside",
        "#clock", "version", "last error",
    )  # fmt: skip
    show_table(columns, [_node_row(node) for node in ring["nodes"]])
    for node in ring["nodes"]:
        for loop in (node["work"] or {"loops": []})["loops"]:
            if loop["errors"]:
                times = f"{node['name']}: {loop['name']} failed {counted(loop['errors'], 'time')} in {loop['runs']:,}"
                click.echo(plain(f"{times}, last at {loop['error_at']}: {loop['error']}"))
    click.echo("\n" + condition(ring))


def _node_row(node: Json) -> tuple[object, ...]:
    work = node["work"]
    known = ["-" if node[name] is None else node[name] for name in ("files", "songs")]
    room = size(node["files_bytes"]), size(node["free_bytes"])
    row = (node["name"], node["state"], f"{node['arc']:.1%}", known[0])
    if work is None:
        return *row, "-", *room, known[1], "-", "-", "-", "-", node["version"], node["error"]
    error = f"disk: {work['disk']}" if work["disk"] else node["error"]
    return (
        *row, f"{work['load']:.2f}", *room, known[1], _left(work["repairs"], work["repair_bytes"]),
        _left(work["to_check"], work["to_check_bytes"]), work["files_aside"], f"{work['clock_ms']:+} ms",
        node["version"], error,
    )  # fmt: skip


def _left(files: int, count: int) -> str:
    return f"{files:,} ({size(count)})" if files else "0"


def condition(ring: Json) -> str:
    """How well the songs are kept, in sentences."""
    copies, up = counted(ring["k"], "copy"), sum(node["state"] == "up" for node in ring["nodes"])
    said = {
        "short": f"fewer than {copies}",
        "waiting": "a copy missing that may come back with its node",
        "lost": "no copy on any node that is up",
    }
    counts = {name: ring[name] for name in UNWELL if ring[name]}
    lines = [f"{counted(n, 'song')} {'has' if n == 1 else 'have'} {said[name]}" for name, n in counts.items()]
    well = f"every song has its {copies}"
    if up < ring["k"]:
        well = f"every node that is up has every song; {copies} need as many nodes"
    return "\n".join([counted(ring["songs"], "song"), *(lines or [well])])


def find_node(client: Client, text: str) -> Json:
    """The one node meant by a name or the beginning of an id. NotFound, Invalid if there are several."""
    nodes = client.ring()["nodes"]
    hits = [node for node in nodes if node["name"] == text and node["state"] not in OUT]
    hits = hits or [node for node in nodes if node["name"] == text or node["id"].startswith(text)]
    if not hits:
        raise NotFound(f"there is no node {plain(text)!r}; there are: {', '.join(plain(n['name']) for n in nodes)}")
    if len(hits) > 1:
        several = ", ".join(f"{plain(hit['name'])} {hit['id'][:SHORT_ID]}" for hit in hits)
        raise Invalid(f"{counted(len(hits), 'node')} fit; give the id of one: {several}")
    found: Json = hits[0]
    return found


@click.command()
@click.argument("node")
@click.confirmation_option(prompt="The node will leave its ring for good. Go on?")
@with_client
def leave(client: Client, node: str) -> None:
    """Have NODE leave its ring for good, without loss: it hands over its files, and ends.

    NODE is a name or the beginning of an id, see `ringnode status`. Interrupting this command does not stop the node.

    \b
    ringnode leave attic
    """
    found = find_node(client, node)
    client.also([other["api"] for other in client.ring()["nodes"] if other["state"] == "up"])
    client.tell(found["id"], "leave")
    shown = ""
    while True:
        now = next(other for other in client.ring()["nodes"] if other["id"] == found["id"])
        if now["state"] == "left":
            click.echo(f"{plain(found['name'])} has left: others hold all its files")
            return
        work = now["work"]
        left = _left(work["repairs"] or work["handover"], work["repair_bytes"]) if work else "?"
        said = f"{plain(found['name'])} is {now['state']}: {left} files to hand over"
        if said != shown:
            click.echo(said)
        shown = said
        time.sleep(EVERY_S / 4)


@click.command()
@click.argument("node")
@click.option("--force", is_flag=True, help="Also if it answers, and could be asked to leave instead.")
@click.confirmation_option(prompt="The node will never be let in again with this id. Go on?")
@with_client
def expel(client: Client, node: str, force: bool) -> None:
    """Take NODE, which is down, out of the ring for good: what it held is copied anew at once.

    With an empty data folder the machine may join again, as another node.

    \b
    ringnode expel attic
    """
    found = find_node(client, node)
    client.tell(found["id"], "expel", force)
    click.echo(f"{plain(found['name'])} is expelled; `ringnode status` shows how its files are copied anew")


@click.command()
@click.argument("node")
@json_option("Print one line of JSON.")
@with_client
def scrub(client: Client, node: str, as_json: bool) -> None:
    """Have NODE read all its files again, now, and wait for the end.

    Ends with 0 if all are whole, 1 if some were damaged: those lie aside, and good copies are fetched.

    \b
    ringnode scrub attic
    """
    found = find_node(client, node)
    before = found["work"] or {"damaged": 0, "checked": 0}
    client.tell(found["id"], "scrub")
    while True:
        work = next(other for other in client.ring()["nodes"] if other["id"] == found["id"])["work"]
        if work is None or not work["to_check"]:
            break
        if not as_json:
            click.echo(f"{_left(work['to_check'], work['to_check_bytes'])} files to read")
        time.sleep(EVERY_S)
    if work is None:
        raise NotFound(f"{plain(found['name'])} does not answer any more")
    damaged, checked = work["damaged"] - before["damaged"], work["checked"] - before["checked"]
    if as_json:
        show_json({"checked": checked, "damaged": damaged, "files_aside": work["files_aside"]})
    else:
        click.echo(f"{counted(checked, 'file')} read, {damaged:,} damaged")
    click.get_current_context().exit(1 if damaged > 0 else 0)


@click.command()
@click.option("--all", "every", is_flag=True, help=f"Not only the first {FINDINGS} findings.")
@json_option("Print a line of JSON for each finding, and one with the sums.")
@with_client
def inventory(client: Client, every: bool, as_json: bool) -> None:
    """Compare the files on all nodes with the catalogue.

    Ends with 0 if every song has its copies and every file its song, 1 if not, or if a node could not be asked.

    \b
    ringnode inventory
    ringnode inventory --json | jq -r 'select(.what == "unrecorded") | .key'
    """
    sums: Json = {"songs": 0, "files": 0, "copies": 0, "findings": {}}
    nodes: dict[str, Json] = {}
    rows: list[tuple[str, ...]] = []
    for page in client.inventory():
        for name in ("songs", "files", "copies"):
            sums[name] += page[name]
        for node in page["nodes"]:
            seen = nodes.setdefault(node["id"], node | {"files": 0, "damaged": 0})
            seen |= {"files": seen["files"] + node["files"], "damaged": seen["damaged"] + node["damaged"]}
            seen["error"] = seen["error"] or node["error"]
        for item in page["items"]:
            sums["findings"][item["what"]] = sums["findings"].get(item["what"], 0) + 1
            if as_json:
                show_json(item)
            elif every or len(rows) < FINDINGS:
                held = ", ".join(item["nodes"]) or "-"
                rows.append((item["what"], item["key"][:SHORT_ID], item["title"], size(item["size_bytes"]), held,
                             ", ".join(item["aside"]) or "-"))  # fmt: skip
    unasked = [node for node in nodes.values() if node["error"]]
    if as_json:
        show_json(sums | {"nodes": list(nodes.values())})
    else:
        show_inventory(sums, rows, list(nodes.values()))
    click.get_current_context().exit(1 if sums["findings"] or unasked else 0)


def show_inventory(sums: Json, rows: list[tuple[str, ...]], nodes: list[Json]) -> None:
    """For people."""
    if rows:
        show_table(("what", "key", "title", "#size", "on", "damaged on"), rows)
    told = [(node["name"] or node["address"], node["files"], node["damaged"], node["error"]) for node in nodes]
    show_table(("node", "#files", "#aside", "not asked because"), told)
    found = ", ".join(f"{n:,} {what}" for what, n in sorted(sums["findings"].items())) or "all as it should be"
    click.echo(f"\n{counted(sums['songs'], 'song')}, {sums['copies']:,} copies of {sums['files']:,} files: {found}")

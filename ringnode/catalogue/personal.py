"""What the library holds of one person besides the account: records whose keys begin with the person's."""

from typing import Any

from ringnode.catalogue.people import key_of
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records

ENTRY, PLAYLIST = "entry", "playlist"
PARTS = ("app", "mark", "now", "queue", "session")  # kinds with keys USER or USER/...


def below(records: Records, kind: str, name: str) -> list[Record]:
    """The live records of a kind whose keys are of this person."""
    key = key_of(name)
    return records.where(
        "kind = ? AND deleted = 0 AND (key = ? OR (key > ? AND key < ?)) ORDER BY key",
        kind,
        key,
        key + "/",
        key + "0",
    )


def playlists(records: Records, name: str) -> list[Record]:
    """The person's playlists."""
    return [record for record in records.live(PLAYLIST) if record.doc.get("owner") == key_of(name)]


def export(records: Records, name: str) -> dict[str, list[dict[str, Any]]]:
    """All of it: a list of documents for each kind, each with the rest of its key as `id`."""
    found = {kind: [_plain(record, key_of(name)) for record in below(records, kind, name)] for kind in PARTS}
    lists = playlists(records, name)
    found[PLAYLIST] = [_plain(record, "") for record in lists]
    found[ENTRY] = [_plain(entry, "") for record in lists for entry in below(records, ENTRY, record.key)]
    return found


def _plain(record: Record, owner: str) -> dict[str, Any]:
    return {"id": record.key.removeprefix(owner).removeprefix("/"), **record.doc}

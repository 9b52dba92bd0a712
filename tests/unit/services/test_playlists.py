"""Playlists over a real catalogue; two nodes are two catalogues that exchange their records."""

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest
from alone import Alone, add_song, open_catalogue

from ringnode.catalogue.model import Song
from ringnode.catalogue.paging import Asked
from ringnode.catalogue.records import Records
from ringnode.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from ringnode.services import playlists as module
from ringnode.services.playlists import Playlist, Playlists

SEED = random.randrange(1 << 30)


class Node:
    """One node's catalogue and what is done there."""

    def __init__(self, name: str) -> None:
        self.records = open_catalogue(node=name)
        self.songs = [add_song(self.records, f"Song {n}", n + 1, artist="A") for n in range(12)]
        self.lists = Playlists(self.records, Alone(self.records))

    def titles(self, id: str, user: str = "anna") -> list[str]:
        return [song.title.removeprefix("Song ") for song in self.lists.songs(user, id)]

    def entries(self, id: str) -> list[str]:
        return [entry.id for entry in self.lists.entries("anna", id, Asked(500)).items]


@pytest.fixture
def node() -> Iterator[Node]:
    made = Node("n")
    yield made
    made.records.db.close()


def ids(songs: list[Song], *numbers: int) -> list[str]:
    return [songs[n].id for n in numbers]


def made(node: Node, *numbers: int) -> Playlist:
    return node.lists.create("Anna", {"name": "Evening"}, ids(node.songs, *numbers))


def everything(records: Records) -> list[list[object]]:
    rows = records.db.rows("SELECT kind, key FROM record ORDER BY kind, key")
    return [list(record) for record in records.documents(rows)]


def exchange(*nodes: Node) -> None:
    for _ in range(2):
        for a, b in pairwise([*nodes, nodes[0]]):
            b.records.merge_documents(everything(a.records))


def test_a_playlist_and_what_it_says_of_itself(node: Node) -> None:
    playlist = made(node, 3, 1, 3)
    assert (playlist.owner, playlist.name, playlist.songs, playlist.duration_s) == ("Anna", "Evening", 3, 180.0)
    assert node.titles(playlist.id) == ["3", "1", "3"]
    node.records.put("song", node.songs[1].id, {"deleted": True})
    assert node.lists.get("ANNA", playlist.id).songs == 2
    entry = node.lists.entries("anna", playlist.id, Asked()).items[1]
    assert (entry.song, entry.song_id) == (None, node.songs[1].id)


def test_adding_moving_and_removing(node: Node) -> None:
    id = made(node, 0, 1, 2).id
    assert [entry.song.title for entry in node.lists.add("anna", id, ids(node.songs, 3, 4), None) if entry.song]
    node.lists.add("anna", id, ids(node.songs, 5), "")
    assert node.titles(id) == ["5", "0", "1", "2", "3", "4"]
    entries = node.entries(id)
    node.lists.add("anna", id, ids(node.songs, 6, 7), entries[1])
    assert node.titles(id) == ["5", "0", "6", "7", "1", "2", "3", "4"]
    node.lists.move("anna", id, [entries[5], entries[0]], entries[1])
    assert node.titles(id) == ["0", "4", "5", "6", "7", "1", "2", "3"]
    node.lists.move("anna", id, [entries[5]], "")
    node.lists.move("anna", id, [entries[1]], None)
    assert node.titles(id) == ["4", "5", "6", "7", "1", "2", "3", "0"]
    node.lists.remove("anna", id, [entries[0], entries[1]])
    node.lists.remove("anna", id, [entries[0], "nothing"])
    assert node.titles(id) == ["4", "6", "7", "1", "2", "3"]


def test_moving_many_times_at_random_is_what_a_list_would_do(node: Node) -> None:
    print("seed", SEED)
    chance = random.Random(SEED)
    id = made(node, *range(12)).id
    wanted = node.entries(id)
    for _ in range(60):
        moving = chance.sample(wanted, chance.randrange(1, 4))
        rest = [entry for entry in wanted if entry not in moving]
        after = chance.choice([None, "", *rest])
        at = len(rest) if after is None else rest.index(after) + 1 if after else 0
        wanted = [*rest[:at], *moving, *rest[at:]]
        node.lists.move("anna", id, moving, after)
        assert node.entries(id) == wanted


def test_changes_at_two_nodes_at_once_merge() -> None:
    print("seed", SEED)
    a, b = Node("a"), Node("b")
    id = made(a, 0, 1, 2, 3).id
    exchange(a, b)
    first, second, _third, fourth = a.entries(id)
    a.lists.add("anna", id, ids(a.songs, 4, 5), first)
    a.lists.remove("anna", id, [second])
    a.lists.edit("anna", id, {"name": "Night"})
    b.lists.add("anna", id, ids(b.songs, 6, 7), first)
    b.lists.move("anna", id, [fourth], "")
    b.lists.edit("anna", id, {"description": "Slow"})
    exchange(a, b)
    assert a.titles(id) == b.titles(id)
    assert a.titles(id) in (["3", "0", "4", "5", "6", "7", "2"], ["3", "0", "6", "7", "4", "5", "2"])
    assert a.lists.get("anna", id) == b.lists.get("anna", id)
    assert (a.lists.get("anna", id).name, a.lists.get("anna", id).description) == ("Night", "Slow")
    for node in (a, b):
        node.records.db.close()


def test_only_the_owner_changes_and_only_readers_read(node: Node) -> None:
    id = made(node, 0).id
    with pytest.raises(NotFound):
        node.lists.get("ben", id)
    with pytest.raises(Invalid, match="nobody named ben"):
        node.lists.edit("anna", id, {"readers": ["Ben"]})
    account = node.records.put("user", "ben", {"name": "ben"})
    node.lists.edit("anna", id, {"readers": ["Ben"]})
    node.records.put("user", "ben", account.doc | {"deleted": True})
    node.lists.edit("anna", id, {"readers": ["ben"], "description": "for Ben"})  # who has left may stay in the list
    assert node.lists.get("ben", id).readers == ("ben",)
    assert [p.id for p in node.lists.page("ben", False, Asked()).items] == [id]
    assert node.lists.page("ben", True, Asked()).items == []
    for change in (
        lambda: node.lists.edit("ben", id, {"name": "x"}),
        lambda: node.lists.delete("ben", id),
        lambda: node.lists.add("ben", id, [], None),
        lambda: node.lists.remove("ben", id, []),
    ):
        with pytest.raises(Forbidden):
            change()
    with pytest.raises(NotFound):
        node.lists.delete("eve", id)
    node.lists.edit("anna", id, {"public": True})
    assert node.titles(id, "eve") == ["0"]
    copy = node.lists.duplicate("eve", id, "")
    assert (copy.owner, copy.name, copy.public, copy.songs) == ("eve", "Evening", False, 1)
    assert [p.owner for p in node.lists.page("eve", None, Asked()).items] == ["Anna", "eve"]


def test_an_edit_of_another_version_is_stale(node: Node) -> None:
    id = made(node, 0).id
    version = node.lists.version("anna", id)
    node.lists.add("anna", id, ids(node.songs, 1), None)
    with pytest.raises(Stale):
        node.lists.edit("anna", id, {"name": "x"}, [version])
    node.lists.edit("anna", id, {"name": "x"}, [node.lists.version("anna", id)])


def test_deleting_takes_the_entries_along(node: Node) -> None:
    id = made(node, *range(12)).id
    node.lists.delete("anna", id)
    assert node.records.count("entry") == node.records.count("playlist") == 0
    with pytest.raises(NotFound):
        node.lists.get("anna", id)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, ""), ([], ""), ({"owner": "eve"}, "owner"), ({"name": ""}, "name"), ({"name": "x" * 201}, "name"),
        ({"name": 5}, "name"), ({"name": "\ud800"}, "name"), ({"public": 1}, "public"), ({"readers": "b"}, "readers"),
        ({"readers": [1]}, "readers"), ({"readers": ["x"] * 101}, "readers"), ({"description": "\0"}, "description"),
    ],
)  # fmt: skip
def test_bad_fields_are_named(node: Node, changes: object, field: str) -> None:
    id = made(node).id
    with pytest.raises(Invalid) as error:
        node.lists.edit("anna", id, changes)
    assert error.value.field == field


def test_bad_entries(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    id = made(node, 0, 1).id
    with pytest.raises(Invalid, match="no song"):
        node.lists.add("anna", id, ["ff" * 32], None)
    with pytest.raises(Invalid):
        node.lists.add("anna", id, ids(node.songs, 1), "nothing")
    with pytest.raises(Invalid):
        node.lists.move("anna", id, [node.entries(id)[0]] * 2, None)
    with pytest.raises(Invalid):
        node.lists.move("anna", id, [node.entries(id)[0]], node.entries(made(node, 0).id)[0])
    monkeypatch.setattr(module, "ENTRIES_LIMIT", 3)
    with pytest.raises(Conflict):
        node.lists.add("anna", id, ids(node.songs, 1, 2), None)


def test_in_and_out(node: Node) -> None:
    id = made(node, 2, 0, 2).id
    text = node.lists.export_m3u("anna", id, "https://attic")
    back = node.lists.import_m3u("ben", "Back", (text + "nothing like it.mp3\n").encode())
    assert (back.found, back.missing, back.playlist.owner) == (3, ("nothing like it.mp3",), "ben")
    assert node.titles(back.playlist.id, "ben") == ["2", "0", "2"]
    with pytest.raises(Invalid):
        node.lists.import_m3u("ben", "Back", b"#EXTM3U\n\n#")


def test_a_file_name_that_several_songs_have_is_refused_and_told(node: Node) -> None:
    for n, album in enumerate(("Homogenic", "Post")):
        add_song(node.records, f"First of {album}", 20 + n, artist="B", album=album, filename="01.mp3")
    back = node.lists.import_m3u("ben", "Back", b"01.mp3\nPost/01.mp3\nnothing like it.mp3")
    assert (back.found, back.missing, back.ambiguous) == (1, ("01.mp3", "nothing like it.mp3"), ("01.mp3",))
    assert [song.title for song in node.lists.songs("ben", back.playlist.id)] == ["First of Post"]


def test_when_an_account_ends(node: Node) -> None:
    first, second = made(node, 0), made(node, 1)
    assert node.lists.hand_over("anna", "Ben") == 2
    assert node.lists.get("ben", first.id).owner == "Ben"
    assert node.lists.delete_all("ben") == 2
    with pytest.raises(NotFound):
        node.lists.get("ben", second.id)

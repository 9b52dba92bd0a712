from collections.abc import Iterator
from pathlib import Path

import pytest
from alone import Alone, Clock, add_song, open_catalogue

from ringnode.catalogue.paging import Asked
from ringnode.catalogue.records import Records
from ringnode.errors import Conflict, Invalid
from ringnode.services.listening import Listening, Queue
from ringnode.services.marks import Marks

LIBRARY = (("library", False),)


class Node:
    """One node's catalogue, and what one person does there."""

    def __init__(self, folder: Path, name: str) -> None:
        self.clock = Clock()
        self.records = open_catalogue(folder / f"{name}.db", name, self.clock)
        self.songs = [add_song(self.records, f"Song {n}", n + 1).id for n in range(4)]
        self.marks = Marks(self.records, Alone(self.records), name, folder)
        self.listening = Listening(self.records, Alone(self.records), lambda: self.clock.ms / 1000)

    def titles(self, sort: str = "", **conditions: object) -> list[str]:
        order = ((sort.removeprefix("-"), sort.startswith("-")),) if sort else ()
        page = self.marks.songs("Anna", Asked(order=order), **conditions)
        assert page.total == len(page.items)
        return [marked.song.title.removeprefix("Song ") for marked in page.items]


def exchange(a: Records, b: Records) -> None:
    for one, other in ((a, b), (b, a)):
        rows = one.db.rows("SELECT kind, key FROM record")
        other.merge_documents([list(record) for record in one.documents(rows)])


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    made = [Node(tmp_path, name) for name in "ab"]
    yield made
    for node in made:
        node.records.db.close()


def test_a_mark_of_a_key_that_is_none_hinders_no_other_record(nodes: list[Node]) -> None:
    a, b = (node.records for node in nodes)
    keys = ("anna", "anna/song/1", "anna/song", "ben/album/x/y")
    drafts = [a.draft("mark", key, {"rating": 5}) for key in keys]
    good = [drafts[1], a.draft("playlist", "p", {"name": "P"}), drafts[3]]
    assert b.take([drafts[0], *good[:2], drafts[2], good[2]]) == good
    assert len(b.aside()) == 2 and b.db.value("SELECT count(*) FROM mark") == 2


def test_stars_and_ratings(nodes: list[Node]) -> None:
    node = nodes[0]
    node.marks.star("anna", "song", node.songs[:2], True)
    node.marks.rate("ANNA", "song", node.songs[1:3], 4)
    node.marks.star("anna", "album", ["some album/1"], True)
    assert node.titles(starred=True, sort="-starred_at") in (["0", "1"], ["1", "0"])
    assert node.titles(rating=3, sort="-rating") == ["2", "1"]
    assert node.titles(starred=False) == ["2", "3"]
    assert [marked.id for marked in node.marks.starred("anna", "album", Asked()).items] == ["some album/1"]
    assert node.marks.starred("ben", "album", Asked()).items == []
    before = node.records.groups()
    node.marks.star("anna", "song", node.songs[:1], True)
    node.marks.rate("anna", "song", node.songs[1:3], 4)
    assert node.records.groups() == before  # twice is as good as once
    node.marks.star("anna", "song", node.songs[:1], False)
    node.marks.rate("anna", "song", node.songs[1:2], 0)
    marks = node.marks.on("anna", "song", node.songs[:3])
    assert [(bool(mark.starred_at), mark.rating) for mark in marks] == [(False, 0), (True, 0), (False, 4)]


def test_what_is_done_at_two_nodes_at_once_adds_up(nodes: list[Node]) -> None:
    a, b = nodes
    song = a.songs[0]
    a.marks.star("anna", "song", [song], True)
    a.marks.play("anna", song, "2026-01-01T10:00:00Z", "x1")
    a.marks.play("anna", song, "2026-01-01T11:00:00+01:00", "x2")
    b.marks.rate("anna", "song", [song], 5)
    b.marks.play("anna", song, "2026-01-02T10:00:00Z", "y1")
    exchange(a.records, b.records)
    for node in nodes:
        mark = node.marks.on("anna", "song", [song])[0]
        assert (bool(mark.starred_at), mark.rating, mark.plays, mark.played_at) == (
            True, 5, 3, "2026-01-02T10:00:00+00:00",
        )  # fmt: skip
    assert b.marks.play("anna", song, "", "x1").plays == 3  # sent again, to another node
    assert a.marks.play("anna", song, "", "").plays == 4
    assert a.records.count("mark") == 1


def test_lists_of_what_was_played(nodes: list[Node]) -> None:
    node = nodes[0]
    for n, at in ((2, "2026-03-01"), (0, "2026-03-02"), (2, "2026-02-01")):
        node.marks.play("anna", node.songs[n], at, "")
    assert node.titles(played=True) == ["0", "2"]
    assert node.titles(played=True, sort="-plays") == ["2", "0"]
    assert node.titles(played=False, sort="library") == ["1", "3"]
    assert node.titles(sort="library") == ["0", "1", "2", "3"]
    marked = node.marks.songs("anna", Asked(order=LIBRARY)).items
    assert [(m.song.title, m.plays) for m in marked][2] == ("Song 2", 2)
    node.records.put("song", node.songs[0], {"deleted": True})
    assert node.titles(played=True) == ["2"]


def test_bad_marks(nodes: list[Node]) -> None:
    node = nodes[0]
    for what, ids in (("song", ["nothing"]), ("song", []), ("label", ["x"]), ("album", [""]), ("album", ["\n"])):
        with pytest.raises(Invalid):
            node.marks.star("anna", what, ids, True)
    for rating in (6, -1, True, 2.5, "5", None):
        with pytest.raises(Invalid):
            node.marks.rate("anna", "song", node.songs[:1], rating)
    for at in ("yesterday", "2999-01-01", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"):
        with pytest.raises(Invalid):
            node.marks.play("anna", node.songs[0], at, "")
    with pytest.raises(Invalid):
        node.marks.play("anna", node.songs[0], "", "x" * 65)
    assert node.records.count("mark") == 0


def test_a_queue_goes_from_node_to_node(nodes: list[Node]) -> None:
    a, b = nodes
    assert a.listening.queue("anna").songs == ()
    a.listening.put("Anna", {"songs": a.songs, "index": 2, "device": "kitchen"})
    exchange(a.records, b.records)
    b.clock.ms += 1000
    with pytest.raises(Conflict, match="kitchen"):
        b.listening.move("anna", {"index": 0, "device": "phone"})
    place = b.listening.move("anna", {"position_s": 12.5, "device": "kitchen"})
    assert (place.index, place.position_s, place.device) == (2, 12.5, "kitchen")
    exchange(a.records, b.records)
    assert a.listening.queue("anna") == Queue(**vars(place), songs=tuple(a.songs))
    # one device replaces the queue while another only moves on: the current song is found again, or the start
    a.clock.ms += 5000
    b.clock.ms += 9000
    a.listening.put("anna", {"songs": [a.songs[2], a.songs[0]], "index": 1})
    b.listening.move("anna", {"index": 2})
    exchange(a.records, b.records)
    assert a.listening.queue("anna") == b.listening.queue("anna")
    assert a.listening.queue("anna").index == 0  # where song 2 is now
    a.listening.put("anna", {})
    assert (a.listening.queue("anna").songs, a.listening.queue("anna").index) == ((), 0)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ([], ""), ({"song": []}, "song"), ({"songs": ["x"]}, "songs"), ({"songs": ["0" * 64] * 2001}, "songs"),
        ({"songs": ["0" * 64], "index": 1}, "index"), ({"index": -1}, "index"), ({"index": True}, "index"),
        ({"position_s": -1}, "position_s"), ({"position_s": float("nan")}, "position_s"),
        ({"device": "x" * 101}, "device"), ({"device": "\ud800"}, "device"),
    ],
)  # fmt: skip
def test_bad_queues(nodes: list[Node], given: object, field: str) -> None:
    with pytest.raises(Invalid) as error:
        nodes[0].listening.put("anna", given)
    assert error.value.field == field


def test_who_hears_what_now(nodes: list[Node]) -> None:
    node = nodes[0]
    node.listening.hear("Anna", node.songs[0], "kitchen")
    node.clock.ms += 1000
    node.listening.hear("Ben", node.songs[1], "")
    assert [(listener.user, listener.song.id) for listener in node.listening.listeners()] == [
        ("Ben", node.songs[1]), ("Anna", node.songs[0]),
    ]  # fmt: skip
    node.listening.hear("ben", "", "")
    assert [listener.user for listener in node.listening.listeners()] == ["Anna"]
    node.clock.ms += 130_000  # a song of 60 s must be over
    assert node.listening.listeners() == []
    with pytest.raises(Invalid):
        node.listening.hear("anna", "nothing", "")


def test_an_uploaded_picture_is_told_of_in_lists_of_marked_songs(nodes: list[Node]) -> None:
    node = nodes[0]
    node.records.put("cover", node.songs[0], {"picture": "x"})
    node.marks.star("anna", "song", node.songs[:2], True)
    for starred in (True, None):
        page = node.marks.songs("anna", Asked(), starred, None, 0)
        assert {one.song.id for one in page.items if one.song.has_cover} == {node.songs[0]}

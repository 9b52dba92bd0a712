"""Lists over HTTP, of a real catalogue."""

import pytest

from ringnode.catalogue import songs
from ringnode.catalogue.database import Database
from ringnode.catalogue.records import Records
from ringnode.catalogue.shelves import FOLLOWERS
from ringnode.services.browse import Browse

API = "/api/v1"
LISTS = ("songs", "albums", "artists", "genres", "years")


@pytest.fixture
def records(gateway, tmp_path):
    db = Database(tmp_path / "c.db")
    table = Records(db, "node", lambda: 1, {songs.KIND: songs.project}, followers=FOLLOWERS)
    gateway.browse = Browse(table)
    for n in range(7):
        doc = {"title": f"Song {n}", "artist": f"Artist {n % 3}", "album": f"Album {n % 4}", "date": f"{2000 + n}"}
        table.put(
            songs.KIND,
            f"{n * 0x9E3779B1 % (1 << 32):08x}" * 8,
            doc | {"genres": [f"Genre {n % 2}"], "format": "flac", "track": n},
        )
    yield table
    db.close()


@pytest.mark.parametrize("name", LISTS)
def test_every_list_in_pages(client, records, name):
    whole = client.get(f"{API}/{name}?limit=500").json
    assert whole["total"] == len(whole["items"]) and whole["next_cursor"] is None
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(f"{API}/{name}", query_string={"limit": 2} | ({"cursor": cursor} if cursor else {})).json
        seen, cursor = seen + page["items"], page["next_cursor"]
    assert seen == whole["items"]
    for query, field in (("limit=0", "limit"), ("limit=x", "limit"), ("cursor=x", "cursor"), ("sort=x", "sort"),
                         ("nonsense=1", "nonsense"), (f"cursor={'x' * 30_000}", "cursor")):  # fmt: skip
        answer = client.get(f"{API}/{name}?{query}")
        assert (answer.status_code, answer.json["field"]) == (422, field), query


@pytest.mark.parametrize("name", LISTS)
def test_every_sort_and_filter_that_is_documented_works(client, records, name):
    operation = client.get(f"{API}/swagger.json", raw=True).json["paths"][f"/{name}"]["get"]
    parameters = {p["name"]: p for p in operation["parameters"] if p["in"] == "query"}
    sorts = [word.strip("`,") for word in parameters["sort"]["description"].split() if word.startswith("`")][:-1]
    assert parameters["sort"]["default"] in sorts
    for sort in sorts:
        for query in (sort, f"-{sort}"):
            found = client.get(f"{API}/{name}", query_string={"sort": query})
            assert found.status_code == 200 and found.json["items"], query
            if sort in found.json["items"][0] and sort not in ("artist", "album"):
                values = [item[sort] for item in found.json["items"]]
                assert values == sorted(values, reverse=query != sort)
    tried = {"string": "2026-01-01", "integer": "2001", "boolean": "true"}
    for parameter in parameters.values():
        if parameter["name"] not in ("cursor", "sort", "ticket"):
            query = {parameter["name"]: "5" if parameter["name"] == "limit" else tried[parameter["type"]]}
            assert client.get(f"{API}/{name}", query_string=query).status_code == 200, query
            if parameter["type"] == "boolean":
                assert client.get(f"{API}/{name}?{parameter['name']}=maybe").json["field"] == parameter["name"]


def test_an_album_and_an_artist(client, records):
    album = client.get(f"{API}/albums?q=album 0&artist=Artist 0").json["items"][0]
    view = client.get(f"{API}/albums/{album['id']}").json
    assert view["album"] == album and [song["title"] for song in view["songs"]] == ["Song 0"]
    artist = client.get(f"{API}/artists/{album['artist_id']}").json
    assert artist["artist"]["name"] == "Artist 0" and album in artist["albums"] and artist["appears_on"] == []
    for path in ("albums/x", "artists/x", f"albums/{'0' * 32}"):
        assert client.get(f"{API}/{path}").status_code == 404


def test_random_pages_of_one_seed_go_together(client, records):
    orders = []
    for seed in range(4):
        first = client.get(f"{API}/songs?sort=random&limit=4&seed={seed}").json
        url = f"{API}/songs?sort=random&limit=4&cursor={first['next_cursor']}&seed="
        ids = [song["id"] for song in first["items"] + client.get(f"{url}{seed}").json["items"]]
        assert len(set(ids)) == 7
        assert client.get(f"{url}{seed + 1}").json["field"] == "cursor"
        orders.append(ids)
    assert len(set(map(tuple, orders))) > 1


def test_search(client, records):
    found = client.get(f"{API}/search?q=artist 1").json
    assert [artist["name"] for artist in found["artists"]] == ["Artist 1"]
    assert {song["artist"] for song in found["songs"][:2]} == {"Artist 1"} and found["suggestions"] == []
    assert client.get(f"{API}/search?q=sonk").json["suggestions"] == ["song"]
    assert client.get(f"{API}/search?q=song&limit=2").json["songs"][1:]
    nothing = {"artists": [], "albums": [], "songs": [], "suggestions": [], "playlists": []}
    for query in ("", "?q=", "?q=%00", "?q=%20", "?q=%ED%A0%80"):
        assert client.get(f"{API}/search{query}").json == nothing
    for query, field in (("q=x&limit=51", "limit"), ("q=x&limit=0", "limit"), ("q=" + "x" * 201, "q"), ("p=x", "p")):
        assert client.get(f"{API}/search?{query}").json["field"] == field


def test_search_finds_the_playlists_one_may_read(client, records):
    for name, public, role in (
        ("Café noir", False, "admin"),
        ("Cafe shared", True, "listener"),
        ("x", True, "admin"),
    ):
        made = client.post(f"{API}/playlists", json={"name": name, "public": public}, role=role)
        assert made.status_code == 201
    for role, names in (("admin", ["Café noir", "Cafe shared"]), ("uploader", ["Cafe shared"])):
        found = client.get(f"{API}/search?q=cafe", role=role).json["playlists"]
        assert sorted(one["name"] for one in found) == sorted(names)
    assert [one["name"] for one in client.get(f"{API}/search?q=noir caf").json["playlists"]] == ["Café noir"]
    assert len(client.get(f"{API}/search?q=cafe&limit=1").json["playlists"]) == 1


def test_a_ticket_finds_only_public_playlists(client, records, gateway):
    client.post(f"{API}/playlists", json={"name": "Secret", "public": False})
    client.post(f"{API}/playlists", json={"name": "Secret no more", "public": True})
    ticket = gateway.sessions.ticket(gateway.sessions.access("admin")).ticket
    found = client.get(f"{API}/search", raw=True, query_string={"q": "secret", "ticket": ticket})
    assert [one["name"] for one in found.json["playlists"]] == ["Secret no more"]


def test_many_songs_by_their_ids(client, records):
    ids = [song["id"] for song in client.get(f"{API}/songs").json["items"]]
    found = client.get(f"{API}/songs?ids={ids[3]},{ids[1]},{'1' * 64}").json
    assert {song["id"] for song in found["items"]} == {ids[1], ids[3]} and found["total"] == 2
    assert client.get(f"{API}/songs?ids=',x").json["items"] == []
    assert client.get(f"{API}/songs", query_string={"ids": ",".join(["a"] * 201)}).json["field"] == "ids"

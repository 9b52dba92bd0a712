import pytest

from api import create_app
from api.auth import NEEDED, needed
from ringnode.errors import TooManyRequests

OPEN = {
    "/api/docs",
    "/api/v1/swagger.json",
    "/api/v1/openapi.json",
    "/api/v1/health",
    "/api/v1/version",
    "/api/v1/auth/login",
    "/api/v1/auth/invitations/<token>",
}


def routes(app):
    """Every route with each of its methods, with something in place of its variables."""
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods):
            yield method, rule.rule, rule.rule.replace("<id>", "5e" * 32).replace("<path:filename>", "swagger-ui.css")


def test_every_route_but_the_open_ones_needs_a_login(app, client):
    closed = 0
    for method, rule, path in routes(app):
        if rule in OPEN or rule.endswith("<path:filename>"):
            assert client.open(path, method=method, raw=True).status_code != 403
        else:
            answer = client.open(path, method=method, raw=True)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            closed += 1
    assert closed > 25


def test_the_table_names_only_routes_that_exist(app):
    assert set(NEEDED) <= {f"{method} {rule}" for method, rule, _ in routes(app)}


def test_what_the_table_does_not_name_is_denied():
    assert needed("GET", "/api/v1/new") == needed("HEAD", "/api/v1/new") == "listener"
    assert needed("POST", "/api/v1/new") == needed("DELETE", "/api/v1/new") == "admin"


@pytest.mark.parametrize(
    ("method", "allowed"),
    [
        ("GET", {"listener", "uploader", "admin"}),
        ("HEAD", {"listener", "uploader", "admin"}),
        ("PATCH", {"uploader", "admin"}),
        ("DELETE", {"admin"}),
    ],
)
def test_roles(client, song, method, allowed):
    for role in ("stranger", "listener", "uploader", "admin"):
        body = {"json": {"title": "x"}} if method == "PATCH" else {}
        answer = client.open(f"/api/v1/songs/{song.id}", method=method, role=role, **body)
        assert (answer.status_code < 300) == (role in allowed), role
        assert role in allowed or answer.status_code == 403


@pytest.mark.parametrize("role", ["listener", "stranger"])
def test_a_listener_may_not_upload_and_is_told_before_the_body_is_read(client, library, role):
    answer = client.post("/api/v1/songs?filename=a.mp3", data=b"x", role=role)
    assert answer.status_code == 403
    assert not library.songs


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer nobody", "Basic YTph", "admin", "Bearer \xff"])
def test_bad_authorization(client, header):
    answer = client.get("/api/v1/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json["type"].endswith(":unauthenticated")


def test_login_and_me(client, gateway):
    answer = client.post("/api/v1/auth/login", json={"username": "uploader", "password": "uploader"}, raw=True)
    assert (answer.json["user"]["name"], answer.json["user"]["role"]) == ("uploader", "uploader")
    assert set(answer.json) == {"token", "expires_at", "user"}
    assert answer.headers["Cache-Control"] == "no-store"
    me = client.get("/api/v1/me", headers={"Authorization": f"Bearer {answer.json['token']}"})
    assert me.json == answer.json["user"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"username": "admin", "password": "wrong"}, 401, None),
        ({"username": "admin"}, 422, "password"),
        ({"password": "admin"}, 422, "username"),
        ({"username": 5, "password": "admin"}, 422, "username"),
        ({"username": "admin", "password": None}, 422, "password"),
        ({"username": "admin", "password": ["admin"]}, 422, "password"),
        ({"username": "x" * 10_000, "password": "admin"}, 422, "username"),
        ({"username": "admin", "password": "x" * 10_000}, 422, "password"),
        ({"username": "\ud800", "password": "admin"}, 422, "username"),
        ({"username": "admin", "password": "admin", "remember": True}, 422, "remember"),
        ({"username": "admin", "password": "admin", "": ""}, 422, None),
        ([], 422, None),
        ("admin", 422, None),
        (5, 422, None),
        ({"username": "admin", "password": "admin", "\ud800": 1}, 422, "\ud800"),
    ],
)
def test_bad_logins(client, body, status, field):
    answer = client.post("/api/v1/auth/login", json=body)
    assert answer.status_code == status, answer.text
    assert answer.json.get("field") == field


def test_too_many_attempts(client, gateway):
    gateway.sessions.error = TooManyRequests("wait")
    answer = client.post("/api/v1/auth/login", json={"username": "a", "password": "b"})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"


def test_a_ticket_opens_the_library_by_url_alone_to_pages_of_any_origin(client, song):
    made = client.post("/api/v1/me/ticket", role="listener").json
    assert made["expires_at"]
    query = {"ticket": made["ticket"]}
    for path in ("/api/v1/songs", f"/api/v1/songs/{song.id}/stream", "/api/v1/ring"):
        answer = client.get(path, query_string=query, raw=True)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*"), path
        assert client.get(path, query_string={"ticket": "forged"}, raw=True).status_code == 401
        assert "Access-Control-Allow-Origin" not in client.get(path).headers


def test_a_ticket_opens_nothing_else(client, song):
    query = {"ticket": client.post("/api/v1/me/ticket").json["ticket"]}
    for method, path in (("GET", "/me"), ("POST", "/me/ticket"), ("DELETE", f"/songs/{song.id}"), ("POST", "/songs")):
        assert client.open("/api/v1" + path, method=method, query_string=query, raw=True).status_code == 401, path


def test_an_admins_ticket_opens_no_more_than_a_listeners(client):
    query = {"ticket": client.post("/api/v1/me/ticket").json["ticket"]}
    assert client.get("/api/v1/ring", query_string=query, raw=True).status_code == 200
    assert client.get("/api/v1/ring/inventory", query_string=query, raw=True).status_code == 401


def test_a_playlist_is_opened_by_a_ticket_for_it_and_by_no_other(client, gateway, song):
    gateway.records.put("song", song.id, song.doc())
    made = [client.post("/api/v1/playlists", json={"name": name, "songs": [song.id]}).json["id"] for name in "ab"]
    mine, other = (f"/api/v1/playlists/{id}/download" for id in made)
    library_wide = client.post("/api/v1/me/ticket").json["ticket"]
    bound = client.post(f"/api/v1/me/ticket?playlist={made[0]}").json["ticket"]
    assert client.get(mine, query_string={"ticket": bound}, raw=True).status_code == 200
    for path, ticket in ((mine, library_wide), (other, bound), ("/api/v1/songs", bound)):
        assert client.get(path, query_string={"ticket": ticket}, raw=True).status_code == 401, path


@pytest.mark.parametrize(("proxies", "seen"), [(0, "127.0.0.1"), (1, "10.0.0.2"), (2, "198.51.100.7")])
def test_wrong_logins_are_counted_by_the_address_that_the_proxies_tell(gateway, proxies: int, seen: str) -> None:
    """Each proxy adds whom it hears; what stands further left anybody may have made up."""
    gateway.config.proxies = proxies
    client = create_app(gateway).test_client()
    told = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7, 10.0.0.2"}
    client.post("/api/v1/auth/login", json={"username": "admin", "password": "admin"}, headers=told)
    assert gateway.records.where("kind = 'session'")[0].doc["address"] == seen

"""Accounts, logins, invitations and the audit trail over HTTP."""

import pytest

from api.auth import COOKIE

V1 = "/api/v1"
LONG = "correct horse battery"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def anna(client):
    """A listener's token."""
    assert client.post(f"{V1}/users", json={"name": "anna", "password": LONG}).status_code == 201
    return login(client, "anna", LONG)


def login(client, name, password):
    answer = client.post(f"{V1}/auth/login", json={"username": name, "password": password}, raw=True)
    assert answer.status_code == 200, answer.text
    return answer.json["token"]


def test_an_admin_makes_changes_and_deletes_an_account(client):
    made = client.post(f"{V1}/users", json={"name": "Anna", "password": LONG, "display_name": "A."})
    assert made.status_code == 201 and made.headers["Location"] == f"{V1}/users/Anna"
    assert made.json["role"] == "listener" and "password" not in made.text
    assert client.post(f"{V1}/users", json={"name": "ANNA", "password": LONG}).status_code == 409
    got = client.get(f"{V1}/users/anna")
    assert got.json == made.json
    assert client.get(f"{V1}/users/anna", headers={"If-None-Match": got.headers["ETag"]}).status_code == 304
    edit = {"role": "uploader", "active": False}
    assert client.patch(f"{V1}/users/anna", json=edit, headers={"If-Match": '"old"'}).status_code == 412
    changed = client.patch(f"{V1}/users/anna", json=edit, headers={"If-Match": got.headers["ETag"]})
    assert (changed.json["role"], changed.json["active"]) == ("uploader", False)
    assert "Anna" in [user["name"] for user in client.get(f"{V1}/users").json["items"]]
    assert client.delete(f"{V1}/users/anna").status_code == 204
    assert client.get(f"{V1}/users/anna").status_code == client.delete(f"{V1}/users/anna").status_code == 404


def test_everything_that_is_wrong_is_named_at_once(client):
    answer = client.post(f"{V1}/users", json={"name": 5, "role": None, "days": 1})
    assert answer.status_code == 422
    assert answer.json["field"] == "name"
    assert {e["field"] for e in answer.json["errors"]} == {"name", "password", "role", "days"}
    one = client.post(f"{V1}/invitations", json={"days": "7"}).json
    assert one["field"] == "days" and "errors" not in one


def test_who_wants_to_go_says_the_password_and_what_becomes_of_the_playlists(client, anna):
    sent = {"headers": bearer(anna), "raw": True}
    client.post(f"{V1}/playlists", json={"name": "Evening"}, **sent)
    app = client.post(f"{V1}/me/app-passwords", json={"name": "car"}, **sent).json["password"]
    for body, status in (({"password": "wrong"}, 401), ({}, 422), ({"password": LONG}, 422),
                         ({"password": LONG, "playlists": "give"}, 422)):  # fmt: skip
        assert client.post(f"{V1}/me/delete", json=body, **sent).status_code == status, body
    good = {"password": LONG, "playlists": "publish"}
    assert client.post(f"{V1}/me/delete", json=good, headers=bearer(app), raw=True).status_code == 403
    assert client.post(f"{V1}/me/delete", json=good, **sent).status_code == 204
    assert (client.get(f"{V1}/me", **sent).status_code, client.get(f"{V1}/users/anna").status_code) == (401, 404)
    assert [p["name"] for p in client.get(f"{V1}/playlists").json["items"]] == ["Evening"]


def test_the_last_admin_stays(client):
    for answer in (
        client.patch(f"{V1}/users/admin", json={"role": "listener"}),
        client.patch(f"{V1}/users/admin", json={"active": False}),
        client.delete(f"{V1}/users/admin"),
    ):
        assert answer.status_code == 409
        assert answer.json["type"].endswith(":conflict")


def test_what_becomes_of_playlists_is_asked(client, anna):
    assert client.post(f"{V1}/playlists", json={"name": "Evening"}, headers=bearer(anna)).status_code == 201
    refused = client.delete(f"{V1}/users/anna")
    assert (refused.status_code, refused.json["field"]) == (422, "playlists")
    assert client.delete(f"{V1}/users/anna?playlists=give&to=admin").status_code == 204
    names = {p["name"]: p["owner"] for p in client.get(f"{V1}/playlists").json["items"]}
    assert names == {"Evening": "admin"}


def test_ones_own_profile_and_password(client, anna):
    mine = bearer(anna)
    assert client.patch(f"{V1}/me", json={"display_name": "Anna B."}, headers=mine).json["display_name"] == "Anna B."
    assert client.patch(f"{V1}/me", json={"role": "admin"}, headers=mine).json["field"] == "role"
    other = login(client, "anna", LONG)
    wrong = client.put(f"{V1}/me/password", json={"old_password": "x", "new_password": LONG * 2}, headers=mine)
    assert wrong.status_code == 401
    changed = client.put(f"{V1}/me/password", json={"old_password": LONG, "new_password": LONG * 2}, headers=mine)
    assert client.get(f"{V1}/me", headers=bearer(changed.json["token"])).status_code == 200
    for ended in (anna, other):
        assert client.get(f"{V1}/me", headers=bearer(ended)).status_code == 401


def test_logins_are_listed_ended_and_logged_out_of(client, anna):
    mine, other = bearer(anna), login(client, "anna", LONG)
    listed = client.get(f"{V1}/me/sessions", headers=mine).json["items"]
    assert sorted(s["current"] for s in listed) == [False, True]
    ended = next(s["id"] for s in listed if not s["current"])
    assert client.delete(f"{V1}/me/sessions/{ended}", headers=mine).status_code == 204
    assert client.get(f"{V1}/me", headers=bearer(other)).status_code == 401
    assert client.post(f"{V1}/auth/logout", headers=mine).status_code == 204
    assert client.get(f"{V1}/me", headers=mine).status_code == 401


def test_an_app_password_opens_the_library_and_not_the_account(client, anna):
    made = client.post(f"{V1}/me/app-passwords", json={"name": "car"}, headers=bearer(anna))
    assert made.status_code == 201
    app = made.json["password"]
    basic = {"auth": ("Anna", app), "raw": True}
    assert client.get(f"{V1}/songs", **basic).status_code == 200
    assert client.get(f"{V1}/songs", headers=bearer(app)).status_code == 200
    for user, password in (("admin", app), ("anna", LONG), ("anna", anna), ("", app)):
        assert client.get(f"{V1}/songs", auth=(user, password), raw=True).status_code == 401
    for method, path, body in (
        ("PUT", "/me/password", {"old_password": LONG, "new_password": LONG * 2}), ("GET", "/me/sessions", None),
        ("POST", "/me/app-passwords", {"name": "b"}), ("GET", "/me/export", None), ("POST", "/auth/logout", None),
    ):  # fmt: skip
        assert client.open(V1 + path, method=method, json=body, **basic).status_code == 403, path
    listed = client.get(f"{V1}/me/app-passwords", headers=bearer(anna)).json["items"]
    assert [(a["name"], a["password"]) for a in listed] == [("car", "")]
    assert client.delete(f"{V1}/me/app-passwords/{made.json['id']}", headers=bearer(anna)).status_code == 204
    assert client.get(f"{V1}/songs", **basic).status_code == 401


def test_a_person_takes_everything_home(client, anna):
    client.post(f"{V1}/playlists", json={"name": "Evening"}, headers=bearer(anna))
    client.post(f"{V1}/playlists", json={"name": "Of the admin"})
    answer = client.get(f"{V1}/me/export", headers=bearer(anna))
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.json["user"]["name"] == "anna"
    assert [p["name"] for p in answer.json["own"]["playlist"]] == ["Evening"]
    assert answer.json["own"]["session"] and "Of the admin" not in answer.text and "argon2" not in answer.text


def test_an_invitation_makes_an_account_once(client):
    made = client.post(f"{V1}/invitations", json={"role": "uploader", "note": "Ben"})
    assert made.status_code == 201
    path = f"{V1}/auth/invitations/{made.json['token']}"
    assert client.get(path, raw=True).json["role"] == "uploader"
    short = client.post(path, json={"name": "ben", "password": "x"}, raw=True)
    assert (short.status_code, short.json["field"]) == (422, "password")
    assert client.post(path, json={"name": "admin", "password": LONG}, raw=True).status_code == 409
    welcome = client.post(path, json={"name": "ben", "password": LONG}, raw=True)
    assert (welcome.status_code, welcome.json["user"]["role"]) == (201, "uploader")
    assert client.get(f"{V1}/me", headers=bearer(welcome.json["token"])).json["name"] == "ben"
    assert client.post(path, json={"name": "eve", "password": LONG}, raw=True).status_code == 404
    listed = client.get(f"{V1}/invitations").json["items"]
    assert [(i["used_by"], i["token"], i["note"]) for i in listed] == [("ben", "", "Ben")]
    assert client.delete(f"{V1}/invitations/{listed[0]['id']}").status_code == 204


def test_no_token_or_ticket_comes_into_the_log(client, caplog):
    caplog.set_level("INFO")
    token = client.post(f"{V1}/invitations", json={}).json["token"]
    client.get(f"{V1}/auth/invitations/{token}", raw=True)
    ticket = client.post(f"{V1}/me/ticket").json["ticket"]
    client.get(f"{V1}/songs?ticket={ticket}", raw=True)
    assert "invitations/<token>" in caplog.text and token not in caplog.text and ticket not in caplog.text


def test_a_browser_keeps_its_login_where_no_script_can_read_it(app, client):
    answer = client.post(
        f"{V1}/auth/login?cookie=true", json={"username": "admin", "password": "admin"}, raw=True, headers=OWN_PAGE
    )
    assert answer.json["token"] == "" and answer.json["user"]["name"] == "admin"
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for part in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/api", "Max-Age=3600"):
        assert part in cookie, part
    browser = {"raw": True, "base_url": "https://localhost"}
    assert client.get(f"{V1}/me", **browser).json["name"] == "admin"
    assert client.get(f"{V1}/me", **browser, headers=bearer("listener")).json["name"] == "listener", (
        "a token goes first"
    )
    assert client.get(f"{V1}/me", **browser, auth=("admin", "admin")).status_code == 401
    assert client.post(f"{V1}/auth/logout", **browser, headers=OWN_PAGE).status_code == 204
    assert client.get(f"{V1}/me", **browser).status_code == 401


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "https://localhost", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "https://cellar:7701"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "https://localhost:7801", "Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "https://localhost.evil.example"}, False),
        ({"Origin": "\x00[]"}, False),
    ],
)
def test_no_other_page_writes_with_a_login_that_the_browser_adds(client, headers, allowed):
    client.post(f"{V1}/auth/login?cookie=true", json={"username": "admin", "password": "admin"}, raw=True)
    cookie = {"raw": True, "base_url": "https://localhost", "headers": headers}
    status = client.post(f"{V1}/playlists", json={"name": "x"}, **cookie).status_code
    assert status == (201 if allowed else 403)
    assert client.get(f"{V1}/playlists", **cookie).status_code == 200, "reading: the browser itself keeps the answer"
    basic = {"raw": True, "auth": ("admin", "x"), "headers": headers}
    assert client.post(f"{V1}/playlists", json={"name": "x"}, **basic).status_code == (401 if allowed else 403)
    token = client.post(f"{V1}/playlists", json={"name": "x"}, headers=headers)
    assert token.status_code == 201, "no page has a token that is not its own"


def test_what_admins_do_is_written_down_and_nothing_secret_with_it(client, anna):
    client.patch(f"{V1}/users/anna", json={"role": "uploader", "password": "a new password"})
    client.patch(f"{V1}/users/anna", json={"role": "nonsense"})
    client.delete(f"{V1}/users/stranger")
    client.get(f"{V1}/users")
    client.patch(f"{V1}/me", json={"language": "de"}, headers=bearer(anna))
    page = client.get(f"{V1}/audit?limit=2").json
    assert [(e["by"], e["action"], e["on"]) for e in page["items"]] == [
        ("admin", "delete_user", f"{V1}/users/stranger"),
        ("admin", "edit_user", f"{V1}/users/anna role = uploader, password"),
    ]
    assert page["total"] == 3 and "a new password" not in str(page)
    older = client.get(f"{V1}/audit?limit=2&cursor={page['next_cursor']}").json
    assert [e["action"] for e in older["items"]] == ["add_user"]
    assert client.get(f"{V1}/audit", role="uploader").status_code == 403


def test_which_songs_an_admin_deletes_is_written_down(client, song):
    assert client.delete(f"{V1}/songs/{song.id}").status_code == 204
    assert [(e["action"], e["on"]) for e in client.get(f"{V1}/audit").json["items"]] == [
        ("delete_song", f"{V1}/songs/{song.id}"),
    ]

"""The ring over HTTP: who may look, who may act, and what is said when it cannot be."""

import pytest

from ringnode.errors import Conflict, NotFound

ID = "ab" * 32


@pytest.mark.parametrize("does", ["leave", "scrub", "expel"])
def test_an_admin_has_nodes_act(client, gateway, does):
    answer = client.post(f"/api/v1/ring/nodes/{ID}/{does}")
    assert (answer.status_code, answer.json) == (202, {"node": ID, "does": does})
    assert gateway.steward.done[0][:2] == (does, ID)
    assert client.post(f"/api/v1/ring/nodes/{ID}/{does}", role="uploader").status_code == 403
    assert client.post(f"/api/v1/ring/nodes/{ID}/{does}", raw=True).status_code == 401
    assert client.get(f"/api/v1/ring/nodes/{ID}/{does}").status_code == 405
    for error, status in ((Conflict("it is the only one"), 409), (NotFound("no such node"), 404)):
        gateway.steward.error = error
        answer = client.post(f"/api/v1/ring/nodes/{ID}/{does}")
        assert answer.status_code == status
        assert answer.json["detail"] == str(error)


def test_by_force_only_when_it_is_said(client, gateway):
    client.post(f"/api/v1/ring/nodes/{ID}/expel?force=true")
    client.post(f"/api/v1/ring/nodes/{ID}/expel?force=false")
    assert [done[2:] for done in gateway.steward.done] == [("admin", "True"), ("admin", "False")]
    assert client.post(f"/api/v1/ring/nodes/{ID}/expel?force=perhaps").json["field"] == "force"
    assert client.post(f"/api/v1/ring/nodes/{ID}/leave?force=true").status_code == 422


def test_the_inventory_is_for_admins_in_pages(client, gateway):
    page = client.get("/api/v1/ring/inventory?limit=7&cursor=" + "cd" * 32).json
    assert gateway.steward.done == [("inventory", "cd" * 32, "7")]
    assert page["items"][0]["what"] == "lost"
    assert page["next_cursor"] is None
    assert client.get("/api/v1/ring/inventory", role="listener").status_code == 403
    for wrong in ("limit=0", "limit=5000", "limit=x", "cursor=" + "a" * 65, "pages=1"):
        assert client.get(f"/api/v1/ring/inventory?{wrong}").status_code == 422

"""Figures for Prometheus, and who may read them."""

from prometheus_client.parser import text_string_to_metric_families


def figures(text):
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_node_and_what_was_served(client, song):
    for _ in range(3):
        client.get(f"/api/v1/songs/{song.id}/stream")
    client.head(f"/api/v1/songs/{song.id}/stream")
    client.get("/nowhere/at/all", raw=True)
    answer = client.get("/api/v1/metrics")
    assert answer.content_type.startswith("text/plain; version=")
    seen = figures(answer.text)
    assert seen["ringnode_up",] == 1
    assert (seen["ringnode_files",], seen["ringnode_free_bytes",], seen["ringnode_songs",]) == (20, 22, 23)
    assert (seen["ringnode_short",], seen["ringnode_lost",], seen["ringnode_repair_bytes",]) == (1, 3, 5)
    assert seen["ringnode_disk_failed",] == 1
    assert (seen["ringnode_loop_runs", "probe"], seen["ringnode_loop_errors", "probe"]) == (9, 2)
    assert seen["ringnode_requests_total", "/api/v1/songs/<id>/stream", "200", "GET"] == 3
    assert 300 <= seen["ringnode_sent_bytes_total",] < 300 + 5000


def test_a_node_that_does_not_answer(client, gateway):
    gateway.overview.joined = False
    seen = figures(client.get("/api/v1/metrics").text)
    assert seen["ringnode_up",] == 0
    assert ("ringnode_files",) not in seen


def test_admins_and_scrapers_only(client, gateway):
    assert client.get("/api/v1/metrics", role="uploader").status_code == 403
    assert client.get("/api/v1/metrics", raw=True).status_code == 401
    assert client.get("/api/v1/metrics", role="").status_code == 200
    gateway.config.metrics_token = "only figures"
    assert client.get("/api/v1/metrics", role="only figures").status_code == 200
    assert client.get("/api/v1/metrics", role="only figure").status_code == 401
    assert client.get("/api/v1/ring", role="only figures").status_code == 401

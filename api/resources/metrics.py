"""Figures for Prometheus: of this node, and of what this worker of it has served."""

from collections.abc import Iterator

from flask import Flask, current_app, request
from flask_restx import Namespace
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from werkzeug.wrappers import Response

from api.models import File
from api.resources import Resource
from ringnode.services.overview import NodeView, Overview

ns = Namespace("metrics", "Figures for Prometheus", path="/")

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
OF_A_NODE = ("files", "files_bytes", "free_bytes", "songs")
OF_ITS_WORK = (
    "short", "waiting", "lost", "repairs", "repair_bytes", "handover", "checked", "damaged", "to_check",
    "to_check_bytes", "files_aside", "records_aside", "health",
)  # fmt: skip


class Served:
    """Counts of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        names = ("method", "route", "status")
        self.requests = Counter("ringnode_requests", "Requests answered", names, registry=self.registry)
        self.sent = Counter("ringnode_sent_bytes", "Bytes of the answers begun", registry=self.registry)

    def count(self, response: Response) -> Response:
        """An answer is about to be sent."""
        route = request.url_rule.rule if request.url_rule else "none"
        self.requests.labels(request.method, route, response.status_code).inc()
        if request.method != "HEAD":
            self.sent.inc(response.content_length or 0)
        return response


class OfTheNode(Collector):
    """What the node says of itself when it is asked."""

    def __init__(self, overview: Overview) -> None:
        self._overview = overview

    def describe(self) -> list[Metric]:
        """Nothing is asked before there is somebody who wants to know."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The figures of `NodeView`; only `ringnode_up 0` while the node does not answer."""
        node = self._overview.node()
        yield GaugeMetricFamily("ringnode_up", "Is the node in its ring?", int(node.state == "up"))
        if node.work is None:
            return
        figures = {name: getattr(node, name) for name in OF_A_NODE}
        figures |= {name: getattr(node.work, name) for name in OF_ITS_WORK}
        helps = {f.name: f.metadata["help"] for part in (node, node.work) for f in part.__dataclass_fields__.values()}
        for name, value in figures.items():
            yield GaugeMetricFamily(f"ringnode_{name}", helps[name], value)
        yield GaugeMetricFamily("ringnode_disk_failed", "Did its disk fail?", int(bool(node.work.disk)))
        yield from _loops(node)


def _loops(node: NodeView) -> Iterator[Metric]:
    runs = GaugeMetricFamily("ringnode_loop_runs", "Passes since the start", labels=["loop"])
    errors = GaugeMetricFamily("ringnode_loop_errors", "Of these, failed ones", labels=["loop"])
    seconds = GaugeMetricFamily("ringnode_loop_seconds", "Length of the last pass", labels=["loop"])
    for loop in node.work.loops if node.work else ():
        runs.add_metric([loop.name], loop.runs)
        errors.add_metric([loop.name], loop.errors)
        seconds.add_metric([loop.name], loop.last_run_s)
    yield from (runs, errors, seconds)


def install(app: Flask, overview: Overview) -> None:
    """Have every answer counted."""
    served = Served()
    served.registry.register(OfTheNode(overview))
    app.extensions["metrics"] = served
    app.after_request(served.count)


@ns.route("/metrics")
class MetricsResource(Resource):
    """For Prometheus."""

    @ns.doc("metrics", produces=["text/plain"])
    @ns.response(200, "Figures in the text format of Prometheus", File)
    def get(self) -> Response:
        """This node's figures. Scrape every node; the setting `metrics_token` lets Prometheus in without an account.

        Requests and bytes sent are those of the worker that answers.
        """
        served: Served = current_app.extensions["metrics"]
        return Response(generate_latest(served.registry), content_type=MEDIA)

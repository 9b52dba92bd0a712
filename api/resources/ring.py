"""The ring and this node's state."""

from flask import request
from flask_restx import Namespace

from api.models import Owner, Owners, Version, model_of
from api.resources import Resource
from ringnode import __version__
from ringnode.services.overview import Health, NodeView, RingView

ns = Namespace("ring", "The ring and this node", path="/")

ID = "7f3a" * 16
NODE = NodeView(
    ID, "cellar", "10.0.0.5:7700", "https://cellar:7701", "up", 0.21, 812, 9_100_000_000, 52_000_000_000, 1204,
    __version__, "",
)  # fmt: skip
RING = model_of(ns, RingView, RingView(3, (NODE,), 1204, 0, 0, 0))
OWNERS = model_of(ns, Owners, Owners(ID, (Owner(ID, "10.0.0.5:7700"),)))
HEALTH = model_of(ns, Health, Health("ok", "cellar", __version__, True, ""))
VERSION = model_of(ns, Version, Version(__version__, "v1"))


@ns.route("/ring")
class RingResource(Resource):
    """All nodes."""

    @ns.doc("ring")
    @ns.response(200, "The ring", RING)
    def get(self) -> RingView:
        """Every node with its state. The nodes are asked at once, so this takes as long as the slowest."""
        return self.gateway.overview.ring()


@ns.route("/ring/owners")
class OwnersResource(Resource):
    """The ring's answer for a key."""

    @ns.doc("owners")
    @ns.param("key", "A song's id: 64 hex digits", required=True)
    @ns.response(200, "Its owners", OWNERS)
    def get(self) -> Owners:
        """The nodes that a key belongs to, whether or not there is a song of this key."""
        key = request.args.get("key", "")
        return Owners(key, tuple(Owner(peer.id, peer.address) for peer in self.gateway.overview.owners(key)))


@ns.route("/health")
class HealthResource(Resource):
    """For load balancers and people."""

    @ns.doc("health")
    @ns.response(200, "The node serves", HEALTH)
    @ns.response(503, "The node is not in its ring (yet)", HEALTH)
    def get(self) -> tuple[Health, int]:
        """Is this node serving?"""
        health = self.gateway.overview.health()
        return health, 200 if health.joined else 503


@ns.route("/version")
class VersionResource(Resource):
    """For clients that must know."""

    @ns.doc("version")
    @ns.response(200, "The versions", VERSION)
    def get(self) -> Version:
        """Which software and API answer here."""
        return Version(__version__, "v1")

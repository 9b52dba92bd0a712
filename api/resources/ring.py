"""The ring and this node's state."""

from dataclasses import replace

from flask import g, request
from flask_restx import Namespace

from api import inputs
from api.models import Begun, Owner, Owners, Version, model_of
from api.resources import Resource
from ringnode import __version__
from ringnode.errors import Invalid
from ringnode.services.overview import Health, LoopView, NodeView, RingView, Work
from ringnode.services.union import Finding, Inventory, Told

ns = Namespace("ring", "The ring and this node", path="/")

ID = "7f3a" * 16
CURSOR_LIMIT = 64
FILES, FILES_LIMIT = 1000, 4096  # of one node on a page of the inventory
LOOP = LoopView("replicate", 8431, 1, "10.0.0.7:7700 does not answer", "2026-01-01T12:00:00+00:00", 0.0312)
WORK = Work(1.04, 0, 0, 0, 3, 29_000_000, 0, 1870, 0, 0, 0, 0, 0, "", -3, 0, (LOOP,))
NODE = NodeView(
    ID, "cellar", "10.0.0.5:7700", "https://cellar:7701", "up", 0.21, 812, 9_100_000_000, 52_000_000_000, 1204,
    __version__, "", WORK,
)  # fmt: skip
FINDING = Finding("9c1d" * 16, "short", "Moanin'", 54_191_377, ("cellar", "attic"), ())
TOLD = (Told(ID, "cellar", "10.0.0.5:7700", 812, 0, ""),)
RING = model_of(ns, RingView, RingView(3, (NODE,), 1204, 0, 0, 0))
INVENTORY = model_of(ns, Inventory, Inventory(3, TOLD, 1204, 1204, 3611, (FINDING,), None))
BEGUN = model_of(ns, Begun, Begun(ID, "leave"))
OWNERS = model_of(ns, Owners, Owners(ID, (Owner(ID, "10.0.0.5:7700"),)))
HEALTH = model_of(ns, Health, Health("ok", "cellar", __version__, True, "", ("opus", "mp3", "aac")))
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


@ns.route("/ring/inventory")
class InventoryResource(Resource):
    """All files."""

    @ns.doc("inventory")
    @ns.param("limit", "Files of one node on a page", type=int, default=FILES, minimum=1, maximum=FILES_LIMIT)
    @ns.param("cursor", "`next_cursor` of the page before")
    @ns.response(200, "A part of all files, in order of key", INVENTORY)
    def get(self) -> Inventory:
        """Walk around the ring, ask every node for its files, and compare them with the catalogue.

        Only what is not as it should be is listed, so that a page may be empty; the last one has no `next_cursor`.
        Nodes that could not be asked are named: what only they hold is missing here.
        """
        limit = inputs.whole("limit", FILES)
        if not 1 <= limit <= FILES_LIMIT:
            raise Invalid(f"limit must be between 1 and {FILES_LIMIT}", "limit")
        return self.gateway.steward.inventory(inputs.text("cursor", CURSOR_LIMIT), limit)


of_a_node = ns.doc(
    params={"id": {"description": "The node's id, 64 hex digits", "in": "path"}},
    responses={404: "There is no such node", 409: "The node cannot do this now; `detail` says why"},
)


@ns.route("/ring/nodes/<id>/leave")
@of_a_node
class LeaveResource(Resource):
    """A node that leaves."""

    @ns.doc("leave")
    @ns.response(202, "It hands over its files, and ends when others hold them all", BEGUN)
    def post(self, id: str) -> tuple[Begun, int]:
        """Have a node leave its ring for good, without loss. Twice is harmless; the only node of a ring may not."""
        self.gateway.steward.leave(id)
        return Begun(id, "leave"), 202


@ns.route("/ring/nodes/<id>/expel")
@of_a_node
class ExpelResource(Resource):
    """A node that is no more."""

    @ns.doc("expel")
    @ns.param("force", "Also if the node answers, and could be asked to leave", type=bool, default=False)
    @ns.response(202, "Its copies count no more, and are made anew elsewhere", BEGUN)
    def post(self, id: str) -> tuple[Begun, int]:
        """Take a node that is down out of the ring for good, without waiting for its return.

        With an empty data folder the machine may join again. A node that answers is expelled only with `force`.
        """
        self.gateway.steward.expel(id, g.user.name, bool(inputs.flag("force")))
        return Begun(id, "expel"), 202


@ns.route("/ring/nodes/<id>/scrub")
@of_a_node
class ScrubResource(Resource):
    """A node that checks its files."""

    @ns.doc("scrub")
    @ns.response(202, "It reads them; `GET /ring` shows how far it is", BEGUN)
    def post(self, id: str) -> tuple[Begun, int]:
        """Have a node read and hash all its files again, now. Damaged ones are replaced by good copies."""
        self.gateway.steward.scrub(id)
        return Begun(id, "scrub"), 202


@ns.route("/health")
class HealthResource(Resource):
    """For load balancers and people."""

    @ns.doc("health")
    @ns.response(200, "The node serves", HEALTH)
    @ns.response(503, "The node is not in its ring (yet)", HEALTH)
    def get(self) -> tuple[Health, int]:
        """Is this node serving?"""
        health = replace(self.gateway.overview.health(), makes=self.gateway.transcoding.formats)
        return health, 200 if health.joined else 503


@ns.route("/version")
class VersionResource(Resource):
    """For clients that must know."""

    @ns.doc("version")
    @ns.response(200, "The versions", VERSION)
    def get(self) -> Version:
        """Which software and API answer here."""
        return Version(__version__, "v1")

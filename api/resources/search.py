"""Search across the whole library."""

from dataclasses import dataclass, field

from flask import g
from flask_restx import Namespace

from api import inputs
from api.models import model_of
from api.resources import Resource
from api.resources.albums import ALBUM, BLUES
from api.resources.artists import ARTIST
from api.resources.artists import MINGUS as CHARLES
from api.resources.playlists import EVENING
from api.resources.songs import MINGUS, SONG
from ringnode.catalogue.finding import LIMIT, Found
from ringnode.catalogue.search import QUERY_LIMIT
from ringnode.services.playlists import Playlist

ns = Namespace("search", "Search while somebody types", path="/")

AT_ONCE = 10


@dataclass(frozen=True)
class FoundForOne(Found):
    """What a search found, best first."""

    playlists: tuple[Playlist, ...] = field(
        default=(), metadata={"help": "Playlists that one may read, by name and description", "optional": True}
    )


for model in (SONG, ALBUM, ARTIST):
    ns.add_model(model.name, model)
EXAMPLE = FoundForOne((CHARLES,), (BLUES,), (MINGUS,), ("charles mingus",), (EVENING,))
FOUND = model_of(ns, FoundForOne, EXAMPLE, "Found")


@ns.route("/search")
class Search(Resource):
    """Everything that a text finds."""

    @ns.doc("search")
    @ns.param("q", "What was typed so far: words or beginnings of words, with or without accents, in any order",
              required=True, maxLength=QUERY_LIMIT)  # fmt: skip
    @ns.param("limit", "Most of each kind", type=int, default=AT_ONCE, minimum=1, maximum=LIMIT)
    @ns.response(200, "What was found", FOUND)
    def get(self) -> FoundForOne:
        """Artists, albums, songs and playlists that a text finds, those that are named so first.

        `suggestions` are other searches, where little was found and a word may be mistyped. With a ticket only those
        playlists are found that everybody may read.
        """
        query, limit = inputs.text("q", QUERY_LIMIT), inputs.whole("limit", AT_ONCE)
        found = self.gateway.browse.search(query, limit)
        reader = "" if g.by_ticket else g.user.name
        return FoundForOne(**vars(found), playlists=self.gateway.playlists.named(reader, query, limit))

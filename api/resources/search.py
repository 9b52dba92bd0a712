"""Search across the whole library."""

from flask_restx import Namespace

from api import inputs
from api.models import model_of
from api.resources import Resource
from api.resources.albums import ALBUM, BLUES
from api.resources.artists import ARTIST
from api.resources.artists import MINGUS as CHARLES
from api.resources.songs import MINGUS, SONG
from ringnode.catalogue.finding import LIMIT, Found
from ringnode.catalogue.search import QUERY_LIMIT

ns = Namespace("search", "Search while somebody types", path="/")

AT_ONCE = 10
for model in (SONG, ALBUM, ARTIST):
    ns.add_model(model.name, model)
FOUND = model_of(ns, Found, Found((CHARLES,), (BLUES,), (MINGUS,), ("charles mingus",)))


@ns.route("/search")
class Search(Resource):
    """Everything that a text finds."""

    @ns.doc("search")
    @ns.param("q", "What was typed so far: words or beginnings of words, with or without accents, in any order",
              required=True, maxLength=QUERY_LIMIT)  # fmt: skip
    @ns.param("limit", "Most of each kind", type=int, default=AT_ONCE, minimum=1, maximum=LIMIT)
    @ns.response(200, "What was found", FOUND)
    def get(self) -> Found:
        """Artists, albums and songs, those that are named so first; other searches where a word may be mistyped."""
        return self.gateway.browse.search(inputs.text("q", QUERY_LIMIT), inputs.whole("limit", AT_ONCE))

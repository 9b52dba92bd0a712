"""Artists: of songs, and of whole albums."""

from flask_restx import Namespace

from api import inputs
from api.models import model_of, page_of
from api.resources import Resource
from api.resources.albums import ALBUM, BLUES
from ringnode.catalogue.artists import SORTS, Artist, ArtistView, Filter
from ringnode.catalogue.paging import Page

ns = Namespace("artists", "Artists, by the tags of their songs")

MINGUS = Artist(
    BLUES.artist_id, "Charles Mingus", 118, 11, 3, 40_212.4, 4_300_121_004, True, "2026-01-01T12:00:00+00:00"
)
ns.add_model(ALBUM.name, ALBUM)
ARTIST = model_of(ns, Artist, MINGUS)
PAGE = page_of(ns, ARTIST, "Artist", MINGUS)
VIEW = model_of(ns, ArtistView, ArtistView(MINGUS, (BLUES,), ()))
WANTED = {
    "q": "Words to be found in the name; a word may be a beginning",
    "genre": "Name of a genre of one of the songs, in any case of letters",
    "has_albums": "Only those with albums of their own, or only guests",
    "added_since": "With a song uploaded then or later: ISO 8601, in UTC if it names no zone",
}


@ns.route("")
class Artists(Resource):
    """All artists."""

    @ns.doc("list_artists")
    @inputs.paged(ns, SORTS, "name")
    @inputs.filters(ns, Filter, WANTED)
    @ns.response(200, "A page", PAGE)
    def get(self) -> Page[Artist]:
        """Artists of songs or albums: all, or those that the filters leave."""
        return self.gateway.browse.artists(inputs.paging(SORTS), inputs.filter_of(Filter))


@ns.route("/<id>")
@ns.param("id", "The artist's id, 32 hex digits", "path")
class ArtistResource(Resource):
    """One artist."""

    @ns.doc("get_artist")
    @ns.response(200, "The artist", VIEW)
    @ns.response(404, "There is no such artist")
    def get(self, id: str) -> ArtistView:
        """An artist with the albums of the artist's own, and those of others where the artist appears."""
        return self.gateway.browse.artist(id)

"""Albums: the songs that belong together by their tags."""

from flask_restx import Namespace

from api import inputs
from api.models import model_of, page_of
from api.resources import Resource
from api.resources.songs import MINGUS, SONG
from ringnode.catalogue.albums import SORTS, Album, AlbumView, Filter
from ringnode.catalogue.paging import Page

ns = Namespace("albums", "Albums, by the tags of their songs")

BLUES = Album(
    "c5f0" * 8, "Blues & Roots", "Charles Mingus", "0b7e" * 8, 1960, 6, 1, 2310.7, 261_004_121, True, False,
    "2026-01-01T12:00:00+00:00",
)  # fmt: skip
ns.add_model(SONG.name, SONG)
ALBUM = model_of(ns, Album, BLUES)
PAGE = page_of(ns, ALBUM, "Album", BLUES)
VIEW = model_of(ns, AlbumView, AlbumView(BLUES, (MINGUS,)))
WANTED = {
    "q": "Words to be found in title or artist; a word may be a beginning",
    "artist": "Id or name of an artist: the albums of",
    "appears": "Id or name of an artist: albums of others that have songs of",
    "genre": "Name of a genre of one of the songs, in any case of letters",
    "year_from": "First year of release",
    "year_to": "Last year of release",
    "added_since": "With a song uploaded then or later: ISO 8601, in UTC if it names no zone",
    "has_cover": "Only those with a picture, or only those without",
    "compilation": "Only those of various artists, or only the others",
}


@ns.route("")
class Albums(Resource):
    """All albums."""

    @ns.doc("list_albums")
    @inputs.paged(ns, SORTS, "artist")
    @inputs.filters(ns, Filter, WANTED)
    @ns.response(200, "A page", PAGE)
    def get(self) -> Page[Album]:
        """Albums: all, or those that the filters leave. `sort=-added_at` gives the newest, `sort=random` any."""
        return self.gateway.browse.albums(inputs.paging(SORTS), inputs.filter_of(Filter))


@ns.route("/<id>")
@ns.param("id", "The album's id, 32 hex digits", "path")
class AlbumResource(Resource):
    """One album."""

    @ns.doc("get_album")
    @ns.response(200, "The album", VIEW)
    @ns.response(404, "There is no such album")
    def get(self, id: str) -> AlbumView:
        """An album with its songs, by disc and track."""
        return self.gateway.browse.album(id)

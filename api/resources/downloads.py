"""Many songs as one file."""

from collections.abc import Callable

from flask import g
from flask_restx import Namespace
from werkzeug.wrappers import Response

from api import inputs, zips
from api.models import File
from api.resources import Resource
from ringnode.errors import Invalid, NotFound
from ringnode.services.editing import Editing
from ringnode.services.reading import Source

ns = Namespace("downloads", "Many songs as one zip file, streamed", path="/")

AT_ONCE = 500
ID_CHARACTERS = 65  # with its comma
TAGS = ("original", "edited")
HEADERS = {
    "Content-Length": "Bytes of the zip; not with `tags=edited`",
    "Content-Disposition": "The name to save it under",
}
sends_zip = ns.doc(
    produces=["application/zip"],
    params={"tags": {"description": "`edited`: copies of the files with the edited fields in their tags, where the "
                     "format can carry them", "in": "query", "type": "string", "enum": TAGS, "default": TAGS[0]}},
    responses={200: ("The zip file", File, {"headers": HEADERS})},
)  # fmt: skip


def _edited(editing: Editing) -> Callable[[str], Source] | None:
    """What opens the files, if they are wanted with the edited tags."""
    return (lambda id: editing.open_edited(id)[0]) if inputs.choice("tags", TAGS) == "edited" else None


@ns.route("/songs/download")
class SongsDownload(Resource):
    """Any songs."""

    @ns.doc("download_songs")
    @sends_zip
    @ns.param("ids", f"Ids of songs, separated by commas, at most {AT_ONCE}", required=True)
    def get(self) -> Response:
        """Songs as a zip of files `artist - title`, as they were uploaded. A HEAD tells its length."""
        ids = list(dict.fromkeys(filter(None, inputs.text("ids", AT_ONCE * ID_CHARACTERS).split(","))))
        if not ids:
            raise Invalid("name songs by their ids, with commas between", "ids")
        found = self.gateway.library.several(ids)
        return zips.send(self.gateway.library, "Songs", zips.of_some(found), edited=_edited(self.gateway.editing))


@ns.route("/albums/<id>/download")
@ns.param("id", "The album's id, 32 hex digits", "path")
class AlbumDownload(Resource):
    """One album."""

    @ns.doc("download_album")
    @sends_zip
    @ns.response(404, "There is no such album")
    def get(self, id: str) -> Response:
        """An album as a zip of files `disc-track title`. A HEAD tells its length."""
        album, songs = self.gateway.browse.album(id).album, self.gateway.browse.songs_of_album(id)
        named = f"{album.artist} - {album.title}".strip(" -")
        return zips.send(self.gateway.library, named, zips.of_album(songs), edited=_edited(self.gateway.editing))


@ns.route("/playlists/<id>/download")
@ns.param("id", "The playlist's id, 16 hex digits", "path")
class PlaylistDownload(Resource):
    """One playlist."""

    @ns.doc("download_playlist")
    @sends_zip
    @ns.response(404, "There is no such playlist, or it is not shared with you")
    def get(self, id: str) -> Response:
        """A playlist as a zip of files `number artist - title` and an M3U8 file of them. A HEAD tells its length."""
        playlist = self.gateway.playlists.get(g.user.name, id)
        songs = self.gateway.playlists.songs(g.user.name, id)
        if not songs:
            raise NotFound("there is no song in this playlist")
        edited = _edited(self.gateway.editing)
        return zips.send(self.gateway.library, playlist.name, zips.of_list(songs), playlist=True, edited=edited)

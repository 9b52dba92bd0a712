"""Pictures of songs, albums and artists."""

import sys
from collections.abc import Iterator

from flask import g, request
from flask_restx import Namespace
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.wrappers import Response

from api import inputs, multipart, streaming
from api.models import File
from api.resources import Resource, unless_known
from ringnode.errors import Invalid
from ringnode.services.covers import PICTURE_BYTES, SIZES, UPLOAD_BYTES, Picture

ns = Namespace("covers", "Pictures of songs, albums and artists", path="/")

# what a file calls its picture is the uploader's word: nothing else is passed on
IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp")
CACHED = "private, max-age=600"  # another picture may be uploaded; then a 304 is all that asking again costs

sizes = ns.param(
    "size", f"Largest width and height in pixels, rounded up to one of {', '.join(map(str, SIZES))}; the picture is "
    "a JPEG then, and as it was without", type=int, minimum=1, maximum=SIZES[-1],
)  # fmt: skip
sends_picture = ns.doc(produces=["image/*", "application/octet-stream"])
shows = ns.response(200, "The picture", File, headers={"ETag": "Changes with the picture and its size"})
known = ns.response(304, "The client has it already")
takes_picture = ns.doc(consumes=list(IMAGES))
kept = ns.response(204, f"The picture is kept, as a JPEG of at most {PICTURE_BYTES >> 10} KiB")
removed = ns.response(204, "The uploaded picture is gone; one in a file stays")
too_large = ns.response(413, f"The picture is larger than {UPLOAD_BYTES >> 20} MiB")
not_taken = ns.response(415, "The body is not sent as a picture")
of_song = ns.param("id", "The song's id, 64 hex digits", "path")
of_album = ns.param("id", "The album's id, 32 hex digits", "path")
of_artist = ns.param("id", "The artist's id, 32 hex digits", "path")


class Shown(Resource):
    """What sends pictures."""

    def send(self, picture: Picture) -> Response:
        """The picture in the size asked for, or the news that the client has it."""
        size = inputs.whole("size", 0)
        if "size" in request.args and not 1 <= size <= SIZES[-1]:
            raise Invalid(f"size must be between 1 and {SIZES[-1]}", "size")
        tag = f"{picture.version}-{size}"
        headers = {"ETag": f'"{tag}"', "Cache-Control": CACHED}
        if streaming.unchanged(tag):
            return Response(status=304, headers=headers)
        cover = self.gateway.covers.read(picture, size)
        mime = cover.mime if cover.mime in IMAGES else "application/octet-stream"
        return Response(cover.data, headers=headers, content_type=mime)


def _picture() -> Iterator[bytes]:
    if request.mimetype not in IMAGES:
        raise UnsupportedMediaType(f"send a picture as {', '.join(IMAGES)}")
    request.max_content_length = sys.maxsize  # here the service's own limit counts
    return multipart.pieces(request.stream)


@ns.route("/songs/<id>/cover")
@of_song
class SongCover(Shown):
    """A song's picture."""

    @ns.doc("cover_of_song")
    @sends_picture
    @sizes
    @unless_known
    @shows
    @known
    @ns.response(404, "There is no such song, or it has no picture")
    def get(self, id: str) -> Response:
        """The picture that was uploaded for the song, else the one in its file."""
        return self.send(self.gateway.covers.of_song(id))

    @ns.doc("put_cover_of_song")
    @takes_picture
    @ns.param("body", "The picture", "body", schema={"type": "string", "format": "binary", "example": "(bytes)"})
    @kept
    @too_large
    @not_taken
    def put(self, id: str) -> tuple[None, int]:
        """Give a song a picture. It is made smaller where it has to be, and loses its metadata."""
        self.gateway.covers.put_song(id, _picture(), g.user.name)
        return None, 204

    @ns.doc("delete_cover_of_song")
    @removed
    @ns.response(404, "There is no such song, or no picture was uploaded for it")
    def delete(self, id: str) -> tuple[None, int]:
        """Remove the picture that was uploaded for a song."""
        self.gateway.covers.remove(id)
        return None, 204


@ns.route("/albums/<id>/cover")
@of_album
class AlbumCover(Shown):
    """An album's picture."""

    @ns.doc("cover_of_album")
    @sends_picture
    @sizes
    @unless_known
    @shows
    @known
    @ns.response(404, "There is no such album, or it has no picture")
    def get(self, id: str) -> Response:
        """The picture that was uploaded for the album, else that of its first song that has one."""
        return self.send(self.gateway.covers.of_album(id))

    @ns.doc("put_cover_of_album")
    @takes_picture
    @ns.param("body", "The picture", "body", schema={"type": "string", "format": "binary", "example": "(bytes)"})
    @kept
    @too_large
    @not_taken
    def put(self, id: str) -> tuple[None, int]:
        """Give an album a picture. It is made smaller where it has to be, and loses its metadata."""
        self.gateway.covers.put_album(id, _picture(), g.user.name)
        return None, 204

    @ns.doc("delete_cover_of_album")
    @removed
    @ns.response(404, "No picture was uploaded for such an album")
    def delete(self, id: str) -> tuple[None, int]:
        """Remove the picture that was uploaded for an album."""
        self.gateway.covers.remove(id)
        return None, 204


@ns.route("/artists/<id>/cover")
@of_artist
class ArtistCover(Shown):
    """An artist's picture."""

    @ns.doc("cover_of_artist")
    @sends_picture
    @sizes
    @unless_known
    @shows
    @known
    @ns.response(404, "There is no such artist, or no song of the artist has a picture")
    def get(self, id: str) -> Response:
        """The picture of the artist's newest album that has one, else of a song that has one."""
        return self.send(self.gateway.covers.of_artist(id))

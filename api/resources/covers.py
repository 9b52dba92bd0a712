"""Pictures of songs, albums and artists."""

import sys
from collections.abc import Callable, Iterator
from typing import TypeVar

from flask import g, request
from flask_restx import Namespace
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.wrappers import Response

from api import inputs, multipart, streaming
from api.models import File
from api.resources import Resource, sent_as, unless_known
from ringnode.errors import Invalid
from ringnode.services.covers import PICTURE_BYTES, SIZES, UPLOAD_BYTES, Picture

ns = Namespace("covers", "Pictures of songs, albums and artists", path="/")

# what a file calls its picture is the uploader's word: nothing else is passed on
IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp")
CACHED = "private, max-age=600"  # another picture may be uploaded; then a 304 is all that asking again costs

SIZE = {
    "in": "query", "type": "integer", "minimum": 1, "maximum": SIZES[-1],
    "description": f"Largest width and height in pixels, rounded up to one of {', '.join(map(str, SIZES))}; the"
    " picture is a JPEG then, and as it was without",
}  # fmt: skip
PICTURE = {"in": "body", "required": True, "description": "The picture",
           "schema": {"type": "string", "format": "binary", "example": "(bytes)"}}  # fmt: skip
Method = TypeVar("Method")


def gets(what: str, missing: str) -> Callable[[Method], Method]:
    """Documents a GET of the picture of a song, an album or an artist."""
    shown = ("The picture", File, {"headers": {"ETag": "Changes with the picture and its size"}})
    answers = {200: shown, 304: "The client has it already", 404: missing}
    described = ns.doc(
        f"cover_of_{what}", produces=["image/*", "application/octet-stream"], params={"size": SIZE}, responses=answers
    )
    return lambda method: described(unless_known(method))


def puts(what: str) -> Callable[[Method], Method]:
    """Documents a PUT of one."""
    answers = {
        204: f"The picture is kept, as a JPEG of at most {PICTURE_BYTES >> 10} KiB",
        404: f"There is no such {what}",
        413: f"The picture is larger than {UPLOAD_BYTES >> 20} MiB",
        415: f"The body is not sent as {', '.join(IMAGES)}",
    }
    return ns.doc(f"put_cover_of_{what}", vendor=sent_as(*IMAGES), params={"body": PICTURE}, responses=answers)  # type: ignore[no-any-return]


def removes(what: str) -> Callable[[Method], Method]:
    """Documents a DELETE of one."""
    answers = {
        204: "The uploaded picture is gone; one in a file stays",
        404: f"There is no such {what}, or no picture was uploaded for it",
    }
    return ns.doc(f"delete_cover_of_{what}", responses=answers)  # type: ignore[no-any-return]


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

    @gets("song", "There is no such song, or it has no picture")
    def get(self, id: str) -> Response:
        """The picture that was uploaded for the song, else the one in its file."""
        return self.send(self.gateway.covers.of_song(id))

    @puts("song")
    def put(self, id: str) -> tuple[None, int]:
        """Give a song a picture. It is made smaller where it has to be, and loses its metadata."""
        self.gateway.covers.put_song(id, _picture(), g.user.name)
        return None, 204

    @removes("song")
    def delete(self, id: str) -> tuple[None, int]:
        """Remove the picture that was uploaded for a song."""
        self.gateway.covers.remove(id)
        return None, 204


@ns.route("/albums/<id>/cover")
@of_album
class AlbumCover(Shown):
    """An album's picture."""

    @gets("album", "There is no such album, or it has no picture")
    def get(self, id: str) -> Response:
        """The picture that was uploaded for the album, else that of its first song that has one."""
        return self.send(self.gateway.covers.of_album(id))

    @puts("album")
    def put(self, id: str) -> tuple[None, int]:
        """Give an album a picture. It is made smaller where it has to be, and loses its metadata."""
        self.gateway.covers.put_album(id, _picture(), g.user.name)
        return None, 204

    @removes("album")
    def delete(self, id: str) -> tuple[None, int]:
        """Remove the picture that was uploaded for an album."""
        self.gateway.covers.remove(id)
        return None, 204


@ns.route("/artists/<id>/cover")
@of_artist
class ArtistCover(Shown):
    """An artist's picture."""

    @gets("artist", "There is no such artist, or no song of the artist has a picture")
    def get(self, id: str) -> Response:
        """The picture of the artist's newest album that has one, else of a song that has one."""
        return self.send(self.gateway.covers.of_artist(id))

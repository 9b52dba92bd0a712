"""Songs: adding, finding, hearing, editing, deleting."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from flask import g, request
from flask_restx import Namespace
from werkzeug.exceptions import LengthRequired
from werkzeug.wrappers import Response

from api import inputs, multipart, streaming
from api.models import Copies, File, model_of, page_of
from api.resources import Resource, unless_changed, unless_known, versioned
from ringnode.catalogue.model import EDITABLE, Song
from ringnode.catalogue.paging import Page
from ringnode.catalogue.songs import SORTS, Filter
from ringnode.errors import Invalid
from ringnode.services.library import Copy
from ringnode.services.transcoding import FORMATS

ns = Namespace("songs", "The songs of the library")

FILENAME_LIMIT = 1024
PICTURED = "-p"  # at the end of a song's ETag: an uploaded picture is a record of its own, yet the song tells of it

MINGUS = Song(
    id="9c1d" * 16, title="Moanin'", artist="Charles Mingus", artists=("Charles Mingus",), album="Blues & Roots",
    albumartist="Charles Mingus", track=3, tracks=6, disc=1, discs=1, date="1960-03", genres=("Jazz",),
    composers=("Charles Mingus",), duration_s=480.3, bitrate=902_000, sample_rate=44_100, channels=2, format="flac",
    mime="audio/flac", has_cover=True, size_bytes=54_191_377, filename="03 Moanin'.flac",
    added_at="2026-01-01T12:00:00+00:00", added_by="anna", track_gain_db=-6.2, track_peak=0.98,
)  # fmt: skip
COPY = Copy(
    "cellar", "7f3a" * 16, "10.0.0.5:7700", "https://cellar:7701", True,
    54_191_377, True, "2026-01-01T12:00:00+00:00", 0,
)  # fmt: skip
SONG = model_of(ns, Song, MINGUS)
PAGE_MODEL = page_of(ns, SONG, "Song", MINGUS)
EDIT = model_of(ns, Song, {"title": "Moanin'", "genres": ["Jazz", "Hard bop"]}, "SongEdit", EDITABLE)
COPIES = model_of(ns, Copies, Copies(3, (COPY,)))

WANTED = {
    "q": "Words to be found in title, artist, album, composer, genre or date; a word may be a beginning",
    "ids": "Ids, separated by commas: those of them that are there, in the order of `sort`",
    "artist": "Id or name of an artist: the songs of, and those on albums of",
    "album": "Id of an album",
    "genre": "Name of a genre, in any case of letters",
    "year_from": "First year of release",
    "year_to": "Last year of release",
    "format": "Container and codec in short, as in `format` of a song: mp3, flac ...",
    "added_since": "Uploaded then or later: ISO 8601, in UTC if it names no zone",
    "added_by": "Name of the user who uploaded it",
    "has_cover": "Only those with a picture, or only those without",
}

of_a_song = ns.doc(
    params={"id": {"description": "The song's id, 64 hex digits", "in": "path"}},
    responses={404: "There is no such song"},
)
SENT = {"ETag": "The id: the bytes never change", "Accept-Ranges": "bytes", "Content-Length": "Bytes sent"}
sends_file = ns.doc(
    produces=["audio/*", "application/octet-stream"],
    params={
        "Range": {"description": "One range: bytes=FIRST-LAST, bytes=FIRST- or bytes=-COUNT", "in": "header"},
        "If-Range": {"description": "An ETag: the whole file is sent if it is another", "in": "header"},
    },
    responses={
        200: ("The whole file", File, {"headers": SENT}),
        206: ("The range", File, {"headers": SENT | {"Content-Range": "bytes FIRST-LAST/SIZE"}}),
        304: "The client has it already",
        416: "The range is outside of the file",
    },
)


@ns.route("")
class Songs(Resource):
    """The library."""

    @ns.doc("list_songs")
    @inputs.paged(ns, SORTS, "artist")
    @inputs.filters(ns, Filter, WANTED)
    @ns.response(200, "A page", PAGE_MODEL)
    def get(self) -> Page[Song]:
        """Songs: all, or those that the filters leave. `sort=-added_at` gives the newest, `sort=random` any."""
        return self.gateway.browse.songs(inputs.paging(SORTS), inputs.filter_of(Filter))

    @ns.doc("add_song", vendor={"raw-body": "application/octet-stream"})
    @ns.param("file", "The file, as multipart/form-data; other fields are ignored", "formData", type="file")
    @ns.param("filename", "Name of the file, when the body is the file itself", maxLength=FILENAME_LIMIT)
    @ns.response(200, "The library had this very file already", SONG, headers={"Location": "URL of the song"})
    @ns.response(201, "The song is on as many disks as it needs", SONG, headers={"Location": "URL of the song"})
    @ns.response(400, "The multipart body is malformed")
    @ns.response(411, "The file itself is sent without its length: it could not be told from a half one")
    @ns.response(413, "The file is larger than the library takes")
    @ns.response(507, "The disks are full")
    def post(self) -> tuple[Song, int, dict[str, str]]:
        """Add a song file. Send multipart/form-data, or the bytes themselves with `?filename=` and Content-Length."""
        filename, chunks, size = _upload()
        song, new = self.gateway.library.add(chunks, filename, g.user.name, size)
        return song, 201 if new else 200, {"Location": f"{request.path.rstrip('/')}/{song.id}"}


@ns.route("/<id>")
@of_a_song
class SongResource(Resource):
    """One song."""

    @ns.doc("get_song")
    @unless_known
    @ns.response(200, "The song", SONG, headers={"ETag": "Version of the song"})
    @ns.response(304, "The song has not changed")
    def get(self, id: str) -> Any:
        """One song."""
        version = self.gateway.library.version(id)  # first: an old version with a newer song only costs a 412
        song = self.gateway.library.song(id)
        return versioned(song, version + PICTURED * song.has_cover)

    @ns.doc("edit_song")
    @unless_changed
    @ns.expect(EDIT)
    @ns.response(200, "The changed song", SONG)
    def patch(self, id: str) -> Song:
        """Change fields of a song; those not named stay. It can be undone."""
        changes = inputs.json_body("application/merge-patch+json")
        return self.gateway.editing.edit(g.user, id, changes, inputs.if_match(PICTURED))

    @ns.doc("delete_song")
    @unless_changed
    @ns.response(204, "It is gone on every node; its file goes later")
    def delete(self, id: str) -> tuple[None, int]:
        """Delete a song; an uploader their own, an admin any. It can be restored while its file is kept."""
        self.gateway.editing.delete(g.user, id, inputs.if_match(PICTURED))
        return None, 204


@ns.route("/<id>/stream")
@of_a_song
class SongStream(Resource):
    """A song's bytes, to be heard."""

    @ns.doc("stream_song")
    @sends_file
    @unless_known
    @ns.param("format", "Made from the file by ffmpeg, for what browsers cannot play", enum=list(FORMATS))
    @ns.response(501, "This node cannot make it; `makes` of `GET /health` says what it can")
    def get(self, id: str) -> Response:
        """The file's bytes, as they were uploaded, whole or a range of them; or another format of them."""
        song, name = self.gateway.library.song(id), inputs.choice("format", ("", *FORMATS))
        if not name:
            return streaming.send(song, lambda: self.gateway.library.open(id))
        made = self.gateway.transcoding.open(id, name)
        as_made = replace(song, id=f"{id}-{name}", size_bytes=made.size, mime=FORMATS[name].mime)
        return streaming.send_made(as_made, made)


@ns.route("/<id>/download")
@of_a_song
class SongDownload(Resource):
    """A song's bytes, to be kept."""

    @ns.doc("download_song")
    @sends_file
    @unless_known
    @ns.param("tags", "`edited`: a copy of the file with the edited fields in its tags, sent whole; the header "
              "`Tags-Written: false` says that this format cannot carry them", enum=["original", "edited"],
              default="original")  # fmt: skip
    def get(self, id: str) -> Response:
        """The file's bytes with a name to save them under, made of artist and title."""
        song = self.gateway.library.song(id)
        named = {"Content-Disposition": streaming.attachment(song), "Cache-Control": "private, no-cache"}
        if inputs.choice("tags", ("original", "edited")) == "edited":
            source, written = self.gateway.editing.open_edited(id)
            return streaming.send_whole(source, song.mime, named | {"Tags-Written": str(written).lower()})
        return streaming.send(song, lambda: self.gateway.library.open(id), named)


@ns.route("/<id>/copies")
@of_a_song
class SongCopies(Resource):
    """Where a song's file is."""

    @ns.doc("copies_of_song")
    @ns.response(200, "Its copies", COPIES)
    def get(self, id: str) -> Copies:
        """Every copy of the song's file on the nodes that answer."""
        return Copies(self.gateway.config.k, tuple(self.gateway.library.copies(id)))


def _upload() -> tuple[str, Iterator[bytes], int | None]:
    """Name, bytes and (if it is known) size of the file that is sent, before it is read."""
    request.max_content_length = sys.maxsize  # here the library's own limit counts
    if request.mimetype == "multipart/form-data":
        return *multipart.file_of(request.stream, request.mimetype_params.get("boundary", "")), None
    filename = inputs.text("filename", FILENAME_LIMIT)
    if not filename:
        raise Invalid("send multipart/form-data with a field `file`, or the file itself with ?filename=", "filename")
    if request.content_length is None:
        raise LengthRequired("send Content-Length, or multipart/form-data: a cut body cannot be told otherwise")
    return filename, multipart.pieces(request.stream), request.content_length

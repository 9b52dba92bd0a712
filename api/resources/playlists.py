"""Playlists: one's own, and those that others share."""

from typing import Any

from flask import g, request
from flask_restx import Namespace
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.wrappers import Response

from api import inputs, streaming
from api.models import File, model_of, page_of
from api.resources import Resource, sent_as, unless_changed, unless_known, versioned
from api.resources.songs import MINGUS
from ringnode.catalogue.model import Song
from ringnode.catalogue.paging import Page
from ringnode.catalogue.playlists import LISTS
from ringnode.errors import Invalid
from ringnode.services.playlists import AT_ONCE, FIELDS, NAME_LIMIT, Entry, Imported, Playlist

ns = Namespace("playlists", "Playlists, on every node; only the owner changes one")

M3U_LIMIT_BYTES = 8 << 20
M3U_MEDIA = ("audio/x-mpegurl", "audio/mpegurl", "application/vnd.apple.mpegurl", "application/x-mpegurl",
             "text/plain", "application/octet-stream")  # fmt: skip
M3U8 = "#EXTM3U\n#EXTINF:480,Charles Mingus - Moanin'\nBlues & Roots/03 Moanin'.flac\n"
EVENING = Playlist("5e0c" * 4, "anna", "Evening", "Slow ones", False, ("ben",), 12, 2710.5,
                   "2026-01-01T12:00:00+00:00", "2026-01-02T20:15:00+00:00")  # fmt: skip
ENTRY = Entry("90ab" * 4, MINGUS.id, MINGUS, "2026-01-02T20:15:00+00:00", "anna")
model_of(ns, Song, MINGUS)
PLAYLIST = model_of(ns, Playlist, EVENING)
PLAYLISTS = page_of(ns, PLAYLIST, "Playlist", EVENING)
EDIT = model_of(ns, Playlist, {"name": "Late evening", "readers": ["ben"]}, "PlaylistEdit", FIELDS)
ENTRY_MODEL = model_of(ns, Entry, ENTRY)
ENTRIES = page_of(ns, ENTRY_MODEL, "Entry", ENTRY)
IMPORTED = model_of(ns, Imported, Imported(EVENING, 12, ("Somebody/Unknown song.mp3", "01.mp3"), ("01.mp3",)))
AFTER = {"type": "string", "x-nullable": True, "description":
         "The entry behind which they stand then; \"\" for the start; null or absent for the end"}  # fmt: skip


def _texts(help: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string"}, "maxItems": AT_ONCE, "description": help}


NEW = ns.schema_model("NewPlaylist", {
    "type": "object", "required": ["name"], "example": {"name": "Evening", "songs": [MINGUS.id]}, "properties":
    EDIT.__schema__["properties"] | {"songs": _texts("Ids of its first songs")},
})  # fmt: skip
ADDED = ns.schema_model("AddedSongs", {
    "type": "object", "required": ["songs"], "example": {"songs": [MINGUS.id], "after": None},
    "properties": {"songs": _texts("Ids of songs; one may stand in a list several times"), "after": AFTER},
})  # fmt: skip
CHANGED = ns.schema_model("EntriesEdit", {
    "type": "object", "example": {"move": ["90ab" * 4], "after": ""},
    "properties": {
        "move": _texts("Ids of entries to move behind `after`, in this order"),
        "remove": _texts("Ids of entries to take out"),
        "after": AFTER,
    },
})  # fmt: skip
NAMED = ns.schema_model("Duplicate", {
    "type": "object", "example": {"name": "Evening, mine"},
    "properties": {"name": {"type": "string", "description": "Name of the copy; the same if absent"}},
})  # fmt: skip

of_a_playlist = ns.doc(
    params={"id": {"description": "The playlist's id, 16 hex digits", "in": "path"}},
    responses={404: "There is no such playlist, or it is not shared with you"},
)
takes_json = ns.doc(
    responses={
        400: "The body is not JSON",
        413: "The body is larger than 64 KiB",
        415: "The body is not sent as application/json",
    }
)
changes = ns.doc(responses={403: "It belongs to somebody else"})
LOCATION = {"Location": "URL of the playlist"}


@ns.route("")
class Playlists(Resource):
    """All that one may read."""

    @ns.doc("list_playlists")
    @inputs.paged(ns, list(LISTS.orders), LISTS.default)
    @ns.param("mine", "true: only my own; false: only those of others; both if absent", type=bool)
    @ns.response(200, "A page", PLAYLISTS)
    def get(self) -> Page[Playlist]:
        """My playlists, and those that others share with me."""
        asked = inputs.paging(list(LISTS.orders))
        return self.gateway.playlists.page(g.user.name, inputs.flag("mine"), asked)

    @ns.doc("create_playlist")
    @takes_json
    @ns.expect(NEW)
    @ns.response(201, "The new playlist", PLAYLIST, headers=LOCATION)
    @ns.response(409, "You have too many playlists")
    def post(self) -> tuple[Playlist, int, dict[str, str]]:
        """Make a playlist."""
        given = inputs.members("name", name=str, description=str, public=bool, readers=list, songs=list)
        made = self.gateway.playlists.create(g.user.name, given, _few(given.pop("songs", []), "songs"))
        return made, 201, _location(made)


@ns.route("/import")
class PlaylistImport(Resource):
    """Playlists of other programs."""

    @ns.doc("import_playlist", vendor=sent_as(*M3U_MEDIA))
    @ns.param("name", "Name of the new playlist", required=True, maxLength=NAME_LIMIT)
    @ns.param("body", "The file", "body", required=True,
              schema={"type": "string", "example": "#EXTM3U\n#EXTINF:215,ABBA - SOS\nS.mp3"})  # fmt: skip
    @ns.response(201, "The new playlist, and the lines for which no song was found", IMPORTED, headers=LOCATION)
    @ns.response(409, "You have too many playlists")
    @ns.response(413, "The file is larger than 8 MiB")
    @ns.response(415, f"The body is not sent as {', '.join(M3U_MEDIA)}")
    def post(self) -> tuple[Imported, int, dict[str, str]]:
        """Make a playlist from an M3U or M3U8 file.

        Songs are found by id, by artist, title and length, or by the file's name.
        """
        if (
            request.mimetype and request.mimetype not in M3U_MEDIA
        ):  # a form's boundaries would pass for names of files
            raise UnsupportedMediaType(f"send the file itself, as one of {', '.join(M3U_MEDIA)}")
        name = inputs.text("name", NAME_LIMIT)
        if not name:
            raise Invalid("give the new playlist a ?name=", "name")
        request.max_content_length = M3U_LIMIT_BYTES
        imported = self.gateway.playlists.import_m3u(g.user.name, name, inputs.raw_body())
        return imported, 201, _location(imported.playlist)


@ns.route("/<id>")
@of_a_playlist
class PlaylistResource(Resource):
    """One playlist."""

    @ns.doc("get_playlist")
    @unless_known
    @ns.response(200, "The playlist", PLAYLIST, headers={"ETag": "Version of the playlist and its entries"})
    @ns.response(304, "The playlist has not changed")
    def get(self, id: str) -> Any:
        """One playlist, without its entries."""
        version = self.gateway.playlists.version(g.user.name, id)  # first: an old one only costs a 412
        return versioned(self.gateway.playlists.get(g.user.name, id), version)

    @ns.doc("edit_playlist")
    @takes_json
    @changes
    @ns.expect(EDIT)
    @unless_changed
    @ns.response(200, "The changed playlist", PLAYLIST)
    @ns.response(412, "The playlist has changed since")
    def patch(self, id: str) -> Playlist:
        """Rename, describe or share a playlist; fields not named stay."""
        changes = inputs.json_body("application/merge-patch+json")
        return self.gateway.playlists.edit(g.user.name, id, changes, inputs.if_match())

    @ns.doc("delete_playlist")
    @unless_changed
    @ns.response(204, "It is gone on every node")
    @ns.response(403, "It belongs to somebody else")
    @ns.response(412, "The playlist has changed since")
    def delete(self, id: str) -> tuple[None, int]:
        """Delete a playlist; its songs stay in the library."""
        self.gateway.playlists.delete(g.user.name, id, inputs.if_match())
        return None, 204


@ns.route("/<id>/entries")
@of_a_playlist
class Entries(Resource):
    """What is in a playlist. Changes at two nodes at once merge: nothing that was added is lost."""

    @ns.doc("list_entries")
    @inputs.paged(ns)
    @ns.response(200, "A page", ENTRIES)
    def get(self, id: str) -> Page[Entry]:
        """The entries in order."""
        return self.gateway.playlists.entries(g.user.name, id, inputs.paging())

    @ns.doc("add_entries")
    @takes_json
    @changes
    @ns.expect(ADDED)
    @ns.response(201, "The new entries, in order", [ENTRY_MODEL])
    @ns.response(409, "The list would become too long")
    def post(self, id: str) -> tuple[list[Entry], int]:
        """Add songs, at the end or behind an entry."""
        given = inputs.members("songs", songs=list, after=str | None)
        songs = _few(given["songs"], "songs")
        return self.gateway.playlists.add(g.user.name, id, songs, given.get("after")), 201

    @ns.doc("change_entries", vendor=sent_as("application/json"))
    @takes_json
    @changes
    @ns.expect(CHANGED)
    @ns.response(204, "Done")
    def patch(self, id: str) -> tuple[None, int]:
        """Move entries, or take them out."""
        given = inputs.members("", move=list, remove=list, after=str | None)
        moved, removed = _few(given.get("move", []), "move"), _few(given.get("remove", []), "remove")
        if not moved and not removed:
            raise Invalid("name entries to move or to remove", "move")
        if moved:
            self.gateway.playlists.move(g.user.name, id, moved, given.get("after"))
        if removed:
            self.gateway.playlists.remove(g.user.name, id, removed)
        return None, 204


@ns.route("/<id>/duplicate")
@of_a_playlist
class Duplicate(Resource):
    """A copy of one's own."""

    @ns.doc("duplicate_playlist")
    @takes_json
    @ns.expect(NAMED)
    @ns.response(201, "The copy", PLAYLIST, headers=LOCATION)
    @ns.response(409, "You have too many playlists")
    def post(self, id: str) -> tuple[Playlist, int, dict[str, str]]:
        """Copy a playlist that you may read into one of your own."""
        given = inputs.members("", name=str)
        made = self.gateway.playlists.duplicate(g.user.name, id, given.get("name", ""))
        return made, 201, _location(made)


@ns.route("/<id>/m3u8")
@of_a_playlist
class M3u(Resource):
    """For other programs."""

    @ns.doc("export_playlist")
    @ns.produces(["audio/x-mpegurl"])
    @ns.response(200, "An M3U8 file with the URLs of the songs' streams", File)
    def get(self, id: str) -> Response:
        """The playlist as an M3U8 file."""
        name = self.gateway.playlists.get(g.user.name, id).name
        text = self.gateway.playlists.export_m3u(g.user.name, id, request.host_url.rstrip("/"))
        headers = {"Content-Disposition": streaming.saved_as(name, "m3u8")}
        return Response(text, headers=headers, content_type="audio/x-mpegurl; charset=utf-8")


def _few(items: list[str], name: str) -> list[str]:
    if len(items) > AT_ONCE:
        raise Invalid(f"name at most {AT_ONCE} at once", name)
    return items


def _location(made: Playlist) -> dict[str, str]:
    return {"Location": f"/api/v1/playlists/{made.id}"}

"""Changing songs: many at once, undone, restored, read in another encoding; albums made one."""

from typing import Any

from flask import g, request
from flask_restx import Namespace

from api import inputs
from api.models import model_of
from api.resources import Resource
from api.resources.songs import MINGUS, SONG
from ringnode.catalogue.model import EDITABLE, Song
from ringnode.errors import Invalid
from ringnode.services.editing import AT_ONCE, ENCODINGS, Edit, Outcome, Reading

ns = Namespace("edits", "Changing songs; every change can be undone", path="/")

BODY_BYTES = 4 << 20  # of many changes at once
CHANGE = Edit("90ab" * 4, "2026-01-02T20:15:00+00:00", "anna", {"title": "Moanin"}, {"title": "Moanin'"})
READ = Reading(MINGUS.id, {"artist": "Êèíî"}, {"artist": "Кино"}, "")
model_of(ns, Song, MINGUS)
OUTCOME = model_of(ns, Outcome, Outcome(MINGUS.id, True, ""))
EDIT = model_of(ns, Edit, CHANGE)
READING = model_of(ns, Reading, READ)
FIELDS = {"type": "object", "description": f"Fields and their new values: {', '.join(EDITABLE)}"}
IDS = {"type": "array", "items": {"type": "string"}, "maxItems": AT_ONCE, "description": "Ids of songs"}


def _object(name: str, example: dict[str, Any], required: list[str], **properties: Any) -> Any:
    parts = {"type": "object", "example": example, "properties": properties}
    return ns.schema_model(name, parts | ({"required": required} if required else {}))


MANY = _object(
    "Edits", {"ids": [MINGUS.id], "changes": {"album": "Blues & Roots"}}, [], ids=IDS, changes=FIELDS,
    edits={"type": "array", "maxItems": AT_ONCE, "description": "Or a change for each song", "items": {
        "type": "object", "required": ["id", "changes"],
        "properties": {"id": {"type": "string", "description": "Id of the song"}, "changes": FIELDS},
    }},
)  # fmt: skip
SONGS = _object("SongIds", {"ids": [MINGUS.id]}, ["ids"], ids=IDS)
CHOICE = {"type": "string", "description": "Id of the change to undo; the last one if absent"}
UNDO = _object("Undo", {"edit": CHANGE.id}, [], edit=CHOICE)
CODEC = {"type": "string", "enum": list(ENCODINGS), "description": "How the tags may be meant"}
READ_AS = _object("ReadAs", {"ids": [MINGUS.id], "encoding": "cp1251"}, ["ids", "encoding"], ids=IDS, encoding=CODEC)
MERGE = _object("MergeAlbums", {"into": "c5f0" * 8, "albums": ["0b7e" * 8]}, ["into", "albums"],
                into={"type": "string", "description": "Id of the album that stays"},
                albums={"type": "array", "items": {"type": "string"}, "maxItems": AT_ONCE,
                        "description": "Ids of the albums that become part of it"})  # fmt: skip

takes_json = ns.doc(
    responses={
        400: "The body is not JSON",
        413: "The body is too large",
        415: "The body is not sent as application/json",
    }
)
of_a_song = ns.doc(
    params={"id": {"description": "The song's id, 64 hex digits", "in": "path"}},
    responses={404: "There is no such song, or nothing to do"},
)


@ns.route("/songs/edits")
class Edits(Resource):
    """Many songs."""

    @ns.doc("edit_songs")
    @takes_json
    @ns.expect(MANY)
    @ns.response(200, "What became of each song", [OUTCOME])
    def post(self) -> list[Outcome]:
        """Change many songs at once, all alike (`ids`, `changes`) or each in its own way (`edits`)."""
        request.max_content_length = BODY_BYTES
        given = inputs.members("", ids=list, changes=dict, edits=list[dict[str, Any]])
        edits = [(edit.get("id"), edit.get("changes")) for edit in given.get("edits", [])]
        if not all(isinstance(id, str) and isinstance(changes, dict) for id, changes in edits):
            raise Invalid("every edit needs an id and changes", "edits")
        alike = [(id, given.get("changes", {})) for id in given.get("ids", [])]
        return self.gateway.editing.edit_many(g.user, [*alike, *edits])


@ns.route("/songs/delete")
class Deletions(Resource):
    """Many songs."""

    @ns.doc("delete_songs")
    @takes_json
    @ns.expect(SONGS)
    @ns.response(200, "What became of each song", [OUTCOME])
    def post(self) -> list[Outcome]:
        """Delete many songs; an uploader their own, an admin any. They can be restored while their files are kept."""
        return self.gateway.editing.delete_many(g.user, inputs.members("ids", ids=list)["ids"])


@ns.route("/songs/restore")
class Restorations(Resource):
    """Many songs."""

    @ns.doc("restore_songs")
    @takes_json
    @ns.expect(SONGS)
    @ns.response(200, "What became of each song", [OUTCOME])
    def post(self) -> list[Outcome]:
        """Bring back deleted songs, with their fields, marks and places in playlists."""
        return self.gateway.editing.restore_many(g.user, inputs.members("ids", ids=list)["ids"])


@ns.route("/songs/encoding-preview")
class EncodingPreview(Resource):
    """Tags that say one encoding and mean another."""

    @ns.doc("preview_encoding")
    @takes_json
    @ns.expect(READ_AS)
    @ns.response(200, "What would change; nothing has. Send `after` as the changes of an edit", [READING])
    def post(self) -> list[Reading]:
        """How garbled fields read if the tags in the files are meant in another encoding."""
        given = inputs.members("ids encoding", ids=list, encoding=str)
        return self.gateway.editing.read_as(given["ids"], given["encoding"])


@ns.route("/songs/<id>/history")
@of_a_song
class History(Resource):
    """What was changed."""

    @ns.doc("history_of_song")
    @ns.response(200, "The last 50 changes, the newest first", [EDIT])
    def get(self, id: str) -> list[Edit]:
        """The changes of a song's fields."""
        return self.gateway.editing.history(id)


@ns.route("/songs/<id>/undo")
@of_a_song
class UndoResource(Resource):
    """What was changed by mistake."""

    @ns.doc("undo_edit")
    @takes_json
    @ns.expect(UNDO)
    @ns.response(200, "The song", SONG)
    @ns.response(409, "All that it changed was changed again since")
    def post(self, id: str) -> Song:
        """Undo a change. Fields changed since stay; an undo is a change itself, which can be undone."""
        return self.gateway.editing.undo(g.user, id, inputs.members("", edit=str).get("edit", ""))


@ns.route("/songs/<id>/restore")
@of_a_song
class RestoreResource(Resource):
    """What was deleted by mistake."""

    @ns.doc("restore_song")
    @ns.response(200, "The song", SONG)
    def post(self, id: str) -> Song:
        """Bring back a deleted song while its file is kept."""
        return self.gateway.editing.restore(g.user, id)


@ns.route("/albums/merge")
class MergeResource(Resource):
    """Albums that are one."""

    @ns.doc("merge_albums")
    @takes_json
    @ns.expect(MERGE)
    @ns.response(200, "What became of each song that had to be changed", [OUTCOME])
    @ns.response(404, "There is no such album")
    def post(self) -> list[Outcome]:
        """Make several albums one: their songs take over the album, the album artist and the release id of `into`.

        At most 500 songs are changed at once: where some are left, send it again with their albums.
        """
        given = inputs.members("into albums", into=str, albums=list)
        into, *others = (self.gateway.browse.album(id).songs for id in (given["into"], *given["albums"]))
        return self.gateway.editing.merge_albums(g.user, into, [song for some in others for song in some])

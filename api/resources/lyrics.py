"""Lyrics of songs."""

from flask import g, request
from flask_restx import Namespace
from werkzeug.exceptions import UnsupportedMediaType

from api import inputs
from api.models import model_of
from api.resources import Resource, sent_as
from ringnode.catalogue.lyrics import Line, Lyrics
from ringnode.services.lyrics import LANGUAGE_LIMIT

ns = Namespace("lyrics", "The words of songs", path="/")

TEXTS = ("text/plain", "application/x-lrc", "application/lrc")
HUM = Lyrics((Line(12_000, "Hum"), Line(15_400, "Hum again")), "Hum\nHum again", "eng", "file")
LYRICS = model_of(ns, Lyrics, HUM)


@ns.route("/songs/<id>/lyrics")
@ns.param("id", "The song's id, 64 hex digits", "path")
class LyricsResource(Resource):
    """The words of a song."""

    @ns.doc("lyrics_of_song")
    @ns.response(200, "The lyrics", LYRICS)
    @ns.response(404, "There is no such song, or its lyrics are not known")
    def get(self, id: str) -> Lyrics:
        """The lyrics that were uploaded, else those in the file, with the time of each line where it is known."""
        return self.gateway.words.of(id)

    @ns.doc("put_lyrics_of_song", vendor=sent_as(*TEXTS))
    @ns.param("body", "LRC (`[mm:ss.xx] line`) or plain text, UTF-8", "body", required=True,
              schema={"type": "string", "example": "[00:12.00] Hum\n[00:15.40] Hum again"})  # fmt: skip
    @ns.param("language", "Language of the words, as ISO 639 or BCP 47 name it", maxLength=LANGUAGE_LIMIT)
    @ns.response(200, "The lyrics as they are kept", LYRICS)
    @ns.response(413, "The text is too long")
    @ns.response(404, "There is no such song")
    @ns.response(415, f"The body is not sent as {', '.join(TEXTS)}")
    def put(self, id: str) -> Lyrics:
        """Give a song lyrics. They stand before those in its file."""
        if request.mimetype not in TEXTS:
            raise UnsupportedMediaType(f"send text as {', '.join(TEXTS)}")
        language = inputs.text("language", LANGUAGE_LIMIT)
        return self.gateway.words.put(id, inputs.raw_body(), language, g.user.name)

    @ns.doc("delete_lyrics_of_song")
    @ns.response(204, "The uploaded lyrics are gone; those in the file stay")
    @ns.response(404, "There is no such song, or no lyrics were uploaded for it")
    def delete(self, id: str) -> tuple[None, int]:
        """Remove the lyrics that were uploaded for a song."""
        self.gateway.words.remove(id)
        return None, 204

"""One's own: stars, ratings, plays, the queue that follows from device to device."""

from typing import Any

from flask import g, request
from flask_restx import Namespace

from api import inputs
from api.models import model_of, page_of
from api.resources import Resource
from api.resources.songs import MINGUS
from ringnode.catalogue.marks import ORDERS, RATING_LIMIT, THINGS
from ringnode.catalogue.model import Song
from ringnode.catalogue.paging import Page
from ringnode.errors import Invalid
from ringnode.services.listening import SONGS_LIMIT, Listener, Place, Queue
from ringnode.services.marks import AT_ONCE, ID_LIMIT, Marked, MarkedSong

ns = Namespace("me", "One's own stars, ratings, plays and queue, on every node", path="/")

QUEUE_BYTES = 256 << 10
AT = "2026-01-02T20:15:00+00:00"
MARK = Marked(MINGUS.id, AT, 5, 12, AT)
HEARD = MarkedSong(MINGUS.id, AT, 5, 12, AT, MINGUS)
HERE = Place(0, 71.5, "kitchen", "2026-01-02T20:15:00.123+00:00")
QUEUED = Queue(**vars(HERE), songs=(MINGUS.id,))
model_of(ns, Song, MINGUS)
MARKED = model_of(ns, Marked, MARK)
MARKED_PAGE = page_of(ns, MARKED, "Marked", MARK)
SONGS = page_of(ns, model_of(ns, MarkedSong, HEARD), "MarkedSong", HEARD)
QUEUE = model_of(ns, Queue, QUEUED)
PLACE = model_of(ns, Place, HERE)
QUEUE_EDIT = model_of(ns, Queue, {"songs": [MINGUS.id], "index": 0, "position_s": 71.5, "device": "kitchen"},
                      "QueueEdit", ("songs", "index", "position_s", "device"))  # fmt: skip
PLACE_EDIT = model_of(ns, Queue, {"index": 0, "position_s": 95.0}, "PlaceEdit", ("index", "position_s", "device"))
LISTENER = model_of(ns, Listener, Listener("anna", MINGUS, "kitchen", AT))


def _object(name: str, example: dict[str, Any], required: list[str], **properties: tuple[str, str]) -> Any:
    shown = {n: {"type": kind, "description": help} for n, (kind, help) in properties.items()}
    for schema in shown.values():
        schema |= {"items": {"type": "string"}} if schema["type"] == "array" else {}  # type: ignore[dict-item]
    parts = {"type": "object", "example": example, "properties": shown} | ({"required": required} if required else {})
    return ns.schema_model(name, parts)


WHAT = ("string", f"What they are: {', '.join(THINGS)}")
IDS = ("array", f"Their ids, at most {AT_ONCE}")
STARRED = _object("Starred", {"what": "song", "ids": [MINGUS.id], "starred": True}, ["what", "ids", "starred"],
                  what=WHAT, ids=IDS, starred=("boolean", "true sets stars, false takes them away"))  # fmt: skip
RATED = _object("Rated", {"what": "song", "ids": [MINGUS.id], "rating": 5}, ["what", "ids", "rating"],
                what=WHAT, ids=IDS, rating=("integer", f"1 to {RATING_LIMIT}; 0 takes ratings away"))  # fmt: skip
PLAY = _object("Play", {"song": MINGUS.id, "at": AT, "id": "phone-000123"}, ["song"],
               song=("string", "Id of the song"),
               at=("string", "When it was played, ISO 8601; now if absent. Plays may come late"),
               id=("string", "Any text of at most 64 characters: a play sent again with the same one counts once"),
               )  # fmt: skip
NOW = _object("NowPlaying", {"song": MINGUS.id, "device": "kitchen"}, ["song"],
              song=("string", "Id of the song; empty when nothing plays any more"),
              device=("string", "What the device calls itself"))  # fmt: skip

takes_json = ns.doc(
    responses={
        400: "The body is not JSON",
        413: "The body is too large",
        415: "The body is not sent as application/json",
    }
)


@ns.route("/me/songs")
class MySongs(Resource):
    """The library as one person has used it."""

    @ns.doc("my_songs")
    @inputs.paged(ns, list(ORDERS), "-played_at")
    @ns.param("starred", "true: only starred songs; false: only others", type=bool)
    @ns.param("played", "true: only songs played once or more; false: only those never played", type=bool)
    @ns.param("rating", "Only songs rated so or better", type=int, minimum=0, maximum=RATING_LIMIT)
    @ns.response(200, "A page", SONGS)
    def get(self) -> Page[MarkedSong]:
        """Songs with my marks: favourites, history, most played, never played.

        Starred `starred=true&sort=-starred_at`, most played `played=true&sort=-plays`, history `played=true`,
        top rated `rating=4&sort=-rating`, never played `played=false`.
        """
        starred, played, rating = inputs.flag("starred"), inputs.flag("played"), inputs.whole("rating", 0)
        asked = inputs.paging(list(ORDERS))
        if not (starred or played or rating):
            asked = asked._replace(order=asked.order or (("library", False),))
            if asked.order[0][0] != "library":
                raise Invalid("songs without marks have only the order `library`", "sort")
        return self.gateway.marks.songs(g.user.name, asked, starred, played, rating)


@ns.route("/me/marks")
class MyMarks(Resource):
    """One's marks on what a screen shows."""

    @ns.doc("my_marks")
    @ns.param("what", WHAT[1], required=True, enum=list(THINGS))
    @ns.param("ids", "Ids, separated by commas", required=True)
    @ns.response(200, "A mark for each id, in their order", [MARKED])
    def get(self) -> list[Marked]:
        """My stars, ratings and plays of some songs, albums or artists."""
        ids = inputs.text("ids", AT_ONCE * (ID_LIMIT + 1))
        return self.gateway.marks.on(g.user.name, inputs.text("what", 20), ids.split(",") if ids else [])


@ns.route("/me/stars")
class MyStars(Resource):
    """Favourites."""

    @ns.doc("my_stars")
    @inputs.paged(ns)
    @ns.param("what", WHAT[1], required=True, enum=list(THINGS))
    @ns.response(200, "A page, the last starred first", MARKED_PAGE)
    def get(self) -> Page[Marked]:
        """Ids of my starred songs, albums or artists."""
        return self.gateway.marks.starred(g.user.name, inputs.text("what", 20), inputs.paging())

    @ns.doc("star")
    @takes_json
    @ns.expect(STARRED)
    @ns.response(204, "Done; sending it again changes nothing")
    def post(self) -> tuple[None, int]:
        """Star songs, albums or artists, or take their stars away."""
        given = inputs.members("what ids starred", what=str, ids=list, starred=bool)
        self.gateway.marks.star(g.user.name, given["what"], given["ids"], given["starred"])
        return None, 204


@ns.route("/me/ratings")
class MyRatings(Resource):
    """From one to five."""

    @ns.doc("rate")
    @takes_json
    @ns.expect(RATED)
    @ns.response(204, "Done; sending it again changes nothing")
    def post(self) -> tuple[None, int]:
        """Rate songs, albums or artists."""
        given = inputs.members("what ids rating", what=str, ids=list, rating=int)
        self.gateway.marks.rate(g.user.name, given["what"], given["ids"], given["rating"])
        return None, 204


@ns.route("/me/plays")
class MyPlays(Resource):
    """What was heard."""

    @ns.doc("play")
    @takes_json
    @ns.expect(PLAY)
    @ns.response(200, "My marks on the song, this play counted", MARKED)
    def post(self) -> Marked:
        """Count a play (scrobble). Streaming alone counts nothing."""
        given = inputs.members("song", song=str, at=str, id=str)
        return self.gateway.marks.play(g.user.name, given["song"], given.get("at", ""), given.get("id", ""))


@ns.route("/me/queue")
class MyQueue(Resource):
    """What is being played, and where in it one is."""

    @ns.doc("my_queue")
    @ns.response(200, "The queue", QUEUE)
    def get(self) -> Queue:
        """My queue, wherever I wrote it last."""
        return self.gateway.listening.queue(g.user.name)

    @ns.doc("put_queue")
    @takes_json
    @ns.expect(QUEUE_EDIT)
    @ns.response(200, "Where in it I am", PLACE)
    def put(self) -> Place:
        """Replace my queue; fields not named are empty. At most 2,000 songs."""
        request.max_content_length = QUEUE_BYTES
        return self.gateway.listening.put(g.user.name, inputs.json_body())

    @ns.doc("move_in_queue")
    @takes_json
    @ns.expect(PLACE_EDIT)
    @ns.response(200, "Where in it I am", PLACE)
    @ns.response(409, "Another device has replaced it")
    def patch(self) -> Place:
        """Say where in my queue I am: cheap, to be sent every few seconds."""
        return self.gateway.listening.move(g.user.name, inputs.json_body("application/merge-patch+json"))


@ns.route("/me/now-playing")
class MyNow(Resource):
    """For the others in the house."""

    @ns.doc("now_playing")
    @takes_json
    @ns.expect(NOW)
    @ns.response(204, "Noted; it is forgotten when the song must be over")
    def put(self) -> tuple[None, int]:
        """Say what I hear."""
        given = inputs.members("song", song=str, device=str)
        self.gateway.listening.hear(g.user.name, given["song"], given.get("device", ""))
        return None, 204


@ns.route("/now-playing")
class NowPlaying(Resource):
    """What is heard in the house."""

    @ns.doc("listeners")
    @ns.response(200, "Who hears what, the last first", [LISTENER])
    def get(self) -> list[Listener]:
        """Who is listening to what now; only those who say so."""
        return self.gateway.listening.listeners()


assert SONGS_LIMIT == 2000  # the docs above say it

"""News as server-sent events."""

from flask import current_app, g, request
from flask_restx import Namespace
from werkzeug.wrappers import Response

from api.limits import Slots
from api.models import File
from api.resources import Resource
from ringnode.errors import TooManyRequests
from ringnode.services.events import as_text

ns = Namespace("events", "What happens, as it happens", path="/events")

A_USERS = 4  # streams of one user at once: several devices, each with a page or two
SHARE = 8  # all streams together hold at most so many-th of the threads


@ns.route("")
class EventsResource(Resource):
    """The stream."""

    @ns.doc("watch_events")
    @ns.produces(["text/event-stream"])
    @ns.param("Last-Event-ID", "`id` of the last event seen, to miss none; browsers send it by themselves", "header")
    @ns.response(200, "The stream; it ends after 15 minutes, then come again with Last-Event-ID", File)
    @ns.response(429, "There are too many streams, of this user or in all")
    def get(self) -> Response:
        """Watch what happens.

        First comes `hello`, `resume` (nothing since Last-Event-ID was missed) or `reset` (too much was, or it was
        another node's: read all anew), which may also come later, if the client is too slow. Then:

        - `library`: `{kind, ids, more}`: songs, playlists, marks ... were made, changed or deleted, as far as one may
          read them; at most 100 ids, `more` if there are others.
        - `node`: `{id, name, state}`: a node is now up, suspect, down, leaving, left or expelled.
        - `upload`: `{id, filename, size_bytes, offset, state, song}`: an upload of one's own at this node.
        - `repair`: `{short, waiting, lost, todo, todo_bytes}`: songs (and bytes) this node has still to copy.

        As the HTML standard has it: `id: 3f1c-1204`, `event: library`,
        `data: {"kind": "song", "ids": ["9c1d..."], "more": false}`, and an empty line.

        News comes within a second or two. A comment every 15 seconds keeps the connection.
        """
        sessions, token, mine = self.gateway.sessions, g.token, f"user {g.user.name}"
        slots: Slots = current_app.extensions["streams"]
        slots.take(mine, A_USERS)
        try:
            slots.take("all", max(1, self.gateway.config.threads // SHARE))
        except TooManyRequests:
            slots.give_back(mine)
            raise
        last_id = request.headers.get("Last-Event-ID", "")
        news = self.gateway.events.watch(g.user, last_id, lambda: sessions.access(token).user)
        response = Response((as_text(event) for event in news), content_type="text/event-stream; charset=utf-8")
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Accel-Buffering"] = "no"  # nginx would hold them back

        def ended() -> None:
            slots.give_back(mine)
            slots.give_back("all")

        response.call_on_close(ended)
        return response

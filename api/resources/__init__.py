"""The resources, a module for each noun."""

from typing import TYPE_CHECKING, Any, cast

import flask_restx
from flask import current_app, g, request
from werkzeug.wrappers import Response

from api import inputs
from api.auth import TICKET

if TYPE_CHECKING:
    from ringnode.gateway import Gateway

JSON_LIMIT_BYTES = 64 << 10  # of every body but an upload's


_any = flask_restx.Namespace("any")
unless_changed = _any.param("If-Match", "An ETag: 412 if it has changed since", "header")
unless_known = _any.param("If-None-Match", "An ETag: 304 if the client's copy is still right", "header")


def sent_as(*media: str) -> dict[str, list[str]]:
    """For the `vendor` of an operation's documentation: what its body is sent as, where that is not JSON.

    `docs.py` makes it the operation's `consumes`, which Flask-RESTX has no way to say.
    """
    return {"consumes": list(media)}


def versioned(value: Any, version: str, status: int = 200) -> Any:
    """The answer with its version as its ETag, for `If-Match` of a later edit; 304 if the client has it already."""
    headers = {"ETag": f'"{version}"', "Cache-Control": "private, no-cache"}
    if request.method in ("GET", "HEAD") and request.if_none_match.contains_weak(version):
        return Response(status=304, headers=headers)
    return value, status, headers


class Resource(flask_restx.Resource):
    """Hands the services to a resource, and refuses query parameters that its method does not document."""

    @property
    def gateway(self) -> "Gateway":
        """The services."""
        return cast("Gateway", current_app.extensions["gateway"])

    def dispatch_request(self, *args: Any, **kwargs: Any) -> Any:
        """Check the query, then call the method."""
        method = getattr(self, "get" if request.method == "HEAD" else request.method.lower())
        params = getattr(method, "__apidoc__", {}).get("params", {})
        known = {name for name, param in params.items() if param.get("in") == "query"}
        inputs.only(known | {TICKET} if g.get("by_ticket") else known)
        return super().dispatch_request(*args, **kwargs)

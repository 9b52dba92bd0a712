"""The resources, a module for each noun."""

from typing import TYPE_CHECKING, Any, cast

import flask_restx
from flask import current_app, g, request

from api import inputs
from api.auth import TICKET

if TYPE_CHECKING:
    from ringnode.gateway import Gateway

JSON_LIMIT_BYTES = 64 << 10  # of every body but an upload's


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

"""Flask-RESTX as we use it: its Swagger, but our errors, our JSON, and no request to any other host."""

import base64
import hashlib
import re
from typing import Any

from flask import Flask, jsonify
from flask_restx import Api, Namespace
from flask_restx.apidoc import apidoc, ui_for
from werkzeug.utils import cached_property
from werkzeug.wrappers import Response

from api.auth import LISTENER, PUBLIC, TICKET, needed, takes_ticket
from api.errors import PROBLEMS
from api.models import Problem, model_of
from api.openapi import converted
from ringnode import __version__

DOCS = "/api/docs"
V1 = "/api/v1"
ABOUT = """\
Songs of a ring of nodes: every node answers for all of them.

Log in at `/auth/login` and send the token as `Authorization: Bearer TOKEN`. Errors are `application/problem+json`
(RFC 9457). Every answer has an `X-Request-ID`: the one you sent, if it is at most 64 letters, digits, `.`, `_` or
`-`, else a new one. What is not documented here, a query parameter or a field, is refused with 422. Every GET may
also be a HEAD."""
CSP = (
    "default-src 'none'; script-src 'self' {}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
BY_TICKET = {
    "name": TICKET, "in": "query", "type": "string",
    "description": "Of `POST /me/ticket`, where no login can be sent",
}  # fmt: skip
TITLES = {status: title for status, _, title in PROBLEMS.values()} | {
    304: "The client has it already",
    400: "The request is malformed",
    414: "The address is longer than 64 KiB. The HTTP server itself says so, without a body",
    415: "The body is not of a media type that is taken here",
    429: "Too many requests are under way at once, of this user or in all",
    500: "Something went wrong here",
    503: "The ring cannot answer now",
}
RETRY = {"Retry-After": {"type": "integer", "description": "Seconds to wait before the next try"}}


class Docs(Api):
    """The API's documentation and routes; who may call what and which errors come is taken from the tables."""

    def __init__(self, app: Flask) -> None:
        app.register_blueprint(apidoc, url_prefix=DOCS)  # its files under our path, not at the root
        app.extensions["restx"] = {"apidoc_registered": True}
        token = {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Bearer TOKEN"}
        basic = {"type": "basic", "description": "Name of the account and an app password"}
        login = {"authorizations": {"token": token, "basic": basic}, "security": [{"token": []}, {"basic": []}]}
        super().__init__(app, __version__, "ringnode", ABOUT, prefix=V1, doc=DOCS, **login)
        self.error_handlers.clear()  # theirs would show in the docs
        self.representation("application/json")(_json)
        model_of(self.default_namespace, Problem)

    def add_namespace(self, ns: Namespace, path: str | None = None) -> None:
        """Two models of one name would be documented as one of them."""
        for name, model in ns.models.items():
            known = self.models.get(name, model).__schema__.get("properties")
            assert known == model.__schema__.get("properties"), f"there are two models {name}"
        super().add_namespace(ns, path)

    def openapi(self) -> Response:
        """The same in OpenAPI 3, made once."""
        return _json(self._openapi, 200)

    @cached_property
    def _openapi(self) -> dict[str, Any]:
        return converted(self.__schema__)

    def error_router(self, original_handler: Any, error: Exception) -> Any:
        """Errors are answered in `errors.py` alone."""
        return original_handler(error)

    def render_doc(self) -> Response:
        """The page, with the hashes of its inline scripts: no other may run, nothing else may be asked."""
        html = ui_for(self)
        scripts = re.findall(r"<script[^>]*>(.+?)</script>", html, re.DOTALL)
        hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
        csp = CSP.format(" ".join(f"'sha256-{digest}'" for digest in hashes))
        return Response(html, mimetype="text/html", headers={"Content-Security-Policy": csp})

    @cached_property
    def __schema__(self) -> dict[str, Any]:
        schema: dict[str, Any] = super().__schema__
        schema["produces"].append("application/problem+json")
        for path, item in schema["paths"].items():
            rule = V1 + path.replace("{", "<").replace("}", ">")
            for method in set(item) - {"parameters"}:
                operation = item[method]
                if takes_ticket(method.upper(), rule):
                    operation.setdefault("parameters", []).append(BY_TICKET)
                parameters = item.get("parameters", []) + operation.get("parameters", [])
                _complete(operation, needed(method.upper(), rule), {p["name"]: p["in"] for p in parameters})
                if "x-consumes" in operation:
                    operation["consumes"] = operation.pop("x-consumes")
                elif method == "patch":
                    operation["consumes"] = ["application/json", "application/merge-patch+json"]
        return schema


def _complete(operation: dict[str, Any], role: str, parameters: dict[str, str]) -> None:
    """Add what holds for every operation: who may, and what may go wrong. `parameters`: name to place."""
    also = [422, 429, 500, 503]
    if role == PUBLIC:
        operation["security"] = []
    else:
        operation["description"] = f"{operation.get('description', '')}\n\nRole: {role}.".strip()
        also += [401] if role == LISTENER else [401, 403]
    also += [404] if "path" in parameters.values() else []
    also += [414] if "query" in parameters.values() else []
    also += [400, 413, 415] if "body" in parameters.values() else []
    also += [409, 412] if "If-Match" in parameters else []
    also += [304] if "If-None-Match" in parameters else []
    answers = operation["responses"]
    for status in also:
        answers.setdefault(str(status), {"description": TITLES[status]})
    for again in {"429", "503"} & set(answers):
        answers[again].setdefault("headers", RETRY)
    for status, answer in answers.items():
        if int(status) >= 400 and status != "414":
            answer.setdefault("schema", {"$ref": "#/definitions/Problem"})


def _json(data: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    response = jsonify(data)
    response.status_code = status
    response.headers.extend(headers or {})
    return response

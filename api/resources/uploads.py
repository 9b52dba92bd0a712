"""Resumable uploads: tus 1.0 (https://tus.io/protocols/resumable-upload), core and five of its extensions."""

import binascii
import sys
from base64 import b64decode
from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from flask import g, request
from flask_restx import Namespace
from werkzeug.exceptions import Locked, PreconditionFailed, UnsupportedMediaType
from werkzeug.wrappers import Response

from api import forwarding, inputs, multipart
from api.models import model_of
from api.resources import Resource, sent_as
from api.resources.songs import MINGUS
from ringnode.errors import Conflict, Elsewhere, Invalid
from ringnode.services.uploads import CHECKSUMS, KNOWN_AT_ONCE, Upload

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ns = Namespace("uploads", "Resumable uploads by tus 1.0, which every tus client speaks")

VERSION = "1.0.0"
TUS = {"Tus-Resumable": VERSION}
EXTENSIONS = "creation,creation-with-upload,checksum,termination,expiration"
BYTES = "application/offset+octet-stream"
DIGITS = 18
UPLOAD = Upload("7f3a90cd12ab-" + "5e0c" * 6, "03 Moanin'.flac", 54_191_377, 20_971_520, "open", "", False, "",
                "2026-01-01T12:00:00+00:00", "2026-01-02T12:00:07+00:00")  # fmt: skip
MODEL = model_of(ns, Upload, UPLOAD)
HASHES = ns.schema_model("Hashes", {
    "type": "object", "required": ["hashes"], "example": {"hashes": [MINGUS.id]},
    "properties": {"hashes": {"type": "array", "items": {"type": "string"}, "maxItems": KNOWN_AT_ONCE,
                              "description": "BLAKE3-256 of files, 64 hex digits each"}},
})  # fmt: skip
KNOWN = ns.schema_model("Known", {
    "type": "object", "required": ["known"], "example": {"known": [MINGUS.id]},
    "properties": {"known": {"type": "array", "items": {"type": "string"},
                             "description": "Those of them that are songs of the library, by their id"}},
})  # fmt: skip

EXPIRES = {"Upload-Expires": "When it will be forgotten unless it goes on"}
OFFSET = {"Upload-Offset": "Bytes that have arrived"}
DONE = {
    "Upload-Song": "Id of the song, when this was the end",
    "Upload-New": "true, or false if it was there already",
}
speaks_tus = ns.doc(
    params={"Tus-Resumable": {"in": "header", "description": "1.0.0", "required": True}},
    responses={412: "The client speaks another version of tus"},
)
takes_bytes = ns.doc(
    vendor=sent_as(BYTES),
    params={
        "Upload-Checksum": {
            "in": "header", "description": f"Of the bytes sent: one of {', '.join(CHECKSUMS)}, a space, base64",
        },
        "body": {"in": "body", "description": "Bytes of the file", "schema": {"type": "string", "format": "binary",
                                                                               "example": "fLaC..."}},
    },
    responses={
        409: "The upload is at another offset, or another request writes to it: ask with HEAD and go on there",
        413: "The file is larger than the library takes",
        415: f"The body is not sent as {BYTES}",
        422: "The file is no whole audio, and the upload is refused for good; or the request makes no sense",
        460: "The bytes are not what their checksum says: they were thrown away",
        507: "There is no room",
    },
)  # fmt: skip
of_an_upload = ns.doc(
    params={"id": {"description": "The upload's id", "in": "path"}},
    responses={404: "There is no such upload: begin it anew"},
)


def with_override(app: "WSGIApplication") -> "WSGIApplication":
    """The application where a POST to an upload may stand for a PATCH or a DELETE, as tus has it."""

    def call(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        method = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE")
        of_one = environ["REQUEST_METHOD"] == "POST" and str(environ["PATH_INFO"]).startswith("/api/v1/uploads/")
        if of_one and method in ("PATCH", "DELETE"):
            environ["REQUEST_METHOD"] = method
        return app(environ, start_response)

    return call


@ns.route("")
class Uploads(Resource):
    """One's uploads at this node."""

    @ns.doc("list_uploads")
    @ns.response(200, "The oldest first", [MODEL])
    def get(self) -> list[Upload]:
        """My uploads at this node: how far each is, and what became of those that ended within a day."""
        return self.gateway.uploads.mine(g.user.name)

    @ns.doc("tus_options")
    @ns.response(204, "The answer is in its headers", headers={"Tus-Extension": EXTENSIONS, "Tus-Max-Size": "Bytes"})
    def options(self) -> Response:
        """What this server can do of tus."""
        able = {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Checksum-Algorithm": ",".join(CHECKSUMS)}
        limit = str(self.gateway.config.upload_limit_bytes)
        return Response(status=204, headers=TUS | able | {"Tus-Max-Size": limit})

    @ns.doc("begin_upload")
    @speaks_tus
    @takes_bytes
    @ns.param("Upload-Length", "Bytes of the whole file", "header", required=True, type=int)
    @ns.param("Upload-Metadata", "`filename` and, after a space, the file's name in base64", "header", required=True)
    @ns.response(201, "Begun", headers={"Location": "URL of the upload", **OFFSET, **EXPIRES, **DONE})
    @ns.response(429, "Too many uploads are under way")
    def post(self) -> Response:
        """Begin an upload, with its first bytes or none. It stays for a day after its last byte."""
        _require_version()
        _no_limit()
        made = self.gateway.uploads.create(g.user.name, _filename(), _whole("Upload-Length"))
        location = {"Location": f"/api/v1/uploads/{made.id}"}
        if request.mimetype == BYTES:
            made = _append(self, made.id, 0)
        elif request.content_length:
            raise UnsupportedMediaType(f"send the bytes as {BYTES}")
        return _answer(made, 201, location)


@ns.route("/known")
class Known(Resource):
    """Before a byte is sent."""

    @ns.doc("known_files")
    @ns.expect(HASHES)
    @ns.response(200, "What is there; what is not named may still be there, and then costs nothing", KNOWN)
    @ns.response(400, "The body is not JSON")
    @ns.response(413, "The body is larger than 64 KiB")
    @ns.response(415, "The body is not sent as application/json")
    def post(self) -> dict[str, list[str]]:
        """Which of these files need not be uploaded?"""
        return {"known": self.gateway.uploads.known(inputs.members("hashes", hashes=list)["hashes"])}


@ns.route("/<id>")
@of_an_upload
class UploadResource(Resource):
    """One upload, at whichever node it was begun."""

    def dispatch_request(self, *args: Any, **kwargs: Any) -> Any:
        """Answer, or have the node answer that has the upload."""
        try:
            return super().dispatch_request(*args, **kwargs)
        except Elsewhere as there:
            return forwarding.hand_on(there)

    @ns.doc("get_upload")
    @ns.response(200, "The upload", MODEL)
    def get(self, id: str) -> Any:
        """How far an upload is, and what became of it."""
        return self.gateway.uploads.get(g.user.name, id)

    @ns.doc("ask_offset")
    @ns.response(200, "The answer is in its headers",
                 headers={"Upload-Length": "Bytes of the whole file", **OFFSET, **EXPIRES, **DONE})  # fmt: skip
    @ns.response(423, "It is becoming a song just now: ask again in a moment")
    def head(self, id: str) -> Response:
        """Where to go on."""
        try:
            upload = self.gateway.uploads.settled(g.user.name, id)
        except Conflict as error:
            raise Locked(str(error)) from error
        return _answer(upload, 200, {"Upload-Length": str(upload.size_bytes)})

    @ns.doc("go_on")
    @speaks_tus
    @takes_bytes
    @ns.param("Upload-Offset", "Where the bytes begin: as many as have arrived", "header", required=True, type=int)
    @ns.response(204, "They have arrived; with the last one the file is a song, as safe as one of POST /songs",
                 headers=OFFSET | EXPIRES | DONE)  # fmt: skip
    def patch(self, id: str) -> Response:
        """Send bytes. What arrives before a lost connection is kept.

        Where something on the way lets no PATCH pass: a POST with `X-HTTP-Method-Override: PATCH`.
        """
        _require_version()
        _no_limit()
        if request.mimetype != BYTES:
            raise UnsupportedMediaType(f"send the bytes as {BYTES}")
        return _answer(_append(self, id, _whole("Upload-Offset")), 204)

    @ns.doc("end_upload")
    @ns.response(204, "It is gone, its bytes too")
    @ns.response(409, "Something is being written")
    def delete(self, id: str) -> Response:
        """End an upload. A song that it became stays."""
        self.gateway.uploads.delete(g.user.name, id)
        return Response(status=204, headers=TUS)


def _answer(upload: Upload, status: int, more: dict[str, str] | None = None) -> Response:
    headers = TUS | {"Upload-Offset": str(upload.offset), "Cache-Control": "no-store"} | (more or {})
    headers["Upload-Expires"] = format_datetime(datetime.fromisoformat(upload.expires_at), usegmt=True)
    if upload.song:
        headers |= {"Upload-Song": upload.song, "Upload-New": str(upload.new).lower()}
    return Response(status=status, headers=headers)


def _append(resource: Resource, id: str, offset: int) -> Upload:
    checksum = request.headers.get("Upload-Checksum", "")
    pieces = multipart.pieces(request.stream)
    return resource.gateway.uploads.append(g.user.name, id, offset, pieces, checksum)


def _require_version() -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise PreconditionFailed(f"send Tus-Resumable: {VERSION}")


def _no_limit() -> None:
    request.max_content_length = sys.maxsize  # here the library's own limit counts


def _whole(header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        raise Invalid(f"{header} must be a whole number of bytes", header)
    return int(text)


def _filename() -> str:
    """Out of `key base64,key base64`."""
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        key, _, value = pair.strip().partition(" ")
        if key in ("filename", "name"):
            try:
                return b64decode(value, validate=True).decode("utf-8")
            except (binascii.Error, ValueError) as error:
                raise Invalid("the value of filename must be UTF-8 in base64", "Upload-Metadata") from error
    raise Invalid("name the file: Upload-Metadata: filename BASE64", "Upload-Metadata")

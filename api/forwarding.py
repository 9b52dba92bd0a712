"""Requests that only another node can answer, handed on to it: a client need not know which node has its upload."""

import http.client
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

from flask import current_app, request
from werkzeug.wrappers import Response

from api import multipart
from api.headers import request_id
from ringnode.errors import Elsewhere, PeerDown

MARK = "Ringnode-Forwarded"  # a request is handed on once: a wrong api_url must not make a circle
PASSED = ("authorization", "cookie", "content-type", "content-length", "tus-resumable")
BACK = ("content-type", "tus-resumable", "cache-control", "retry-after")
SILENT = "the node that has this upload does not answer: try again, or begin it anew"
TIMEOUT_S = 60.0  # of a silent connection; the end of an upload is storing it


def hand_on(there: Elsewhere) -> Response:
    """The other node's answer to this request. NotFound if it was handed on already, PeerDown without an answer."""
    if MARK in request.headers:
        raise there
    connection = _connected(there)
    headers = {k: v for k, v in request.headers if k.lower() in PASSED or k.lower().startswith("upload-")}
    headers |= {MARK: "1", "X-Request-ID": request_id()}
    body = multipart.pieces(request.stream) if request.content_length else None
    try:
        connection.request(request.method, request.path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise PeerDown(SILENT) from error
    finally:
        connection.close()
    back = {k: v for k, v in answer.getheaders() if k.lower() in BACK or k.lower().startswith("upload-")}
    return Response(data, answer.status, back)


def _connected(there: Elsewhere) -> http.client.HTTPSConnection:
    """To the other node, where its peers reach it, else where people do. PeerDown if neither lets us in.

    Among peers the ring's authority is proof enough, as on their other connections; a public name must be the node's.
    """
    authority = current_app.extensions["gateway"].config.tls / "ca.crt"
    peer = ssl.create_default_context(cafile=str(authority))
    peer.check_hostname = False
    public = ssl.create_default_context()
    public.load_verify_locations(authority)
    for door, context in ((there.inside, peer), (there.api, public)):
        url = urlsplit(door)
        if url.scheme == "https":
            connection = http.client.HTTPSConnection(url.hostname or "", url.port, timeout=TIMEOUT_S, context=context)
            with suppress(OSError):
                connection.connect()
                return connection
            connection.close()
    raise PeerDown(SILENT)

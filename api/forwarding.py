"""Requests that only another node can answer, handed on to it: a client need not know which node has its upload."""

import http.client
import ssl
from urllib.parse import urlsplit

from flask import current_app, request
from werkzeug.wrappers import Response

from api import multipart
from api.headers import request_id
from ringnode.errors import Elsewhere, PeerDown

MARK = "Ringnode-Forwarded"  # a request is handed on once: a wrong api_url must not make a circle
PASSED = ("authorization", "cookie", "content-type", "content-length", "tus-resumable")
BACK = ("content-type", "tus-resumable", "cache-control", "retry-after")
TIMEOUT_S = 60.0  # of a silent connection; the end of an upload is storing it


def hand_on(there: Elsewhere) -> Response:
    """The other node's answer to this request. NotFound if it was handed on already, PeerDown without an answer."""
    if MARK in request.headers or not there.api:
        raise there
    url = urlsplit(there.api)
    context = ssl.create_default_context()
    context.load_verify_locations(current_app.extensions["gateway"].config.tls / "ca.crt")
    connection = http.client.HTTPSConnection(url.hostname or "", url.port, timeout=TIMEOUT_S, context=context)
    headers = {k: v for k, v in request.headers if k.lower() in PASSED or k.lower().startswith("upload-")}
    headers |= {MARK: "1", "X-Request-ID": request_id()}
    body = multipart.pieces(request.stream) if request.content_length else None
    try:
        connection.request(request.method, request.path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise PeerDown(f"{there.api} has this upload and does not answer: try again, or begin it anew") from error
    finally:
        connection.close()
    back = {k: v for k, v in answer.getheaders() if k.lower() in BACK or k.lower().startswith("upload-")}
    return Response(data, answer.status, back)

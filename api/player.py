"""The player, as `make player` built it: its files, and its page for every address that is the player's own."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from api import errors

BUILT = Path(__file__).with_name("built")
PAGE = "/index.html"
HASHED = "/assets/"  # the build puts a hash of the content into these names
FOREVER, ASK = "public, max-age=31536000, immutable", "no-cache"
ENCODINGS = {"br": ".br", "gzip": ".gz", "": ""}  # best first
MIMES = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".json": "application/json", ".webmanifest": "application/manifest+json", ".svg": "image/svg+xml",
    ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8",
}  # fmt: skip
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; manifest-src 'self';"
    " worker-src 'self'; img-src 'self' data: blob:{0}; media-src 'self' blob:{0}; connect-src 'self'{0};"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
NOT_BUILT = """\
<!doctype html><html lang="en"><meta charset="utf-8"><title>ringnode</title><meta name="viewport" \
content="width=device-width"><h1>The player is not built yet</h1><p>This node answers, but it was installed without \
its web player. Run <code>make player</code> (it needs Node.js 20 and npm), then start the node again.</p>\
<p>The <a href="/api/docs">REST API and its documentation</a> are here.</p></html>
"""


@dataclass(frozen=True)
class File:
    """One file of the build. `bodies` are its bytes by content encoding."""

    mime: str
    cache: str
    etag: str
    bodies: dict[str, bytes]


def read(folder: Path) -> dict[str, File]:
    """The files of a build by their paths, read once: what is not among them cannot be asked for."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix in MIMES)
    return {f"/{path.relative_to(folder).as_posix()}": _file(path, folder) for path in paths}


def _file(path: Path, folder: Path) -> File:
    bodies = {
        name: packed.read_bytes()
        for name, suffix in ENCODINGS.items()
        if (packed := path.with_name(path.name + suffix)).exists()
    }
    hashed = f"/{path.relative_to(folder).as_posix()}".startswith(HASHED)
    etag = hashlib.blake2b(bodies[""], digest_size=16).hexdigest()
    return File(MIMES[path.suffix], FOREVER if hashed else ASK, etag, bodies)


def install(app: Flask, folder: Path = BUILT) -> None:
    """Answer what no route answers: a file of the build, else the player's page, which knows its own addresses."""
    files = read(folder)

    def answer(error: HTTPException) -> Response:
        name = request.path.rpartition("/")[2]
        if request.method not in ("GET", "HEAD") or request.path.startswith("/api/"):
            return errors.answer(error)
        if PAGE not in files:
            return Response(NOT_BUILT, mimetype="text/html") if request.path == "/" else errors.answer(error)
        if request.path not in files and "." in name:
            return errors.answer(error)  # a file of another build; the page would not do in its place
        return _send(files.get(request.path, files[PAGE]))

    app.register_error_handler(404, answer)


def _send(file: File) -> Response:
    encoding = next(name for name in ENCODINGS if name in file.bodies and (not name or _takes(name)))
    response = Response(file.bodies[encoding], content_type=file.mime)
    response.set_etag(file.etag + encoding)
    response.headers["Cache-Control"] = file.cache
    response.headers["Vary"] = "Accept-Encoding"
    if encoding:
        response.headers["Content-Encoding"] = encoding
    if file.cache == ASK:  # the page, and the worker, which fetches under its own policy
        response.headers["Content-Security-Policy"] = _policy()
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    return response.make_conditional(request)


def _takes(encoding: str) -> bool:
    return request.accept_encodings.quality(encoding) > 0


def _policy() -> str:
    """Nothing from other hosts but from the ring's nodes, where the player goes on when this one dies."""
    apis = current_app.extensions["gateway"].overview.apis()
    return CSP.format("".join(f" {api}" for api in sorted(apis)))

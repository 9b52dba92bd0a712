"""A song's bytes over HTTP: whole, one range, or the news that the client has them. RFC 9110, sections 13 and 14."""

import re
import unicodedata
from collections.abc import Callable
from urllib.parse import quote

from flask import request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response

from ringnode.catalogue.model import Song
from ringnode.services.reading import Source

FOREVER = "private, max-age=31536000, immutable"  # an id's bytes never change
RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII | re.IGNORECASE)
NAME_BYTES = 220  # file systems take 255, and an ending and perhaps a number come behind
SUFFIX_LIMIT = 10
UNSAFE = '/\\:*?"<>|%'  # in names, on one system or another; % confuses some browsers


def unchanged(tag: str) -> bool:
    """Does the client say that it has this version?"""
    return request.if_none_match.contains_weak(tag)


def send(song: Song, open_source: Callable[[], Source], headers: dict[str, str] | None = None) -> Response:
    """The answer to GET or HEAD; the source is opened only if its bytes are sent, and closed with the answer."""
    size, tag = song.size_bytes, f'"{song.id}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": FOREVER} | (headers or {})
    if unchanged(song.id):
        return Response(status=304, headers=headers)
    asked = request.headers.get("Range", "")
    if request.method == "HEAD" or request.headers.get("If-Range", tag) != tag:
        asked = ""
    part = byte_range(asked, size)
    start, end = part or (0, size)
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return Response(headers=headers, content_type=song.mime)
    if part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    source = open_source()
    response = Response(source.chunks(start, end), 206 if part else 200, headers, content_type=song.mime)
    response.call_on_close(lambda: source.__exit__(None, None, None))  # also if the client left before the first byte
    return response


def send_made(song: Song, source: Source) -> Response:
    """The answer from a source that is open; closed with the answer, or at once if no byte of it is sent."""
    try:
        response = send(song, lambda: source)
    except RequestedRangeNotSatisfiable:
        source.__exit__(None, None, None)
        raise
    response.call_on_close(lambda: source.__exit__(None, None, None))
    return response


def send_whole(source: Source, mime: str, headers: dict[str, str]) -> Response:
    """All of a source that is made for this answer; it is closed with it."""
    headers = headers | {"Content-Length": str(source.size)}
    body = () if request.method == "HEAD" else source.chunks(0, source.size)
    response = Response(body, 200, headers, content_type=mime)
    response.call_on_close(lambda: source.__exit__(None, None, None))
    return response


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """Start and end (exclusive) of the one range asked for; RequestedRangeNotSatisfiable if it is outside.

    None for what must be ignored: other units, nonsense. Several ranges are answered with the whole file, as allowed.
    """
    match = RANGE.fullmatch(header)
    first, last = match.groups() if match else ("", "")
    if not first and not last:
        return None
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= end:
        raise RequestedRangeNotSatisfiable(size, description=f"the file has {size} bytes")
    return start, end


def attachment(song: Song) -> str:
    """Content-Disposition that saves a song as `artist - title.suffix`."""
    return saved_as(title_of(song), song.filename.rpartition(".")[2] if "." in song.filename else "", song.id)


def title_of(song: Song) -> str:
    """`artist - title`."""
    return f"{song.artist} - {song.title}" if song.artist else song.title


def saved_as(name: str, suffix: str, otherwise: str = "ringnode") -> str:
    """Content-Disposition that saves as `name.suffix` (RFC 6266); ASCII for old clients first."""
    stem, suffix = safe(name) or otherwise, safe(suffix)[:SUFFIX_LIMIT]
    plain = f"{_ascii(stem) or otherwise}.{_ascii(suffix)}".strip(".")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(f'{stem}.{suffix}'.strip('.'), safe='')}"


def safe(text: str) -> str:
    """Text as a file's name on any system; may be empty."""
    kept = "".join("_" if c in UNSAFE else c for c in text if c.isprintable()).strip(" .")
    return kept.encode()[:NAME_BYTES].decode("utf-8", "ignore").rstrip(" .")


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().strip(" .-")

"""One file out of a multipart body, as a stream: nothing is spooled before the library has it.

Strict RFC 2046 (lines end with CRLF). Werkzeug's streaming decoder is not used because (3.1.9) it adds a CR to the
file when a read ends between the last two dashes of the closing boundary.
"""

import re
from collections.abc import Iterator
from typing import IO

from werkzeug.exceptions import BadRequest
from werkzeug.http import parse_options_header

from ringnode.errors import Invalid, TooLarge

PIECE_BYTES = 256 << 10
OTHER_LIMIT_BYTES = 64 << 10  # headers or value of one field that is not the file
FIELDS_LIMIT = 16
FIELD = "file"
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")


def pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """The rest of a stream."""
    while data := stream.read(PIECE_BYTES):
        yield data


def file_of(stream: IO[bytes], boundary: str) -> tuple[str, Iterator[bytes]]:
    """Name and bytes of the one file in a multipart body. Its end is checked when the last piece is taken."""
    if not BOUNDARY.fullmatch(boundary):
        raise BadRequest("the multipart body has no valid boundary")
    parts = _Parts(stream, boundary)
    filename = parts.next_file()
    if filename is None:
        raise Invalid(f"there is no file in the field `{FIELD}`", FIELD)
    return filename, parts.only_file()


class _Parts:
    """A multipart body, read forward. The buffer is always just behind a delimiter between two calls."""

    def __init__(self, stream: IO[bytes], boundary: str) -> None:
        self._stream = stream
        self._delimiter = b"\r\n--" + boundary.encode()
        self._buffer = b"\r\n"  # the first delimiter may stand at the very beginning
        self._until(self._delimiter)

    def next_file(self) -> str | None:
        """Go to the bytes of the next file and return its name; None at the end of the body."""
        for _ in range(FIELDS_LIMIT):
            while len(self._buffer) < 2:
                self._read()
            if self._buffer.startswith(b"--"):
                return None
            name, filename = _names(self._until(b"\r\n\r\n"))
            if filename or name == FIELD:
                if name != FIELD:
                    raise Invalid(f"send the file in the field `{FIELD}`", FIELD)
                if not filename:
                    raise Invalid("the file has no name", FIELD)
                return filename
            self._until(self._delimiter)
        raise TooLarge(f"the body has more than {FIELDS_LIMIT} fields", FIELD)

    def only_file(self) -> Iterator[bytes]:
        """The bytes up to the next delimiter, after which no other file may come."""
        while (at := self._buffer.find(self._delimiter)) < 0:
            sure = max(0, len(self._buffer) - len(self._delimiter) + 1)
            if sure:
                yield self._buffer[:sure]
            self._buffer = self._buffer[sure:]
            self._read()
        if at:
            yield self._buffer[:at]
        self._buffer = self._buffer[at + len(self._delimiter) :]
        if self.next_file() is not None:
            raise Invalid("send one file at a time", FIELD)

    def _until(self, mark: bytes) -> bytes:
        """What stands before the mark, which is skipped."""
        while (at := self._buffer.find(mark)) < 0 and len(self._buffer) <= OTHER_LIMIT_BYTES:
            self._read()
        if not 0 <= at <= OTHER_LIMIT_BYTES:
            raise TooLarge(f"more than {OTHER_LIMIT_BYTES >> 10} KiB besides the file", FIELD)
        before, self._buffer = self._buffer[:at], self._buffer[at + len(mark) :]
        return before

    def _read(self) -> None:
        data = self._stream.read(PIECE_BYTES)
        if not data:
            raise Invalid("the body ends before its closing boundary: send it again", FIELD)
        self._buffer += data


def _names(head: bytes) -> tuple[str, str]:
    """Names of the field and of the file, if it is one, out of a part's headers and what ends the line before."""
    padding, *lines = head.decode("utf-8", "replace").split("\r\n")
    for line in lines if not padding.strip(" \t") else ():
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            options = parse_options_header(value)[1]
            return options.get("name", ""), options.get("filename", "")
    raise BadRequest("a part of the multipart body has no Content-Disposition")

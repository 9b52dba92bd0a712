"""Texts out of strangers' files, as a screen and a database can take them."""

import unicodedata
from contextlib import suppress

from ringnode.catalogue.model import TEXT_LIMIT


def meant(text: str, encoding: str) -> str:
    """Text whose bytes were taken for Latin-1."""
    with suppress(UnicodeError):
        return text.encode("latin-1").decode(encoding) if encoding else text
    return text


def clean(text: str) -> str:
    """Text as a screen and a database can take it; lines may end in it."""
    some = text[: 4 * TEXT_LIMIT].replace("\r\n", "\n").replace("\t", " ")  # the rest would only cost time
    kept = (c for c in some if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", "".join(kept)).strip()[:TEXT_LIMIT].rstrip()


def line(text: str) -> str:
    """The same in one line."""
    return clean(text).replace("\n", " ")

"""Finding by what people type: without accents, in any order of words, while they are still typing.

Three indexes over one normalised text, because none does it all: words by prefix; pieces of three characters for the
middle of words and for scripts without spaces; and plain comparison for one or two characters of those scripts,
which the pieces cannot see.
"""

import re
import unicodedata
from functools import lru_cache

from ringnode.catalogue.paging import Where

QUERY_LIMIT = 200  # characters; nobody types more to find a song
PIECE = 3
KEPT = 5000  # texts that were normalised last: the songs of an album have many in common
WORD = re.compile(r"[a-z0-9]+")

# Letters that NFKD does not take apart, but that people type without their strokes.
PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ß": "ss", "ı": "i", "ħ": "h", "ŋ": "n"}
)


@lru_cache(KEPT)
def normalise(text: str) -> str:
    """Text as it is compared: folded case, no accents, no punctuation, single spaces."""
    if text.isascii():  # most texts, at a tenth of the time
        return " ".join(WORD.findall(text.lower()))
    folded = unicodedata.normalize("NFKD", text.casefold()).casefold().translate(PLAIN)
    kept = (" " if not c.isalnum() else c for c in folded if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


def condition(query: str) -> tuple[str, list[str]]:
    """An SQL condition on `record.number`, and its values: every word must be found. ("", []) for no word."""
    words = normalise(query[:QUERY_LIMIT]).split()
    parts: list[str] = []
    values: list[str] = []
    for word in words:
        ways = ["SELECT rowid FROM search_word WHERE search_word MATCH ?"]
        values.append(f'"{word}"*')
        if len(word) >= PIECE:
            ways.append("SELECT rowid FROM search_piece WHERE search_piece MATCH ?")
            values.append(f'"{word}"')
        elif not word.isascii():
            ways.append("SELECT number FROM search WHERE text LIKE ?")
            values.append(f"%{word}%")
        parts.append(f"number IN ({' UNION '.join(ways)})")
    return " AND ".join(parts), values


def words_condition(column: str, query: str) -> tuple[str, list[str]]:
    """Like `condition`, for a small table: `column` is its normalised text with a space before every word."""
    parts, values = [], []
    for word in normalise(query[:QUERY_LIMIT]).split():
        parts.append(f"instr({column}, ?) > 0")
        values.append(f" {word}" if len(word) < PIECE and word.isascii() else word)
    return " AND ".join(parts), values


def words_where(column: str, query: str) -> Where | None:
    """The same, to be narrowed further; None if nothing can be found, for no sign of the query is a word's."""
    where = Where()
    if query:
        condition, values = words_condition(column, query)
        if not condition:
            return None
        where.add(condition, *values)
    return where

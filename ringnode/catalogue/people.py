"""Names of people as parts of keys."""

from urllib.parse import quote, unquote


def key_of(name: str) -> str:
    """Whose a record is: letter case does not matter, and no sign of it parts a key."""
    return quote(name.casefold(), safe="")


def name_of(key: str) -> str:
    """The name in a key, in small letters."""
    return unquote(key)

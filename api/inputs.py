"""What clients send besides files, parsed and checked. Invalid names the culprit."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, TypeVar

from flask import request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from ringnode.errors import Invalid

T = TypeVar("T")
NAME_SHOWN = 40  # characters of a wrong name that an answer repeats
DIGITS = 9
TEXT_LIMIT = 1024  # characters; no name or password is longer


def only(known: Iterable[str]) -> None:
    """Refuse query parameters that mean nothing here: a typo must not be ignored in silence."""
    known = set(known)
    for name, values in request.args.lists():
        if name not in known:
            raise Invalid(f"there is no query parameter {name[:NAME_SHOWN]!r} here", name[:NAME_SHOWN])
        if len(values) > 1:
            raise Invalid(f"{name} is given twice", name)


def whole(name: str, default: int) -> int:
    """A query parameter that is a number."""
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        raise Invalid(f"{name} must be a whole number", name)
    return int(text)


def text(name: str, limit: int) -> str:
    """A query parameter of at most `limit` characters, empty if it is not given."""
    given = request.args.get(name, "")
    if len(given) > limit:
        raise Invalid(f"{name} is longer than {limit} characters", name)
    return given


def json_body(*mimetypes: str) -> Any:
    """The body, sent as JSON."""
    if request.mimetype not in ("application/json", *mimetypes):
        raise UnsupportedMediaType("send this as application/json")
    if len(request.get_data()) >= (request.max_content_length or 0):  # one of unknown length was cut there
        raise RequestEntityTooLarge
    try:
        return request.get_json(force=True)
    except RecursionError as error:
        raise BadRequest("this JSON is nested too deeply") from error


def body(cls: type[T]) -> T:
    """The body as an instance of a dataclass of texts."""
    given = json_body()
    names = [f.name for f in fields(cls)]  # type: ignore[arg-type]
    if not isinstance(given, dict):
        raise Invalid(f"send an object with {' and '.join(names)}")
    for name in [*names, *given]:
        _check(name, given.get(name), name in names)
    return cls(**given)


def _check(name: str, value: Any, known: bool) -> None:
    if not known:
        raise Invalid(f"there is no field {name[:NAME_SHOWN]!r} here", name[:NAME_SHOWN])
    if not isinstance(value, str):
        raise Invalid(f"{name} must be text", name)
    if len(value) > TEXT_LIMIT:
        raise Invalid(f"{name} is longer than {TEXT_LIMIT} characters", name)
    if any("\ud800" <= c <= "\udfff" for c in value):
        raise Invalid(f"{name} is not Unicode text", name)

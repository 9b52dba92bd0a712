"""What clients send besides files, parsed and checked. Invalid names the culprit."""

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

from flask import request
from flask_restx import Namespace
from werkzeug.datastructures import ETags
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from ringnode.catalogue.paging import PAGE, PAGE_LIMIT, SORT_LIMIT, Asked, order_of
from ringnode.errors import Invalid

T = TypeVar("T")
NAME_SHOWN = 40  # characters of a wrong name that an answer repeats
DIGITS = 9
TEXT_LIMIT = 1024  # characters; no name or password is longer
CURSOR_LIMIT = 20_000  # characters: its longest is made of the longest artist, album and title
RANDOM = "random"
FILTER_LIMIT = 200  # characters of what a list is narrowed by
IDS_LIMIT = 200  # in a URL: 13 kB, which every proxy lets pass
ID_LIMIT = 64  # characters
SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: JSON can carry it, nothing else can


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


def choice(name: str, known: Sequence[str]) -> str:
    """A query parameter that is one of `known`; the first of them if it is not given."""
    given = request.args.get(name, known[0])
    if given not in known:
        raise Invalid(f"{name} must be one of: {', '.join(known)}", name)
    return given


def flag(name: str) -> bool | None:
    """A query parameter that is true or false; None if it is not given."""
    given = request.args.get(name)
    if given not in (None, "true", "false"):
        raise Invalid(f"{name} must be true or false", name)
    return None if given is None else given == "true"


def paged(ns: Namespace, sorts: Sequence[str] = (), default: str = "") -> Callable[[T], T]:
    """Documents the query parameters of a list that is sent in pages; `paging` reads them."""
    params: dict[str, dict[str, Any]] = {
        "limit": {"description": "Most items on a page", "type": "integer", "default": PAGE, "minimum": 1,
                  "maximum": PAGE_LIMIT},
        "cursor": {"description": "`next_cursor` of the page before, all else unchanged; from the start if absent"},
    }  # fmt: skip
    if sorts:
        names = ", ".join(f"`{name}`" for name in sorts)
        several = f"Up to {SORT_LIMIT} of {names}, separated by commas" if len(sorts) > 1 else names
        help = f"{several}; with `-` before it: from large to small"
        params["sort"] = {"description": help, "default": default}
    if RANDOM in sorts:
        params["seed"] = {"description": "Any whole number: each has a random order of its own", "type": "integer"}
    documented: Callable[[T], T] = ns.doc(params={name: {"in": "query"} | param for name, param in params.items()})
    return documented


def paging(sorts: Sequence[str] = ()) -> Asked:
    """What is asked of a list that is sent in pages. Invalid names the bad parameter."""
    order = order_of(text("sort", TEXT_LIMIT), sorts)
    return Asked(whole("limit", PAGE), text("cursor", CURSOR_LIMIT) or None, order, whole("seed", 0))


def if_match(ending: str = "") -> Container[str] | None:
    """The versions that the client wants to change, by the ETags of its If-Match; None if it does not say."""
    if "If-Match" not in request.headers:
        return None
    tags: Iterable[str | None] = request.if_match  # Werkzeug reads the empty tag, "", as None
    return ETags([(tag or "").removesuffix(ending) for tag in tags], star_tag=request.if_match.star_tag)


def ids(name: str) -> tuple[str, ...]:
    """A query parameter that names things by their ids, with commas between; none if it is not given."""
    given = text(name, IDS_LIMIT * (ID_LIMIT + 1))
    found = tuple(given.split(",")) if given else ()
    if len(found) > IDS_LIMIT:
        raise Invalid(f"{name} must be at most {IDS_LIMIT} ids with commas between", name)
    return found


def filters(ns: Namespace, cls: Any, helps: Mapping[str, str]) -> Callable[[T], T]:
    """Documents the query parameters that narrow a list, a field of `cls` each; `filter_of` reads them."""
    types: dict[Any, dict[str, Any]] = {
        int: {"type": "integer", "minimum": 0},
        str: {"type": "string", "maxLength": FILTER_LIMIT},
        tuple[str, ...]: {"type": "string", "maxLength": IDS_LIMIT * (ID_LIMIT + 1)},
    }
    params = {}
    for f in fields(cls):
        kind = types.get(f.type, {"type": "boolean"})
        params[f.name] = {"in": "query", "description": helps[f.name]} | kind
    documented: Callable[[T], T] = ns.doc(params=params)
    return documented


def filter_of(cls: type[T]) -> T:
    """What narrows a list, as an instance of a dataclass of texts, numbers and flags. Invalid names the bad one."""
    readers: dict[Any, Callable[[str], Any]] = {
        str: lambda name: text(name, FILTER_LIMIT), int: lambda name: whole(name, 0), bool | None: flag,
        tuple[str, ...]: ids,
    }  # fmt: skip
    return cls(**{f.name: readers[f.type](f.name) for f in fields(cls)})  # type: ignore[arg-type]


def json_body(*mimetypes: str) -> Any:
    """The body, sent as JSON."""
    if request.mimetype not in ("application/json", *mimetypes):
        raise UnsupportedMediaType("send this as application/json")
    raw_body()
    try:
        return request.get_json(force=True)
    except RecursionError as error:
        raise BadRequest("this JSON is nested too deeply") from error


def raw_body() -> bytes:
    """The body whole, up to the request's limit."""
    data = request.get_data()
    if len(data) >= (request.max_content_length or 0):  # one of unknown length was cut there
        raise RequestEntityTooLarge
    return data


SHOWN: dict[Any, str] = {
    str: "text", int: "a whole number", bool: "true or false", dict: "an object", list: "a list of texts",
    list[dict[str, Any]]: "a list of objects",
}  # fmt: skip


def members(needed: str, **kinds: Any) -> dict[str, Any]:
    """The body as an object with members of these types (`list`: of texts); only those named in `needed` must be."""
    given = json_body()
    if not isinstance(given, dict):
        raise Invalid(f"send an object with {', '.join(kinds)}")
    for name in (*needed.split(), *given):
        if name not in kinds:
            raise Invalid(f"there is no field {name[:NAME_SHOWN]!r} here", name[:NAME_SHOWN])
        if not _is_a(kinds[name], given.get(name)):
            raise Invalid(f"{name} must be {SHOWN.get(kinds[name], 'text or null')}", name)
    return given


def _is_a(kind: Any, value: Any) -> bool:
    if kind is list:
        return isinstance(value, list) and all(_is_a(str, item) for item in value)
    if kind == list[dict[str, Any]]:
        return isinstance(value, list) and all(isinstance(item, dict) for item in value)
    if isinstance(value, str):
        return isinstance(value, kind) and not SURROGATE.search(value)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def body(cls: type[T]) -> T:
    """The body as an instance of a dataclass of texts, whole numbers and booleans.

    Fields with a default may be absent. Invalid names every field that is wrong.
    """
    given = json_body()
    known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
    if not isinstance(given, dict):
        raise Invalid(f"send an object with {' and '.join(known)}")
    needed = [name for name, f in known.items() if f.default is MISSING]
    names = dict.fromkeys([*needed, *given])
    wrong = {name: why for name in names if (why := _wrong(name, known.get(name), given.get(name)))}
    if wrong:
        raise Invalid(next(iter(wrong.values())), next(iter(wrong)), wrong)
    return cls(**given)


def _wrong(name: str, known: "Field[Any] | None", value: Any) -> str:
    """What is wrong with a field; nothing if it is right."""
    if known is None:
        return f"there is no field {name[:NAME_SHOWN]!r} here"
    if known.type in (int, bool):
        kind = "true or false" if known.type is bool else f"a whole number below {10**DIGITS}"
        small = isinstance(value, bool) or (isinstance(value, int) and abs(value) < 10**DIGITS)
        return "" if type(value) is known.type and small else f"{name} must be {kind}"
    if not isinstance(value, str):
        return f"{name} must be text"
    if len(value) > TEXT_LIMIT:
        return f"{name} is longer than {TEXT_LIMIT} characters"
    if any("\ud800" <= c <= "\udfff" for c in value):
        return f"{name} is not Unicode text"
    return ""

"""The REST models: each from the one definition of what it shows, and the few shapes that only REST has."""

from dataclasses import MISSING, asdict, dataclass, field, fields
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from flask_restx import Namespace
from flask_restx.fields import Raw

from ringnode.catalogue.paging import Page
from ringnode.services.library import Copy

TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def model_of(ns: Namespace, cls: Any, example: Any = None, name: str = "", only: tuple[str, ...] = ()) -> Any:
    """A dataclass as a RESTX model, nested ones included; `help` of a field's metadata describes it.

    With `only`, some fields of it, none of them required.
    """
    hints = get_type_hints(cls)
    chosen = [f for f in fields(cls) if not only or f.name in only]
    schema = {
        "type": "object",
        "description": cls.__doc__,
        "properties": {f.name: _schema(ns, hints[f.name]) | {"description": f.metadata["help"]} for f in chosen},
        "required": [f.name for f in chosen if not only and not f.metadata.get("optional")],
        "example": example if isinstance(example, dict | None) else asdict(example),
    }
    return ns.schema_model(name or cls.__name__, {key: value for key, value in schema.items() if value})


def _schema(ns: Namespace, kind: Any) -> dict[str, Any]:
    if get_origin(kind) in (tuple, list):
        return {"type": "array", "items": _schema(ns, get_args(kind)[0])}
    if get_origin(kind) is dict:
        return {"type": "object", "additionalProperties": _schema(ns, get_args(kind)[1])}
    if kind is Any:
        return {}
    if isinstance(kind, UnionType):
        return _schema(ns, get_args(kind)[0]) | {"x-nullable": True}
    if get_origin(kind) is dict:
        return {"type": "object"}
    if kind in TYPES:
        return {"type": TYPES[kind]}
    model = ns.models.get(kind.__name__) or model_of(ns, kind)
    return {"$ref": f"#/definitions/{model.name}"}


def page_of(ns: Namespace, item: Any, name: str, example: Any) -> Any:
    """The model of a page of `item`, a model of this namespace, called `name`Page."""
    kinds: dict[str, dict[str, Any]] = {
        "items": {"type": "array", "items": {"$ref": f"#/definitions/{item.name}"}},
        "next_cursor": {"type": "string", "x-nullable": True},
        "total": {"type": "integer"},
    }
    schema = {
        "type": "object",
        "description": Page.__doc__,
        "properties": {f.name: kinds[f.name] | {"description": f.metadata["help"]} for f in fields(Page)},
        "required": list(kinds),
        "example": {"items": [asdict(example)], "next_cursor": "W1tbImFydGlzdCI", "total": 1204},
    }
    return ns.schema_model(f"{name}Page", schema)


def list_of(ns: Namespace, cls: Any, example: Any) -> Any:
    """The model of a list that is short enough to be sent whole, in an object with `items`."""
    item = ns.models.get(cls.__name__) or model_of(ns, cls, example)
    schema = {
        "type": "object",
        "description": "A list, whole.",
        "properties": {"items": {"type": "array", "items": {"$ref": f"#/definitions/{item.name}"},
                                 "description": "Its items"}},
        "required": ["items"],
        "example": {"items": [asdict(example)]},
    }  # fmt: skip
    return ns.schema_model(f"{cls.__name__}List", schema)


class File(Raw):
    """An answer that is a file's bytes."""

    __schema_type__ = "file"


def shown(help: str, default: Any = MISSING, **metadata: Any) -> Any:
    """A field with its one-line help; one with a default may be left out of what is sent."""
    absent = {} if default is MISSING else {"optional": True}
    return field(default=default, metadata={"help": help, **absent, **metadata})


@dataclass(frozen=True)
class Wrong:
    """One part of the input that is wrong."""

    field: str = shown("Its name")
    detail: str = shown("What is wrong with it, in a sentence for a person")


@dataclass(frozen=True)
class Problem:
    """What went wrong (RFC 9457)."""

    type: str = shown("Which problem it is: urn:ringnode:problem:NAME, stable")
    title: str = shown("The problem in words")
    status: int = shown("The HTTP status")
    detail: str = shown("What is wrong here, in a sentence for a person")
    field: str = shown("The part of the input that is to blame", optional=True)
    errors: tuple[Wrong, ...] = shown("All parts that are, where several are", optional=True)
    request_id: str = shown("To find the request in the node's log")


@dataclass(frozen=True)
class Credentials:
    """Who logs in."""

    username: str = shown("Name of the account; letter case does not matter")
    password: str = shown("Its password")


@dataclass(frozen=True)
class NewPassword:
    """Another password."""

    old_password: str = shown("The present one")
    new_password: str = shown("The new one, at least 8 characters")


@dataclass(frozen=True)
class Goodbye:
    """Who wants to be forgotten."""

    password: str = shown("The account's password")
    playlists: str = shown(
        "What becomes of one's playlists; needed if there are some: `delete`, `publish` (everybody can read them,"
        " nobody can change them) or `give` to another account",
        default="",
    )
    to: str = shown("With `give`: name of that account", default="")


@dataclass(frozen=True)
class NewAppPassword:
    """A password for one program."""

    name: str = shown("What it is for")


@dataclass(frozen=True)
class NewUser:
    """An account to be made."""

    name: str = shown("Name to log in with: 1 to 64 letters, digits, spaces and . - _ @")
    password: str = shown("Its password, at least 8 characters")
    role: str = shown("listener, uploader or admin", default="listener")
    display_name: str = shown("Name to be shown", default="")


@dataclass(frozen=True)
class Guest:
    """Who accepts an invitation."""

    name: str = shown("Name to log in with: 1 to 64 letters, digits, spaces and . - _ @")
    password: str = shown("A password, at least 8 characters")
    display_name: str = shown("Name to be shown", default="")


@dataclass(frozen=True)
class NewInvitation:
    """An invitation to be made."""

    role: str = shown("Role of the account that it will make: listener, uploader or admin", default="listener")
    days: int = shown("How long it holds, in days, 1 to 90", default=7)
    note: str = shown("For whom it is", default="")


@dataclass(frozen=True)
class Copies:
    """Where a song's file is."""

    wanted: int = shown("Copies there should be")
    copies: tuple[Copy, ...] = shown("Copies on the nodes that answer, owners first")


@dataclass(frozen=True)
class Owner:
    """A node that a key belongs to."""

    id: str = shown("The node's id, its position on the circle, 64 hex digits")
    address: str = shown("HOST:PORT at which peers reach it")


@dataclass(frozen=True)
class Owners:
    """The nodes that a key belongs to."""

    key: str = shown("The key asked for, 64 hex digits")
    owners: tuple[Owner, ...] = shown("The responsible node, then those after it on the circle")


@dataclass(frozen=True)
class Version:
    """Which software answers."""

    version: str = shown("Version of the software")
    api: str = shown("Version of this API")


@dataclass(frozen=True)
class Begun:
    """What a node was told to do; how far it is, `GET /ring` shows."""

    node: str = shown("The node's id, its position on the circle, 64 hex digits")
    does: str = shown("leave, scrub or expel")

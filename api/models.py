"""The REST models: each from the one definition of what it shows, and the few shapes that only REST has."""

from dataclasses import asdict, dataclass, field, fields
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
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _schema(ns, get_args(kind)[0])}
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


class File(Raw):
    """An answer that is a file's bytes."""

    __schema_type__ = "file"


def shown(help: str, **metadata: Any) -> Any:
    """A field with its one-line help."""
    return field(metadata={"help": help, **metadata})


@dataclass(frozen=True)
class Problem:
    """What went wrong (RFC 9457)."""

    type: str = shown("Which problem it is: urn:ringnode:problem:NAME, stable")
    title: str = shown("The problem in words")
    status: int = shown("The HTTP status")
    detail: str = shown("What is wrong here, in a sentence for a person")
    field: str = shown("The part of the input that is to blame", optional=True)
    request_id: str = shown("To find the request in the node's log")


@dataclass(frozen=True)
class Credentials:
    """Who logs in."""

    username: str = shown("Name of the account; letter case does not matter")
    password: str = shown("Its password")


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

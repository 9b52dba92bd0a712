"""How numbers and tables look to people; programs get JSON, with bytes and seconds as they are."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

PIPE_COLUMNS = 10_000  # nothing is cut where no window sets a width


def screen(stderr: bool = False) -> Console:
    """Standard output, for text that comes from others: nothing in it is taken as markup."""
    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = PIPE_COLUMNS
    return console


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns whose names begin with "#" hold numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name.lstrip("#"), justify="right" if name.startswith("#") else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(plain(str(value)) for value in row))
    screen().print(table)


def show_json(value: Any) -> None:
    """One line."""
    click.echo(json.dumps(value))


def plain(text: str) -> str:
    """Without what could steer the terminal, or is no character at all: names of files and songs are anybody's."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def size(count: int | None) -> str:
    """Bytes for people."""
    return "-" if count is None else decimal(count)


def length(seconds: float) -> str:
    """m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def counted(count: int, noun: str) -> str:
    """1 song, 2 songs; 1 copy, 2 copies."""
    many = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{count:,} {noun if count == 1 else many}"

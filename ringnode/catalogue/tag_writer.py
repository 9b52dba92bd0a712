"""Writes fields of a song into a file's tags: the counterpart of `tags.read`, with the same names."""

from typing import Any, BinaryIO

import mutagen
from mutagen.id3 import Frames
from mutagen.mp4 import MP4FreeForm

from ringnode.catalogue.tags import IN_ASF, IN_ID3, IN_MP4, NAMES, family_of

TOTALS = {"track": "tracks", "disc": "discs"}  # written beside one another where the family has no own name
PAIRS = {"trkn", "disk"}  # atoms of a number and a total
ITUNES = "----:com.apple.iTunes:"


def write(file: BinaryIO, filename: str, song: dict[str, Any], names: set[str]) -> bool:
    """Write the fields `names` of a song's document into the file. False if its format cannot carry them.

    Whatever else mutagen raises is the file's fault; the file is of no use then.
    """
    file.seek(0)
    audio = mutagen.File(fileobj=file, filename=filename)
    if audio is None:
        return False
    if audio.tags is None:
        audio.add_tags()
    wanted = {name.removesuffix("s") if name in TOTALS.values() else name for name in names} & NAMES.keys()
    for name in wanted:
        _put(audio.tags, family_of(audio.tags), name, song)
    file.seek(0)
    audio.save(file)
    return True


def _put(tags: Any, family: int, name: str, song: dict[str, Any]) -> None:
    where = NAMES[name][family].split("|")
    texts = _texts(name, song)
    if family == IN_ID3:
        total = song.get(TOTALS.get(name, ""))
        _put_frame(tags, where, [f"{texts[0]}/{total}"] if total and texts else texts)
    elif family == IN_MP4:
        _put_atom(tags, where[0], name, texts, song)
    else:
        values = {where[0]: texts} | {other: [] for other in where[1:]}
        if name in TOTALS:
            values |= {key: [] for key in NAMES[TOTALS[name]][family].split("|")}
            values[NAMES[TOTALS[name]][family].split("|")[0]] = _texts(TOTALS[name], song)
        for key, value in values.items():
            _put_text(tags, family, key, value)


def _texts(name: str, song: dict[str, Any]) -> list[str]:
    """A field's value as tags have it; none for what is unknown."""
    value = song.get(name)
    if isinstance(value, bool):
        return ["1"] if value else []
    if isinstance(value, float) or name.endswith(("_db", "_peak")):
        return [] if value is None else [f"{value:.2f} dB" if name.endswith("_db") else f"{value:.6f}"]
    return [str(item) for item in (value if isinstance(value, list) else [value]) if item]


def _put_frame(tags: Any, where: list[str], texts: list[str]) -> None:
    for other in where:
        tags.delall(other)
    frame, _, description = where[0].partition(":")
    if not texts:
        return
    if frame == "UFID":
        tags.add(Frames[frame](owner=description, data=texts[0].encode()))
    elif frame == "COMM":
        tags.add(Frames[frame](encoding=3, lang="XXX", desc="", text=texts))
    elif frame == "TXXX":
        tags.add(Frames[frame](encoding=3, desc=description, text=texts))
    else:
        tags.add(Frames[frame](encoding=3, text=texts))


def _put_atom(tags: Any, atom: str, name: str, texts: list[str], song: dict[str, Any]) -> None:
    free = len(atom) != 4
    key = ITUNES + atom if free else atom
    tags.pop(key, None)
    if atom in PAIRS:
        tags[key] = [(int(song.get(name) or 0), int(song.get(TOTALS[name]) or 0))]
    elif atom == "cpil":
        tags[key] = bool(texts)
    elif texts and atom == "tmpo":
        tags[key] = [int(song[name])]
    elif texts:
        tags[key] = [MP4FreeForm(text.encode()) for text in texts] if free else texts  # type: ignore[no-untyped-call]


def _put_text(tags: Any, family: int, key: str, texts: list[str]) -> None:
    for present in [present for present in tags.keys() if present.lower() == key.lower()]:  # noqa: SIM118
        del tags[present]
    if texts and key:
        tags[key] = texts if family == IN_ASF or len(texts) > 1 else texts[0]

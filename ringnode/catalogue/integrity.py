"""Does a file end early? What its own structure promises against what is there, without false alarms.

Mutagen reads the head of a file and reports the full length of one that was cut in the middle. Only what a format
states of itself is believed: sizes of chunks, pages and boxes, counts of bytes and samples.
"""

from collections.abc import Iterator
from typing import BinaryIO

from ringnode.errors import Invalid

TOLERANCE = 0.01  # taggers and encoders leave small lies in good files
SLACK_BYTES = 16 << 10
TAIL_BYTES = 1 << 17  # holds the last page or frame of what one finds in the wild
EXACT = ("vorbis", "opus", "speex", "oggflac", "alac")  # a page or box that is not whole was cut
COUNTED = ("mp3", "flac")  # what they promise is computed from counts, not written down
UNKNOWN_SIZES = (0, 0xFFFFFFFF)  # of files that were written as a stream


def check_whole(file: BinaryIO, kind: str) -> None:
    """Invalid if the file, of one of our formats, ends before its own structure says that it does."""
    file.seek(0, 2)
    size = file.tell()
    check = CHECKS.get(kind)
    promised = check(file, size) if check else size
    missing = promised - size
    if missing > (0 if kind in EXACT else max(SLACK_BYTES if kind in COUNTED else 0, promised * TOLERANCE)):
        amount = f"{missing / 1e6:.1f} of {promised / 1e6:.1f} MB" if missing > 5e4 else f"at least {missing} bytes"
        raise Invalid(f"the file ends early: {amount} are missing; upload it again from the original", "file")
    file.seek(0)


def _read(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length)


def _ogg(file: BinaryIO, size: int) -> int:
    """The end of the last page. Inside it a cut is certain; behind it the stream may or may not go on."""
    start = max(0, size - TAIL_BYTES)
    tail = _read(file, start, TAIL_BYTES)
    at = tail.rfind(b"OggS")
    while at >= 0:
        segments = tail[at + 26] if at + 27 <= len(tail) else 255
        table = tail[at + 27 : at + 27 + segments]
        if at + 4 < len(tail) and tail[at + 4] == 0:
            lacking = segments - len(table)
            return start + at + 27 + segments + sum(table) + lacking
        at = tail.rfind(b"OggS", 0, at)
    return size


def _chunks(file: BinaryIO, size: int, big: bool) -> int:
    """The end of the sound in a RIFF or IFF file."""
    at = 12
    while at + 8 <= size:
        head = _read(file, at, 8)
        length = int.from_bytes(head[4:], "big" if big else "little")
        if head[:4] in (b"data", b"SSND"):
            return size if length in UNKNOWN_SIZES else at + 8 + length
        at += 8 + length + length % 2
    return size


def _mp4(file: BinaryIO, size: int) -> int:
    """The end of the last of the boxes that follow one another."""
    at = 0
    while at + 8 <= size:
        head = _read(file, at, 16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:  # 0: to the end of the file
            return size
        at += length
    return at if at > size else size


def _mp3(file: BinaryIO, size: int) -> int:
    """What the Xing or Info frame counts, from that frame on."""
    head = _read(file, 0, 10)
    start = 0
    if head[:3] == b"ID3":
        for byte in head[6:10]:
            start = start << 7 | byte & 127
        start += 10
    frame = _read(file, start, 192)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0 or not frame[at + 7] & 2 if at + 8 <= len(frame) else True:
        return size
    at += 8 + (4 if frame[at + 7] & 1 else 0)
    return start + int.from_bytes(frame[at : at + 4], "big")


def _flac(file: BinaryIO, size: int) -> int:
    """From the number in the last frame's head: how long the file would be with all its samples."""
    head = _read(file, 0, 42)
    if head[:4] != b"fLaC":
        return size
    block, total = int.from_bytes(head[10:12], "big"), int.from_bytes(head[21:26], "big") & 0xFFFFFFFFF
    fixed = head[8:10] == head[10:12]
    start = max(0, size - TAIL_BYTES)
    reached = max(
        (n * block if fixed else n for n in _frame_numbers(_read(file, start, TAIL_BYTES), fixed)), default=0
    )
    reached += block
    return size if not total or not reached or reached >= total else size * total // reached


def _frame_numbers(tail: bytes, fixed: bool) -> Iterator[int]:
    """The numbers in the frame heads of a piece of FLAC; a head is believed if its checksum is right."""
    mark = b"\xff\xf8" if fixed else b"\xff\xf9"
    at = tail.find(mark)
    while at >= 0:
        number, end = _coded_number(tail, at + 4)
        end += {6: 1, 7: 2}.get(tail[at + 2] >> 4, 0) if at + 2 < len(tail) else 0
        end += {12: 1, 13: 2, 14: 2}.get(tail[at + 2] & 15, 0) if at + 2 < len(tail) else 0
        if number >= 0 and end < len(tail) and _crc8(tail[at:end]) == tail[end]:
            yield number
        at = tail.find(mark, at + 1)


def _coded_number(data: bytes, at: int) -> tuple[int, int]:
    """A number written as UTF-8 writes letters, and where it ends; -1 if it is none."""
    first = data[at] if at < len(data) else 0xFF
    if first < 0x80:
        return first, at + 1
    length = 8 - (~first & 0xFF).bit_length()
    if not 2 <= length <= 7:
        return -1, at
    number = first & (0x7F >> length)
    for byte in data[at + 1 : at + length]:
        number = number << 6 | byte & 63
    return number, at + length


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 7) & 0xFF if crc & 0x80 else crc << 1
    return crc


CHECKS = {
    **dict.fromkeys(("vorbis", "opus", "speex", "oggflac"), _ogg),
    **dict.fromkeys(("aac", "alac"), lambda file, size: _mp4(file, size) if _is_mp4(file) else size),
    "wav": lambda file, size: _chunks(file, size, big=False),
    "aiff": lambda file, size: _chunks(file, size, big=True),
    "mp3": _mp3,
    "flac": _flac,
}


def _is_mp4(file: BinaryIO) -> bool:
    return _read(file, 4, 4) == b"ftyp"

"""Does a file end early? What its own structure promises against what is there, without false alarms.

Mutagen reads the head of a file and reports the full length of one that was cut in the middle. Only what a format
states of itself is believed: sizes of chunks, pages and boxes, counts of bytes and samples.
"""

from collections.abc import Callable
from typing import BinaryIO, NamedTuple

from ringnode.catalogue.durations import ID3_HEAD, UNKNOWN_SIZES, flac_samples, id3_size, read_at, sound_chunk
from ringnode.errors import Invalid

PAGE_LIMIT = 1 << 17  # more than the largest page of Ogg
BOXES = frozenset(b"ftyp moov mdat free skip wide udta meta moof mfra sidx styp uuid pnot pdin".split())


def check_whole(file: BinaryIO, format: str) -> None:
    """Invalid if the file, of one of our formats, ends before its own structure says that it does."""
    size = file.seek(0, 2)
    check = CHECKS.get(format)
    if check:
        promised = check.promised(file, size)
        missing = promised - size
        if missing > max(check.slack_bytes, promised * check.share):
            amount = f"{missing / 1e6:.1f} of {promised / 1e6:.1f} MB"
            if missing < 1e5:  # would be shown as 0.0
                amount = f"{missing} bytes or more"
            raise Invalid(f"the file ends early: {amount} are missing; upload it again from the original", "file")
    file.seek(0)


def _ogg(file: BinaryIO, size: int) -> int:
    """The end of the last page. Inside it a cut is certain; behind it the stream may or may not go on."""
    start = max(0, size - PAGE_LIMIT)
    tail = read_at(file, start, PAGE_LIMIT)
    at = tail.rfind(b"OggS\0")
    if at < 0:
        return size
    segments = tail[at + 26] if at + 26 < len(tail) else 1
    table = tail[at + 27 : at + 27 + segments]
    return start + at + 27 + segments + sum(table)


def _chunks(file: BinaryIO, size: int, big: bool) -> int:
    """The end of the sound in a RIFF or IFF file."""
    start, length = sound_chunk(file, size, big)
    return size if length in UNKNOWN_SIZES else start + length


def _mp4(file: BinaryIO, size: int) -> int:
    """The end of the last of the boxes that follow one another; tags and junk behind them are none."""
    at = 0
    while at + 8 <= size:
        head = read_at(file, at, 16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:], "big")
        if length < 8 or head[4:8] not in BOXES:  # a length of 0: to the end of the file
            return size
        at += length
    return max(at, size)


def _mp3(file: BinaryIO, size: int) -> int:
    """What the Xing or Info frame counts, from that frame on."""
    start = id3_size(read_at(file, 0, ID3_HEAD))
    frame = read_at(file, start, 192)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    flags = frame[at + 7] if 0 <= at < len(frame) - 16 else 0
    if not flags & 2:
        return size
    at += 8 + (4 if flags & 1 else 0)
    return start + int.from_bytes(frame[at : at + 4], "big")


def _flac(file: BinaryIO, size: int) -> int:
    """From the number in the last frame's head: how long the file would be with all its samples."""
    promised, found, _ = flac_samples(file)
    if not promised or found is None:
        return size
    return size * promised // found if found else size + promised  # a byte a sample is near enough


class Check(NamedTuple):
    """How a format tells where it ends, and how much may be missing before that is believed."""

    promised: Callable[[BinaryIO, int], int]
    share: float = 0.0
    slack_bytes: int = 0


MP4 = Check(_mp4)
OGG = Check(_ogg)
CHECKS = {
    **dict.fromkeys(("vorbis", "opus", "speex", "oggflac"), OGG),
    **dict.fromkeys(("aac", "alac", "m4a"), MP4),  # AAC without a container has no boxes, and so promises nothing
    # Some programs round the size up.
    "wav": Check(lambda file, size: _chunks(file, size, big=False), slack_bytes=4096),
    "aiff": Check(lambda file, size: _chunks(file, size, big=True), slack_bytes=4096),
    # Taggers and editors leave small lies in good files.
    "mp3": Check(_mp3, share=0.01, slack_bytes=16 << 10),
    "flac": Check(_flac, share=0.01),
}

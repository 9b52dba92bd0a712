"""Exact lengths where a file's head does not tell them: by walking from frame to frame.

MPEG audio: ISO/IEC 11172-3 section 2.4.1.3 and 13818-3. ADTS: ISO/IEC 14496-3, 1.A.2.2.
"""

from typing import BinaryIO

HEAD = 4
ID3_HEAD = 10
MPEG_BITRATES = {  # kbit/s by (MPEG 1?, layer)
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
MPEG_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
ADTS_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
ADTS_SAMPLES = 1024


def mp3_seconds(file: BinaryIO) -> float:
    """Length of MPEG audio in seconds, 0.0 if no frame is found."""
    data = _audio(file)
    at, seconds = 0, 0.0
    while at + HEAD <= len(data):
        size, duration = _mpeg_frame(data, at)
        if size:
            seconds += duration
            at += size
        else:
            at = data.find(b"\xff", at + 1)  # junk between frames: look for the next one
            if at < 0:
                break
    return seconds


def _mpeg_frame(data: bytes, at: int) -> tuple[int, float]:
    """Bytes and seconds of the frame that begins here; (0, 0.0) if none does."""
    head = int.from_bytes(data[at : at + HEAD], "big")
    version, layer = head >> 19 & 3, 4 - (head >> 17 & 3)
    bitrate, rate, padding = head >> 12 & 15, head >> 10 & 3, head >> 9 & 1
    if head >> 21 != 0x7FF or version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return 0, 0.0
    bits = MPEG_BITRATES[version == 3, layer][bitrate] * 1000
    hertz = MPEG_RATES[version][rate]
    samples = 384 if layer == 1 else 576 if layer == 3 and version != 3 else 1152
    size = (12 * bits // hertz + padding) * 4 if layer == 1 else samples // 8 * bits // hertz + padding
    return size, samples / hertz


def aac_seconds(file: BinaryIO) -> float:
    """Length of AAC in ADTS frames in seconds, 0.0 if no frame is found."""
    data = _audio(file)
    at, seconds = 0, 0.0
    while at + 7 <= len(data):
        rate = data[at + 2] >> 2 & 15
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        if data[at] == 0xFF and data[at + 1] & 0xF6 == 0xF0 and rate < len(ADTS_RATES) and size >= 7:
            seconds += ADTS_SAMPLES * ((data[at + 6] & 3) + 1) / ADTS_RATES[rate]
            at += size
        else:
            at = data.find(b"\xff", at + 1)
            if at < 0:
                break
    return seconds


def _audio(file: BinaryIO) -> bytes:
    """The file without the tags before and behind its sound."""
    file.seek(0)
    data = file.read()
    start, end = 0, len(data)
    if data[:3] == b"ID3":
        size = 0
        for byte in data[6:ID3_HEAD]:
            size = size << 7 | byte & 127
        start = ID3_HEAD + size
    if data[-128:-125] == b"TAG":
        end -= 128
    if data[end - 32 : end - 24] == b"APETAGEX":
        end -= int.from_bytes(data[end - 20 : end - 16], "little")
    return data[start : max(start, end)]

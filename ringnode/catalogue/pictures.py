"""Pictures made smaller: the only door to Pillow. It runs in the tag reader's processes: pictures are strangers' too.

What comes out is a JPEG without any of the metadata that was in the picture, such as where it was taken.
"""

import io
from pathlib import Path

from PIL import Image, ImageOps

from ringnode.errors import Invalid

PIXELS = 50_000_000  # decoded they take 150 to 200 MB: fits the memory of the process
KINDS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")
QUALITY = 85
# What is tried where the result must not be larger than so many bytes: edge in pixels, quality.
STEPS = ((1024, 85), (1024, 75), (800, 75), (640, 70), (500, 60), (300, 50))


def shrink(source: str, target: str, edge: int) -> None:
    """Write the picture of one file to another, at most `edge` pixels wide and high. Invalid if it cannot be read."""
    Path(target).write_bytes(_jpeg(_read(source), edge, QUALITY))


def keep(source: str, target: str, most_bytes: int) -> None:
    """Write the picture of one file to another, in at most so many bytes. Invalid if it cannot be read."""
    picture = _read(source)
    tries = (_jpeg(picture, edge, quality) for edge, quality in STEPS)
    Path(target).write_bytes(next(data for data in tries if len(data) <= most_bytes))


def _read(source: str) -> Image.Image:
    try:
        with Image.open(source, formats=KINDS) as picture:
            if picture.width * picture.height > PIXELS:
                raise Invalid(f"the picture has more than {PIXELS // 1_000_000} million pixels", "file")
            needed = 2 * max(STEPS)[0]
            picture.draft("RGB", (needed, needed))  # a JPEG is decoded no larger than it has to be
            return _flat(ImageOps.exif_transpose(picture))
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise Invalid("this is no picture that can be read: send JPEG, PNG, WebP, GIF or BMP", "file") from error


def _flat(picture: Image.Image) -> Image.Image:
    """Without transparency, palettes and other colours: on white."""
    if picture.mode == "RGB":
        return picture
    clear = picture.convert("RGBA")
    white = Image.new("RGB", clear.size, "white")
    white.paste(clear, mask=clear.getchannel("A"))
    return white


def _jpeg(picture: Image.Image, edge: int, quality: int) -> bytes:
    copy = picture.copy()
    copy.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    copy.save(data, "JPEG", quality=quality, optimize=True, progressive=True)
    return data.getvalue()

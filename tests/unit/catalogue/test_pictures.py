"""Pictures made smaller, good ones and bad ones."""

import io
import random
from pathlib import Path

import pytest
from PIL import Image

from ringnode.catalogue import pictures
from ringnode.catalogue.tag_reader import TagReader
from ringnode.errors import Invalid


def saved(path: Path, picture: Image.Image, kind: str, **options: object) -> Path:
    picture.save(path, kind, **options)
    return path


def look(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes()))


def noise(width: int, height: int) -> Image.Image:
    return Image.frombytes("RGB", (width, height), random.Random(1).randbytes(width * height * 3))


MODES = {"JPEG": "RGB L CMYK", "PNG": "RGB L P RGBA", "GIF": "RGB L P", "WEBP": "RGB RGBA", "BMP": "RGB L P RGBA"}


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in MODES.items() for mode in modes.split()])
def test_every_kind_becomes_a_jpeg_that_fits(tmp_path: Path, kind: str, mode: str) -> None:
    source = saved(tmp_path / "in", noise(300, 200).convert(mode), kind)
    pictures.shrink(str(source), str(tmp_path / "out"), 128)
    made = look(tmp_path / "out")
    assert (made.format, made.size, made.mode) == ("JPEG", (128, 85), "RGB")


def test_small_ones_stay_small_and_clear_ones_get_a_white_ground(tmp_path: Path) -> None:
    saved(tmp_path / "in", Image.new("RGBA", (20, 10), (255, 0, 0, 0)), "PNG")
    pictures.shrink(str(tmp_path / "in"), str(tmp_path / "out"), 512)
    made = look(tmp_path / "out")
    assert made.size == (20, 10)
    assert min(made.getpixel((5, 5))) > 250


def test_turned_pictures_stand_upright_and_tell_nothing_else(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"  # turn right; who made it
    saved(tmp_path / "in", noise(200, 100), "JPEG", exif=exif)
    pictures.shrink(str(tmp_path / "in"), str(tmp_path / "out"), 512)
    made = look(tmp_path / "out")
    assert made.size == (100, 200) and not made.getexif() and b"camera" not in (tmp_path / "out").read_bytes()


def test_what_is_kept_has_few_bytes(tmp_path: Path) -> None:
    saved(tmp_path / "in", noise(3000, 2000), "PNG")  # nothing is harder to compress
    pictures.keep(str(tmp_path / "in"), str(tmp_path / "out"), 100 << 10)
    assert (tmp_path / "out").stat().st_size <= 100 << 10
    assert look(tmp_path / "out").width >= 300


def bomb() -> bytes:
    data = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(data, "PNG")
    return data.getvalue()


def cut() -> bytes:
    data = io.BytesIO()
    noise(100, 100).save(data, "JPEG")
    return data.getvalue()[:2000]


@pytest.mark.parametrize(
    "data",
    [b"", b"x", b"\xff\xd8\xff", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.4", b"GIF89a" + bytes(50),
     bomb(), cut(), b"\x89PNG\r\n\x1a\n" + bytes(100), b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(30)],
    ids=range(10),
)  # fmt: skip
def test_bad_ones_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "in").write_bytes(data)
    reader = TagReader(workers=1)
    try:
        for act in (reader.shrink, reader.keep):
            with pytest.raises(Invalid) as error:
                act(str(tmp_path / "in"), str(tmp_path / "out"), 64)
            assert error.value.field == "file"
    finally:
        reader.close()
    assert not (tmp_path / "out").exists()

import io
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.exceptions import BadRequest

from api import multipart
from ringnode.errors import Invalid, TooLarge

B = "XbX"


class Dripping(io.BytesIO):
    """Gives at most `step` bytes at once, as a network does."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__(data)
        self.step = step

    def read(self, size=-1, /) -> bytes:
        return super().read(min(size, self.step))


def field(name: str, value: bytes) -> bytes:
    return f'--{B}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"


def file(data: bytes, name: str = "file", filename: str = "a.mp3") -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
    return f"--{B}\r\n{disposition}\r\nContent-Type: a/b\r\n\r\n".encode() + data + b"\r\n"


END = f"--{B}--\r\n".encode()


def parse(body: bytes, step: int = 1 << 20, boundary: str = B) -> tuple[str, bytes]:
    name, chunks = multipart.file_of(Dripping(body, step), boundary)
    return name, b"".join(chunks)


NASTY = [b"", b"\r", b"\n", b"\r\n", b"-", b"--", b"\r\n--", b"\r\n--Xb", b"\r\n--Xb\r\n", b"--XbX--", b"\n--XbX\n",
         b"\r\r\n--Xb", b"\r\n\r\n--", b"x" * 200]  # fmt: skip


@pytest.mark.parametrize("data", NASTY)
def test_every_step_gives_the_same_file(data):
    body = field("a", b"1\r\n--Xb") + file(data) + field("z", b"") + END
    for step in range(1, len(body) + 1):
        assert parse(body, step) == ("a.mp3", data), step


@given(st.lists(st.sampled_from([*NASTY, b"X", b"b"])).map(b"".join), st.integers(1, 300))
@example(b"\r\n--XbX-", 1)
def test_any_file_at_any_step(data, step):
    if f"\r\n--{B}".encode() not in b"\r\n" + data:
        assert parse(file(data) + END, step)[1] == data


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_body_is_parsed_or_refused(body, step):
    for whole in (body, file(b"1") + body, field("a", b"") + body):
        with suppress(Invalid, BadRequest):
            parse(whole, step)


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_body_cut_anywhere_is_refused(step):
    body = field("a", b"1") + file(b"some bytes") + END
    for end in range(len(body) - len(b"\r\n")):
        with pytest.raises(Invalid):
            parse(body[:end], step)
    assert parse(body.removesuffix(b"\r\n"), step) == ("a.mp3", b"some bytes")


def test_preamble_and_epilogue_are_ignored():
    assert parse(b"hello\r\n" + file(b"1") + END + b"bye") == ("a.mp3", b"1")


def test_pieces_are_large():
    _, chunks = multipart.file_of(io.BytesIO(file(bytes(3 << 20)) + END), B)
    sizes = [len(chunk) for chunk in chunks]
    assert sum(sizes) == 3 << 20
    assert min(sizes[:-1]) >= 128 << 10


@pytest.mark.parametrize("filename", ["käse 漢.mp3", "a;b.mp3", "a b.mp3"])
def test_names(filename):
    assert parse(file(b"1", filename=filename) + END)[0] == filename


@pytest.mark.parametrize(
    "body",
    [
        b"",
        END,
        field("a", b"1") + END,
        field("file", b"1") + END,
        file(b"1", filename="") + END,
        file(b"1", name="song") + END,
        file(b"1") + file(b"2") + END,
        file(b"1") + field("file", b"2") + END,
        file(b"1") + field("a", b"2") + file(b"3") + END,
        b"no boundary at all",
    ],
)
def test_bodies_that_are_refused(body):
    with pytest.raises(Invalid) as caught:
        parse(body)
    assert caught.value.field == "file"


@pytest.mark.parametrize(
    "body",
    [
        b"x" * 70_000,
        field("a", b"x" * 70_000) + file(b"1") + END,
        file(b"1") + field("a", b"x" * 70_000) + END,
        field("x" * 70_000, b"") + file(b"1") + END,
        field("a", b"") * 16 + file(b"1") + END,
        file(b"1") + field("a", b"") * 17 + END,
    ],
)
def test_what_is_not_the_file_is_bounded(body):
    for step in (1000, 1 << 20):
        with pytest.raises(TooLarge):
            parse(body, step)


@pytest.mark.parametrize("line", [b"", b"Content-Type: a/b", b"garbage", b"\xff\xfe"])
def test_a_part_without_a_disposition(line):
    with pytest.raises(BadRequest):
        parse(f"--{B}\r\n".encode() + line + b"\r\n\r\n1\r\n" + END)


@pytest.mark.parametrize("boundary", ["", "x" * 71, "a\r\nb", "ä", "a;b", "a "])
def test_bad_boundaries(boundary):
    with pytest.raises(BadRequest):
        parse(file(b"1") + END, boundary=boundary)

"""What a browser needs to hear something: songs, and nodes that it opens without a warning."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from browser import CHROMIUM
from PIL import Image
from processes import NodeProcess, RingOfProcesses

from api.player import BUILT, PAGE
from ringnode.demo import free_ports

FORMATS = {
    "mp3": [],
    "flac": [],
    "ogg": ["-c:a", "libvorbis"],
    "opus": ["-c:a", "libopus"],
    "m4a": ["-c:a", "aac"],
    "wav": [],
}
SHORT_S = 12
LONG_S = 150  # more than a browser fetches ahead


def missing() -> str:
    """What is not there to play with; empty if all is."""
    if not shutil.which("ffmpeg"):
        return "ffmpeg, which makes the songs, is not installed"
    if not CHROMIUM:
        return "no Chromium is installed"
    if not (BUILT / PAGE[1:]).exists():
        return "the player is not built: make player"
    return ""


def make_music(folder: Path) -> list[Path]:
    """A short tone in every format, in order of track, then long noise."""
    made = []
    for n, (suffix, codec) in enumerate(FORMATS.items()):
        made.append(folder / f"Short {suffix}.{suffix}")  # of a WAV, the name is the title
        tone = f"sine=frequency={220 + 55 * n}:duration={SHORT_S}"
        _make(made[-1], tone, f"Short {suffix}", n + 1, codec)
    made.append(folder / "long.flac")
    noise = f"anoisesrc=duration={LONG_S}:amplitude=0.1:seed=1:sample_rate=44100"
    _make(made[-1], noise, "Long noise", len(FORMATS) + 1, [])
    return made


def _make(path: Path, source: str, title: str, track: int, codec: list[str]) -> None:
    tags = {"title": title, "artist": "The Testers", "album": "Formats", "track": str(track), "genre": "Test"}
    named = [part for name, value in tags.items() for part in ("-metadata", f"{name}={value}")]
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-ac", "2", *codec, *named, str(path)]
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)


def node_for_browsers(ring: RingOfProcesses) -> NodeProcess:
    """A node that others know by plain HTTP on the loopback: a browser asks nothing about certificates there."""
    port = free_ports(1)[0]
    return ring.add(http_port=port, api_url=f"http://127.0.0.1:{port}", delete_grace_s=600)


def origin(node: NodeProcess) -> str:
    """Where a browser finds the node."""
    return str(node.settings["api_url"])


def make_song(path: Path, title: str, codec: list[str], track: int = 1, duration_s: float = SHORT_S) -> None:
    """A short tone in a file of one's choice."""
    _make(path, f"sine=frequency={330 + 55 * track}:duration={duration_s}", title, track, codec)


def make_picture(path: Path, color: str) -> Path:
    """A square of one colour."""
    Image.new("RGB", (300, 300), color).save(path)
    return path


@contextmanager
def demo(folder: Path, music: Path | None = None) -> Iterator[dict[str, Any]]:
    """A ring as `ringnode demo` makes it, with these songs or its own; what its --json says; gone afterwards."""
    command = [sys.executable, "-m", "ringnode", "demo", "--json", "--data", str(folder)]
    command += ["--music", str(music)] if music else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(60)

"""Real files of every format, made once."""

import shutil
import subprocess
from pathlib import Path

import pytest

ENCODINGS = {
    "cbr.mp3": ["-c:a", "libmp3lame", "-b:a", "128k"],
    "vbr.mp3": ["-c:a", "libmp3lame", "-q:a", "4"],
    "no-xing.mp3": ["-c:a", "libmp3lame", "-q:a", "4", "-write_xing", "0"],
    "song.flac": ["-c:a", "flac"],
    "vorbis.ogg": ["-c:a", "libvorbis"],
    "song.opus": ["-c:a", "libopus"],
    "flac.oga": ["-c:a", "flac", "-f", "ogg"],
    "aac.m4a": ["-c:a", "aac"],
    "alac.m4a": ["-c:a", "alac"],
    "song.wav": ["-c:a", "pcm_s16le"],
    "song.aiff": ["-c:a", "pcm_s16be"],
    "song.wma": ["-c:a", "wmav2"],
    "song.wv": ["-c:a", "wavpack"],
    "song.tta": ["-c:a", "tta"],
    "adts.aac": ["-c:a", "aac", "-f", "adts"],
}
SECONDS = 12.5


@pytest.fixture(scope="session")
def audio(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A sweep that becomes louder, so that a variable bit rate varies, in every format."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("ffmpeg is not installed: it makes the files of most formats")
    folder = tmp_path_factory.mktemp("audio")
    sound = f"aevalsrc=0.02*t*sin(200*t*t)+0.01*t*random(0)|0.05*sin(3000*t):s=44100:d={SECONDS}"
    outputs = [a for name, options in ENCODINGS.items() for a in (*options, "-bitexact", str(folder / name))]
    subprocess.run([ffmpeg, "-v", "error", "-f", "lavfi", "-i", sound, *outputs], check=True, timeout=60)
    return {name: folder / name for name in ENCODINGS}

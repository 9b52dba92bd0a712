"""A library to be looked at: works that nobody owns, as albums with covers. Their sound is one quiet tone."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mutagen.id3 import APIC, ID3, TALB, TCON, TDRC, TIT2, TPE1, TPE2, TRCK
from playwright.sync_api import Browser

from ringnode.demo_music import compose

SIDE = 600  # pixels of a cover
BEAT_S = 13.06  # 500 whole MP3 frames: what is repeated to make songs of any length


class Work(NamedTuple):
    """An album. `hue` and `drawing` are its cover's; `seconds` of its tracks are as they are mostly played."""

    title: str
    artist: str
    year: int
    genre: str
    hue: int
    drawing: str
    tracks: dict[str, int]


WORKS = (
    Work("Gymnopédies & Gnossiennes", "Erik Satie", 1888, "Piano", 250, "moon", {
        "Gymnopédie No. 1": 205, "Gymnopédie No. 2": 171, "Gymnopédie No. 3": 158, "Gnossienne No. 1": 224,
        "Gnossienne No. 2": 131, "Gnossienne No. 3": 166}),
    Work("The Well-Tempered Clavier", "Johann Sebastian Bach", 1722, "Baroque", 55, "bars", {
        "Prelude in C major": 136, "Fugue in C major": 121, "Prelude in C minor": 97, "Fugue in C minor": 104,
        "Prelude in C-sharp major": 84, "Prelude in D major": 79}),
    Work("Ragtime", "Scott Joplin", 1902, "Ragtime", 25, "sun", {
        "Maple Leaf Rag": 182, "The Entertainer": 236, "Elite Syncopations": 201, "Solace": 368,
        "Magnetic Rag": 262}),
    Work("Suite bergamasque", "Claude Debussy", 1905, "Impressionism", 200, "waves", {
        "Prélude": 248, "Menuet": 256, "Clair de lune": 301, "Passepied": 217}),
    Work("The Four Seasons", "Antonio Vivaldi", 1725, "Baroque", 140, "leaves", {
        "Spring: Allegro": 213, "Summer: Presto": 168, "Autumn: Allegro": 302, "Winter: Largo": 127}),
    Work("Nocturnes", "Frédéric Chopin", 1832, "Romantic", 285, "moon", {
        "Nocturne in B-flat minor": 331, "Nocturne in E-flat major": 272, "Nocturne in B major": 402,
        "Nocturne in F major": 267}),
    Work("Peer Gynt", "Edvard Grieg", 1888, "Romantic", 165, "hills", {
        "Morning Mood": 234, "The Death of Åse": 289, "Anitra’s Dance": 203, "In the Hall of the Mountain King": 148,
        "Solveig’s Song": 317}),
    Work("The Planets", "Gustav Holst", 1918, "Orchestral", 35, "orbits", {
        "Mars, the Bringer of War": 432, "Venus, the Bringer of Peace": 508, "Jupiter, the Bringer of Jollity": 468,
        "Neptune, the Mystic": 421}),
    Work("Suite española", "Isaac Albéniz", 1887, "Guitar", 10, "bars", {
        "Granada": 291, "Cataluña": 152, "Sevilla": 274, "Asturias": 379, "Castilla": 168}),
    Work("The Carnival of the Animals", "Camille Saint-Saëns", 1886, "Orchestral", 225, "waves", {
        "Introduction and Royal March of the Lion": 139, "Aquarium": 144, "The Swan": 187, "Finale": 118}),
    Work("Soirées musicales", "Clara Schumann", 1836, "Piano", 340, "sun", {
        "Toccatina": 128, "Nocturne": 269, "Mazurka": 190, "Ballade": 301}),
    Work("Water Music", "George Frideric Handel", 1717, "Baroque", 215, "leaves", {
        "Overture": 194, "Air": 177, "Bourrée": 82, "Hornpipe": 163, "Menuet": 151}),
    Work("Gaelic Symphony", "Amy Beach", 1896, "Orchestral", 120, "hills", {
        "Allegro con fuoco": 678, "Alla siciliana": 463, "Lento con molto espressione": 745}),
    Work("Clairières dans le ciel", "Lili Boulanger", 1914, "Song", 310, "orbits", {
        "Elle était descendue au bas de la prairie": 122, "Elle est gravement gaie": 109,
        "Parfois, je suis triste": 238}),
)  # fmt: skip

DRAWINGS = {
    "moon": '<circle cx="390" cy="230" r="150" fill="{c}"/><circle cx="340" cy="205" r="150" fill="{a}"/>'
    '<rect y="455" width="600" height="3" fill="{d}"/><rect x="120" y="480" width="360" height="3" fill="{d}"/>'
    '<rect x="210" y="505" width="180" height="3" fill="{d}"/>',
    "sun": "".join(
        f'<path d="M300 640 L{300 + 900 * x} -260 L{300 + 900 * (x + 0.11)} -260 Z" fill="{{b}}"/>'
        for x in (-1.2, -0.92, -0.64, -0.36, -0.08, 0.2, 0.48, 0.76, 1.04)
    )
    + '<circle cx="300" cy="640" r="250" fill="{c}"/><circle cx="300" cy="640" r="190" fill="{d}"/>',
    "bars": "".join(
        f'<rect x="{40 + 52 * i}" y="{300 - h}" width="26" height="{2 * h}" rx="13" fill="{{{"bcd"[i % 3]}}}"/>'
        for i, h in enumerate((70, 130, 190, 110, 230, 160, 250, 120, 180, 90))
    ),
    "waves": "".join(
        f'<path d="M-50 {170 + 75 * i} q 125 -70 250 0 t 250 0 t 250 0 V 700 H -50 Z" fill="{{{"bcbcd"[i]}}}"'
        f' opacity="{0.35 + 0.14 * i}"/>'
        for i in range(5)
    ),
    "leaves": "".join(
        f'<path d="M{x} {y} q 75 -75 150 0 q -75 75 -150 0 Z" fill="{{{"bcd"[(i * 2 + j) % 3]}}}"'
        f' transform="rotate({45 if (i + j) % 2 else -45} {x + 75} {y})"/>'
        for i, y in enumerate((90, 230, 370, 510))
        for j, x in enumerate((15, 155, 295, 435))
    ),
    "hills": '<circle cx="430" cy="180" r="80" fill="{d}"/><path d="M-60 600 L190 200 L440 600 Z" fill="{b}"/>'
    '<path d="M160 600 L400 280 L680 600 Z" fill="{c}"/>'
    '<path d="M0 500 Q 200 440 400 515 T 600 500 V600 H0 Z" fill="{a}"/>'
    '<path d="M0 545 Q 200 500 400 560 T 600 545 V600 H0 Z" fill="{b}"/>',
    "orbits": "".join(
        f'<circle cx="300" cy="300" r="{70 + 62 * i}" fill="none" stroke="{{b}}" stroke-width="5"/>' for i in range(4)
    )
    + '<circle cx="300" cy="300" r="38" fill="{d}"/><circle cx="430" cy="282" r="22" fill="{c}"/>'
    '<circle cx="135" cy="198" r="30" fill="{c}"/><circle cx="452" cy="502" r="16" fill="{d}"/>',
}


def covers(browser: Browser) -> Iterator[bytes]:
    """A JPEG for each work, drawn by the browser."""
    page = browser.new_page(viewport={"width": SIDE, "height": SIDE})
    for work in WORKS:
        colours = {
            "a": f"oklch(0.33 0.07 {work.hue})", "b": f"oklch(0.47 0.1 {work.hue + 14})",
            "c": f"oklch(0.7 0.12 {work.hue + 40})", "d": f"oklch(0.9 0.07 {work.hue + 70})",
        }  # fmt: skip
        drawn = DRAWINGS[work.drawing].format(**colours)
        ground = f'<rect width="{SIDE}" height="{SIDE}" fill="{colours["a"]}"/>'
        page.set_content(f'<body style="margin:0"><svg width="{SIDE}" height="{SIDE}">{ground}{drawn}</svg>')
        yield page.screenshot(type="jpeg", quality=88)
    page.close()


def make_library(folder: Path, browser: Browser) -> list[Path]:
    """The works as MP3s with tags and covers, then the demo's own songs. ffmpeg makes the sound."""
    beat = folder / "beat.mp3"
    source = f"sine=frequency=220:duration={BEAT_S}:sample_rate=44100"
    quiet = ["-af", "volume=0.05", "-c:a", "libmp3lame", "-b:a", "64k", "-reservoir", "0", "-write_xing", "0"]
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, *quiet, "-id3v2_version", "0", str(beat)]
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)
    made = []
    for work, cover in zip(WORKS, covers(browser), strict=True):
        for n, (title, seconds) in enumerate(work.tracks.items(), 1):
            path = folder / f"{work.artist} - {title.replace('/', '-')}.mp3"
            path.write_bytes(_long(beat.read_bytes(), seconds))
            _tag(path, work, title, n, cover)
            made.append(path)
    beat.unlink()
    return made + compose(folder / "demo")


def _long(beat: bytes, seconds: int) -> bytes:
    whole, rest = divmod(seconds, BEAT_S)
    return beat * int(whole) + beat[: int(len(beat) * rest / BEAT_S)]


def _tag(path: Path, work: Work, title: str, n: int, cover: bytes) -> None:
    tags = ID3()
    for frame, text in (
        (TIT2, title), (TPE1, work.artist), (TPE2, work.artist), (TALB, work.title), (TCON, work.genre),
        (TDRC, str(work.year)), (TRCK, f"{n}/{len(work.tracks)}"),
    ):  # fmt: skip
        tags.add(frame(encoding=3, text=text))
    tags.add(APIC(encoding=3, mime="image/jpeg", type=3, data=cover))
    tags.save(path)

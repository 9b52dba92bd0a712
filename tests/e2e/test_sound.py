"""How one song becomes the next, heard: what stands behind each audio element's gain is measured."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Listener, launched
from playwright.sync_api import Browser, expect
from processes import RingOfProcesses
from stage import make_song, missing, origin
from support import eventually

FADE_S = 3
FULL = 0.08  # what ffmpeg's tone reaches at least
LONG_S = 10  # more than two fades
SONGS = {"One": LONG_S, "Two": LONG_S, "Blink": 2, "Three": LONG_S}
# Every so often, of each element: its song's address and second, whether it plays, how loud it is behind its gain.
EARS = """
    window.ears = []
    window.heard = []
    const make = AudioContext.prototype.createMediaElementSource
    AudioContext.prototype.createMediaElementSource = function (media) {
        const source = make.call(this, media)
        const { connect } = source
        source.connect = (gain) => {
            const ear = this.createAnalyser()
            gain.connect(ear)
            window.ears.push({ media, ear, wave: new Float32Array(ear.fftSize) })
            return connect.call(source, gain)
        }
        return source
    }
    setInterval(() => window.heard.push(window.ears.map(({ media, ear, wave }) => {
        ear.getFloatTimeDomainData(wave)
        return { url: media.src, at: media.currentTime, plays: !media.paused && !media.ended,
                 loud: Math.max(...wave) }
    })), 50)
"""
# Whenever a song ends: can the other element go on at once?
WATCH_ENDS = """() => {
    window.ends = []
    for (const one of window.made)
        one.addEventListener('ended', () =>
            window.ends.push(window.made.filter((other) => other !== one).map((other) => other.readyState >= 3)))
}"""


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Tones of one loudness, in order of track."""
    if why := missing():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("tones")
    for n, (title, duration_s) in enumerate(SONGS.items()):
        make_song(folder / f"{title}.flac", title, [], n + 1, duration_s)
    return [folder / f"{title}.flac" for title in SONGS]


@pytest.fixture(scope="module")
def browser(music: list[Path]) -> Iterator[Browser]:
    with launched() as made:
        yield made


@pytest.fixture
def listener(ring: RingOfProcesses, browser: Browser) -> Iterator[Listener]:
    """Somebody who cross-fades, and is listened to."""
    with Listener(browser, origin(ring.nodes[0])) as somebody:
        somebody.page.add_init_script(EARS)
        somebody.log_in()
        fade(somebody, FADE_S)
        yield somebody
        assert not somebody.complaints


def fade(listener: Listener, seconds: int) -> None:
    listener.page.get_by_role("button", name="Sound").click()
    listener.page.get_by_label("Cross-fade").fill(str(seconds))
    listener.page.keyboard.press("Escape")


def heard(listener: Listener) -> list[list[dict[str, Any]]]:
    """What was heard since the last time."""
    return list(listener.page.evaluate("window.heard.splice(0)"))


def playing(listener: Listener) -> list[dict[str, Any]]:
    """The elements that play just now."""
    return [one for one in listener.page.evaluate("window.heard.at(-1) ?? []") if one["plays"]]


def fading(listener: Listener) -> bool:
    """Are two songs heard?"""
    return [one["loud"] > FULL / 10 for one in playing(listener)] == [True, True]


def alone(listener: Listener) -> bool:
    """Is one song heard, as loud as it was recorded?"""
    return [one["loud"] > FULL for one in playing(listener)] == [True]


def near_its_end(listener: Listener, title: str) -> None:
    """Play a song from a little before its fade on."""
    listener.play(title)
    listener.page.get_by_role("slider", name="Position in the song").press("ArrowRight")
    eventually(lambda: listener.audio()["at"] >= 5)


def into_the_fade(listener: Listener) -> None:
    """Where the first song is heard still and the second already."""
    near_its_end(listener, "One")
    eventually(lambda: fading(listener))
    assert listener.now == "Two"


def test_one_song_fades_into_the_next(listener: Listener) -> None:
    near_its_end(listener, "One")
    eventually(lambda: listener.now == "Two")
    heard(listener)
    eventually(lambda: alone(listener))
    both = [ears for ears in heard(listener) if all(one["plays"] for one in ears)]
    old, new = sorted((0, 1), key=lambda n: -float(both[0][n]["at"]))
    for n in (old, new):
        assert both[-1][n]["at"] > both[0][n]["at"] + 1, "one of them stood still"
    assert both[-1][old]["loud"] < both[0][old]["loud"] / 2
    assert both[-1][new]["loud"] > both[0][new]["loud"] * 2
    listener.hears("Two")


def test_next_in_the_middle_of_a_fade(listener: Listener) -> None:
    into_the_fade(listener)
    listener.page.get_by_role("button", name="Next song").click()
    eventually(lambda: listener.now == "Blink" and alone(listener))


def test_previous_in_the_middle_of_a_fade(listener: Listener) -> None:
    into_the_fade(listener)
    listener.page.get_by_role("button", name="Previous song").click()
    eventually(lambda: listener.now == "One" and alone(listener))
    assert playing(listener)[0]["at"] < 5, "it went on where it was"


def test_pause_in_the_middle_of_a_fade(listener: Listener) -> None:
    page = listener.page
    into_the_fade(listener)
    page.get_by_role("button", name="Pause").click()
    eventually(lambda: not playing(listener))
    assert not page.evaluate("window.made.some((audio) => audio.ended)"), "one went on to its end"
    heard(listener)
    eventually(lambda: page.evaluate("window.heard.length > 10"))
    assert not any(one["plays"] for ears in heard(listener) for one in ears)
    page.get_by_role("button", name="Play", exact=True).last.click()
    eventually(lambda: alone(listener))
    listener.hears("Two")
    assert alone(listener), "the old song came back"


def test_seek_back_in_the_middle_of_a_fade(listener: Listener) -> None:
    into_the_fade(listener)
    eventually(lambda: listener.audio()["at"] > 1)
    url = listener.audio()["url"]  # of the two, that of the new song
    listener.page.get_by_role("slider", name="Position in the song").press("Home")
    eventually(lambda: [one["at"] < 1 for one in playing(listener) if one["url"] == url] == [True])
    eventually(lambda: alone(listener))
    assert playing(listener)[0]["url"] == url
    listener.hears("Two")


def test_a_fade_is_as_short_as_what_is_left_to_fade(listener: Listener) -> None:
    listener.play("One")
    heard(listener)
    listener.page.mouse.click(*listener.on_seek_bar(0.9))
    eventually(lambda: fading(listener))
    eventually(lambda: alone(listener))
    ears = heard(listener)
    both = next(n for n, two in enumerate(ears) if all(one["plays"] for one in two))
    after = next(two for two in ears[both:] if not all(one["plays"] for one in two))
    assert max(one["loud"] for one in after) > FULL / 2


def test_one_song_repeated_does_not_fade_into_itself(listener: Listener) -> None:
    page = listener.page
    page.get_by_role("button", name="Repeat: off").click()
    page.get_by_role("button", name="Repeat: all").click()
    expect(page.get_by_role("button", name="Repeat: this song")).to_be_visible()
    near_its_end(listener, "One")
    heard(listener)
    eventually(lambda: listener.audio()["at"] < 3)
    listener.hears("One")
    eventually(lambda: alone(listener))
    assert not any(one["plays"] and other["plays"] for one, other in heard(listener))


def test_the_last_song_ends_and_can_be_played_again(listener: Listener) -> None:
    near_its_end(listener, "Three")
    eventually(lambda: not playing(listener))
    player = listener.page.get_by_label("Player", exact=True)
    player.get_by_role("button", name="Play", exact=True).click()
    eventually(lambda: listener.now == "Three" and alone(listener))


def test_a_song_shorter_than_the_fade_is_heard_whole(listener: Listener) -> None:
    near_its_end(listener, "Two")
    heard(listener)
    eventually(lambda: listener.now == "Three" and listener.position() >= 1 and alone(listener))
    ears = [one for both in heard(listener) for one in both if one["plays"]]
    urls = list(dict.fromkeys(one["url"] for one in ears))
    assert len(urls) == 3
    short = [one for one in ears if one["url"] == urls[1]]
    assert short[0]["at"] < 0.5 and short[-1]["at"] > SONGS["Blink"] - 0.5
    assert all(one["loud"] > FULL for one in short if 0.3 < one["at"] < SONGS["Blink"] - 0.1)


def test_without_a_fade_the_next_song_is_open_before_the_last_one_ends(listener: Listener) -> None:
    fade(listener, 0)
    listener.page.evaluate(WATCH_ENDS)
    near_its_end(listener, "One")
    eventually(lambda: listener.page.evaluate("window.ends.length"))
    assert listener.page.evaluate("window.ends") == [[True]]
    listener.hears("Two")

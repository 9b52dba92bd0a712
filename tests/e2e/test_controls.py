"""What is pressed in the player does just that: the bar, the queue, menus, on wide screens and on phones."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Listener, launched
from playwright.sync_api import Browser, Locator, expect
from processes import RingOfProcesses, make_wav
from stage import make_song, missing, origin
from support import eventually

SONGS = ["One", "Two", "Three", "Four"]
SONG_S = 40
PHONE = {"width": 390, "height": 844}
NO_QUEUE = {"songs": [], "index": 0, "position_s": 0, "device": ""}
MANY = 130  # more than an album has in the document at once
BEN = {"name": "ben", "password": "a password of ben", "role": "listener"}
# The system's own keys, on keyboards, headphones and lock screens.
SYSTEM_KEYS = """
    window.keys = {}
    const set = MediaSession.prototype.setActionHandler
    MediaSession.prototype.setActionHandler = function (key, handler) {
        window.keys[key] = handler
        return set.call(this, key, handler)
    }
"""


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A few songs, in order of track."""
    if why := missing():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("songs")
    for n, title in enumerate(SONGS):
        make_song(folder / f"{title}.mp3", title, [], n + 1, SONG_S)
    return [folder / f"{title}.mp3" for title in SONGS]


@pytest.fixture(scope="module")
def browser(music: list[Path]) -> Iterator[Browser]:
    with launched() as made:
        yield made


@pytest.fixture
def listener(ring: RingOfProcesses, browser: Browser) -> Iterator[Listener]:
    """Somebody to whom no other device offers its queue."""
    assert ring.nodes[0].request("PUT", "/me/queue", NO_QUEUE)[0] == 200
    with Listener(browser, origin(ring.nodes[0])) as somebody:
        somebody.page.add_init_script(SYSTEM_KEYS)
        somebody.log_in()
        yield somebody
        assert not somebody.complaints


def bar(listener: Listener) -> Locator:
    return listener.page.get_by_label("Player", exact=True)


def thumb(listener: Listener) -> Locator:
    return listener.page.get_by_role("slider", name="Position in the song")


def silent(listener: Listener) -> bool:
    return not listener.page.evaluate("window.made.some((audio) => !audio.paused)")


def press(listener: Listener, name: str) -> None:
    bar(listener).get_by_role("button", name=name, exact=True).click()


def take_out(listener: Listener, title: str) -> None:
    press(listener, "Queue")
    listener.page.get_by_role("button", name=f"Take {title} out of the queue").click()
    listener.page.keyboard.press("Escape")
    expect(listener.page.get_by_role("dialog")).to_have_count(0)


def plays_nothing(listener: Listener) -> None:
    expect(bar(listener)).to_contain_text("Nothing is playing")
    expect(bar(listener).get_by_text("0:00", exact=True)).to_have_count(2)
    expect(thumb(listener)).to_have_count(0)
    assert silent(listener)


def test_the_seek_bar_goes_just_where_one_points(listener: Listener) -> None:
    page, mouse = listener.page, listener.page.mouse
    listener.play("One")
    press(listener, "Pause")

    def is_at(share: float) -> bool:
        return bool(abs(listener.audio()["at"] - share * SONG_S) < 0.5)

    mouse.click(*listener.on_seek_bar(0.305))
    eventually(lambda: is_at(0.305))
    expect(thumb(listener)).to_have_attribute("aria-valuetext", "0:12 of 0:40")
    mouse.down()
    mouse.move(*listener.on_seek_bar(0.6))
    mouse.move(*listener.on_seek_bar(0.68))
    expect(thumb(listener)).to_have_attribute("aria-valuetext", "0:27 of 0:40")
    assert is_at(0.305), "it went there before the pointer let go"
    mouse.up()
    eventually(lambda: is_at(0.68))
    mouse.down()
    mouse.move(*listener.on_seek_bar(0.2))
    mouse.move(*listener.on_seek_bar(0.68))
    mouse.up()
    press(listener, "Play")
    eventually(lambda: listener.position() >= 29)  # what is shown goes on
    assert page.url.endswith("/songs")


def test_keys_on_the_seek_bar_go_by_steps(listener: Listener) -> None:
    listener.play("One")
    press(listener, "Pause")
    for key, shown in {
        "Home": "0:00", "ArrowRight": "0:05", "ArrowUp": "0:10", "PageUp": "0:40", "PageDown": "0:10",
        "ArrowLeft": "0:05", "ArrowDown": "0:00", "End": "0:40",
    }.items():  # fmt: skip
        thumb(listener).press(key)
        expect(thumb(listener)).to_have_attribute("aria-valuetext", f"{shown} of 0:40")
    thumb(listener).press("Home")
    press(listener, "Play")
    thumb(listener).press("PageUp")
    eventually(lambda: listener.position() >= 32)  # what is shown goes on


def test_the_last_song_taken_out_while_it_plays_does_not_start_the_one_before(listener: Listener) -> None:
    page = listener.page
    listener.play("Four")
    take_out(listener, "Four")
    eventually(lambda: listener.now == "Three" and silent(listener))
    expect(bar(listener).get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert listener.position() == 0
    press(listener, "Repeat: off")
    press(listener, "Play")
    listener.hears("Three")
    take_out(listener, "Three")
    listener.hears("One")
    thumb(listener).press("ArrowRight")
    eventually(lambda: listener.position() >= 5)
    press(listener, "Queue")
    page.get_by_role("button", name="Empty the queue").click()
    page.keyboard.press("Escape")
    plays_nothing(listener)


def a_round(listener: Listener) -> list[str]:
    """The titles of as many songs as there are, skipped through to the first of the next round."""
    heard = [listener.now]
    for _ in SONGS:
        press(listener, "Next song")
        eventually(lambda: listener.now != heard[-1])
        heard.append(listener.now)
    return heard[:-1]


def test_shuffled_and_repeated_every_song_comes_once_a_round(listener: Listener) -> None:
    listener.go("Songs")
    listener.page.get_by_role("main").get_by_role("button", name="Shuffle").click()
    eventually(lambda: listener.audio()["playing"])
    press(listener, "Repeat: off")
    for _ in range(2):
        assert sorted(a_round(listener)) == sorted(SONGS)
    press(listener, "Shuffle")  # off again, in the middle
    assert a_round(listener) in [SONGS[n:] + SONGS[:n] for n in range(len(SONGS))]
    press(listener, "Next song")
    here = listener.now
    press(listener, "Shuffle")
    assert listener.now == here
    listener.hears(here)
    heard = a_round(listener)
    assert (heard[0], sorted(heard)) == (here, sorted(SONGS))


def test_on_a_phone_the_queue_has_what_the_bar_has_no_room_for(listener: Listener) -> None:
    page = listener.page
    listener.play("Two")
    page.set_viewport_size(PHONE)
    press(listener, "Queue")
    sheet = page.get_by_role("dialog")
    for name in ("Repeat: off", "Repeat: all", "Favourite: Two"):
        sheet.get_by_role("button", name=name).click()
    expect(sheet.get_by_role("button", name="Repeat: this song")).to_be_visible()
    expect(sheet.get_by_role("button", name="Favourite: Two")).to_have_attribute("aria-pressed", "true")
    expect(sheet.get_by_role("button", name="Shuffle")).to_be_visible()
    for button in sheet.get_by_role("button").all():
        box = button.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
    sheet.get_by_role("button", name="Previous song").click()
    expect(sheet.get_by_role("button", name="Favourite: One")).to_be_visible()
    sheet.get_by_role("button", name="Lyrics").click()
    expect(page.get_by_role("dialog").get_by_role("heading", name="Lyrics", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    press(listener, "Queue")
    sheet.get_by_role("button", name="Sound and sleep timer").click()
    sound = page.get_by_role("dialog").filter(has_text="Sleep timer")
    sound.get_by_label("Volume").fill("0.3")
    sound.get_by_label("Speed").select_option("1.5")
    sound.get_by_role("button", name="15 min").click()
    expect(sound.get_by_text("Music until")).to_be_visible()
    assert page.evaluate("localStorage['ringnode.volume']") == "0.3"
    assert page.evaluate("window.made[0].playbackRate") == 1.5


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 500)])
def test_a_menu_stays_on_the_screen(listener: Listener, width: int, height: int) -> None:
    page = listener.page
    listener.go("Songs")
    page.set_viewport_size({"width": width, "height": height})
    listener.row("Two").scroll_into_view_if_needed()
    row = listener.row("Two").bounding_box()
    assert row
    menu = page.get_by_role("menu")
    for share in (0.02, 0.5, 0.98):
        page.mouse.click(row["x"] + share * row["width"], row["y"] + 20, button="right")
        expect(menu).to_be_visible()
        eventually(lambda: within(menu, width, height))
        page.keyboard.press("Escape")
        expect(menu).to_have_count(0)


def within(thing: Locator, width: int, height: int) -> bool:
    box = thing.bounding_box()
    return bool(
        box and box["x"] >= 0 and box["y"] >= 0
        and box["x"] + box["width"] <= width and box["y"] + box["height"] <= height
    )  # fmt: skip


def log_out(listener: Listener) -> None:
    listener.go("Settings")
    listener.page.get_by_role("button", name="Log out", exact=True).first.click()


def is_out(listener: Listener) -> None:
    """Is nothing heard any more, and nothing there to be heard by the system's keys?"""
    page = listener.page
    expect(page.get_by_label("Password")).to_be_visible()
    assert silent(listener)
    assert page.title() == "Log in – ringnode"
    assert page.evaluate("navigator.mediaSession.metadata") is None
    page.evaluate("for (const key of ['play', 'nexttrack', 'previoustrack']) window.keys[key]({})")
    assert not page.evaluate("window.made.some((audio) => audio.src)")


def is_new(listener: Listener) -> None:
    """Is there nothing of whoever was here before?"""
    page = listener.page
    plays_nothing(listener)
    press(listener, "Queue")
    expect(page.get_by_role("dialog")).to_contain_text("The queue is empty")
    page.keyboard.press("Escape")


def test_who_logs_out_takes_the_music_along(ring: RingOfProcesses, listener: Listener) -> None:
    assert ring.nodes[0].request("POST", "/users", BEN)[0] == 201
    listener.play("Two")
    listener.row("Two").press("f")
    thumb(listener).press("ArrowRight")
    log_out(listener)
    is_out(listener)
    assert listener.page.url.endswith("/login"), "the next one would be led to where this one was"
    listener.enter()
    eventually(lambda: listener.now in SONGS and listener.position() >= 5)
    assert silent(listener)
    press(listener, "Play")
    listener.hears(listener.now)
    log_out(listener)
    listener.enter(BEN["password"], BEN["name"])
    is_new(listener)
    listener.go("Favourites")
    expect(listener.page.get_by_text("No favourite songs yet")).to_be_visible()


def test_a_login_that_the_ring_ends_stops_the_music(ring: RingOfProcesses, listener: Listener) -> None:
    log_out(listener)
    listener.enter(BEN["password"], BEN["name"])
    listener.play("Two")
    changed = {"password": "another password of ben"}
    assert ring.nodes[1].request("PATCH", "/users/ben", changed)[0] == 200
    is_out(listener)
    assert "?to=" in listener.page.url, "who logs in again does not go on where they were"
    listener.enter()
    is_new(listener)


def focused(listener: Listener, what: str) -> str:
    """The number of the song that has the focus, if it is in sight."""
    return str(listener.page.evaluate(
        """(what) => {
            const { top, bottom } = document.activeElement.getBoundingClientRect()
            return top >= 0 && bottom <= innerHeight ? document.activeElement.dataset[what] : ''
        }""", what
    ))  # fmt: skip


def test_keys_go_on_where_they_were_however_far_one_scrolls(
    ring: RingOfProcesses, listener: Listener, tmp_path: Path
) -> None:
    page, node = listener.page, ring.nodes[0]
    for n in range(MANY):
        assert node.upload(make_wav(tmp_path / f"Noise {n}.wav", 4_000, n))[0] == 201
    listener.go("Songs")
    expect(page.get_by_text(f"{MANY + len(SONGS)} songs")).to_be_visible()
    page.get_by_role("grid").get_by_role("row").nth(1).press("ArrowDown")
    eventually(lambda: focused(listener, "index") == "1")
    page.get_by_role("grid").locator("..").evaluate("(list) => list.scrollTo(0, list.scrollHeight)")
    eventually(lambda: page.locator(f"[data-index='{MANY}']").count() and not focused(listener, "index"))
    page.keyboard.press("ArrowDown")
    eventually(lambda: focused(listener, "index") == "2")
    (album,) = [album["id"] for album in node.get("/albums")["items"] if album["songs"] == MANY]
    page.goto(f"{listener.origin}/albums/{album}")
    page.locator("[data-track='0']").press("ArrowDown")
    eventually(lambda: focused(listener, "track") == "1")
    page.get_by_role("main").evaluate("(list) => list.scrollTo(0, list.scrollHeight)")
    eventually(lambda: page.locator("[data-track='2']").count() == 0 and not focused(listener, "track"))
    page.keyboard.press("ArrowDown")
    eventually(lambda: focused(listener, "track") == "2")

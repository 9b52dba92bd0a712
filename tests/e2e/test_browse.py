"""The library in a real browser: found, played, starred, put into playlists, on a phone too."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from browser import Listener, launched
from playwright.sync_api import Page, Response, Route, expect
from processes import RingOfProcesses
from stage import origin
from support import eventually

PHONE = {"width": 390, "height": 844}


def kept(answer: Response) -> bool:
    """Is this the ring's word that a playlist was changed?"""
    return answer.request.method == "PATCH" and answer.url.endswith("/entries") and answer.ok


def titles(page: Page) -> list[str]:
    """The songs of a list, in their order."""
    rows = page.get_by_role("grid").get_by_role("row").filter(has=page.get_by_role("gridcell"))
    return [text.split("\n")[0] for text in rows.all_inner_texts()]


def queued(page: Page) -> int:
    """Songs in the queue."""
    text = page.evaluate("localStorage.getItem('ringnode.queue')")
    return len(json.loads(text)["entries"]) if text else 0


LONG = 100_000
CHANGE = "dispatchEvent(new Event('ringnode-library'))"  # as news of the library has it


def pages(of: Callable[[int], dict[str, Any]], limit: int, asked: list[int]) -> Callable[[Route], None]:
    """Answers for a long list out of what `of` makes of an index; where each page began that was asked for."""

    def answer(route: Route) -> None:
        asked.append(begin := int(parse_qs(urlsplit(route.request.url).query).get("cursor", ["0"])[0]))
        found = [of(n) for n in range(begin, min(LONG, begin + limit))]
        end = str(begin + limit) if begin + limit < LONG else None
        route.fulfill(json={"items": found, "next_cursor": end, "total": LONG})

    return answer


def test_a_long_list_stays_where_it_is_while_others_upload(ring: RingOfProcesses) -> None:
    asked: list[int] = []
    state = {"word": "old"}
    song, album = (ring.nodes[0].get(f"/{kind}")["items"][0] | {"has_cover": False} for kind in ("songs", "albums"))
    with launched() as browser, Listener(browser, origin(ring.nodes[0]), service_workers="block") as listener:
        page = listener.page
        listener.log_in()
        for kind, thing, limit in (("songs", song, 500), ("albums", album, 120)):
            made = pages(lambda n, it=thing: it | {"id": f"{n:064x}", "title": f"{state['word']} {n}"}, limit, asked)
            page.route(re.compile(rf"/api/v1/{kind}\?"), made)
        listener.go("Songs")
        scroller = page.get_by_role("grid").locator("..")
        scroller.evaluate("box => { box.scrollTop = 56 * 3000 }")
        page.get_by_role("row", name="old 3002").click()
        place = scroller.evaluate("box => box.scrollTop")
        asked.clear()
        state["word"] = "new"
        page.evaluate(CHANGE)
        row = page.get_by_role("row", name="new 3002")
        expect(row).to_have_attribute("aria-selected", "true")
        assert scroller.evaluate("box => box.scrollTop") == place
        assert set(asked) <= {2500, 3000}, asked
        scroller.evaluate("box => { box.scrollTop = 56 * 1200 }")
        expect(page.get_by_role("row", name="new 1202")).to_be_visible()

        listener.go("Albums")
        for n in (119, 239, 359):
            page.get_by_role("link", name=f"new {n}", exact=True).scroll_into_view_if_needed()
        asked.clear()
        state["word"] = "newer"
        page.evaluate(CHANGE)
        expect(page.get_by_role("link", name="newer 359", exact=True)).to_be_in_viewport()
        assert 0 not in asked, asked
        page.get_by_role("link", name="new 1", exact=True).scroll_into_view_if_needed()
        expect(page.get_by_role("link", name="newer 1", exact=True)).to_be_visible()
        assert not listener.complaints


def test_who_opens_the_search_types_on_though_its_code_is_on_the_way(ring: RingOfProcesses) -> None:
    held: list[Route] = []
    with launched() as browser, Listener(browser, origin(ring.nodes[0]), service_workers="block") as listener:
        page = listener.page
        page.route(re.compile("/CommandBox-"), lambda route: held.append(route))
        listener.log_in()
        page.keyboard.press("Control+k")
        page.keyboard.type("op s")
        eventually(lambda: page.evaluate("true") and held)
        held[0].continue_()
        box = page.get_by_role("dialog").get_by_role("textbox", name="Search")
        expect(box).to_be_focused()
        page.keyboard.type("u")
        expect(box).to_have_value("op su")
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        expect(box).to_have_value("")
        assert not listener.complaints


def test_an_album_is_found_and_heard(ring: RingOfProcesses, listener: Listener) -> None:
    page = listener.page
    listener.go("Albums")
    page.get_by_role("link", name="Formats").first.click()
    expect(page.get_by_role("heading", name="Formats", level=1)).to_be_visible()
    expect(page.get_by_text("3 copies of every song, all whole")).to_be_visible()
    page.get_by_role("main").get_by_role("button", name="Play", exact=True).click()
    listener.hears("Short mp3")
    page.get_by_role("link", name="The Testers").first.click()
    expect(page.get_by_role("heading", name="Top songs")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("opsu")
    page.get_by_role("dialog").get_by_role("button", name="opus").click()
    expect(page.get_by_role("option", name="Short opus")).to_be_visible()
    page.get_by_role("option", name="All results for").click()
    expect(page.get_by_role("heading", name="Search", level=1)).to_be_visible()
    page.get_by_role("main").get_by_role("button", name="Short opus").first.click()
    listener.hears("Short opus")
    listener.go("Genres")
    page.get_by_role("main").get_by_role("link", name="6 songs").click()
    expect(page.get_by_role("button", name="Without the filter Test")).to_be_visible()
    page.get_by_role("columnheader").get_by_role("button", name="Song").click()
    expect(page.get_by_role("grid").get_by_role("row").nth(1)).to_contain_text("Long noise")
    assert not listener.complaints


def test_a_playlist_is_made_arranged_and_kept(ring: RingOfProcesses, listener: Listener) -> None:
    page = listener.page
    listener.go("Songs")
    listener.row("Short mp3").click()
    listener.row("Short ogg").click(modifiers=["Shift"])
    bar = page.get_by_role("toolbar", name="Selection")
    expect(bar).to_contain_text("3 songs selected")
    bar.get_by_role("button", name="Add to playlist").click()
    page.get_by_label("Name of a new playlist").fill("Evening")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_role("heading", name="Evening", level=1)).to_be_visible()
    expect(listener.row("Short ogg")).to_be_visible()
    with page.expect_response(kept):
        listener.row("Short ogg").press("Alt+ArrowUp")
    with page.expect_response(kept):
        listener.row("Short mp3").drag_to(listener.row("Short flac"))
    page.reload()
    expect(listener.row("Short mp3")).to_be_visible()
    assert titles(page) == ["Short ogg", "Short mp3", "Short flac"]
    with page.expect_response(kept):
        listener.row("Short flac").press("Delete")
    expect(listener.row("Short flac")).to_have_count(0)
    listener.row("Short ogg").press("f")
    listener.go("Favourites")
    expect(listener.row("Short ogg")).to_be_visible()
    listener.row("Short ogg").click(button="right")
    page.get_by_role("menuitem", name="Remove from favourites").click()
    expect(page.get_by_role("menu")).to_have_count(0)
    assert not listener.complaints


def test_a_long_playlist_is_shuffled_and_queued_whole(ring: RingOfProcesses, listener: Listener) -> None:
    page, node = listener.page, ring.nodes[0]
    song = node.get("/songs")["items"][0]["id"]
    made = json.loads(node.request("POST", "/playlists", {"name": "Long"})[2])["id"]
    for n in (500, 200):  # more than one page
        assert node.request("POST", f"/playlists/{made}/entries", {"songs": [song] * n})[0] in (200, 201)

    listener.go("Playlists")
    page.get_by_role("link", name="Long").click()
    page.get_by_role("main").get_by_role("button", name="Shuffle").click()
    eventually(lambda: queued(page) == 700)
    page.get_by_role("button", name="More for Long").click()
    page.get_by_role("menuitem", name="Add to queue").click()
    listener.says("700 songs added to the queue")
    eventually(lambda: queued(page) == 1400)
    assert node.request("DELETE", f"/playlists/{made}")[0] == 204
    assert not listener.complaints


def test_a_queue_of_thousands_comes_over_from_another_device(ring: RingOfProcesses) -> None:
    node = ring.nodes[2]
    song = next(song for song in node.get("/songs")["items"] if song["title"] == "Long noise")
    there = {"songs": [song["id"]] * 2000, "index": 1500, "position_s": 3.0, "device": "Kitchen"}
    assert node.request("PUT", "/me/queue", there)[0] == 200
    with launched() as browser, Listener(browser, origin(node)) as listener:
        page = listener.page
        listener.log_in()
        listener.says("Go on with “Long noise” from Kitchen?")
        page.get_by_role("status").get_by_role("button", name="Go on").click()
        listener.says("2000 songs of the queue came over.")
        listener.hears("Long noise")
        eventually(lambda: queued(page) == 2000)
        assert json.loads(page.evaluate("localStorage.getItem('ringnode.queue')"))["current"] == 1500
        assert not listener.complaints


def test_a_playlist_is_shared_with_one_person(ring: RingOfProcesses, listener: Listener) -> None:
    page = listener.page
    ben = {"name": "ben", "password": "a password of ben", "role": "listener"}
    assert ring.nodes[2].request("POST", "/users", ben)[0] == 201
    listener.go("Songs")
    listener.choose("Short m4a", "Add to playlist")
    page.get_by_label("Name of a new playlist").fill("For Ben")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("button", name="Open", exact=True).click()
    page.get_by_role("button", name="More for For Ben").click()
    page.get_by_role("menuitem", name="Name and sharing").click()
    page.get_by_label("Name of somebody").fill("Bem")
    page.get_by_role("button", name="Save").click()
    listener.says("There is nobody of that name")
    page.get_by_role("button", name="Not with bem any more").click()
    page.get_by_label("Name of somebody").fill("Ben")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Shared with ben")).to_be_visible()
    browser = listener.context.browser
    assert browser
    with Listener(browser, origin(ring.nodes[1])) as reader:
        reader.log_in(ben["password"], ben["name"])
        reader.go("Playlists")
        reader.page.get_by_role("link", name="For Ben").first.click()
        expect(reader.row("Short m4a")).to_be_visible()
        reader.page.get_by_role("button", name="More for For Ben").click()
        expect(reader.page.get_by_role("menuitem", name="Duplicate")).to_be_visible()
        expect(reader.page.get_by_role("menuitem", name="Name and sharing")).to_have_count(0)
        assert not reader.complaints
    assert not listener.complaints


def test_on_a_phone_in_spanish(ring: RingOfProcesses) -> None:
    with launched() as browser, Listener(browser, origin(ring.nodes[1]), has_touch=True) as listener:
        page = listener.page
        listener.log_in()
        page.set_viewport_size(PHONE)
        page.get_by_role("button", name="More", exact=True).click()
        page.get_by_role("link", name="Settings").click()
        page.get_by_label("Language").select_option("es")
        page.get_by_role("link", name="Canciones").click()
        expect(page.get_by_role("heading", name="Canciones", level=1)).to_be_visible()
        listener.row("Short flac").tap()
        eventually(lambda: listener.audio()["at"] > 0.3)
        for place in ("Inicio", "Álbumes", "Listas"):
            page.get_by_role("link", name=place, exact=True).click()
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            assert page.evaluate("document.querySelector('main').scrollWidth") <= PHONE["width"]
        assert not listener.complaints


def test_who_comes_back_finds_the_page_where_it_was(listener: Listener) -> None:
    page = listener.page
    page.set_viewport_size({"width": 390, "height": 420})
    box = "(document.querySelector('[data-scroller]') ?? document.getElementById('main'))"
    for place in ("Albums", "Songs"):
        listener.go(place)
        expect(
            page.get_by_role("main").get_by_text("Formats" if place == "Albums" else "Short opus").first
        ).to_be_attached()
        eventually(lambda: page.evaluate(f"{box}.scrollTop = 60, {box}.scrollTop") == 60)
        page.get_by_role("link", name="Playlists").filter(visible=True).click()
        expect(page.get_by_role("heading", name="Playlists", level=1)).to_be_visible()
        assert page.evaluate(f"{box}.scrollTop") == 0
        page.go_back()
        eventually(lambda: page.evaluate(f"{box}.scrollTop") == 60)
    assert not listener.complaints


def test_a_rating_is_seen_at_once_and_the_last_press_wins(ring: RingOfProcesses, listener: Listener) -> None:
    page = listener.page
    song = ring.nodes[0].get("/songs?limit=1")["items"][0]["id"]
    page.goto(f"{origin(ring.nodes[0])}/songs/{song}")
    stars = page.get_by_role("group", name="Your rating")
    pressed = stars.locator("[aria-pressed=true]")
    expect(stars).to_be_visible()
    held: list[Route] = []
    page.route("**/api/v1/me/ratings", lambda route: held.append(route))
    stars.get_by_role("button", name="4 stars").click()
    expect(pressed).to_have_accessible_name("4 stars")
    for name in ("1 star", "2 stars"):
        stars.get_by_role("button", name=name).click()
        expect(pressed).to_have_accessible_name(name)
    sent = []
    for _ in range(2):
        eventually(lambda: page.evaluate("true") and held)
        route = held.pop()
        sent.append(route.request.post_data_json["rating"])
        route.continue_()
        expect(pressed).to_have_accessible_name("2 stars")
    assert sent == [4, 2]
    page.unroute("**/api/v1/me/ratings")
    page.reload()
    expect(pressed).to_have_accessible_name("2 stars")
    stars.get_by_role("button", name="2 stars").click()
    expect(pressed).to_have_count(0)
    refusal = {"type": "tag:ringnode:problem:invalid", "status": 422, "detail": "it is refused"}
    page.route("**/api/v1/me/ratings", lambda route: route.fulfill(status=422, json=refusal))
    stars.get_by_role("button", name="5 stars").click()
    listener.says("it is refused")
    expect(pressed).to_have_count(0)

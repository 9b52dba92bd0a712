"""The player in a real browser, against a real ring: heard is what an audio element's clock says."""

from browser import Listener, launched
from playwright.sync_api import expect
from processes import PASSWORD, RingOfProcesses
from stage import FORMATS, LONG_S, origin
from support import eventually


def test_somebody_listens(ring: RingOfProcesses, listener: Listener) -> None:
    page = listener.page
    listener.go("Songs")
    assert page.title() == "Songs – ringnode"
    for suffix in FORMATS:
        listener.play(f"Short {suffix}")
    listener.play("Short mp3")
    page.get_by_role("button", name="Next song").click()
    listener.hears("Short flac")
    page.get_by_role("slider", name="Position in the song").press("ArrowRight")
    eventually(lambda: listener.audio()["at"] > 5)
    page.get_by_role("button", name="Pause").click()
    at = listener.position()
    page.reload()
    expect(page.get_by_role("button", name="Play", exact=True).last).to_be_visible()
    eventually(lambda: listener.now == "Short flac" and abs(listener.position() - at) <= 1)
    assert not listener.complaints


def test_the_next_song_follows_by_itself_without_a_gap(ring: RingOfProcesses, listener: Listener) -> None:
    listener.play("Short mp3")
    listener.page.get_by_role("slider", name="Position in the song").press("End")
    listener.hears("Short flac")
    assert not listener.complaints


def test_the_song_goes_on_when_the_node_that_serves_it_is_killed(ring: RingOfProcesses, listener: Listener) -> None:
    page, serving = listener.page, ring.nodes[0]
    eventually(
        lambda: page.evaluate("performance.getEntriesByType('resource').some((r) => r.name.includes('/ring'))")
    )
    eventually(lambda: page.evaluate("navigator.serviceWorker.controller !== null"))
    listener.play("Long noise")
    before = listener.audio()
    assert before["url"].startswith(origin(serving))
    serving.kill()
    assert before["to"] < LONG_S - 20, "the browser has the whole song already: nothing would be shown"
    eventually(lambda: not listener.audio()["url"].startswith(origin(serving)), 60)
    after = listener.audio()
    assert after["at"] >= before["at"], "it went back"
    listener.hears("Long noise")
    expect(page.get_by_role("status").get_by_text("A node fell silent")).to_be_visible()
    page.get_by_role("link", name="Ring", exact=True).click()
    expect(page.get_by_role("heading", name="Ring", level=1)).to_be_visible()
    eventually(lambda: page.get_by_text("down", exact=True).count() == 1, 60)
    page.reload()  # also then: the browser has the player itself
    expect(page.get_by_role("heading", name="Ring", level=1)).to_be_visible()
    page.get_by_role("link", name="Songs", exact=True).click()
    listener.play("Short opus")
    assert not listener.complaints
    ring.start(serving)


def test_changes_are_made_at_another_node_when_ones_own_is_dead(ring: RingOfProcesses) -> None:
    serving = ring.nodes[1]
    with launched() as browser, Listener(browser, origin(serving)) as listener:
        page = listener.page
        listener.log_in()
        eventually(lambda: page.evaluate("navigator.serviceWorker.controller !== null"))
        listener.go("Songs")
        expect(listener.row("Short flac")).to_be_visible()
        eventually(lambda: page.evaluate("JSON.parse(localStorage['ringnode.nodes'] ?? '[]').length === 3"))
        serving.kill()
        listener.row("Short flac").press("f")  # a star: what may be done twice
        listener.go("Favourites")
        expect(listener.row("Short flac")).to_be_visible()
        listener.go("Playlists")
        page.get_by_label("Name of a new playlist").fill("Made elsewhere")
        page.get_by_role("button", name="Create").click()  # what must not be
        expect(page.get_by_role("heading", name="Made elsewhere", level=1)).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="Made elsewhere", level=1)).to_be_visible()
        listener.go("Settings")
        page.get_by_role("button", name="Log out", exact=True).first.click()
        page.get_by_label("Name").fill("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        listener.go("Playlists")
        expect(page.get_by_role("link", name="Made elsewhere")).to_have_count(1)
        assert not listener.complaints
    ring.start(serving)


def test_a_kept_album_is_heard_when_all_nodes_are_dead(ring: RingOfProcesses, listener: Listener) -> None:
    """The last one here: it leaves no ring."""
    page = listener.page
    eventually(lambda: page.evaluate("navigator.serviceWorker.controller !== null"))
    listener.go("Albums")
    page.get_by_role("link", name="Formats").first.click()
    page.get_by_role("button", name="More for Formats").click()
    page.get_by_role("menuitem", name="Keep on this device").click()
    listener.says("can be heard without a network")
    for node in ring.nodes:
        node.kill()
    page.goto(f"{listener.origin}/albums")
    page.get_by_role("link", name="Hear what is on this device").click()
    page.get_by_role("button", name="Play Formats").click()
    listener.hears("Short mp3")
    page.get_by_role("slider", name="Position in the song").press("End")
    listener.hears("Short flac")
    assert "/kept/" in listener.audio()["url"]
    assert not listener.complaints

"""The player in a real browser, against a real ring: heard is what an audio element's clock says."""

from browser import Listener
from playwright.sync_api import expect
from processes import RingOfProcesses
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
    page.get_by_role("slider", name="Position in the song").last.press("ArrowRight")
    eventually(lambda: listener.audio()["at"] > 5)
    page.get_by_role("button", name="Pause").click()
    at = listener.position()
    page.reload()
    expect(page.get_by_role("button", name="Play", exact=True).last).to_be_visible()
    eventually(lambda: listener.now == "Short flac" and abs(listener.position() - at) <= 1)
    assert not listener.complaints


def test_the_next_song_follows_by_itself_without_a_gap(ring: RingOfProcesses, listener: Listener) -> None:
    listener.play("Short mp3")
    listener.page.get_by_role("slider", name="Position in the song").last.press("End")
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

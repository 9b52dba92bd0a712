"""What Lighthouse says of the player as a node serves it: make lighthouse

A ring of three nodes with the demo's songs, Debian's Chromium, the login page and pages behind it, each in a browser
that was there before, as a listener's is: on a phone as Lighthouse imagines it (a slow CPU, a slow network), and on a
desktop. Of several runs (--runs) the one whose performance is the median is shown, and the performance of all. npx
fetches Lighthouse.

Ring, browser and Lighthouse share this machine's cores, and what the page waits for one Lighthouse counts as its
own work, four times on a phone: with two cores the figures are a lower bound.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("tests", "tests/ring", "tests/e2e")]

from browser import CHROMIUM, FLAGS  # noqa: E402
from playwright.sync_api import BrowserContext, Playwright, expect, sync_playwright  # noqa: E402
from stage import demo  # noqa: E402

from ringnode.demo import free_ports  # noqa: E402

LIGHTHOUSE = "lighthouse@12.8.2"  # the newest that runs on Node.js 20
CATEGORIES = ("performance", "accessibility", "best-practices")
PAGES = ("/login", "/", "/albums", "/songs", "/ring")
HEADS = (("perf.", 8), ("access.", 8), ("best p.", 8), ("paint", 12), ("largest", 11), ("blocked", 11), ("shift", 11))
LEAST = {"accessibility": 100, "best-practices": 100}  # the rest depends on the machine: it is shown, not judged
TIMES = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")
TIMEOUT_S = 300.0
LOADED_MS = 12_000  # the stream of events goes on: Lighthouse would wait three quarters of a minute for its end


def log_in(context: BrowserContext, origin: str, password: str) -> None:
    """A listener's browser: it has a session, and the service worker keeps the player's code."""
    page = context.new_page()
    page.goto(f"{origin}/login")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Good", level=1)).to_be_visible()
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    page.close()


@contextmanager
def browser(playwright: Playwright, info: dict[str, Any], known: bool) -> Iterator[int]:
    """The port of a browser of its own: no page before has left work to its processes."""
    with tempfile.TemporaryDirectory() as profile:
        port = free_ports(1)[0]
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=CHROMIUM,
            args=[*FLAGS, f"--remote-debugging-port={port}"],
            locale="en-GB",
        )
        try:
            if known:
                log_in(context, info["nodes"][0]["http"], info["password"])
            yield port
        finally:
            context.close()


def look(url: str, port: int, preset: list[str]) -> dict[str, Any]:
    """Lighthouse's report of one page, opened in the browser at this port."""
    command = [
        "npx",
        "--yes",
        LIGHTHOUSE,
        url,
        f"--port={port}",
        "--disable-storage-reset",
        f"--max-wait-for-load={LOADED_MS}",
        "--output=json",
        "--quiet",
    ]
    command += [f"--only-categories={','.join(CATEGORIES)}", *preset]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    if done.returncode:
        sys.exit(f"Lighthouse gave up at {url}:\n{done.stderr[-2000:]}")
    return dict(json.loads(done.stdout))


def score(report: dict[str, Any], name: str) -> int:
    return round(100 * report["categories"][name]["score"])


def tell(where: str, reports: list[dict[str, Any]]) -> bool:
    """Print the median run's scores, all runs' performance, and what costs points. True if no score is below what it
    must be."""
    reports = sorted(reports, key=lambda report: score(report, "performance"))
    middle = reports[len(reports) // 2]
    times = "  ".join(middle["audits"][name]["displayValue"].rjust(9) for name in TIMES)
    every = " ".join(str(score(report, "performance")) for report in reports)
    scores = "".join(f"{score(middle, name):8}" for name in CATEGORIES)
    print(f"{where:18}{scores}   {times}   {every}", flush=True)
    for name in LEAST:
        for reference in middle["categories"][name]["auditRefs"]:
            audit = middle["audits"][reference["id"]]
            if audit["score"] is not None and audit["score"] < 1 and reference["weight"]:
                print(f"    {name}: {audit['title']}", flush=True)
    return all(score(report, name) >= least for report in reports for name, least in LEAST.items())


def main() -> None:
    """Look at each page in both shapes; exit 1 if accessibility or best practices are below 100 anywhere."""
    parser = argparse.ArgumentParser(description="Scores of the player's pages by Lighthouse.")
    parser.add_argument("--runs", type=int, default=3, help="of each page in each shape (default: 3)")
    runs = parser.parse_args().runs
    fine = True
    with (
        tempfile.TemporaryDirectory() as folder,
        demo(Path(folder) / "ring") as info,
        sync_playwright() as playwright,
    ):
        heads = "".join(head.rjust(wide) for head, wide in HEADS)
        print(f"{'':18}{heads}   all runs", flush=True)
        for page in PAGES:
            for shape, preset in (("phone", []), ("desktop", ["--preset=desktop"])):
                reports = []
                for _ in range(runs):
                    with browser(playwright, info, page != "/login") as port:
                        reports.append(look(info["nodes"][0]["http"] + page, port, preset))
                fine &= tell(f"{page} {shape}", reports)
    sys.exit(not fine)


if __name__ == "__main__":
    main()

"""What Lighthouse says of the player as a node serves it: make lighthouse

A ring of three nodes with the demo's songs, Debian's Chromium, the login page and pages behind it:
on a phone as Lighthouse imagines it (a slow CPU, a slow network), and on a desktop. npx fetches Lighthouse.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("tests", "tests/ring", "tests/e2e")]

from browser import CHROMIUM, FLAGS  # noqa: E402
from playwright.sync_api import BrowserContext, expect, sync_playwright  # noqa: E402
from stage import demo  # noqa: E402

from ringnode.demo import free_ports  # noqa: E402

LIGHTHOUSE = "lighthouse@12.8.2"  # the newest that runs on Node.js 20
CATEGORIES = ("performance", "accessibility", "best-practices")
PAGES = ("/login", "/", "/albums", "/songs", "/ring")
LEAST = {"accessibility": 100, "best-practices": 100}  # the rest depends on the machine: it is shown, not judged
TIMES = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")
TIMEOUT_S = 300.0


def log_in(context: BrowserContext, origin: str, password: str) -> None:
    page = context.new_page()
    page.goto(f"{origin}/login")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Good", level=1)).to_be_visible()
    page.close()


def look(url: str, port: int, preset: list[str]) -> dict[str, Any]:
    """Lighthouse's report of one page, opened in the browser at this port."""
    command = [
        "npx",
        "--yes",
        LIGHTHOUSE,
        url,
        f"--port={port}",
        "--disable-storage-reset",
        "--output=json",
        "--quiet",
    ]
    command += [f"--only-categories={','.join(CATEGORIES)}", *preset]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    if done.returncode:
        sys.exit(f"Lighthouse gave up at {url}:\n{done.stderr[-2000:]}")
    return dict(json.loads(done.stdout))


def tell(where: str, report: dict[str, Any]) -> bool:
    """Print a line of scores, and what costs points. True if no score is below what it must be."""
    scores = {name: round(100 * report["categories"][name]["score"]) for name in CATEGORIES}
    shown = "  ".join(report["audits"][name]["displayValue"].rjust(9) for name in TIMES)
    print(f"{where:18}" + "".join(f"{score:8}" for score in scores.values()) + "   " + shown, flush=True)
    for name in LEAST:
        for reference in report["categories"][name]["auditRefs"]:
            audit = report["audits"][reference["id"]]
            if audit["score"] is not None and audit["score"] < 1 and reference["weight"]:
                print(f"    {name}: {audit['title']}", flush=True)
    return all(scores[name] >= least for name, least in LEAST.items())


def main() -> None:
    """Look at each page in both shapes; exit 1 if accessibility or best practices are below 100 anywhere."""
    fine = True
    with (
        tempfile.TemporaryDirectory() as folder,
        demo(Path(folder) / "ring") as info,
        sync_playwright() as playwright,
    ):
        port, origin = free_ports(1)[0], info["nodes"][0]["http"]
        context = playwright.chromium.launch_persistent_context(
            f"{folder}/profile",
            executable_path=CHROMIUM,
            args=[*FLAGS, f"--remote-debugging-port={port}"],
            locale="en-GB",
        )
        print(
            f"{'':18}{'perf.':>8}{'access.':>8}{'best p.':>8}{'paint':>12}{'largest':>11}{'blocked':>11}{'shift':>11}"
        )
        for page in PAGES:
            for shape, preset in (("phone", []), ("desktop", ["--preset=desktop"])):
                fine &= tell(f"{page} {shape}", look(origin + page, port, preset))
            if page == "/login":
                log_in(context, origin, info["password"])
        context.close()
    sys.exit(not fine)


if __name__ == "__main__":
    main()

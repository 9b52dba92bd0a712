"""What a login costs, and what being known by its token: python bench/login.py. Prints; asserts nothing."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from alone import Alone, open_catalogue

from ringnode.catalogue.attempts import Attempts
from ringnode.services.accounts import put_user
from ringnode.services.sessions import Client, Sessions

TIMES = 40


def cpu_ms(act: Callable[[], object], times: int = TIMES) -> list[float]:
    """CPU time of this process for each of some calls."""
    taken = []
    for _ in range(times):
        began = time.process_time()
        act()
        taken.append((time.process_time() - began) * 1000)
    return taken


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        records = open_catalogue(Path(folder) / "c.db")
        put_user(records, "ana", "correct horse", "listener")
        sessions = Sessions(records, Alone(records), Attempts(records.db, time.time), "s" * 64, 3600.0)  # type: ignore
        here = Client("10.0.0.1", "bench")
        token = sessions.login("ana", "correct horse", here).token
        rows = {
            "a login (one node, its own disk)": cpu_ms(lambda: sessions.login("ana", "correct horse", here)),
            "a request's login, by its token": cpu_ms(lambda: [sessions.access(token) for _ in range(100)]),
        }
        rows["a request's login, by its token"] = [ms / 100 for ms in rows["a request's login, by its token"]]
        print(f"{'CPU ms':58} {'min':>9} {'median':>9} {'max':>9}")
        for what, taken in rows.items():
            print(f"{what:58} {min(taken):9.3f} {statistics.median(taken):9.3f} {max(taken):9.3f}")
        records.db.close()


if __name__ == "__main__":
    main()

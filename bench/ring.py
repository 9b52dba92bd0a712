"""The ring's numbers beside those of the papers: python bench/ring.py [NAME ...] [--seed S] [--hours H].

In virtual time, but for `recopy`. Prints tables with their seed; asserts nothing. See docs/numbers.md.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
sys.path += [str(HERE.parent / "tests" / folder) for folder in ("sim", "ring", ".")]

import files  # noqa: E402
import members  # noqa: E402
import recopy  # noqa: E402
import routing  # noqa: E402


class Table(NamedTuple):
    title: str
    columns: str  # separated by |
    rows: Callable[..., list[routing.Row]]


CHORD = "Stoica et al., ToN 2003"
TABLES = {
    "paths": Table(
        f"Mean path by fingers alone, perfect tables, 10,000 lookups; 1/2 log2 N - 0.15 ({CHORD}, figure 10)",
        "N|mean|expected|off by|1st, 99th percentile", routing.paths),
    "protocol": Table("The same with fingers that the nodes found themselves",
                      "N|mean|expected|off by|1st, 99th percentile", routing.paths_by_protocol),
    "warm": Table("Calls a lookup makes where all peers' records are known", "N|calls|target", routing.warm),
    "dead": Table(
        f"N = 1,000, a share dead at once, no upkeep: mean path, mean timeouts, failed of 2,000 ({CHORD}, table II)",
        "dead|r = 20|r = 8, records|r = 8|paper, r = 20", routing.dead_at_once),
    "churn": Table(f"N = 1,000 under churn, the ring alone ({CHORD}, table III)",
                   "joins and leaves a second|of both|wrong|failed|lookups|target|paper", routing.churn),
    "merge": Table("One link between two rings: rounds of a second until they are one ideal ring",
                   "nodes|rounds|at most", members.merge),
    "push": Table("A new record among 100 nodes, by push to 4: whom it reaches within 8 hops, 100 records",
                  "calls lost|reached, mean|most hops|calls|target", members.push),
    "crash": Table("One of 100 nodes dies: seconds until it is noticed, the slowest of 5",
                   "how|by its predecessor|suspect to all|down to all|at most", members.crash),
    "false": Table("5 % of calls lost, some node sleeps 3 s in every 30 s: verdicts passed on live nodes",
                   "node-hours|N|suspect|down|target for down", members.false_deaths),
    "lost": Table("40 nodes, 1,000 songs, k = 3, a share dies at once: songs without a copy; lost after the return",
                  "dead|without a copy|p^k|lost|target", files.lost),
    "balance": Table("Bytes stored by the fullest node over the mean, k = 3, 20 rings of each size: mean, worst",
                     "N|joins one by one|joins at once|random ids|at most", files.balance),
    "reboot": Table("One of 10 nodes is away: files copied", "minutes|it holds|copied|target", files.reboot),
    "recopy": Table("Real processes: a node of 3 lost its disk, 120 songs of 5 MB",
                    "node|MB/s, first to last file|at least|s from its start to the last", recopy.recopy),
}  # fmt: skip


def show(table: Table, rows: list[routing.Row]) -> None:
    lines = [table.columns.split("|"), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    for line in lines:
        print("  " + "   ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which tables: {', '.join(TABLES)}; all if none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=100.0, help="node-hours of `false`")
    options = parser.parse_args()
    unknown = set(options.names) - set(TABLES)
    if unknown:
        parser.error(f"there is no table {sorted(unknown)[0]}; there are: {', '.join(TABLES)}")
    started = time.monotonic()
    for name in options.names or TABLES:
        began, table = time.monotonic(), TABLES[name]
        print(f"\n{name}: {table.title}. Seed {options.seed}.", flush=True)
        more = {"hours": options.hours} if name == "false" else {}
        show(table, table.rows(options.seed, **more))
        print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    print(f"\nAll of it in {time.monotonic() - started:.0f} s.")


if __name__ == "__main__":
    main()

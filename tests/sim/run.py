"""Many seeds of every story and life: python tests/sim/run.py --seed S --seeds N. Exit code 1 if one fails.

At the end it prints what was seen at all: a rescue that never happened was not tested.
"""

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from library import library_life  # noqa: E402
from scenarios import STORIES, told  # noqa: E402
from seen import SEEN  # noqa: E402
from tales import TALES  # noqa: E402

ALL = {story.__name__: story for story in (*STORIES, library_life, *TALES)}
PROCESSES = 2


def tell(seed: int, story: str | None) -> tuple[list[str], Counter[str]]:
    """One seed of every story, or of one: what failed, and what was seen."""
    SEEN.clear()
    failed = []
    for name in [story] if story else ALL:
        try:
            told(ALL[name], seed)
        except AssertionError as error:
            failed.append(str(error))
    return failed, Counter(SEEN)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--story", choices=ALL, help="only this one")
    parser.add_argument("--processes", type=int, default=PROCESSES, help="how many work at once")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.seeds)
    failures, seen = 0, Counter[str]()
    with ProcessPoolExecutor(options.processes) as pool:
        for failed, saw in pool.map(tell, seeds, [options.story] * len(seeds)):
            seen += saw
            failures += len(failed)
            for text in failed:
                print(text, flush=True)
    for what, times in sorted(seen.items()):
        print(f"{times:10,}  {what}")
    print(f"{options.seeds} seeds from {options.seed}: {failures} failures")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())

"""Many seeds of every story: python tests/sim/run.py --seed S --seeds N. Prints what fails; exit code 1 then."""

import argparse
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from scenarios import STORIES, told  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--story", choices=[story.__name__ for story in STORIES], help="only this one")
    options = parser.parse_args()
    failed = 0
    for seed in range(options.seed, options.seed + options.seeds):
        for story in STORIES:
            if options.story in (None, story.__name__):
                try:
                    told(story, seed)
                except AssertionError as error:
                    failed += 1
                    print(error)
    print(f"{options.seeds} seeds from {options.seed}: {failed} failures")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())

"""Many seeds of every story and life: python tests/sim/run.py --seed S --seeds N. Exit code 1 if one fails.

At the end it prints what was seen at all: a rescue that never happened was not tested.
"""

import argparse
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from many import ALL, PROCESSES, tell_all  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--story", choices=ALL, help="only this one")
    parser.add_argument("--processes", type=int, default=PROCESSES, help="how many work at once")
    options = parser.parse_args()
    failures, seen = tell_all(range(options.seed, options.seed + options.seeds), options.story, options.processes)
    for what, times in sorted(seen.items()):
        print(f"{times:10,}  {what}")
    print(f"{options.seeds} seeds from {options.seed}: {len(failures)} failures")
    return min(len(failures), 1)


if __name__ == "__main__":
    sys.exit(main())

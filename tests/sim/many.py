"""Many seeds at once, in processes of their own: what failed, and what was seen at all."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from library import library_life
from scenarios import STORIES, told
from seen import SEEN
from tales import TALES

ALL = {story.__name__: story for story in (*STORIES, library_life, *TALES)}
PROCESSES = 2


def tell(seed: int, story: str | None) -> tuple[list[str], Counter[str]]:
    """One seed of every story, or of one."""
    SEEN.clear()
    failed = []
    for name in [story] if story else ALL:
        try:
            told(ALL[name], seed)
        except AssertionError as error:
            failed.append(str(error))
    return failed, Counter(SEEN)


def tell_all(seeds: Sequence[int], story: str | None, processes: int = PROCESSES) -> tuple[list[str], Counter[str]]:
    """The same of many seeds; failures are printed as they come, too."""
    failures: list[str] = []
    seen = Counter[str]()
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:  # nothing of this process goes along
        for failed, saw in pool.map(tell, seeds, [story] * len(seeds)):
            seen += saw
            failures += failed
            for text in failed:
                print(text, flush=True)
    return failures, seen


def printed_twice(code: str) -> list[str]:
    """What code prints in two processes that hash differently; nobody may see the difference."""
    here = Path(__file__).parent
    code = f"import sys; sys.path[:0] = sys.argv[1:]\n{code}"
    return [
        subprocess.run(
            [sys.executable, "-c", code, str(here), str(here.parents[1])],
            env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        ).stdout.strip() or f"nothing, with {seed}"
        for seed in ("1", "2")
    ]  # fmt: skip

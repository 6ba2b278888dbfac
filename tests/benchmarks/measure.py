"""Medians of one run: neighbours inflate times, ratios of the same run hold."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def median_seconds(work: Callable[[], object], *, times: int = 9) -> float:
    """Median wall time of ``work`` in seconds, after one warm-up."""
    work()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def least_in_turn(*works: Callable[[], object], times: int = 20) -> list[float]:
    """The least processor time in seconds of works done in turn: what slows one for a while slows the others too."""
    taken: list[list[float]] = [[] for _work in works]
    for turn in range(times + 1):
        for work, mine in zip(works, taken, strict=True):
            start = time.process_time()
            work()
            if turn:  # the first is a warm-up
                mine.append(time.process_time() - start)
    return [min(mine) for mine in taken]


def least_seconds(work: Callable[[], object], *, times: int = 25) -> float:
    """The least processor time of ``work`` in seconds: neighbours only ever add to it."""
    work()
    taken = []
    for _ in range(times):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def yardstick() -> float:
    """Processor seconds of ``sum(range(100_000))`` here and now: what performance.md compares pages with."""
    return least_seconds(lambda: sum(range(100_000)), times=99)


def told(what: str, **figures: float) -> None:
    """Print the figures, for the closing note."""
    print(f"\n{what}: " + ", ".join(f"{name} {value:.4g}" for name, value in figures.items()))

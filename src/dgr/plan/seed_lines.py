"""One line for each seed that a training finishes, for whoever looks at a terminal or at a log."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dgr.config.plan_file import plan_entry
from dgr.core.paths import UNFINISHED, output_path

EVERY = 0.2
"""Seconds between two looks."""
CLOCK = 0.05
"""Seconds by which a file's time may lie before the clock's: file systems count in ticks."""


@contextmanager
def told_by_seed(key: str) -> Iterator[None]:
    """Around the stage that trains a run: print ``seed 3: trained in 4.1 s (2 of 20), about 74 s left``.

    It looks at the folders where the stage puts each finished seed: printing is no part of a result, and so none of the
    code that results depend on.

    Args:
        key: of the run.

    Raises:
        DGRError: there is no such run.
    """
    entry = plan_entry(key, ("runs", "tuned_runs"))
    lines, over = _SeedLines(entry["suite"], key, entry["seeds"]), threading.Event()
    before = lines.there()

    def watch() -> None:
        while not over.wait(EVERY):
            lines.tell()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        lines.tell()
    if before.keys() == set(lines.seeds) and before == lines.there():
        print(f"{lines.target}: every seed was there, and none was left to train")


class _SeedLines:
    """The seeds of a run that are finished since this was made, each told once."""

    def __init__(self, suite: str, key: str, seeds: list[int]) -> None:
        self.seeds, self.key, self.target = seeds, key, output_path(suite, "train", key)
        self.finished: dict[int, float] = {}
        self.start = time.time()

    def there(self) -> dict[int, int]:
        """The seeds that the run has, and when each was made."""
        files = {seed: self.target / f"seed-{seed}" / "metrics.json" for seed in self.seeds}
        return {seed: file.stat().st_mtime_ns for seed, file in files.items() if file.exists()}

    def tell(self) -> None:
        from tqdm import tqdm  # not before: a command without progress does not load it

        ended: list[tuple[float, int]] = []
        for folder in (*UNFINISHED.glob(f"{self.key}-*/result/seed-*"), *self.target.glob("seed-*")):
            try:
                ended.append((folder.stat().st_mtime, int(folder.name.removeprefix("seed-"))))
            except (OSError, ValueError):  # moved meanwhile: the next look finds it
                continue
        for when, seed in sorted(ended):  # a disk lists folders in any order
            # What was finished before keeps its time, also when the stage moves it.
            if when >= self.start - CLOCK and seed in self.seeds and seed not in self.finished:
                since = max([self.start, *self.finished.values()])
                self.finished[seed] = when
                place = self.seeds.index(seed) + 1
                left = (when - self.start) / len(self.finished) * (len(self.seeds) - place)
                told = f", about {left:.0f} s left" if place < len(self.seeds) else ""
                tqdm.write(f"seed {seed}: trained in {when - since:.1f} s ({place} of {len(self.seeds)}){told}")

"""What runs made in this checkout, removed; ``python -m dgr.terminal.cleaning``, which needs no environment.

What is committed stays: records, tables, figures, pages, tuning, locks.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from dgr.core.errors import DGRError
from dgr.core.paths import CONFIGS, DATA, FIGURES, RESULTS, RUNS, SUITES, TRAINED, UNFINISHED
from dgr.plan.checkout.at_work import ENGINE, Worker, release, stages_at_work, take

_MADE = (
    *(DATA, RUNS, TRAINED, UNFINISHED, Path("logs"), Path(".snakemake"), Path(".dvc/cache"), Path(".dvc/tmp")),
    *(Path("dvc_plots"), Path("verification.md"), Path("reproduction.md")),
)
LOOKS = "*-seeds-*"
"""Quick looks in ``results``, ``figures`` and ``suites``, which no commit keeps."""


def clean_results(root: Path) -> Iterator[str]:
    """Remove what runs made, and say of each place what went; at the end, what stays.

    Args:
        root: the checkout.

    Raises:
        DGRError: it is no checkout, a run is going on in it, or something cannot be removed.
    """
    if not (root / CONFIGS).is_dir():
        raise DGRError(f"There is no {CONFIGS} in {root.resolve()}; run this from a checkout's top folder.")
    held = take(ENGINE, ["make", "clean-results"], root)
    if isinstance(held, Worker):
        raise _at_work(held)
    try:
        for worker in stages_at_work(root):
            raise _at_work(worker)
        yield from _removed(root)
    finally:
        release(held)


def _at_work(worker: Worker) -> DGRError:
    return DGRError(f"Nothing was removed: at work here is {worker}; wait for it or end it, and try again.")


def _removed(root: Path) -> Iterator[str]:
    looks = [path.relative_to(root) for place in (RESULTS, FIGURES, SUITES) for path in (root / place).glob(LOOKS)]
    places = [place for place in (*_MADE, *sorted(looks)) if (root / place).exists()]
    for place in places:
        files, size = _content(root / place)
        try:
            shutil.rmtree(root / place) if (root / place).is_dir() else (root / place).unlink()
        except OSError as error:
            raise DGRError(f"{place} cannot be removed ({error.strerror}); unlock it and try again.") from error
        yield f"removed {place} ({files:,} {'file' if files == 1 else 'files'}, {size / 1e6:,.1f} MB)"
    if not places:
        yield "Nothing to remove: no run has made anything here."
    yield "What is committed stays, and so do sources (fetched data), archives (*.tar.gz) and .venv."
    yield "Where a run has changed a committed result, `git checkout results figures dvc.lock suites` brings it back."


def _content(path: Path) -> tuple[int, int]:
    """Number of files and bytes."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return len(files), sum(file.lstat().st_size for file in files)


if __name__ == "__main__":
    try:
        for line in clean_results(Path()):
            print(line, flush=True)
    except DGRError as error:
        sys.exit(f"dgr: {error}")

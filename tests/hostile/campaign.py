"""Input that nobody vouches for, many times as much as a plain test draws; writes docs/reliability.csv and its page.

    PYTHONPATH=tests/support:tests/chaos python tests/hostile/campaign.py --seed 1 --times 10  # or `make hostile`

Exit status 0: every case was used or refused as docs/reliability.md says; else pytest's, and nothing is written.
"""

# ruff: noqa: E402
from __future__ import annotations

from dgr.core.numerics import make_portable

make_portable()  # as every command does, before anything below loads numpy

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from counts import positive, write_rows
from drawing import SEED, TIMES
from watched import OUTCOMES, Outcome


def main() -> int:
    """Try all of it, and count."""
    parser = argparse.ArgumentParser(description="Hostile input.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=positive, default=10, help="as many cases as `make test` draws")
    parser.add_argument("--dry", action="store_true", help="write no counts")
    parser.add_argument("parts", nargs="*", type=Path, default=[Path()], help="such as test_yaml.py; all without it")
    options = parser.parse_args()
    os.environ |= {TIMES: str(options.times), SEED: str(options.seed)}
    # Warnings are errors; these would hide what went wrong: pytest cannot rewrite what this file has loaded, and a case
    # may be long to print.
    ignored = ("pytest.PytestAssertRewriteWarning", "hypothesis.errors.HypothesisWarning")
    switches = ["-q", *(f"-Wignore::{each}" for each in ignored), "-p", "no:cacheprovider", "-p", "no:xdist"]
    status = pytest.main([*switches, *(str(Path(__file__).parent / part) for part in options.parts)])
    most = max((each.megabytes for each in OUTCOMES), default=0.0)
    print(f"{len(OUTCOMES):,} cases, {sum(each.used for each in OUTCOMES):,} used; at most {most:.0f} MB.")
    if not status and not options.dry:
        write_rows("hostile", _rows(options.seed))
    return int(status)


def _rows(seed: int) -> Iterator[dict[str, object]]:
    """One row for each kind of input, and how it ended."""
    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for each in OUTCOMES:
        groups[each.kind, "used" if each.used else "refused in a sentence"].append(each)
    for (what, how), group in sorted(groups.items()):
        longest = max(each.seconds for each in group)
        count = {"tried": len(group), "right": len(group)}  # anything else would have failed a test
        yield {"what": what, "how": how, **count, "longest_seconds": round(longest, 1), "seed": seed}


if __name__ == "__main__":
    sys.exit(main())

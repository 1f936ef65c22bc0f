"""Kills at random moments, two at once, and damage, on the tiny suite; writes docs/reliability.csv and its page.

    PYTHONPATH=tests/support python tests/chaos/campaign.py --seed 1 --kills 60  # or `make chaos`

About twenty minutes on two idle cores.

Exit status 0: all was as if nothing had been; 1: something was not, which is told, and nothing is written.
"""

# ruff: noqa: E402
from __future__ import annotations

from dgr.core.numerics import make_portable

make_portable()  # as every command does, before anything below loads numpy

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from counts import positive, write_rows
from damages import cases, tried
from kills import COMMANDS, Outcome, drawn, kill_once
from project_support import Project
from together import SCENARIOS, run_scenario
from trial_project import make_small, stages, state, undo
from verified_support import make_verified

LIMIT = 10.0
"""A command that takes this many times as long as the suite took from nothing hangs."""
WHOLE = 0.05
"""Share of kills in a checkout in which nothing is made yet."""


def main() -> int:
    """Run the campaigns, and say what came out."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="dgr-chaos-") as folder:
        made, seconds = _made(Path(folder))
        outcomes = list(_kills(made, options.seed, options.kills, seconds, options.signal))
        together = [] if options.only_kills else list(_together(made, seconds))
        damage = [] if options.only_kills else list(_damage(Path(folder)))
    wrong = sum(
        map(bool, [*(each.wrong for each in outcomes), *(each[2] for each in together), *(each[2] for each in damage)])
    )
    count = f"{len(outcomes)} kills, {len(together)} meetings and {len(damage)} damages"
    if wrong:
        print(f"Of {count} {wrong} went wrong, as told above; no counts were written.")
        return 1
    if not options.dry:
        write_rows("kills", _rows(outcomes, options.seed))
        write_rows("together", [_row(name, "", 1, 1, taken, "") for name, taken, _ in together])
        write_rows(
            "damage",
            [_row(kind, "", number, number, 0, "") for kind, number in Counter(kind for kind, *_ in damage).items()],
        )
    print(f"After all of {count} everything was as if nothing had been.")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Kills at random moments, and two at once.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=positive, default=60)
    parser.add_argument("--signal", help="of the kills that are drawn those by this one, such as SIGINT")
    parser.add_argument("--only-kills", action="store_true", help="nothing beside each other")
    parser.add_argument("--dry", action="store_true", help="write no counts")
    return parser.parse_args()


def _made(folder: Path) -> tuple[Project, float]:
    """The undisturbed suite, and how long it took."""
    project, begin = make_small(folder / "made"), time.monotonic()
    project.run(*COMMANDS["dgr reproduce"], seconds=3600)
    seconds = time.monotonic() - begin
    project.commit("made")
    project.run(*COMMANDS["dgr reproduce"], seconds=3600)  # compares with the commit from now on
    print(f"The undisturbed suite is made, in {seconds:.0f} s.", flush=True)
    return project, seconds


def _kills(made: Project, seed: int, kills: int, seconds: float, only: str | None) -> Iterator[Outcome]:
    draw, wanted, place = random.Random(seed), state(made.root), made.root.parent / "killed"
    begin, done, usual = time.monotonic(), 0, seconds / 3
    while done < kills:
        if not place.exists():
            shutil.copytree(made.root, place, symlinks=True)
            (place / ".site").exists() and shutil.rmtree(place / ".site")
        command, role, number = drawn(draw, list(COMMANDS))
        known = sorted(stages(place))
        own = [address for address in known if command != "dvc repro" or address.startswith("dvc.lock")]
        nothing = draw.random() < WHOLE
        if only and number.name != only:
            done += 1
            continue
        undo(place, own if nothing else draw.sample(own, draw.randint(1, 3)))
        outcome = kill_once(
            place, command, role, number, wanted, draw.uniform(0, seconds if nothing else usual), LIMIT * seconds + 60
        )
        if not outcome.killed and not outcome.wrong:
            usual = max(usual * 0.8, 1.0)  # it had ended before
            continue
        done += 1
        usual = 0.7 * usual + 0.3 * outcome.seconds
        _tell(outcome, done, kills, time.monotonic() - begin)
        if outcome.wrong:
            shutil.move(place, made.root.parent / f"wrong-{done}")
        yield outcome


def _tell(outcome: Outcome, done: int, kills: int, taken: float) -> None:
    left = taken / done * (kills - done)
    said = "; ".join(outcome.wrong) or f"all right {outcome.seconds:.0f} s later"
    print(
        f"[{done:3}/{kills}] {outcome.signal} to {outcome.role} of `{outcome.command}` "
        f"({outcome.killed} processes): {said} · about {left / 60:.0f} min left",
        flush=True,
    )


def _together(made: Project, seconds: float) -> Iterator[tuple[str, float, list[str]]]:
    wanted = state(made.root)
    for name in SCENARIOS:
        place = made.root.parent / f"together-{len(name)}"
        shutil.copytree(made.root, place, symlinks=True)
        begin = time.monotonic()
        sentences = run_scenario(name, place, wanted, LIMIT * seconds + 60)
        print(f"{name}: {'; '.join(sentences) or 'all right'}", flush=True)
        shutil.rmtree(place)
        yield name, time.monotonic() - begin, sentences


def _damage(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Kind, damage, and what went wrong."""
    make_verified(folder / "base")
    for number, (kind, damage) in enumerate(cases()):
        try:
            wrong, by = "", tried(kind, damage, folder / "base", folder / f"damaged-{number}")
        except AssertionError as error:
            wrong, by = str(error), "nobody"
        print(f"{kind}, {damage}: {wrong or f'noticed by `{by}`, and mended'}", flush=True)
        yield kind, damage, wrong


def _rows(outcomes: list[Outcome], seed: int) -> Iterator[dict[str, object]]:
    """One row for each of those who were killed, and signal."""
    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[f"{outcome.role} of `{outcome.command}`", outcome.signal].append(outcome)
    for (what, how), group in sorted(groups.items()):
        right = sum(not outcome.wrong for outcome in group)
        yield _row(what, how, len(group), right, max(outcome.seconds for outcome in group), seed)


def _row(what: str, how: str, tried: int, right: int, seconds: float, seed: object) -> dict[str, object]:
    values = {"what": what, "how": how, "tried": tried, "right": right}
    return {**values, "longest_seconds": round(seconds, 1), "seed": seed}


if __name__ == "__main__":
    sys.exit(main())

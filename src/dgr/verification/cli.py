"""The command ``dgr verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dgr.core.paths import CONFIGS, DEFAULT_SUITE

app = typer.Typer()


@app.command()
def verify(
    suite: Annotated[str, typer.Argument()] = DEFAULT_SUITE,
    sample: Annotated[int, typer.Option(min=0, help="seeds of runs that are trained again; 0: check files only")] = 6,
    draw: Annotated[int, typer.Option(help="the seed that draws them")] = 0,
    key: Annotated[str | None, typer.Option(help="one record of the page, in place of a sample")] = None,
    seed: Annotated[int | None, typer.Option(help="one seed of that record")] = None,
    everything: Annotated[bool, typer.Option("--all", help="run everything again")] = False,
    others: Annotated[bool, typer.Option("--others", help="check the files of all other suites too")] = False,
    scratch: Annotated[Path | None, typer.Option(help="a folder for temporary files")] = None,
    output: Annotated[Path, typer.Option(help="the report")] = Path("verification.md"),
) -> None:
    """Check a suite's committed results and train a sample of its runs again, verification.md; 1 where any differs."""
    from dgr.verification.report import table_lines
    from dgr.verification.verify import choose_units, verify_suite

    found = verify_suite(suite, choose_units(suite, sample, draw, key, seed, everything), scratch, output, others)
    typer.echo("\n".join(table_lines(found)))
    raise typer.Exit(int(not found.passed))


@app.command()
def reproduced(suite: Annotated[str, typer.Argument()] = DEFAULT_SUITE) -> None:
    """Say which numbers and verdicts of a reproduction are those of the last commit, reproduction.md."""
    from dgr.core.files import write_text
    from dgr.plan.suites import find_suite
    from dgr.verification.reproduced import reproduction_lines

    find_suite(suite, CONFIGS)
    text = "\n".join(reproduction_lines(suite)) + "\n"
    write_text(Path("reproduction.md"), text)
    typer.echo(text)

"""The commands about the plan; as in the command line itself, each imports what it needs when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from dgr.core.paths import CONFIGS

app = typer.Typer()


@app.command()
def plan(
    check: Annotated[bool, typer.Option("--check", help="Only check that the generated files are current.")] = False,
    suite: Annotated[str | None, typer.Option(help="This suite alone; `shared` checks the data sets.")] = None,
    seeds: Annotated[str | None, typer.Option(help="A quick look with these seeds, such as 0,1.")] = None,
) -> None:
    """Expand paper_configs into lists of stages: plan.json, suites/SUITE/{plan.json,dvc.yaml}, suites/shared/plan.json.

    Without --suite, folders of suites that are not configured go, quick looks among them.
    """
    from dgr.core.paths import SHARED
    from dgr.plan.files import check_plans, check_shared, write_plans
    from dgr.plan.options import too_few_seeds
    from dgr.plan.suites import choose_suite

    if check:
        check_shared() if suite == SHARED.name else check_plans(choose_suite(suite, seeds, CONFIGS))
        return
    chosen = choose_suite(suite, seeds, CONFIGS)
    for folder in write_plans(chosen):
        typer.echo(f"{folder} is gone; what was made stays in runs, results and figures.")
    for sentence in () if seeds else too_few_seeds(CONFIGS, chosen.of if chosen else "*"):
        typer.echo(sentence, err=True)
    if chosen and chosen.seeds:
        typer.echo(f"snakemake --cores all --config suite={chosen.name}")


@app.command("list")
def list_(suite: Annotated[str | None, typer.Argument(help="one of them, stage by stage")] = None) -> None:
    """Name what can be run: all suites, or a suite's stages with DVC's name for each, its command, and its seeds."""
    from dgr.plan.listing import stages_of, suites

    for line in suites() if suite is None else stages_of(suite):
        typer.echo("\t".join(filter(None, line)))


@app.command(rich_help_panel="Stages, each by its key")
def code(name: str) -> None:
    """Hash the code that many stages have in common, runs/shared/code/NAME.json."""
    from dgr.plan.code import write_code

    write_code(name)

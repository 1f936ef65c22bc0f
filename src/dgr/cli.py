"""The command line: one thin command a stage, the same for Snakemake, DVC and a person.

Commands import what they need when they run, so that a stage depends on the modules it uses and no others.
"""

from __future__ import annotations

import os
from typing import Annotated
from urllib.parse import urlsplit

import typer

from dgr.archive.cli import app as archives
from dgr.core.errors import DGRError
from dgr.core.paths import CONFIGS, DATA, DEFAULT_SUITE
from dgr.datasets.cli import commands as of_data
from dgr.pages.cli import app as of_pages
from dgr.plan.cli import app as of_plan
from dgr.plan.seed_lines import told_by_seed
from dgr.verification.cli import app as verification

HELP = (
    "Replication of DGR: whole suites, and each stage of the pipeline by itself.\n\n"
    "A SUITE is a folder of paper_configs, such as mini. A KEY names what one stage makes: suite, data set, "
    "architecture, method, regularizer. `dgr list` names the suites, `dgr list mini` the stages of one with their "
    "keys.\n\n"
    "Example: dgr train mini-multimnist-conv-imtl-dgr trains IMTL with DGR on multimnist, with the encoder conv, as "
    "the suite mini says.\n\n"
    "A stage reads what the stages before it made, and names the command that makes what is missing."
)
WHOLE, STAGES, ARCHIVES, DATA_SETS = "Whole suites", "Stages, each by its key", "Archives and lists", "Data sets"
app = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False)
PANELS = ((of_plan, WHOLE), (verification, WHOLE), (of_pages, STAGES), (archives, ARCHIVES), (of_data, DATA_SETS))
for part, panel in PANELS:
    app.add_typer(part)
    for command in part.registered_commands:
        command.rich_help_panel = command.rich_help_panel or panel

Key = Annotated[str, typer.Argument(help="SUITE-DATASET-ARCHITECTURE-METHOD-REGULARIZER; `dgr list SUITE` names all")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda")]


@app.command(rich_help_panel=WHOLE, context_settings={"ignore_unknown_options": True})
def reproduce(
    suite: Annotated[str, typer.Argument(help="one that `dgr list` names")] = DEFAULT_SUITE,
    options: Annotated[list[str] | None, typer.Argument(help="of Snakemake, such as --cores 4")] = None,
    seeds: Annotated[str | None, typer.Option(help="A quick look with these seeds, such as 0,1.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="All that Snakemake says.")] = False,
) -> None:
    """Make all that is not made yet of a suite, and say what came out, what differs from the commit, where to look."""
    from dgr.terminal.reproducing import reproduce_suite

    raise typer.Exit(reproduce_suite(suite, seeds, options or [], verbose))


@app.command(rich_help_panel=WHOLE)
def smoke(verbose: Annotated[bool, typer.Option("--verbose", help="All that Snakemake says.")] = False) -> None:
    """Run the whole pipeline on a suite of seconds, in a temporary folder, and say what that showed."""
    from dgr.terminal.smoke import run_smoke

    raise typer.Exit(run_smoke(verbose))


@app.command(rich_help_panel=STAGES)
def fetch(
    source: str, origin: Annotated[str | None, typer.Option("--from", help="a file, folder or address")] = None
) -> None:
    """Say a source's terms, download what is missing and check it, sources/SOURCE."""
    from dgr.config.sources import MIRROR, read_source
    from dgr.core.paths import SOURCES
    from dgr.datasets.fetch import fetch_source
    from dgr.datasets.known import known_source

    _check_address(origin)
    _check_address(os.environ.get(MIRROR) or None)
    config = read_source(CONFIGS, source)
    known = known_source(CONFIGS, source)
    if known.publisher:
        typer.echo(f"{config.title}: {known.publisher.licence}", err=True)
    done = fetch_source(source, config, SOURCES, origin, known)
    if done.content != config:
        typer.echo(
            f"This is {done.content.title}, in place of {config.title}, which could not be had: the same pictures in "
            "more pixels. What is prepared of them differs a little, and so will all digits.",
            err=True,
        )
    pinned = "" if done.content.contents.tree else " (not pinned in sources.yaml)"
    typer.echo(f"{done.folder}: {done.files:,} files, tree {done.tree}{pinned}")


def _check_address(place: str | None) -> None:
    if place == "":
        raise DGRError("`--from` names nothing; name a file, a folder or an address, or leave it out.")
    try:
        urlsplit(place or "")
    except ValueError as error:
        raise DGRError(f"'{place}' is no address ({error}); correct it.") from error


@app.command(rich_help_panel=STAGES)
def prepare(dataset: str) -> None:
    """Make a data set's arrays, data/DATASET."""
    from dgr.config.plan_file import read_plan
    from dgr.datasets.preparing import prepare_dataset
    from dgr.datasets.registry import planned_dataset

    prepare_dataset(dataset, planned_dataset(dataset, read_plan()), DATA)


@app.command(rich_help_panel=STAGES)
def tune(key: Key, device: Device = "auto") -> None:
    """Choose learning rate and strength on the validation split, results/SUITE/tuning/KEY.json."""
    from dgr.training import tuning

    tuning.tune(key, device)


@app.command(rich_help_panel=STAGES)
def train(key: Key, device: Device = "auto") -> None:
    """Train one method for its list of seeds, runs/SUITE/train/KEY."""
    from dgr.training import stages

    with told_by_seed(key):
        stages.train(key, device)


@app.command(rich_help_panel=STAGES)
def probe(key: Key) -> None:
    """Examine the frozen representations of a run, runs/SUITE/probe/KEY.json."""
    from dgr.measurements.probes import probe as examine

    examine(key)


@app.command(rich_help_panel=STAGES)
def baselines(key: Key) -> None:
    """What classifiers reach without an encoder, runs/SUITE/baselines/KEY.json."""
    from dgr.measurements.baselines import baselines as measure

    measure(key)


@app.command(rich_help_panel=STAGES)
def sweep(key: Key, device: Device = "auto") -> None:
    """Train every point of a sweep, runs/SUITE/sweep/KEY.json."""
    from dgr.measurements.sweeps import sweep as train_points

    train_points(key, device)


@app.command(rich_help_panel=STAGES)
def cost(key: Key, device: Device = "auto") -> None:
    """Measure seconds and memory of a step of every method, runs/SUITE/cost/KEY.json."""
    from dgr.measurements.cost import measure_costs

    measure_costs(key, device)


@app.command(rich_help_panel=WHOLE)
def estimate(
    suite: str,
    measure: Annotated[bool, typer.Option(help="Time steps here first, results/SUITE/step_times.json.")] = False,
    device: Device = "auto",
    steps: Annotated[int, typer.Option(min=1, help="timed steps of each kind")] = 3,
    shrink: Annotated[int, typer.Option(min=1, help="divide sides of dense images, multiply times by the square")] = 1,
) -> None:
    """Trainings, steps and hours of a suite, before it starts."""
    from dgr.measurements.estimate import describe

    if measure:
        from dgr.measurements.step_times import time_suite

        time_suite(suite, device, steps, shrink)
    typer.echo(describe(suite))


@app.command(rich_help_panel=STAGES)
def embed(key: Key) -> None:
    """Embed two runs' representations in the plane, runs/SUITE/embed/KEY.csv."""
    from dgr.measurements.embedding import embed as make

    make(key)


@app.command(rich_help_panel=STAGES)
def collect(suite: str) -> None:
    """Gather the records of all runs of a suite, results/SUITE/records/*.csv."""
    from dgr.records.collecting import collect_suite

    collect_suite(suite)


@app.command(rich_help_panel=STAGES)
def table(suite: str, name: str) -> None:
    """Make a table from the records, results/SUITE/tables/NAME.{csv,md,tex,json}."""
    from dgr.tables.registry import write_table

    write_table(suite, name)


@app.command(rich_help_panel=STAGES)
def figure(suite: str, name: str) -> None:
    """Make a figure from the records, figures/SUITE/NAME.{pdf,png}."""
    from dgr.figures.registry import write_figure

    write_figure(suite, name)


@app.command(rich_help_panel=STAGES)
def study(key: Key) -> None:
    """Run a study for its list of seeds, results/SUITE/records/NAME.{csv,json}."""
    from dgr.studies.stage import run_study

    run_study(key)


@app.command(rich_help_panel=STAGES)
def real_study(key: Key) -> None:
    """Run a study of fetched data for its list of seeds, results/SUITE/records/NAME.{csv,json}."""
    from dgr.real_studies.stage import run_real_study

    run_real_study(key)


@app.command(rich_help_panel=STAGES)
def study_claims(suite: str) -> None:
    """Decide the claims of a suite's studies, results/SUITE/tables/claims.{csv,md,tex,json}."""
    from dgr.config.plan_file import read_plan
    from dgr.records.records import configured_studies
    from dgr.tables.studies.claims import write_study_claims

    if not configured_studies(read_plan(), suite):
        raise DGRError(f"Suite '{suite}' has no studies; `dgr list` names the suites.")
    write_study_claims(suite)


@app.command(rich_help_panel=STAGES)
def report() -> None:
    """Make the report of all suites, results/report.{html,pdf}, from the text in report/."""
    from dgr.report.build import write_report

    write_report()

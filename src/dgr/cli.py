"""The command line: one thin command a stage, the same for Snakemake, DVC and a person.

Commands import what they need when they run, so that a stage depends on the modules it uses and no others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dgr.archive.cli import app as archives
from dgr.core.paths import CONFIGS, DATA
from dgr.datasets.cli import commands as of_data
from dgr.verification.cli import app as verification

app = typer.Typer(help="Replication of DGR: the stages of the pipeline.", no_args_is_help=True, add_completion=False)
app.add_typer(of_data)
app.add_typer(archives)
app.add_typer(verification)

Device = Annotated[str, typer.Option(help="auto, cpu or cuda")]


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
    from dgr.plan.suites import choose_suite

    if check:
        check_shared() if suite == SHARED.name else check_plans(choose_suite(suite, seeds, CONFIGS))
        return
    chosen = choose_suite(suite, seeds, CONFIGS)
    for folder in write_plans(chosen):
        typer.echo(f"{folder} is gone; what was made stays in runs, results and figures.")
    if chosen and chosen.seeds:
        typer.echo(f"snakemake --cores all --config suite={chosen.name}")


@app.command("list")
def list_(suite: Annotated[str | None, typer.Argument(help="one of them, stage by stage")] = None) -> None:
    """Name what can be run: all suites, or a suite's stages with their keys and what each does."""
    from dgr.plan.listing import stages_of, suites

    for line in suites() if suite is None else stages_of(suite):
        typer.echo("\t".join(filter(None, line)))


@app.command()
def code(name: str) -> None:
    """Hash the code that many stages have in common, runs/shared/code/NAME.json."""
    from dgr.plan.code import write_code

    write_code(name)


@app.command()
def fetch(
    source: str, origin: Annotated[str | None, typer.Option("--from", help="a file, folder or address")] = None
) -> None:
    """Say a source's terms, download what is missing and check it, sources/SOURCE."""
    from dgr.config.sources import read_source
    from dgr.core.paths import SOURCES
    from dgr.datasets.digests import read_digests
    from dgr.datasets.fetch import Known, fetch_source
    from dgr.datasets.publishers import read_publishers

    config = read_source(CONFIGS, source)
    known = Known(read_publishers(CONFIGS).get(source), read_digests(CONFIGS).get(source, {}))
    if known.publisher:
        typer.echo(f"{config.title}: {known.publisher.licence}", err=True)
    done = fetch_source(source, config, SOURCES, origin, known)
    pinned = "" if config.contents.tree else " (not pinned in sources.yaml)"
    typer.echo(f"{done.folder}: {done.files:,} files, tree {done.tree}{pinned}")


@app.command()
def prepare(dataset: str) -> None:
    """Make a data set's arrays, data/DATASET."""
    from dgr.config.plan_file import read_plan
    from dgr.datasets.preparing import prepare_dataset
    from dgr.datasets.registry import planned_dataset

    prepare_dataset(dataset, planned_dataset(dataset, read_plan()), DATA)


@app.command()
def tune(key: str, device: Device = "auto") -> None:
    """Choose learning rate and strength on the validation split, results/SUITE/tuning/KEY.json."""
    from dgr.training import tuning

    tuning.tune(key, device)


@app.command()
def train(key: str, device: Device = "auto") -> None:
    """Train one method for its list of seeds, runs/SUITE/train/KEY."""
    from dgr.training import stages

    stages.train(key, device)


@app.command()
def probe(key: str) -> None:
    """Examine the frozen representations of a run, runs/SUITE/probe/KEY.json."""
    from dgr.measurements.probes import probe as examine

    examine(key)


@app.command()
def baselines(key: str) -> None:
    """What classifiers reach without an encoder, runs/SUITE/baselines/KEY.json."""
    from dgr.measurements.baselines import baselines as measure

    measure(key)


@app.command()
def sweep(key: str, device: Device = "auto") -> None:
    """Train every point of a sweep, runs/SUITE/sweep/KEY.json."""
    from dgr.measurements.sweeps import sweep as train_points

    train_points(key, device)


@app.command()
def cost(key: str, device: Device = "auto") -> None:
    """Measure seconds and memory of a step of every method, runs/SUITE/cost/KEY.json."""
    from dgr.measurements.cost import measure_costs

    measure_costs(key, device)


@app.command()
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


@app.command()
def embed(key: str) -> None:
    """Embed two runs' representations in the plane, runs/SUITE/embed/KEY.csv."""
    from dgr.measurements.embedding import embed as make

    make(key)


@app.command()
def collect(suite: str) -> None:
    """Gather the records of all runs of a suite, results/SUITE/records/*.csv."""
    from dgr.records.collecting import collect_suite

    collect_suite(suite)


@app.command()
def table(suite: str, name: str) -> None:
    """Make a table from the records, results/SUITE/tables/NAME.{csv,md,tex,json}."""
    from dgr.tables.registry import write_table

    write_table(suite, name)


@app.command()
def figure(suite: str, name: str) -> None:
    """Make a figure from the records, figures/SUITE/NAME.{pdf,png}."""
    from dgr.figures.registry import write_figure

    write_figure(suite, name)


@app.command()
def audit(suite: str) -> None:
    """Make a suite's page and the summary that `dvc metrics` shows, results/{SUITE/audit.html,summaries/SUITE.json}."""
    from dgr.pages.audit import write_audit
    from dgr.pages.summary import write_summary

    write_summary(suite)
    write_audit(suite)


@app.command()
def study(key: str) -> None:
    """Run a study for its list of seeds, results/SUITE/records/NAME.{csv,json}."""
    from dgr.studies.stage import run_study

    run_study(key)


@app.command()
def study_report(suite: str, name: str) -> None:
    """Make a study's table and figure, results/SUITE/tables/NAME.{csv,md,tex,json} and figures/SUITE/NAME.{pdf,png}."""
    from dgr.pages.study_report import write_study_report

    write_study_report(suite, name)


@app.command()
def study_claims(suite: str) -> None:
    """Decide the claims of a suite's studies, results/SUITE/tables/claims.{csv,md,tex,json}."""
    from dgr.tables.studies.claims import write_study_claims

    write_study_claims(suite)


@app.command()
def index() -> None:
    """Make the page over all suites, results/index.html."""
    from dgr.pages.index import write_index

    write_index()


@app.command()
def readme() -> None:
    """Bring the tables shown in README.md and the keys listed in paper_configs/README.md up to date."""
    from dgr.pages.keys import update_keys
    from dgr.pages.readme import update

    update(Path("README.md"))
    update_keys(CONFIGS / "README.md")

"""The commands about archives and lists; as in the command line itself, each imports what it needs when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def archive(
    suites: Annotated[list[str] | None, typer.Argument(help="without any, all that have a dvc.lock")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="a .tar.gz")] = Path("dgr-runs.tar.gz"),
    large: Annotated[bool, typer.Option("--large", help="Weights and representations too.")] = False,
    date: Annotated[str | None, typer.Option(help="of publication; unless told, of the locks' last commit")] = None,
) -> None:
    """Pack the records of all runs of suites, with checksums and an RO-Crate that describes them."""
    from dgr.archive.packing import pack

    packed = pack(suites or [], output, large, date)
    typer.echo(f"{output}: {packed.outputs} outputs, {packed.files:,} files, {packed.size / 1e6:.1f} MB")


@app.command()
def restore(file: Path) -> None:
    """Put an archive's runs back into the working tree and DVC's cache, as dvc.lock names them."""
    from dgr.archive.restoring import restore as put_back

    done = put_back(file)
    typer.echo(f"{done.outputs} outputs are here, as dvc.lock names them. Both engines take them without training:")
    for suite in done.suites:
        typer.echo(f"snakemake --cores all --config suite={suite}")
    if done.absent:
        typer.echo(
            f"Of {done.absent} runs the weights and representations are missing, which nothing needs as long as all "
            "measurements are here; tell DVC so: `dvc repro --allow-missing`."
        )


@app.command()
def licences() -> None:
    """List the licences of all pinned packages and of all data sets."""
    from dgr.archive.licences import licence_lines

    for line in licence_lines():
        typer.echo(line)


@app.command()
def codecheck() -> None:
    """Bring codecheck.yml, the list of tables and figures for an independent checker, up to date."""
    from dgr.archive.codecheck import write_codecheck

    write_codecheck(Path("codecheck.yml"))

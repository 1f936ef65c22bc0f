"""Which extra of this package brings what else has to be installed, for the sentence when it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dgr.core.errors import DGRError

EXTRAS = {
    "methods": ("torchjd", "cvxpy", "clarabel"),
    "study": (
        "torchvision", "numpy", "scipy", "pandas", "sklearn", "scikit_posthocs", "torchmetrics", "mlxtend", "pooch",
        "requests", "pydantic", "typer", "seaborn", "matplotlib", "jinja2", "markdown_it", "markupsafe", "PIL", "h5py",
        "threadpoolctl", "tabulate", "tqdm", "yaml", "snakemake", "dvc", "rocrate", "typst",
    ),
}  # fmt: skip
"""Packages, by the name they are imported under."""


class MissingExtraError(DGRError, ImportError):
    """A package of an extra is not installed."""


@contextmanager
def needed(by: str) -> Iterator[None]:
    """Around an import: says which extra brings a package that is missing.

    Args:
        by: what needs it, such as ``"Method 'pcgrad'"``.

    Raises:
        MissingExtraError: the package belongs to an extra; any other missing module stays Python's own error.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        for extra, packages in EXTRAS.items():
            if package in packages:
                raise MissingExtraError(
                    f"{by} needs the package '{package}', which is not installed; run `pip install 'dgr[{extra}]'`."
                ) from error
        raise

"""Whether both engines agreed on a suite when it was last made, and no stage has run since.

Where that is so, Snakemake's own records say what is to be done. Elsewhere DVC is asked first: a killed process, or a
stage that somebody typed, may have left outputs that DVC knows nothing of and Snakemake takes for made.
"""

from __future__ import annotations

from pathlib import Path

_PLACE = Path(".snakemake/settled")
"""With Snakemake's records, so that it goes with them."""


def is_settled(suite: str) -> bool:
    """Whether the suite's last run ended with an agreement, and no stage has run since."""
    return (_PLACE / suite).exists()


def settle(suite: str) -> None:
    """Note that the engines agree on a suite."""
    _PLACE.mkdir(parents=True, exist_ok=True)
    (_PLACE / suite).touch()


def unsettle() -> None:
    """Note that a stage runs, which may change any suite."""
    for path in _PLACE.glob("*"):
        path.unlink(missing_ok=True)

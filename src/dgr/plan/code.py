"""The code that many stages have in common, as one small file that stands for it in their dependencies."""

from __future__ import annotations

from pathlib import Path

from dgr.core.errors import DGRError, nearest
from dgr.core.files import sha256, write_json
from dgr.core.paths import CODE, SHARED, STAGES
from dgr.plan.locks import described_stages

STAGE = "_code"


def write_code(name: str) -> None:
    """Write ``runs/shared/code/NAME.json``: the SHA-256 of every file that the stage ``NAME_code`` names, by its path.

    Args:
        name: of the stage in the shared ``dvc.yaml``, without ``_code``.

    Raises:
        DGRError: there is no such stage, or a file that it names is missing.
    """
    stages = described_stages(SHARED / STAGES)
    known = [stage.removesuffix(STAGE) for stage in stages if stage.endswith(STAGE)]
    if name not in known:
        raise DGRError(f"There is no code '{name}'{nearest(name, known)}")
    files = [file for path in stages[f"{name}{STAGE}"]["deps"] for file in _files(Path(path))]
    write_json(CODE / f"{name}.json", {str(file): sha256(file) for file in files})


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise DGRError(f"{path}, which {SHARED / STAGES} names, is missing; take it from the repository.")
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]

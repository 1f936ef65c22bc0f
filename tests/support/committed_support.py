"""The repository as the last commit has it: a reproduction may write other results, and tests stay green.

What is not committed yet is no part of it; an unpacked archive, which has no git, is taken as it is.
"""

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def committed() -> Path:
    """Its top folder."""
    if not (ROOT / ".git").exists():
        return ROOT
    folder = Path(tempfile.mkdtemp(prefix="dgr-committed-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    archive = folder / "head.tar"
    subprocess.run(("git", "-C", ROOT, "archive", "--output", archive, "HEAD"), check=True)
    subprocess.run(("tar", "-xf", archive, "-C", folder), check=True)
    archive.unlink()
    return folder

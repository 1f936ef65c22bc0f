import os
import subprocess
import sys
from pathlib import Path

import pytest

from dgr.core.paths import CONFIGS, PLAN


@pytest.mark.parametrize("arguments", [["plan"], ["plan", "--check"]])
def test_files_are_utf8_in_every_locale(project: Path, arguments: list[str]) -> None:
    """A C locale without Python's own mending, in which text is ASCII unless a program says otherwise."""
    path = CONFIGS / "mini/T1.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "# 64×64, λ\n", encoding="utf-8")
    before = PLAN.read_bytes()
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run([sys.executable, "-m", "dgr", *arguments], env=environment, check=True)
    assert PLAN.read_bytes() == before

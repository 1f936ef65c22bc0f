import shutil
import subprocess
from pathlib import Path

import pytest

from dgr.core.errors import DGRError
from dgr.plan.opening import check_repository, open_suite

ROOT = Path(__file__).parents[2]


def test_without_git_it_says_what_dvc_has_to_be_told(project: Path) -> None:
    shutil.copytree(ROOT / ".dvc", project / ".dvc", ignore=shutil.ignore_patterns("cache", "tmp", "config.local"))
    with pytest.raises(DGRError, match=r"no git repository; run `dvc config --local core\.no_scm true` once"):
        open_suite({})
    subprocess.run(("dvc", "config", "--local", "core.no_scm", "true"), check=True)
    check_repository(project)
    subprocess.run(("dvc", "status", "--quiet"), check=True)  # nothing is described here, and nothing is amiss


def test_a_worktree_is_a_repository_too(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: elsewhere")
    check_repository(tmp_path)

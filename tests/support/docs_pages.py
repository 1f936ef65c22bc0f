"""The pages of docs; the files that they show, which are blocks below their path in bold; and the site made of them."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MKDOCS = ROOT / ".venv-docs/bin/mkdocs"
_BLOCK = re.compile(r"^\*\*`([^`]+)`\*\*.*?```\w+\n(.*?)```", re.DOTALL | re.MULTILINE)


def named_blocks(page: str) -> list[tuple[str, str]]:
    """Path and text of each file that a page shows, in their order; a path may stand there twice."""
    return _BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))


def blocks(page: str) -> dict[str, str]:
    """The same by path."""
    return dict(named_blocks(page))


def python_blocks(page: Path) -> list[str]:
    """The blocks of Python that show no file."""
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """What mkdocs says of a folder that has the project's files and a mkdocs.yml of its own."""
    for other in ROOT.iterdir():
        if other.name not in ("site", "mkdocs.yml") and not (folder / other.name).exists():
            (folder / other.name).symlink_to(other)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"PATH": f"{MKDOCS.parent}:{os.environ['PATH']}", "NO_MKDOCS_2_WARNING": "1"}
    command = (MKDOCS, "build", "--quiet")
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def built_site(folder: Path) -> Path:
    """The whole site, built in an empty folder; skips where `make docs` was never run."""
    if not MKDOCS.exists():
        pytest.skip("no .venv-docs: run `make docs`")
    (folder / "mkdocs.yml").write_bytes((ROOT / "mkdocs.yml").read_bytes())
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder / "site"

"""The pages of docs, and the files that they show: blocks below a line that is the path alone, in bold."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
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

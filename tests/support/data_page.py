"""The files that docs/data.md shows."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/data.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^\*\*`([^`]+)`\*\*.*?```\w+\n(.*?)```", TEXT, re.DOTALL | re.MULTILINE)
DATASETS = "paper_configs/datasets.yaml"
FILES = {path: text for path, text in BLOCKS if path != DATASETS}
"""Text by path; what is to be added to the data sets' file stands apart."""
ADDED = "".join(text for path, text in BLOCKS if path == DATASETS)
(COMMANDS,) = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
KIND = "src/dgr/datasets/kinds/blobs.py"

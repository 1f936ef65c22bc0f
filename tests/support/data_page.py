"""The files that docs/data.md shows."""

import re

from docs_pages import DOCS, named_blocks

BLOCKS = named_blocks("data.md")
DATASETS = "paper_configs/datasets.yaml"
FILES = {path: text for path, text in BLOCKS if path != DATASETS}
"""Text by path; what is to be added to the data sets' file stands apart."""
ADDED = "".join(text for path, text in BLOCKS if path == DATASETS)
(COMMANDS,) = re.findall(r"```sh\n(.*?)```", (DOCS / "data.md").read_text(encoding="utf-8"), re.DOTALL)
KIND = "src/dgr/datasets/kinds/blobs.py"

"""The committed golden records, and tables made of them, whole or with some frames changed."""

from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from dgr.records.records import load_records
from dgr.records.scope import Scope, open_scope

GOLDEN = Path(__file__).parents[1] / "records/golden"
PLAN = yaml.safe_load((GOLDEN / "runs.yaml").read_text())


def golden_scope(table: str, plan: dict[str, Any] = PLAN, **changed: pd.DataFrame) -> Scope:
    """What a table of the golden suite is made from."""
    records = load_records(GOLDEN)
    for name, frame in changed.items():
        object.__setattr__(records, name, frame)
    return open_scope("tables", "toy", table, plan, records)

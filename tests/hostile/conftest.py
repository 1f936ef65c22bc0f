"""Memory is measured, and pipes and devices are made, as Linux has them."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not Path("/proc/self/clear_refs").exists():
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="memory is measured through Linux's /proc"))

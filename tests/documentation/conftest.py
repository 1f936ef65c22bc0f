from pathlib import Path

import pytest
from docs_pages import built_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    return built_site(tmp_path_factory.mktemp("docs"))

import pytest
from committed_support import committed

from dgr.core.errors import DGRError
from dgr.pages.readme import filled

ROOT = committed()


def test_the_readme_shows_the_committed_tables():
    readme = (ROOT / "README.md").read_text()
    assert "<!-- begin results/mini/tables/claims.md rows -->" in readme
    assert filled(readme, ROOT) == readme, "run `python -m dgr readme`"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) < 120


def test_blocks_are_replaced_and_the_rest_is_kept(tmp_path):
    (tmp_path / "a.md").write_text("new\n")
    text = "before\n<!-- begin a.md -->\nold\n<!-- end -->\nafter\n"
    assert filled(text, tmp_path) == "before\n<!-- begin a.md -->\nnew\n<!-- end -->\nafter\n"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DGRError, match=r"gone\.md, which the README shows, is missing"):
        filled("<!-- begin gone.md -->\n<!-- end -->", tmp_path)

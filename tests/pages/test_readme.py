import json
import shutil

import pytest
from committed_support import committed

from dgr.claims import load_claims
from dgr.core.errors import DGRError
from dgr.pages.readme import filled
from dgr.pages.verdict_table import OTHER_COLUMNS, OTHER_METHODS, other_papers_table, verdict_table

ROOT = committed()


@pytest.mark.parametrize(
    ("page", "block"),
    [("README.md", "verdicts"), ("README.md", "other-papers"), ("docs/gpu.md", "results/faces_gpu/h200/costs.md")],
)
def test_pages_show_the_committed_tables(page, block):
    text = (ROOT / page).read_text()
    assert f"<!-- begin {block}" in text
    assert filled(text, ROOT) == text, "run `python -m dgr readme`"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) < 120


def test_blocks_are_replaced_and_the_rest_is_kept(tmp_path):
    (tmp_path / "a.md").write_text("new\n")
    text = "before\n<!-- begin a.md -->\nold\n<!-- end -->\nafter\n"
    assert filled(text, tmp_path) == "before\n<!-- begin a.md -->\nnew\n<!-- end -->\nafter\n"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DGRError, match=r"gone\.md, which the README shows, is missing"):
        filled("<!-- begin gone.md -->\n<!-- end -->", tmp_path)


ROWS = "| No. | Ours |\n|:--|:--|\n| C1a | 1 |\n| C3c-equal\\_weighting | 2 |\n| C2 | 3 |\n"
TABLE = f"**T.** Title.\n\n{ROWS}\n- A note.\n"


def test_rows_are_shown_by_their_first_cell_in_the_order_of_the_marker(tmp_path):
    (tmp_path / "t.md").write_text(TABLE)
    shown = filled("<!-- begin t.md rows C2 C3c-equal_weighting -->\n<!-- end -->", tmp_path).splitlines()
    assert shown[1:-1] == ["| No. | Ours |", "|:--|:--|", "| C2 | 3 |", "| C3c-equal\\_weighting | 2 |"]
    assert len(filled("<!-- begin t.md rows -->\n<!-- end -->", tmp_path).splitlines()) == 7


def test_a_row_that_is_not_there_is_named(tmp_path):
    (tmp_path / "t.md").write_text(TABLE)
    with pytest.raises(DGRError, match=r"t\.md, which the README shows, has no row 'C2a'; did you mean 'C2'"):
        filled("<!-- begin t.md rows C2a -->\n<!-- end -->", tmp_path)


@pytest.fixture
def copied(tmp_path):
    shutil.copytree(ROOT / "paper_configs", tmp_path / "paper_configs")
    (tmp_path / "results/summaries").mkdir(parents=True)
    return tmp_path


def test_a_suite_without_results_was_not_run(copied):
    row = verdict_table(copied)[2]
    assert row == "| improves multi-task prediction | not run | not run | not run | not run | not run | not run |"


def test_verdicts_are_counted_and_shares_of_specifications_told(copied):
    verdicts = {"C2a": "undecided", "C2xa": "supported", "C2xd": "opposite", "C5a-imtl": "supported", "C3a": "not run"}
    (copied / "results/summaries/mini.json").write_text(json.dumps({"claims": verdicts}))
    (copied / "results/multiverse/tables").mkdir(parents=True)
    text = "question,n,interval_above_zero,interval_below_zero\ndgr_alone,120,0.25,0.05\n"
    (copied / "results/multiverse/tables/M1.csv").write_text(text)
    first, methods, _, classifiers = verdict_table(copied)[2:]
    assert "| undecided | not run |" in first
    assert "| 1 supported, 1 opposite | shown in 25% of 120, the opposite in 5% |" in first
    assert methods.startswith("| improves each existing method | supported |")
    assert classifiers.startswith("| serves other classifiers better | not run |")


def test_other_papers_are_counted_by_their_data(copied):
    assert other_papers_table(copied)[2] == "| SLGrad | not run | not run | – |"
    verdicts = {"S3a": "undecided", "S3b": "opposite", "W4a": "supported", "W4f": "supported", "W5a": "assay failed"}
    (copied / "results/summaries/real_studies.json").write_text(json.dumps({"claims": verdicts}))
    slgrad, _, alignment, svd = other_papers_table(copied)[2:]
    assert slgrad.endswith("| not run | 1 undecided, 1 opposite | – |")
    assert alignment.endswith("| not run | – | 2 supported |")
    assert svd.endswith("| not run | assay failed | – |")


def test_every_claim_of_another_paper_is_in_the_table():
    claims = {claim.id: claim for claim in load_claims(ROOT / "paper_configs/claims.yaml").claims}
    told = {claim for claims_there in OTHER_METHODS.values() for claim in claims_there}
    assert told == {claim for _, there in OTHER_COLUMNS.values() for claim in there}
    assert {id_ for id_, claim in claims.items() if claim.about == "paper" and not id_.startswith("C")} <= told

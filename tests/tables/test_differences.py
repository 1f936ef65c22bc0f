"""The differences by seed are those that the claims' tests take, and the committed ones give the committed numbers."""

from pathlib import Path

import pandas as pd
import pytest
from committed_support import committed
from made_up_records import METHODS, claims_of, cost, make_records, paired

from dgr.claims import run_verdicts
from dgr.comparison.signed_rank import pseudo_median
from dgr.core.errors import DGRError
from dgr.tables.shared.differences import by_seed, differences_file, read_differences

ROOT = committed()
SUITES = sorted(path.stem for path in (ROOT / "results/differences").glob("*.csv"))


def verdicts(*comparisons):
    return run_verdicts(make_records(seeds=8), claims_of(*comparisons).claims)


def test_rows_are_what_is_tested_and_what_that_averages():
    (found,) = verdicts(paired())
    rows = by_seed([found])
    tested, parts = rows[rows["method"] == ""], rows[rows["method"] != ""]
    assert tested["seed"].tolist() == list(range(8))
    assert tested["difference"].mean() == pytest.approx(found.test.estimate, rel=1e-12)
    assert parts["method"].unique().tolist() == list(METHODS)
    pd.testing.assert_series_equal(
        parts.groupby("seed")["difference"].mean(), tested.set_index("seed")["difference"], rtol=1e-9
    )
    assert parts.groupby("method")["difference"].mean().to_dict() == pytest.approx(found.by_method)


def test_a_single_method_stands_once_and_a_ratio_not_at_all():
    one, timed = verdicts(paired(methods=["pcgrad"]), cost(id="X2"))
    assert by_seed([one])["method"].unique().tolist() == [""]
    assert by_seed([timed]).empty


def test_runs_that_collapsed_are_told_though_nothing_is_decided():
    records = make_records(seeds=8)
    fallen = (records.runs["regularizer"] == "dgr") & (records.runs["seed"] == 3) & (records.runs["metric"] != "loss")
    records.runs.loc[fallen, "value"] = 0.01
    (found,) = run_verdicts(records, claims_of(paired()).claims)
    assert found.test is None
    rows = by_seed([found])
    assert rows[rows["method"] == ""].set_index("seed")["difference"].idxmin() == 3


@pytest.mark.parametrize("suite", SUITES)
def test_committed_differences_give_the_committed_estimates(suite, monkeypatch):
    monkeypatch.chdir(ROOT)
    rows, table = read_differences(suite), Path(f"results/{suite}/tables/claims.csv")
    if not table.exists():  # a suite that decides nothing, such as multiverse
        assert rows.empty
        return
    claims = pd.read_csv(table, keep_default_na=False)
    for claim in claims[claims["n"].astype(str) != ""].to_dict("records"):
        own = rows[rows["comparison"] == claim["comparison"]]
        tested = own[own["method"] == ""]["difference"].to_numpy()
        assert len(tested) == float(claim["n"])
        found = [tested.mean(), pseudo_median(tested)]
        assert any(value == pytest.approx(float(claim["difference"]), abs=1e-9) for value in found), claim["comparison"]


def test_a_damaged_file_is_named_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = differences_file("toy")
    path.parent.mkdir(parents=True)
    assert read_differences("toy").empty
    path.write_text("comparison,seed\nC2a,1\n")
    with pytest.raises(DGRError, match=r"toy\.csv .*; run `python -m dgr differences toy`"):
        read_differences("toy")

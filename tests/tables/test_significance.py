import itertools
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from scipy import stats
from synthetic import CELLS, SUITE, make_measurements, make_plan, make_runs, write_plan

from dgr.claims import CLAIMS_FILE
from dgr.core import paths
from dgr.core.errors import DGRError
from dgr.figures.registry import write_figure
from dgr.records.collecting import collect_records
from dgr.records.records import load_records
from dgr.tables.registry import write_table

CLAIMS = Path(__file__).parents[2] / CLAIMS_FILE
Suite = Callable[..., None]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[Any, Path]:
    return {None: tmp_path_factory.mktemp("suites")}


@pytest.fixture
def make_suite(built: dict[Any, Path], workplace: Path) -> Suite:
    """Copies collected records, the plan and the claims into the working directory; each suite is built once."""

    def make(seeds: int, cells: Any = CELLS) -> None:
        root = built.setdefault((seeds, cells), built[None] / str(len(built)))
        if not root.exists():
            plan = make_plan(cells, tuple(range(seeds)))
            for kind, names in (("tables", ("T1", "T7", "claims")), ("figures", ("F4",))):
                plan[kind] = {f"{SUITE}-{name}": {"suite": SUITE, "name": name} for name in names}
            make_runs(plan, root)
            make_measurements(plan, root)
            collect_records(SUITE, plan, root)
            (root / paths.CONFIGS).mkdir()
            (root / paths.PLAN).write_text(json.dumps(plan))
            shutil.copy(CLAIMS, root / CLAIMS_FILE)
        for folder in (paths.CONFIGS, paths.RESULTS):
            shutil.copytree(root / folder, workplace / folder)
        shutil.copy(root / paths.PLAN, workplace)

    return make


def significance() -> pd.DataFrame:
    return pd.read_csv(write_table(SUITE, "T7")[0], keep_default_na=False, na_values=[""])


def test_t7_recomputed_from_runs_csv_alone(make_suite: Suite) -> None:
    make_suite(8)
    table = significance().set_index("comparison")
    of_delta = table[table["measure"] == "delta_m"]
    assert list(of_delta.index) == ["C2a", "C2xa", "C5a-equal_weighting", "C5a-pcgrad"]
    runs = load_records(paths.records_folder(SUITE)).runs
    test = runs[(runs.split == "test") & (runs.metric == "accuracy") & (runs.moment == "final")]
    wide = test.pivot(index=["method", "regularizer", "seed"], columns="task", values="value")
    delta = (100 * (wide / wide.loc["single_task"].mean() - 1)).mean(axis=1)
    gains = {name: (delta[name]["dgr"] - delta[name]["none"]).to_numpy() for name in ("equal_weighting", "pcgrad")}
    wanted = {
        "C2a": np.mean(list(gains.values()), axis=0),
        "C2xa": (delta["equal_weighting"]["dgr"] - delta["equal_weighting"]["norm"]).to_numpy(),
        **{f"C5a-{name}": values for name, values in gains.items()},
    }
    for name, differences in wanted.items():
        row = of_delta.loc[name]
        np.testing.assert_allclose(row["difference"], differences.mean())
        np.testing.assert_allclose(row["p"], stats.ttest_1samp(differences, 0).pvalue, atol=1e-9)
        np.testing.assert_allclose(row["wilcoxon_p"], stats.wilcoxon(differences).pvalue, atol=1e-9)
        signs = np.array(list(itertools.product((-1, 1), repeat=8)))
        flips = np.abs(signs @ differences) >= abs(differences.sum()) - 1e-9
        np.testing.assert_allclose(row["sign_flip_p"], flips.mean(), atol=1e-9)
        low, high = stats.ttest_1samp(differences, 0).confidence_interval(row["confidence"])
        np.testing.assert_allclose([row["low"], row["high"]], [low, high], atol=1e-9)
        assert row["n"] == 8
    family = table[table["claim"] == "C5"]
    assert family["holm_p"].max() == pytest.approx(max(2 * family["p"].min(), family["p"].max()))
    assert set(family["verdict"]) == {"supported"}
    means = {name: float(values.mean()) for name, values in gains.items()}
    told = dict(entry.split(":") for entry in table.loc["C2a", "by_method"].split())
    assert {name: float(value) for name, value in told.items()} == pytest.approx(means, rel=1e-5)


def test_t7_is_what_the_claims_say(make_suite: Suite) -> None:
    """The same tests in the same families: every number that both tables have is the same."""
    make_suite(8)
    tests = significance().set_index("comparison")
    claims = pd.read_csv(write_table(SUITE, "claims")[0]).set_index("comparison")
    tested = claims[claims["n"].notna()]
    assert list(tested.index) == list(tests.index)
    both = [name for name in tests if name in tested and name not in ("record", "reason")]
    assert {"difference", "low", "high", "confidence", "holm_p", "detectable", "verdict"} <= set(both)
    pd.testing.assert_frame_equal(tested[both], tests[both], check_dtype=False)


def test_t7_in_words(make_suite: Suite) -> None:
    make_suite(8)
    _, markdown, latex, _ = write_table(SUITE, "T7")
    text = markdown.read_text()
    for part in (
        "Δm, DGR vs the norm penalty",
        "C5 (2 tests)",
        "does not mean that there is no difference",
        "PCGrad +",
    ):
        assert part in text
    assert "not significant" not in text
    assert "\\addlinespace" in latex.read_text()


def test_two_makings_are_byte_identical_in_any_process(make_suite: Suite) -> None:
    make_suite(8)
    first = [path for name in ("T7", "claims") for path in write_table(SUITE, name)] + write_figure(SUITE, "F4")
    before = {path: path.read_bytes() for path in first}
    code = (
        "from dgr.figures.registry import write_figure; from dgr.tables.registry import write_table; "
        f"[write_table('{SUITE}', name) for name in ('T7', 'claims')]; write_figure('{SUITE}', 'F4')"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "3", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert {path: path.read_bytes() for path in first} == before


def test_one_seed(make_suite: Suite) -> None:
    make_suite(1)
    table = significance()
    assert set(table["verdict"]) == {"undecided"}
    assert table[["low", "high", "detectable"]].isna().all(axis=None)
    assert "a single seed has no spread" in (paths.tables_folder(SUITE) / "T7.md").read_text()
    _, png, _ = write_figure(SUITE, "F4")
    with Image.open(png) as image:
        assert "A single seed allows no test" in image.info["Description"]


def test_ties_everywhere(make_suite: Suite) -> None:
    make_suite(8)
    path = paths.records_folder(SUITE) / "runs.csv"
    pd.read_csv(path, keep_default_na=False).assign(value=0.9).to_csv(path, index=False)
    table = significance()
    tied = table[table["measure"] == "delta_m"]
    assert set(tied["reason"]) == {"all 8 seeds have the same difference, so that there is no spread to test it by"}
    assert (tied["holm_p"] == 1).all()
    _, png, _ = write_figure(SUITE, "F4")
    with Image.open(png) as image:
        assert "does not reject equality (p = 1), so nothing is told apart" in image.info["Description"]


def test_collapsed_runs_are_counted_and_not_averaged(make_suite: Suite) -> None:
    make_suite(8)
    path = paths.records_folder(SUITE) / "runs.csv"
    runs = pd.read_csv(path, keep_default_na=False)
    fallen = (runs["method"] == "pcgrad") & (runs["regularizer"] == "dgr") & (runs["seed"] < 2)
    fallen &= runs["metric"] == "accuracy"
    runs.assign(value=runs["value"].mask(fallen, 0.1)).to_csv(path, index=False)
    claims = pd.read_csv(write_table(SUITE, "claims")[0]).set_index("comparison")
    assert dict(claims.loc[["C2a", "C5a-equal_weighting", "C5a-pcgrad"], "verdict"]) == {
        "C2a": "undecided", "C5a-equal_weighting": "supported", "C5a-pcgrad": "undecided",
    }  # fmt: skip
    assert "PCGrad + DGR (seeds 0, 1) collapsed" in claims.loc["C5a-pcgrad", "reason"]
    assert math.isnan(claims.loc["C2a", "difference"])
    main = pd.read_csv(write_table(SUITE, "T1")[0]).set_index(["method", "regularizer"]).loc[("pcgrad", "dgr")]
    assert (main["n"], main["collapsed"]) == (8, 2)
    kept = runs[runs["method"].eq("pcgrad") & runs["regularizer"].eq("dgr") & runs["task"].eq("left")]
    kept = kept[kept["split"].eq("test") & kept["metric"].eq("accuracy") & kept["moment"].eq("final")]
    assert main["left_accuracy_mean"] == pytest.approx(kept[kept["seed"] >= 2]["value"].astype(float).mean())
    assert "2 of 8 collapsed" in (paths.tables_folder(SUITE) / "T1.md").read_text()


def test_nan_is_refused(make_suite: Suite) -> None:
    make_suite(2)
    path = paths.records_folder(SUITE) / "runs.csv"
    runs = pd.read_csv(path, keep_default_na=False)
    chosen = (runs["metric"] == "accuracy") & (runs["split"] == "test") & (runs["method"] == "pcgrad")
    runs.assign(value=runs["value"].mask(chosen)).to_csv(path, index=False)
    for make, name in ((write_table, "T7"), (write_figure, "F4")):
        with pytest.raises(DGRError, match="of pcgrad, none, 0 is NaN"):
            make(SUITE, name)


def test_unequal_seeds_are_named(make_suite: Suite) -> None:
    make_suite(2)
    plan = yaml.safe_load(paths.PLAN.read_text())
    for stage in ("runs", "probes"):
        plan[stage]["toy-digits-conv-pcgrad-none"]["seeds"] = [0]
    write_plan(plan)
    path = paths.records_folder(SUITE)
    for name in ("runs", "histories", "provenance", "probes", "universality"):
        frame = getattr(load_records(path), name)
        gone = (frame["method"] == "pcgrad") & (frame["regularizer"] == "none") & (frame["seed"] == 1)
        frame[~gone].to_csv(path / f"{name}.csv", index=False)
    claims = pd.read_csv(write_table(SUITE, "claims")[0]).set_index("comparison")
    assert claims.loc["C5a-pcgrad", "reason"] == "no run for PCGrad alone (seeds 1)"
    assert set(significance()["comparison"]) == set(claims.index[claims["verdict"] != "not run"])
    assert "C2a" not in set(significance()["comparison"])


def test_nothing_to_compare(make_suite: Suite) -> None:
    make_suite(2, (("single_task", ("none",)), ("equal_weighting", ("none",))))
    with pytest.raises(DGRError, match="T7 has no test to show in suite 'toy'"):
        write_table(SUITE, "T7")
    with pytest.raises(DGRError, match="three cells"):
        write_figure(SUITE, "F4")


def test_f4_caption(make_suite: Suite) -> None:
    make_suite(8)
    _, png, _ = write_figure(SUITE, "F4")
    with Image.open(png) as image:
        caption = image.info["Description"]
    for part in ("n = 8 seeds, for 5 cells", "A block is a seed", "Friedman", "Nemenyi", "must differ by 2.2"):
        assert part in caption


def test_claims_that_the_suite_cannot_decide_are_not_run(make_suite: Suite) -> None:
    make_suite(8, (("single_task", ("none",)), ("equal_weighting", ("none", "norm"))))
    table = pd.read_csv(write_table(SUITE, "claims")[0], index_col="comparison")
    assert set(table["verdict"]) == {"not run"}
    assert "no run for EW + DGR" in table.loc["C2xa", "reason"]


def test_a_suite_with_some_of_the_methods_decides_over_those(make_suite: Suite) -> None:
    make_suite(8)
    verdicts = pd.read_csv(write_table(SUITE, "claims")[0], index_col="comparison")["verdict"]
    assert verdicts["C2a"] == "supported"
    assert "EW, PCGrad in C1a" in (paths.tables_folder(SUITE) / "claims.md").read_text()


def test_claims_in_words(make_suite: Suite) -> None:
    make_suite(8)
    csv, markdown, latex, _ = write_table(SUITE, "claims")
    table = pd.read_csv(csv, index_col="comparison")
    assert list(table["record"]) == list(table.index)
    row = table.loc["C2a"]
    text = markdown.read_text()
    for part in (
        "C2: DGR improves multi-task prediction.",
        "Multi-task prediction (control)",
        "arXiv 2409.16651",
        "±0.50",
        f"{row['difference']:+.2f} Δm points",
        f"{row['detectable']:.2f}",
    ):
        assert part in text
    assert "Δm of each method, with DGR vs alone: PCGrad" in text
    assert "points & [" in latex.read_text()

import json
import os
import re
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
WITHDRAWN = re.compile(r'withdrawn: (&\w+ "[^"]*"|\*\w+),?')
"""What these tests decide is about made-up records, of which nothing was withdrawn."""
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
            for kind, names in (("tables", ("T7", "claims")), ("figures", ("F4",))):
                plan[kind] = {f"{SUITE}-{name}": {"suite": SUITE, "name": name} for name in names}
            make_runs(plan, root)
            make_measurements(plan, root)
            collect_records(SUITE, plan, root)
            (root / paths.CONFIGS).mkdir()
            (root / paths.PLAN).write_text(json.dumps(plan))
            text = CLAIMS.read_text(encoding="utf-8")
            (root / CLAIMS_FILE).write_text(WITHDRAWN.sub("", text), encoding="utf-8")
        for folder in (paths.CONFIGS, paths.RESULTS):
            shutil.copytree(root / folder, workplace / folder)
        shutil.copy(root / paths.PLAN, workplace)

    return make


def significance() -> pd.DataFrame:
    return pd.read_csv(write_table(SUITE, "T7")[0], keep_default_na=False, na_values=[""])


def test_t7_recomputed_from_runs_csv_alone(make_suite: Suite) -> None:
    make_suite(8)
    table = significance().set_index(["method", "regularizer", "against"])
    assert list(table.index) == [
        ("equal_weighting", "dgr", "none"),
        ("pcgrad", "dgr", "none"),
        ("equal_weighting", "norm", "none"),
        ("equal_weighting", "dgr", "norm"),
    ]
    runs = load_records(paths.records_folder(SUITE)).runs
    test = runs[(runs.split == "test") & (runs.metric == "accuracy") & (runs.moment == "final")]
    wide = test.pivot(index=["method", "regularizer", "seed"], columns="task", values="value")
    delta = (100 * (wide / wide.loc["single_task"].mean() - 1)).mean(axis=1)
    for (method, treatment, reference), row in table.iterrows():
        differences = (delta[method][treatment] - delta[method][reference]).to_numpy()
        np.testing.assert_allclose(row["difference"], differences.mean())
        np.testing.assert_allclose(row["t_p"], stats.ttest_1samp(differences, 0).pvalue, atol=1e-9)
        np.testing.assert_allclose(row["wilcoxon_p"], stats.wilcoxon(differences).pvalue, atol=1e-9)
        assert row["low"] < row["difference"] < row["high"]
        assert row["n"] == 8
    family = table[table["family"] == "DGR against the method alone"]
    assert family["holm_p"].max() == pytest.approx(max(2 * family["t_p"].min(), family["t_p"].max()))
    assert set(family["verdict"]) == {"better"}


def test_t7_in_words(make_suite: Suite) -> None:
    make_suite(8)
    _, markdown, latex, _ = write_table(SUITE, "T7")
    text = markdown.read_text()
    for part in ("+ DGR vs + norm", "DGR against the method alone (2 tests)", "BCa", "below 0.0078", "does not mean"):
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
    assert set(table["verdict"]) == {"inconclusive"}
    assert table[["low", "high"]].isna().all(axis=None)
    assert "a single seed has no spread" in (paths.tables_folder(SUITE) / "T7.md").read_text()
    _, png = write_figure(SUITE, "F4")
    with Image.open(png) as image:
        assert "A single seed allows no test" in image.info["Description"]


def test_ties_everywhere(make_suite: Suite) -> None:
    make_suite(8)
    path = paths.records_folder(SUITE) / "runs.csv"
    pd.read_csv(path, keep_default_na=False).assign(value=0.9).to_csv(path, index=False)
    table = significance()
    assert set(table["reason"]) == {"all differences are zero"}
    assert (table["holm_p"] == 1).all()
    _, png = write_figure(SUITE, "F4")
    with Image.open(png) as image:
        assert "does not reject equality (p = 1), so nothing is told apart" in image.info["Description"]


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
    with pytest.raises(DGRError, match="Seeds 1 stand on one side"):
        write_table(SUITE, "T7")


def test_nothing_to_compare(make_suite: Suite) -> None:
    make_suite(2, (("single_task", ("none",)), ("equal_weighting", ("none",))))
    with pytest.raises(DGRError, match="T7 has nothing to compare in suite 'toy'"):
        write_table(SUITE, "T7")
    with pytest.raises(DGRError, match="three cells"):
        write_figure(SUITE, "F4")


def test_f4_caption(make_suite: Suite) -> None:
    make_suite(8)
    _, png = write_figure(SUITE, "F4")
    with Image.open(png) as image:
        caption = image.info["Description"]
    for part in ("n = 8 seeds, for 6 cells", "A block is a seed", "Friedman", "Nemenyi", "must differ by 2.7"):
        assert part in caption


def test_claims_that_the_suite_cannot_decide_are_not_run(make_suite: Suite) -> None:
    make_suite(8, (("single_task", ("none",)), ("equal_weighting", ("none", "norm"))))
    table = pd.read_csv(write_table(SUITE, "claims")[0], index_col="comparison")
    assert set(table["verdict"]) == {"not run"}
    assert "no run for EW + DGR" in table.loc["C2b", "reason"]


def test_a_suite_with_some_of_the_methods_decides_over_those(make_suite: Suite) -> None:
    make_suite(8)
    verdicts = pd.read_csv(write_table(SUITE, "claims")[0], index_col="comparison")["verdict"]
    assert verdicts["C2a"] == "reproduced"
    assert "EW, PCGrad in C1a" in (paths.tables_folder(SUITE) / "claims.md").read_text()


def test_claims_in_words(make_suite: Suite) -> None:
    make_suite(8)
    lines = CLAIMS_FILE.read_text().splitlines()
    shorter = ["          [equal_weighting, pcgrad]" if "[equal_weighting, dwa" in line else line for line in lines]
    CLAIMS_FILE.write_text("\n".join(shorter).replace("[equal_weighting, graddrop, pcgrad]", "[equal_weighting]"))
    csv, markdown, latex, _ = write_table(SUITE, "claims")
    table = pd.read_csv(csv, index_col="comparison")
    assert list(table["record"]) == list(table.index)
    assert dict(table.loc[["C2a", "C5a"], "verdict"]) == {"C2a": "reproduced", "C5a": "reproduced"}
    text = markdown.read_text()
    for part in (
        "(2 of 2)",
        "C2: DGR improves multi-task prediction.",
        "Methods: EW, PCGrad in C1a",
        "arXiv 2409.16651",
    ):
        assert part in text
    assert f"{table.loc['C2a', 'difference']:+.2f} points" in text
    assert "points & [" in latex.read_text()

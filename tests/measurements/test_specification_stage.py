"""A small curve from its file to table, figure, page and check; and what becomes of a training that diverges."""

import json

import pytest
import yaml
from specification_records import specification_file

from dgr.config.plan_file import read_plan
from dgr.core.errors import DGRError
from dgr.core.files import write_text
from dgr.core.paths import CONFIGS, HASHES, RESULTS, output_path
from dgr.figures.registry import write_figure
from dgr.measurements.sweeps import sweep
from dgr.pages.audit import write_audit
from dgr.plan.entry_hashes import hashes
from dgr.plan.expand import dump, make_plans
from dgr.records.collecting import collect_suite
from dgr.records.records import load_records
from dgr.tables.registry import write_table
from dgr.training.divergence import DivergedError
from dgr.training.run import Run
from dgr.verification.complete_records import check_runs
from dgr.verification.drawing import units
from dgr.verification.made_again import read_again
from dgr.verification.places import make_places


@pytest.fixture
def curve(project):
    """The keys of a planned suite with four specifications and two seeds."""
    file = specification_file(seeds=[0, 1], tables=["M1", "M3"], figures=["M1"])
    data = file.model_dump(mode="json", exclude_defaults=True)
    write_text(CONFIGS / "curve" / "M1.yaml", yaml.safe_dump(data, sort_keys=False))
    for path, plan in make_plans(CONFIGS).items():
        write_text(path, dump(plan))
        write_text(path.with_name(HASHES.name), dump(hashes(plan)))
    return list(read_plan()["specifications"])


def diverge_where(monkeypatch, diverges):
    train = Run.train

    def train_or_diverge(run):
        if diverges(run.config, run.seed):
            raise DivergedError("the loss is nan.")
        train(run)

    monkeypatch.setattr(Run, "train", train_or_diverge)


def test_from_the_file_to_the_page(curve, monkeypatch):
    # DGR's every strength in one specification, and one strength of it with one seed in another.
    def diverges(config, seed):
        if config.architecture.channels != [4] or config.regularizer.name != "dgr":
            return False
        return config.training.epochs == 4 or (config.regularizer.strength, seed) == (0.1, 1)

    diverge_where(monkeypatch, diverges)
    assert len(curve) == 4
    for key in curve:
        sweep(key, "cpu")
    collect_suite("curve")
    records = load_records(RESULTS / "curve" / "records")
    diverged = records.sweeps[records.sweeps["metric"] == "diverged"]
    assert len(diverged) == 2 * 2 + 1
    assert records.runs.empty

    for name in ("M1", "M3"):
        write_table("curve", name)
    write_figure("curve", "M1")
    table = json.loads((RESULTS / "curve/tables/M1.json").read_text())
    first = dict(zip(table["columns"], table["rows"][0], strict=True))
    assert (first["Question"], first["n"], first["Diverged"]) == ("DGR vs. alone", "3", "1")
    assert "not among the n: DGR in wide long usual" in " ".join(table["notes"])
    assert (RESULTS.parent / "figures/curve/M1.png").is_file()

    assert check_runs("curve").problems == []
    write_audit("curve")
    page = (RESULTS / "curve/audit.html").read_text()
    assert page.count("Specification: ") >= len(curve)
    for key in curve:
        assert f'href="#record-{key}"' in page
    assert "Differences of test accuracy, in points" in page


def test_a_curve_with_a_training_too_few_or_too_many_is_told(curve):
    for key in curve:
        sweep(key, "cpu")
    collect_suite("curve")
    path = RESULTS / "curve/records/sweeps.csv"
    lines = path.read_text().splitlines(keepends=True)
    settings = lines[1].split('"{')[1].split('}"')[0]
    kept = [line for line in lines if not (line.startswith("curve,narrow-short-usual,") and settings in line)]
    assert len(kept) < len(lines)
    path.write_text("".join(kept))
    assert check_runs("curve").problems == ["sweeps.csv has 0 points too many and 2 too few."]


def test_an_ordinary_sweep_stops_where_a_training_diverges(project, monkeypatch):
    diverge_where(monkeypatch, lambda config, seed: True)
    with pytest.raises(DGRError, match=r"Sweep 'strength' at .*: the loss is nan"):
        sweep("mini-multimnist-conv-strength", "cpu")


def test_a_mistake_other_than_divergence_stops_a_specification_too(curve, monkeypatch):
    def fail(run):
        raise DGRError("the disk is full.")

    monkeypatch.setattr(Run, "train", fail)
    with pytest.raises(DGRError, match=r"Sweep 'narrow-short-usual' at .*: the disk is full"):
        sweep(curve[0], "cpu")


def test_a_record_has_values_beside_divergence_only_by_mistake(curve, monkeypatch):
    diverge_where(monkeypatch, lambda config, seed: config.regularizer.name == "norm" and seed == 0)
    for key in curve:
        sweep(key, "cpu")
    path = output_path("curve", "sweep", f"{curve[0]}.json")
    record = json.loads(path.read_text())
    (stopped,) = (row for row in record["rows"] if row["metric"] == "diverged")
    record["rows"].append(stopped | {"metric": "accuracy", "task": "left", "value": 0.5})
    path.write_text(json.dumps(record))
    with pytest.raises(DGRError, match="holds twice, or without being asked, values for"):
        collect_suite("curve")


def test_one_training_made_again_may_diverge_again(curve, project, monkeypatch):
    """As ``dgr verify`` runs a point of a sweep again: in a folder whose plan has nothing else."""
    diverge_where(monkeypatch, lambda config, seed: config.regularizer.name == "norm")
    unit = next(unit for unit in units(read_plan(), "curve", "sweep") if unit.part == (3,))
    (place,) = make_places(read_plan(), "curve", [unit], project, "cpu")
    monkeypatch.chdir(place.folder)
    ((_, key, *_),) = place.phases[0]
    sweep(key, "cpu")
    (again,) = (file for file in read_again([place], "curve") if file.name == "sweeps")
    assert [row["value"] for row in again.rows.values()] == ["1.0"]
    assert [name[-1] for name in again.rows] == ["diverged"]

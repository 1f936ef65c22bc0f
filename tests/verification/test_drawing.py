import os
from pathlib import Path

import pytest

from dgr.config.plan_file import Plan, read_plan
from dgr.core.errors import DGRError
from dgr.verification.drawing import Unit, draw_units, everything, of_record, units
from dgr.verification.places import make_places

ROOT = Path(__file__).parents[2]
EW = "mini-multimnist-conv-equal_weighting-none"


@pytest.fixture(scope="module")
def plan() -> Plan:
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        return read_plan()
    finally:
        os.chdir(before)


def test_a_seed_draws_the_same_sample_again_and_another_seed_another(plan: Plan) -> None:
    assert draw_units(plan, "mini", 6, 0) == draw_units(plan, "mini", 6, 0) != draw_units(plan, "mini", 6, 1)


def test_a_sample_has_no_unit_twice_and_as_many_as_asked(plan: Plan) -> None:
    drawn = draw_units(plan, "mini", 7, 3)
    assert len(set(drawn)) == len(drawn)
    assert [sum(unit.kind == kind for unit in drawn) for kind in ("run", "tuning", "sweep", "baselines")] == [
        7,
        3,
        3,
        1,
    ]
    assert draw_units(plan, "mini", 0, 3) == []
    assert {unit.kind for unit in draw_units(plan, "studies", 4, 0)} == {"study"}


@pytest.mark.parametrize("seed", range(5))
def test_a_sample_is_spread_over_what_the_suite_has(plan: Plan, seed: int) -> None:
    runs = plan["runs"] | plan["tuned_runs"]
    drawn = [runs[unit.key] for unit in draw_units(plan, "mini", 6, seed) if unit.kind == "run"]
    own = [entry for entry in runs.values() if entry["suite"] == "mini"]
    for part, enough in (("method", 5), ("regularizer", 3), ("architecture", 2)):
        assert len({entry[part]["name"] for entry in drawn}) >= min(enough, len({entry[part]["name"] for entry in own}))


def test_studies_are_drawn_one_after_the_other(plan: Plan) -> None:
    keys = [unit.key for unit in draw_units(plan, "studies", 6, 0)]
    assert len(set(keys)) == 6


def test_everything_is_each_seed_of_each_run_and_whole_sweeps(plan: Plan) -> None:
    chosen = everything(plan, "mini")
    runs = [*plan["runs"].values(), *plan["tuned_runs"].values()]
    wanted = sum(len(entry["seeds"]) for entry in runs if entry["suite"] == "mini")
    assert sum(unit.kind == "run" for unit in chosen) == wanted
    assert all(unit.part == () for unit in chosen)
    sweeps = sum(entry["suite"] == "mini" for entry in plan["sweeps"].values())
    assert sum(unit.kind == "sweep" for unit in chosen) == sweeps


def test_a_record_is_one_key_or_one_of_its_seeds(plan: Plan) -> None:
    assert of_record(plan, "mini", EW, 3) == [Unit("run", EW, 3)]
    assert [unit.seed for unit in of_record(plan, "mini", EW, None)] == plan["runs"][EW]["seeds"]
    assert of_record(plan, "mini", "mini-multimnist", None) == [Unit("baselines", "mini-multimnist")]
    assert of_record(plan, "studies", "studies-W1", 0) == [Unit("study", "studies-W1", 0)]


def test_an_unknown_record_or_seed_is_told(plan: Plan) -> None:
    with pytest.raises(DGRError, match=rf"no record '{EW}x' that can be run again; did you mean '{EW}'\?"):
        of_record(plan, "mini", f"{EW}x", None)
    with pytest.raises(DGRError, match=rf"{EW} has no seed 99; it has 0, 1, 2"):
        of_record(plan, "mini", EW, 99)


def test_places_hold_the_units_and_nothing_else(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (tmp_path / "data").mkdir()
    tuning, sweep = next(units(plan, "mini", "tuning")), next(units(plan, "mini", "sweep"))
    together, *alone = make_places(plan, "mini", [Unit("run", EW, 3), tuning, sweep], tmp_path, "cpu")
    assert together.plan["runs"] == {EW: plan["runs"][EW] | {"seeds": [0, 3]}}, (
        "probes choose settings on the first seed"
    )
    assert together.phases == [[("train", EW, "--device", "cpu")], [("probe", EW)], []]
    assert [list(place.plan[section]) for place, section in zip(alone, ("tuning", "sweeps"), strict=True)] == [
        [tuning.key],
        [sweep.key],
    ]
    assert alone[0].plan["tuning"][tuning.key]["grid"] == list(tuning.part)
    assert all(len(values) == 1 for values in alone[1].plan["sweeps"][sweep.key]["vary"].values())
    assert not together.plan["tables"]

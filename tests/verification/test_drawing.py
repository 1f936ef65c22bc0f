import os
from pathlib import Path

import pytest

from dgr.config.plan_file import Plan, read_plan, tunings
from dgr.core.errors import DGRError
from dgr.core.files import write_json
from dgr.core.paths import tuning_file
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
    assert [sum(unit.kind == kind for unit in drawn) for kind in ("run", "tuning", "baselines")] == [7, 3, 1]
    assert sum(unit.kind == "sweep" for unit in draw_units(plan, "methods", 7, 3)) == 3
    assert draw_units(plan, "mini", 0, 3) == []
    assert {unit.kind for unit in draw_units(plan, "studies", 4, 0)} == {"study"}


@pytest.mark.parametrize("seed", range(5))
def test_a_sample_is_spread_over_what_the_suite_has(plan: Plan, seed: int) -> None:
    runs = plan["runs"] | plan["tuned_runs"]
    drawn = [runs[unit.key] for unit in draw_units(plan, "mini", 6, seed) if unit.kind == "run"]
    own = [entry for entry in runs.values() if entry["suite"] == "mini"]
    for part, enough in (("method", 2), ("regularizer", 5), ("architecture", 2)):
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
    assert of_record(plan, "mini", EW, 43) == [Unit("run", EW, 43)]
    assert [unit.seed for unit in of_record(plan, "mini", EW, None)] == plan["tuned_runs"][EW]["seeds"]
    assert of_record(plan, "mini", "mini-multimnist", None) == [Unit("baselines", "mini-multimnist")]
    assert of_record(plan, "studies", "studies-W1", 100) == [Unit("study", "studies-W1", 100)]


def test_an_unknown_record_or_seed_is_told(plan: Plan) -> None:
    with pytest.raises(DGRError, match=rf"no record '{EW}x' that can be run again; did you mean '{EW}'\?"):
        of_record(plan, "mini", f"{EW}x", None)
    with pytest.raises(DGRError, match=rf"{EW} has no seed 99; it has 40, 41, 42"):
        of_record(plan, "mini", EW, 99)


def test_places_hold_the_units_and_nothing_else(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scratch = tmp_path / "scratch"
    (scratch / "data").mkdir(parents=True)
    joint = next(unit for unit in units(plan, "mini", "tuning") if all(unit.part) and unit.key in plan["tuning"])
    matched = next(unit for unit in units(plan, "mini", "tuning") if unit.key in plan["matching"])
    sweep = next(units(plan, "methods", "sweep"))
    committed = {key: tuning_file("mini", key) for key in (EW, plan["matching"][matched.key]["matched"])}
    for key, path in committed.items():
        write_json(path, {"key": key})
    together, *alone = make_places(plan, "mini", [Unit("run", EW, 43), joint, matched, sweep], scratch, "cpu")
    assert together.plan["tuned_runs"] == {EW: plan["tuned_runs"][EW] | {"seeds": [40, 43]}}, (
        "probes choose settings on the first seed"
    )
    assert together.phases == [[("train", EW, "--device", "cpu")], [("probe", EW)], []]
    assert (together.folder / committed[EW]).read_text() == committed[EW].read_text(), "trained with what was chosen"
    sections = ("tuning", "matching", "sweeps")
    assert [list(place.plan[section]) for place, section in zip(alone, sections, strict=True)] == [
        [joint.key],
        [matched.key],
        [sweep.key],
    ]
    for place, section, unit in zip(alone, sections, (joint, matched), strict=False):
        entry = place.plan[section][unit.key]
        assert [entry["learning_rates"] or [], entry["strengths"]] == [list(values) for values in unit.part]
        assert (entry["extensions"], entry["seeds"], entry["run"]["seeds"]) == (0, [unit.seed], [unit.seed])
        assert place.phases[0] == [("tune", unit.key, "--device", "cpu")]
    assert (alone[1].folder / committed[plan["matching"][matched.key]["matched"]]).is_file(), "whose norm is matched"
    assert all(len(values) == 1 for values in alone[2].plan["sweeps"][sweep.key]["vary"].values())
    assert not together.plan["tables"]


def test_a_choice_that_is_not_committed_is_named(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    with pytest.raises(DGRError, match=rf"^results/mini/tuning/{EW}\.json is missing; restore it with `git checkout`"):
        make_places(plan, "mini", [Unit("run", EW, 3)], tmp_path, "cpu")


def test_each_part_of_a_tuning_is_of_its_grid_and_its_first_seed(plan: Plan) -> None:
    for unit in units(plan, "mini", "tuning"):
        entry = tunings(plan)[unit.key]
        rates, strengths = unit.part
        assert set(rates) <= set(entry["learning_rates"] or [])
        assert set(strengths) <= set(entry["strengths"] or [])
        assert unit.seed == entry["seeds"][0]
    whole = {unit.key for unit in everything(plan, "mini") if unit.kind == "tuning"}
    assert whole == set(tunings(plan)) & {unit.key for unit in units(plan, "mini", "tuning")}

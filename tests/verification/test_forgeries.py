"""Tamperings with committed results; each is found, also where the forger mends ``dvc.lock`` and the reports."""

import json
import shutil
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from verified_support import (
    PLAIN,
    SUITE,
    TUNED,
    commit_all,
    edit_csv,
    edit_yaml,
    replace_in,
    report_again,
    settle,
)

from dgr.core.errors import DGRError
from dgr.core.paths import tuning_file
from dgr.verification.citation import check_citation
from dgr.verification.complete_records import check_runs
from dgr.verification.findings import Finding
from dgr.verification.history import check_history
from dgr.verification.locked_files import check_lock
from dgr.verification.prose import check_prose
from dgr.verification.remaking import check_remade
from dgr.verification.verify import check_files, check_plan

RESULTS, TABLES = Path("results/mini"), Path("results/mini/tables")


def plan() -> list[Finding]:
    return [check_plan(SUITE)]


def records() -> list[Finding]:
    return [check_runs(SUITE)]


def lock() -> list[Finding]:
    return [check_lock(SUITE)]


def history() -> list[Finding]:
    return [check_history(SUITE)]


def sentences() -> list[Finding]:
    return [check_prose()]


def citation() -> list[Finding]:
    return [check_citation()]


def remade() -> list[Finding]:
    """Against what the records gave before; none of these forgeries is of records."""
    return check_remade(SUITE, Path("../remade"), exact=True)


class Checked(NamedTuple):
    """What all checks find where nothing is forged; and where they made tables, figures and pages of the records."""

    findings: list[Finding]
    made: Path


@pytest.fixture(scope="module")
def checked(verified: Path, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """Once, since it takes seconds."""
    place = tmp_path_factory.mktemp("checked") / "made"
    with chdir(verified):
        return Checked(check_files(SUITE, place, exact=True), place)


class Forgery(NamedTuple):
    """What is done, which checks are asked, and a part of the sentence that finds it."""

    name: str
    tamper: Callable[[], object]
    check: Callable[[], list[Finding]]
    said: str


def first_digit(path: str) -> None:
    """Another digit in place of the last one of a file's first long number."""
    text = Path(path).read_text(encoding="utf-8")
    place = next(i for i, char in enumerate(text) if char.isdigit() and text[i - 2 : i].endswith(".") and i > 1)
    Path(path).write_text(text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :], encoding="utf-8")


def digit_in_table(suffix: str) -> Callable[[], None]:
    def tamper() -> None:
        first_digit(str(TABLES / f"T1{suffix}"))
        settle()

    return tamper


def verdict() -> None:
    frame = pd.read_csv(TABLES / "claims.csv")
    forged = "opposite" if frame.loc[0, "verdict"] != "opposite" else "supported"
    frame.loc[0, "verdict"] = forged
    frame.to_csv(TABLES / "claims.csv", index=False, lineterminator="\n")
    settle()


def swapped_seeds() -> None:
    def swap(frame: pd.DataFrame) -> pd.DataFrame:
        ours = (frame["method"] == "equal_weighting") & (frame["regularizer"] == "dgr")
        return frame.assign(seed=frame["seed"].where(~ours, frame["seed"].replace({"0": "1", "1": "0"})))

    edit_csv("runs", swap)
    settle()


def without_worst_seed() -> None:
    """Seed 1 goes from every file of records."""
    for name in ("runs", "histories", "provenance", "answers", "sources", "probes", "universality", "origins"):
        edit_csv(name, lambda frame: frame[frame["seed"] != "1"])


def dropped_seed() -> None:
    without_worst_seed()
    settle()


def dropped_seed_and_plan() -> None:
    without_worst_seed()
    data = json.loads(Path("plan.json").read_text(encoding="utf-8"))
    for section in ("runs", "tuned_runs", "probes"):
        for entry in data[section].values():
            entry["seeds"] = [0]
    Path("plan.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    settle()


def other_choice() -> None:
    edit_csv("tuning", lambda frame: frame.assign(chosen=frame["chosen"].map({"True": "False", "False": "True"})))
    settle()


def edit_outcomes(edit: Callable[[Any], object]) -> None:
    path = tuning_file(SUITE, TUNED)
    record = json.loads(path.read_text(encoding="utf-8"))
    edit(record)
    path.write_text(json.dumps(record), encoding="utf-8")
    settle()


def other_outcome() -> None:
    """The other of two strengths, in every place where a choice is marked."""
    other_choice()

    def turn(record: Any) -> None:
        record["chosen"]["strength"] = {0.01: 1.0, 1.0: 0.01}[record["chosen"]["strength"]]

    edit_outcomes(turn)


def untried() -> None:
    edit_outcomes(lambda record: record["rows"].pop())


def better_tuning_value() -> None:
    def lower_chosen(frame: pd.DataFrame) -> pd.DataFrame:
        ours = (frame["chosen"] == "True") & (frame["metric"] == "accuracy")
        return frame.assign(value=frame["value"].where(~ours, "0.001"))

    edit_csv("tuning", lower_chosen)
    settle()


def other_level() -> None:
    edit_yaml("paper_configs/claims.yaml", lambda data: data["claims"][0].update(alpha=0.5))
    report_again()
    commit_all(Path(), "Typing mistakes")


def other_direction() -> None:
    edit_yaml("paper_configs/claims.yaml", lambda data: data["claims"][0]["comparisons"][0].update(direction="lower"))
    settle()


def another_claim() -> None:
    """The old one is deleted; what is claimed now was found first."""
    edit_yaml("paper_configs/claims.yaml", lambda data: data["claims"][0]["comparisons"][0].update(id="C9a"))
    settle()


def claim_of_another_suite() -> None:
    """What this suite's results decided is said to be of another one."""
    edit_yaml("paper_configs/claims.yaml", lambda data: data["claims"][0].update(suites=["faces_gpu"]))
    settle()


def other_picture() -> None:
    shutil.copy("figures/mini/F5.png", "figures/mini/F5.pdf")
    settle()


def picture_of_another_suite() -> None:
    source = Path(__file__).parents[2] / "figures/studies/W1.png"
    shutil.copy(source, "figures/mini/F5.png")
    settle()


def unknown_commit() -> None:
    edit_csv("origins", lambda frame: frame.assign(commit="1" * 40))
    settle()


def later_commit() -> None:
    """Claims are changed, committed, and the records are said to come from that commit."""
    edit_yaml("paper_configs/claims.yaml", lambda data: data["claims"][0].update(alpha=0.5))
    commit = commit_all(Path(), "Claims")
    edit_csv("origins", lambda frame: frame.assign(commit=commit))
    settle()
    commit_all(Path(), "Results")


def uncommitted_changes() -> None:
    edit_csv("origins", lambda frame: frame.assign(dirty=["True", *frame["dirty"][1:]]))
    settle()


def unknown_changes() -> None:
    edit_csv("origins", lambda frame: frame.assign(dirty=""))
    settle()


def other_settings() -> None:
    edit_csv("provenance", lambda frame: frame.assign(config_hash="f" * 64))
    settle()


def other_result() -> None:
    edit_csv("origins", lambda frame: frame.assign(result="f" * 64))
    settle()


def page_number() -> None:
    replace_in("results/mini/audit.html", "0.", "1.")
    settle()


def summary_number() -> None:
    data = json.loads(Path("results/summaries/mini.json").read_text(encoding="utf-8"))
    data["trained"] += 1
    Path("results/summaries/mini.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    settle()


def plan_setting() -> None:
    replace_in("plan.json", '"learning_rate": 0.001', '"learning_rate": 0.01')
    settle()


def lock_of_a_setting() -> None:
    def edit(data: dict) -> None:
        (settings,) = data["stages"][f"train@{PLAIN}"]["params"].values()
        settings[f"runs.{PLAIN}"] = "0" * 16

    edit_yaml("dvc.lock", edit)


def data_hash() -> None:
    def edit(data: dict) -> None:
        (dep,) = [dep for dep in data["stages"][f"train@{PLAIN}"]["deps"] if dep["path"].startswith("data/")]
        dep["md5"] = "0" * 32 + ".dir"

    edit_yaml("dvc.lock", edit)


def repeated_row() -> None:
    edit_csv("runs", lambda frame: pd.concat([frame, frame.tail(1)]))
    settle()


def lock_of_a_record() -> None:
    edit_yaml("dvc.lock", lambda data: data["stages"]["collect@mini"]["outs"][0].update(md5="0" * 32))


def lock_of_another_file() -> None:
    edit_yaml(
        "dvc.lock", lambda data: data["stages"]["table@mini-T1"]["outs"][0].update(path="results/mini/tables/T2.csv")
    )


def embedded_point() -> None:
    edit_csv("embedding", lambda frame: frame.assign(x=["9.0", *frame["x"][1:]]))


def probe_value() -> None:
    edit_csv("probes", lambda frame: frame.assign(value=["0.9", *frame["value"][1:]]))


def fewer_points() -> None:
    edit_csv("sweeps", lambda frame: frame[frame["settings"] != frame["settings"].iloc[0]])
    settle()


def other_strength() -> None:
    edit_csv(
        "provenance", lambda frame: frame.assign(strength=frame["strength"].replace({"0.01": "1.0", "1.0": "0.01"}))
    )
    settle()


def foreign_table() -> None:
    (TABLES / "T7.md").write_text("| a |\n", encoding="utf-8")


FORGERIES = [
    Forgery(
        "a digit in a table's Markdown", digit_in_table(".md"), remade, "T1.md is not what the records give in line"
    ),
    Forgery("a digit in a table's CSV", digit_in_table(".csv"), remade, "T1.csv is not what the records give in line"),
    Forgery(
        "a digit in a table's LaTeX", digit_in_table(".tex"), remade, "T1.tex is not what the records give in line"
    ),
    Forgery("a verdict", verdict, remade, "C2a: committed is '"),
    Forgery("two seeds of a run swapped", swapped_seeds, records, "runs.csv and histories.csv differ in val_"),
    Forgery("the worst seed dropped", dropped_seed, records, "runs.csv of suite 'mini' lacks 4 runs"),
    Forgery("the same, from the plan too", dropped_seed_and_plan, plan, "plan.json is not current"),
    Forgery("another strength chosen", other_choice, records, f"tuning.csv: {TUNED} marks another choice"),
    Forgery("the same, in the tuning's own file", other_outcome, records, f"tuning.csv: {TUNED} chose "),
    Forgery("a setting that was tried left out", untried, records, f"tuning.csv: {TUNED} has other settings or seeds"),
    Forgery("a tuning value", better_tuning_value, records, "but by the rule its rows choose"),
    Forgery(
        "claims.yaml: the level, after results", other_level, history, "C2a says another alpha than before the results"
    ),
    Forgery(
        "claims.yaml: the direction", other_direction, history, "C2a says another direction than before the results"
    ),
    Forgery("a claim deleted", another_claim, history, "C2a was removed after the results"),
    Forgery("a claim moved away", claim_of_another_suite, history, "C2a was removed after the results"),
    Forgery("a claim added", another_claim, history, "C9a was added after the results"),
    Forgery("a figure's other format", other_picture, remade, "F5.pdf is another picture than the records give"),
    Forgery("a figure of another suite", picture_of_another_suite, remade, "F5.png is another picture"),
    Forgery(
        "a number in README's table",
        lambda: replace_in("README.md", "| C2a", "| C2b"),
        remade,
        "README.md shows other tables than there are",
    ),
    Forgery(
        "a number in README's prose",
        lambda: replace_in("README.md", "two seeds", "twelve seeds"),
        sentences,
        "says 'twelve'",
    ),
    Forgery(
        "a number that no table has",
        lambda: replace_in("README.md", "two epochs", "93.71 points"),
        sentences,
        "says '93.71'",
    ),
    Forgery("a record of an unknown commit", unknown_commit, history, "which this repository does not have"),
    Forgery("a record of a later commit", later_commit, history, "its numbers stood there before that commit"),
    Forgery("a record of changed code", uncommitted_changes, history, "with changes that no commit has"),
    Forgery("a record of code that may have been changed", unknown_changes, history, "with changes that no commit has"),
    Forgery("a record's hash of its settings", other_settings, records, "has the hash of other settings"),
    Forgery("whose result a record is", other_result, records, "is about other results than provenance.csv"),
    Forgery("a number on the page", page_number, remade, "audit.html is not what the records give in line"),
    Forgery("the summary", summary_number, remade, "results/summaries/mini.json is not what the records give"),
    Forgery(
        "the index", lambda: replace_in("results/index.html", "mini", "maxi"), remade, "results/index.html is not what"
    ),
    Forgery("a setting of the plan", plan_setting, plan, "plan.json is not current"),
    Forgery("the data of one run", data_hash, lock, "data/multimnist was read with another content"),
    Forgery("a row twice", repeated_row, records, "runs.csv has rows twice"),
    Forgery("the lock's hash of a record", lock_of_a_record, lock, "runs.csv is not the file that dvc.lock knows"),
    Forgery(
        "the lock's hash of a setting", lock_of_a_setting, lock, f"train@{PLAIN} was made with another runs.{PLAIN}"
    ),
    Forgery("the lock about another file", lock_of_another_file, lock, "names other files than the stage makes"),
    Forgery("a point of the embedding", embedded_point, lock, "embedding.csv is not the file that dvc.lock knows"),
    Forgery("an accuracy of a probe", probe_value, lock, "probes.csv is not the file that dvc.lock knows"),
    Forgery("a point of a sweep left out", fewer_points, records, "1 too few"),
    Forgery("a run said to have another strength", other_strength, records, f"The runs of {TUNED} have other settings"),
    Forgery("a table of no stage", foreign_table, remade, "T7.md is made by no stage"),
    Forgery("a page number in CITATION", lambda: replace_in("CITATION.cff", "241", "214"), citation, "start of arXiv"),
    Forgery(
        "a paper not cited",
        lambda: replace_in("CITATION.cff", "2409.16651", "2409.16650"),
        citation,
        "lacks arXiv 2409.16651",
    ),
]


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_a_forgery_is_found(checkout: Path, checked: Checked, forgery: Forgery) -> None:
    Path("../remade").symlink_to(checked.made)
    forgery.tamper()
    found = forgery.check()
    problems = [problem for finding in found for problem in finding.problems]
    assert any(forgery.said in problem for problem in problems), problems
    assert any(finding.result == "failed" for finding in found)


def test_what_is_not_forged_passes(checked: Checked) -> None:
    found = checked.findings
    assert {finding.check: finding.problems for finding in found} == {finding.check: [] for finding in found}
    assert {finding.result for finding in found} == {"passed"}
    assert all(finding.compared for finding in found)


def test_a_forger_who_mends_everything_deceives_these_checks_and_no_other(checkout: Path, tmp_path: Path) -> None:
    """What only a re-run can find; test_rerunning has it."""
    edit_csv("probes", lambda frame: frame.assign(value=["0.9", *frame["value"][1:]]))
    report_again()
    assert {finding.result for finding in check_files(SUITE, tmp_path / "scratch", exact=True)} == {"passed"}


@pytest.mark.parametrize("content", [None, "suite,dataset\nmini", "\0"], ids=["missing", "columns", "damaged"])
def test_a_bad_record_stops_with_one_sentence(checkout: Path, tmp_path: Path, content: str | None) -> None:
    path = RESULTS / "records/runs.csv"
    path.unlink() if content is None else path.write_text(content, encoding="utf-8")
    with pytest.raises(DGRError, match=r"runs\.csv"):
        check_files(SUITE, tmp_path / "scratch", exact=True)


@pytest.mark.parametrize("content", [None, "stages", "stages: [", "{}"])
def test_a_bad_lock_stops_with_one_sentence(checkout: Path, content: str | None) -> None:
    Path("dvc.lock").unlink() if content is None else Path("dvc.lock").write_text(content, encoding="utf-8")
    with pytest.raises(DGRError, match=r"^dvc\.lock (is missing|cannot be read .*); restore it"):
        check_lock(SUITE)


def test_without_git_the_order_is_said_to_be_unknown(checkout: Path) -> None:
    shutil.rmtree(".git")
    found = check_history(SUITE)
    assert (found.result, found.problems) == ("not checked", [])
    assert "no git history" in found.open


def test_a_later_claim_of_another_suite_is_not_this_ones(checkout: Path) -> None:
    def add(data: dict) -> None:
        later = {**data["claims"][0]["comparisons"][0], "id": "X1a"}
        data["claims"].append({**data["claims"][0], "id": "X1", "suites": ["other"], "comparisons": [later]})

    edit_yaml("paper_configs/claims.yaml", add)
    assert check_history(SUITE).problems == []


def test_a_reason_in_other_words_is_no_changed_claim(checkout: Path) -> None:
    edit_yaml("paper_configs/claims.yaml", lambda data: data["claims"][0]["comparisons"][0].update(region_reason="so"))
    assert check_history(SUITE).problems == []
    edit_yaml("paper_configs/claims.yaml", lambda data: data["claims"][0]["comparisons"][0].update(region=0.4))
    assert "C2a says another region than before the results" in check_history(SUITE).problems[0]

"""The committed pages: every link of every table leads to the record that the table names, of the row's own run."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest
import yaml
from audit_page import XHTML, links, parsed, text
from committed_support import committed

from dgr.config.plan_file import read_plan
from dgr.core.paths import suite_folder
from dgr.pages.grid import number_text
from dgr.tables.shared.differences import read_differences

ROOT = committed()
SUITES = ("mini", "methods", "studies", "multiverse", "faces", "cost", "real_studies", "nyu")
OF_ALL = {"multiverse-M1", "multiverse-M2"}
"""Tables whose rows are about all specifications: each of these stands in M3."""
TABLES = [
    pytest.param(suite, path.stem, id=f"{suite}-{path.stem}")
    for suite in SUITES
    for path in sorted((ROOT / "results" / suite / "tables").glob("*.json"))
]


@cache
def page_of(suite: str) -> Any:
    return parsed((ROOT / "results" / suite / "audit.html").read_text(encoding="utf-8"))


@cache
def page_by_id(suite: str) -> dict[str, Any]:
    elements = [element for element in page_of(suite).iter() if element.get("id")]
    found = {element.get("id"): element for element in elements}
    assert len(found) == len(elements), "an id stands twice"
    return found


@cache
def text_by_id(suite: str, name: str) -> str:
    return text(page_by_id(suite)[name])


@cache
def lock(suite: str) -> dict[str, Any]:
    path = ROOT / suite_folder(suite) / "dvc.lock"
    return yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))["stages"]


@pytest.fixture(autouse=True)
def at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def rows_of(suite: str, name: str) -> list[Any]:
    return list(next(page_by_id(suite)[f"table-{name}"].iter(f"{XHTML}tbody")))


def settings_of(suite: str, key: str) -> dict[str, Any]:
    (settings,) = page_by_id(suite)[f"record-{key}"].iter(f"{XHTML}pre")
    return yaml.safe_load("".join(settings.itertext()))


def key_of(record: Any) -> str:
    """The key that a record on a page is about: in the command that makes it; a comparison begins with its number."""
    if record.get("class") == "evidence":
        return text(record).partition(". ")[0]
    made_by = next(fact for fact in record.iter(f"{XHTML}dl") if text(fact).startswith("made by"))[0][1]
    return text(made_by).rpartition(" ")[2]


def test_every_suite_with_tables_has_its_page() -> None:
    assert {path.parents[1].name for path in Path("results").glob("*/tables/*.json")} == set(SUITES)
    assert {path.parent.name for path in Path("results").glob("*/audit.html")} == set(SUITES)


@pytest.mark.parametrize(("suite", "name"), TABLES)
def test_every_link_leads_to_the_record_that_the_table_names(suite: str, name: str) -> None:
    table = json.loads(Path(f"results/{suite}/tables/{name}.json").read_text(encoding="utf-8"))
    rows, keys_of_rows = rows_of(suite, name), table["records"]
    assert len(rows) == len(keys_of_rows) == len(table["rows"]) > 0
    if f"{suite}-{name}" in OF_ALL:
        assert not any(keys_of_rows)
        assert not any(map(links, rows))
        return
    for row, keys, texts in zip(rows, keys_of_rows, table["rows"], strict=True):
        assert sorted(set(links(row))) == sorted({f"#record-{key}" for key in keys})
        assert links(row[0]) == [f"#record-{keys[0]}"]
        assert all(links(cell) for cell in row if re.search(r"\d", text(cell)) and text(cell) in texts)
        for target in links(row):
            key = unquote(target).removeprefix("#record-")
            assert key_of(page_by_id(suite)[target.removeprefix("#")]) == key


@pytest.mark.parametrize(("suite", "name"), TABLES)
def test_every_clicked_number_stands_where_it_leads(suite: str, name: str) -> None:
    heads = [text(head) for head in next(page_by_id(suite)[f"table-{name}"].iter(f"{XHTML}thead")).iter(f"{XHTML}th")]
    for row in rows_of(suite, name):
        for head, cell in zip(heads, row, strict=True):
            (target, *_) = [*links(cell), None]
            if target and head not in ("Other record", heads[0]):
                number = text(cell)
                assert f"{head}: {number}" in text_by_id(suite, target.removeprefix("#")), (row, head)


@pytest.mark.parametrize(("suite", "name"), TABLES)
def test_a_row_leads_to_a_record_of_its_own_data_set_architecture_method_and_regularizer(suite: str, name: str) -> None:
    data = pd.read_csv(f"results/{suite}/tables/{name}.csv", keep_default_na=False)
    plan = read_plan()
    runs = plan["runs"] | plan["tuned_runs"]
    assert (data["record"] == "").all() == (f"{suite}-{name}" in OF_ALL)
    for row in data[data["record"] != ""].to_dict("records"):
        key = row["record"].split()[0]
        if key not in runs:
            continue
        settings = settings_of(suite, key)
        assert settings == {**runs[key]}
        found = {"dataset": settings["dataset"], "architecture": settings["architecture"]["name"]}
        found |= {part: settings[part]["name"] for part in ("method", "regularizer")}
        # An encoder before training is the one of some run, so its row names no regularizer.
        assert all(row[part] in (value, "") for part, value in found.items() if part in row)


@pytest.mark.parametrize("suite", SUITES)
def test_every_record_shows_the_hash_of_its_own_output(suite: str) -> None:
    plan = read_plan()
    folders = {"runs": "train", "tuned_runs": "train", "sweeps": "sweep", "costs": "cost", "baselines": "baselines"}
    outputs = {
        key: f"runs/{suite}/{folder}/{key}{'' if folder == 'train' else '.json'}"
        for section, folder in folders.items()
        for key, entry in plan[section].items()
        if entry["suite"] == suite
    }
    outputs |= {
        key: f"results/{suite}/records/{entry['name']}.csv"
        for key, entry in (plan["studies"] | plan["real_studies"]).items()
        if entry["suite"] == suite
    }
    hashes = {out["path"]: out["md5"] for stage in lock(suite).values() for out in stage["outs"]}
    assert outputs
    for key, output in outputs.items():
        own = {path: digest for path, digest in hashes.items() if Path(path).is_relative_to(output)}
        assert own, f"{output} is in no lock"
        shown = text_by_id(suite, f"record-{key}")
        for path, digest in own.items():
            assert f"md5 of {path}{digest}" in shown


@pytest.mark.parametrize("suite", SUITES)
def test_every_link_of_the_page_leads_somewhere(suite: str) -> None:
    ids = page_by_id(suite)
    for target in links(page_of(suite)):
        file, _, anchor = unquote(target).partition("#")
        if not target.startswith("https://arxiv.org/abs/"):
            assert (ROOT / "results" / suite / file).exists() if file else anchor in ids, target
    assert (ROOT / "results/index.html").exists()


@pytest.mark.parametrize("suite", SUITES)
def test_titles_in_the_list_of_records_are_told_apart(suite: str) -> None:
    (index,) = [
        element for element in page_by_id(suite)["records"].iter(f"{XHTML}ul") if element.get("class") == "index"
    ]
    titles = [text(item) for item in index]
    assert len(titles) == len(set(titles)) > 0
    assert [target.removeprefix("#") for target in links(index)] == [
        element.get("id") for element in page_by_id(suite)["records"] if element.get("class") == "record"
    ]


@pytest.mark.parametrize("suite", SUITES)
def test_the_page_leads_to_tables_documents_and_papers(suite: str) -> None:
    targets = set(links(page_of(suite)))
    files = {f"../{suite}/tables/{path.name}" for path in Path(f"results/{suite}/tables").glob("[A-Z]*.csv")}
    assert files
    documents = {f"../../docs/{name}.md" for name in ("reading", "statistics", "methods")}
    assert files | documents <= targets
    papers = [target for target in targets if re.fullmatch(r"https://arxiv\.org/abs/\d{4}\.\d{5}", target)]
    assert bool(papers) == (suite != "multiverse"), "all but the multiverse decide claims of papers"


@pytest.mark.parametrize("suite", SUITES)
def test_every_difference_by_seed_stands_on_its_card(suite: str) -> None:
    differences = read_differences(suite)
    assert differences.empty == (suite in ("cost", "multiverse"))
    for (comparison, method), own in differences.groupby(["comparison", "method"], sort=False):
        told = [text(value) for value in page_by_id(suite)[f"record-{comparison}"].iter(f"{XHTML}dd")]
        assert ", ".join(map(number_text, own.sort_values("seed")["difference"])) in told, (comparison, method)


@pytest.mark.parametrize("suite", SUITES)
def test_nothing_of_the_plan_is_missing(suite: str) -> None:
    assert "of the plan are missing" not in text_by_id(suite, "claims")

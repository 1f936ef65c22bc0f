import base64
import hashlib
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from audit_page import XHTML, by_id, links, page, parsed, text
from audit_support import KEY, ROOT, RUN, SUITE, read_lock, write_lock, write_origins

from dgr.core.errors import DGRError
from dgr.core.paths import suite_folder
from dgr.pages.audit import write_audit

AWAY = ("../", "../../", "tables/", "https://arxiv.org/abs/")
"""Where links lead that are none of the page's own anchors: files of the repository, and papers; nothing is loaded."""


def test_the_page_is_valid_and_every_link_leads_somewhere(checkout: Path) -> None:
    tree = parsed(page())
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert {target.removeprefix("#") for target in links(tree) if not target.startswith(AWAY)} <= set(ids)
    labels = [element.get("aria-labelledby") for element in tree.iter() if element.get("aria-labelledby")]
    assert set(labels) <= set(ids)


def test_the_page_refers_to_nothing_outside_itself(checkout: Path) -> None:
    html = page()
    tree = parsed(html)
    for element in tree.iter():
        for name in ("href", "src", "srcset", "action", "data", "poster", "style"):
            allowed = ("#", "data:image/svg+xml;base64,", *AWAY * (element.tag == f"{XHTML}a"))
            assert (element.get(name) or "#").startswith(allowed), (element.tag, name)
    assert "://" not in html.replace(' xmlns="http://www.w3.org/2000/svg"', "").replace("https://arxiv.org/abs/", "")
    assert "url(" not in html
    assert "@import" not in html


def test_the_page_allows_its_own_style_and_script_and_no_other(checkout: Path) -> None:
    tree = parsed(page())
    (policy,) = [meta.get("content") for meta in tree.iter(f"{XHTML}meta") if meta.get("http-equiv")]
    assert "default-src 'none'" in policy
    for tag in ("style", "script"):
        (element,) = tree.iter(f"{XHTML}{tag}")
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_it_needs_a_checkout_and_nothing_else(checkout: Path) -> None:
    assert not Path("runs").exists()
    assert not Path(".dvc").exists()
    assert len(page()) < 3e6


def test_the_same_files_give_the_same_bytes(checkout: Path) -> None:
    first = page()
    # The page's own stage is in the lock too: what it says must not come back into the page.
    own = {"outs": [{"path": f"results/{SUITE}/audit.html", "md5": "new"}]}
    write_lock(Path(), read_lock(Path()) | {f"audit@{SUITE}": own})
    assert page() == first


def test_what_is_missing_is_named_with_its_command(checkout: Path) -> None:
    for path in checkout.glob("tables/claims.*"):
        path.unlink()
    tree = parsed(page())
    assert "not run" in text(by_id(tree, "claims"))
    for name, command in (("table-T9", "table toy T9"), ("figure-F9", "figure toy F9"), ("claims", "table toy claims")):
        assert f"python -m dgr {command}" in text(by_id(tree, name))


def test_a_run_with_fewer_seeds_says_so(checkout: Path) -> None:
    for name in ("runs", "histories", "provenance"):
        frame = pd.read_csv(checkout / f"records/{name}.csv", keep_default_na=False)
        ours = (frame["method"] == "equal_weighting") & (frame["regularizer"] == "dgr")
        frame[~(ours & (frame["seed"] == 2))].to_csv(checkout / f"records/{name}.csv", index=False)
    assert "2 of 3 seeds, learning rate 0.001, strength 1; seeds 2 are missing" in text(by_id(parsed(page()), RUN))


def test_a_run_without_records_says_so(checkout: Path) -> None:
    for name in ("runs", "histories", "provenance", "tuning"):
        frame = pd.read_csv(checkout / f"records/{name}.csv", keep_default_na=False)
        ours = (frame["method"] == "equal_weighting") & (frame["regularizer"] == "dgr")
        frame[~ours].to_csv(checkout / f"records/{name}.csv", index=False)
    record = text(by_id(parsed(page()), RUN))
    assert "incomplete not run" in record
    assert "Make it with python -m dgr train" in record


def test_text_stays_text(checkout: Path) -> None:
    Path("docs/replication.md").write_text(
        "# T\n\n## A\n\n<script>alert(1)</script> T1 & `T1` [x](https://example.org)\n"
    )
    write_origins(checkout, device='<img src="x">')
    tree = parsed(page())
    assert len(list(tree.iter(f"{XHTML}script"))) == 1
    assert '<img src="x">' in text(by_id(tree, RUN))
    assert "<script>alert(1)</script> T1 & T1 x" in text(by_id(tree, "decisions"))
    assert links(by_id(tree, "decisions")) == ["#table-T1"]


def test_missing_notes_and_lock_are_no_obstacle(checkout: Path) -> None:
    shutil.rmtree("docs")
    (suite_folder(SUITE) / "dvc.lock").unlink()
    tree = parsed(page())
    assert "docs/replication.md is missing" in text(by_id(tree, "decisions"))
    assert f"no entry for runs/toy/train/{KEY} in" in text(by_id(tree, RUN))


def test_without_records_there_is_nothing_to_audit(checkout: Path) -> None:
    (checkout / "records/runs.csv").unlink()
    with pytest.raises(DGRError, match=r"runs\.csv is missing; make it with `python -m dgr collect toy`"):
        write_audit(SUITE)


def test_an_unreadable_table_is_one_sentence(checkout: Path) -> None:
    (checkout / "tables/T1.json").write_text("no table\n")
    with pytest.raises(DGRError, match=r"T1\.json holds no table; make it again with `python -m dgr table toy T1`"):
        write_audit(SUITE)


def test_a_table_of_another_plan_is_one_sentence(checkout: Path) -> None:
    path = checkout / "tables/T1.json"
    path.write_text(path.read_text().replace(KEY, "toy-digits-conv-gone-dgr"))
    with pytest.raises(DGRError, match=r"names the record 'toy-digits-conv-gone-dgr', which suite 'toy' does not have"):
        write_audit(SUITE)


def test_an_unknown_suite(checkout: Path) -> None:
    with pytest.raises(DGRError, match="There is no suite 'toyy'; did you mean 'toy'"):
        write_audit("toyy")


def test_the_notes_describe_the_mini_suite_as_configured() -> None:
    notes = (ROOT / "docs/replication.md").read_text()
    data = yaml.safe_load((ROOT / "paper_configs/datasets.yaml").read_text())["multimnist"]
    table = yaml.safe_load((ROOT / "paper_configs/mini/T1.yaml").read_text())
    for name in ("digits", "pairs"):
        assert "{train} train, {val} val, {test} test".format(**data[name]) in notes, name
    training, architecture = table["training"], table["architecture"]
    assert f"{training['epochs']} epochs, batch {training['batch_size']}, Adam" in notes
    assert training["learning_rate"] == "tuned"
    assert f"{training['schedule']}, learning rate tuned" in notes
    assert f"width {' and '.join(map(str, architecture['channels']))}, then z of width {architecture['width']}" in notes
    assert f"{architecture['hidden']} hidden units" in notes
    assert f"| Reported seeds | {len(table['seeds'])} |" in notes
    rules = [block["tuning"] for block in table["regularizers"]]
    chosen = [rule for rule in rules if rule["rule"] == "best_mean_validation"]
    assert {len(rule["learning_rates"]) * len(rule.get("strengths", [0])) for rule in chosen} == {12}
    assert {(rule["finalists"], len(rule["seeds"]), rule["extensions"]) for rule in chosen} == {(4, 3, 3)}
    assert "| Tuning | 12 settings with one seed, the best four with three, up to three steps beyond each end" in notes
    assert "{train_samples} labelled representations, {draws} untrained heads".format(**table["probes"]) in notes

"""A tiny suite as a checkout has it after its runs: records, tables, page, lock, git history; and ways to forge it."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable
from contextlib import chdir
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from forked import several
from made_once import made_once

from dgr.core import paths
from dgr.core.paths import records_folder
from dgr.pages.audit import write_audit
from dgr.pages.index import write_index
from dgr.pages.overview import write_overview
from dgr.pages.readme import update
from dgr.pages.summary import write_summary
from dgr.plan.graph import suite_stages
from dgr.report.build import write_report
from dgr.tables.registry import write_table
from dgr.tables.shared.differences import write_differences
from dgr.verification.locked_files import file_digest
from dgr.verification.record_files import origins_file

ROOT = Path(__file__).parents[2]
SUITE = paths.DEFAULT_SUITE
PLAIN = "mini-multimnist-conv-equal_weighting-none"
TUNED = "mini-multimnist-conv-equal_weighting-dgr"
README = """# Tiny
## What came out
Trained for two epochs with two seeds.

<!-- begin results/mini/tables/claims.md rows -->
<!-- end -->
## More
"""
CLAIM = {
    "id": "C2",
    "title": "Prediction",
    "text": "DGR improves multi-task prediction.",
    "about": "paper",
    "paper": "arXiv 2409.16651",
    "alpha": 0.05,
    "comparisons": [
        {
            "id": "C2a",
            "question": "Δm, DGR vs the method alone",
            "kind": "paired",
            "measure": "delta_m",
            "direction": "higher",
            "region": 0.5,
            "treatment": {"regularizer": "dgr"},
            "reference": {"regularizer": "none"},
            "methods": ["equal_weighting"],
        }
    ],
}
STAGES = (
    "prepare",
    "tune",
    "match",
    "train",
    "train_tuned",
    "probe",
    "baselines",
    "sweep",
    "embed",
    "collect",
    "table",
    "figure",
)


def dgr_commands(commands: Iterable[tuple[Path, str]]) -> None:
    """Run commands, each in its folder, one after the other in one process, which saves time."""
    done = several(commands, ROOT)
    assert done.returncode == 0, done.stdout


def run_git(root: Path, *arguments: str) -> str:
    name = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    return subprocess.run(("git", *name, *arguments), cwd=root, check=True, capture_output=True, text=True).stdout


def commit_all(root: Path, message: str) -> str:
    run_git(root, "add", "--all")
    run_git(root, "commit", "--quiet", "--allow-empty", "-m", message)
    return run_git(root, "rev-parse", "HEAD").strip()


def make_verified(root: Path) -> None:
    """Configure, commit, run and commit the tiny suite."""
    shutil.copytree(ROOT / "tests/tiny_configs", root / paths.CONFIGS)
    (root / paths.CONFIGS / "mini/T5.yaml").unlink(missing_ok=True)  # times are never the same
    table = root / paths.CONFIGS / "mini/T1.yaml"
    settings = yaml.safe_load(table.read_text(encoding="utf-8"))
    settings["training"]["epochs"] = 2
    del settings["snapshots"]  # nor is the untrained encoder probed, which takes time
    table.write_text(yaml.safe_dump(settings | {"seeds": [0, 1], "tables": ["T1", "claims"]}), encoding="utf-8")
    (root / paths.CONFIGS / "claims.yaml").write_text(yaml.safe_dump({"claims": [CLAIM]}), encoding="utf-8")
    for name in ("dvc.yaml", "suites/shared/dvc.yaml", "CITATION.cff", "docs/replication.md", ".gitignore"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, root)
    shutil.copytree(ROOT / "report", root / "report")
    shutil.copytree(ROOT / "tests/tiny_report", root / "report", dirs_exist_ok=True)
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    citation["references"] = citation["references"][:1]
    (root / "CITATION.cff").write_text(yaml.safe_dump(citation), encoding="utf-8")
    (root / "README.md").write_text(README, encoding="utf-8")
    run_git(root, "init", "--quiet")
    dgr_commands([(root, "plan")])
    commit_all(root, "Claims, before the runs")
    with chdir(root):
        stages = suite_stages(SUITE)
        commands = [
            stages[name].filled(stages[name].definition["cmd"], key).removeprefix("python -m dgr ")
            for name in STAGES
            if name in stages
            for key in stages[name].entries
        ]
    dgr_commands((root, command) for command in commands)
    with chdir(root):
        report_again()
    commit_all(root, "Results")


def verified_once(factory: pytest.TempPathFactory) -> Path:
    """That suite, made once for all tests of a run; copied, never changed."""
    return made_once(factory, "verified", make_verified)


def settle() -> None:
    """Write the lock that fits the files, as a forger would after each change. In the working directory."""
    locked: dict[str, Any] = {}
    settings = json.loads(Path("hashes.json").read_text(encoding="utf-8"))
    lock = Path("dvc.lock")
    old = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"].values() if lock.exists() else []
    known = {item["path"]: item["md5"] for stage in old for block in ("deps", "outs") for item in stage[block]}
    for stage in suite_stages(SUITE).values():
        if stage.file != paths.STAGES:
            continue
        for key in stage.entries:
            entry: dict[str, Any] = {"cmd": stage.filled(stage.definition["cmd"], key)}
            for block in ("deps", "outs"):
                own = [path for path in stage.fill(key, block) if not path.startswith("src/")]
                # Data and runs are not in a clean checkout; what is known of them stays.
                digests = {path: file_digest(Path(path)) or known.get(path, "") for path in own}
                entry[block] = [{"path": path, "md5": digest} for path, digest in digests.items()]
            blocks = stage.definition.get("params", [])
            names = [stage.filled(name, key) for block in blocks for own in block.values() for name in own]
            entry["params"] = {"hashes.json": {name: settings[name.partition(".")[0]][key] for name in names}}
            locked[f"{stage.name}@{key}"] = entry
    lock.write_text(yaml.safe_dump({"schema": "2.0", "stages": locked}), encoding="utf-8")


def report_again() -> None:
    """Make every table and page of the records as they are now, and the lock that fits. In the working directory."""
    for name in ("T1", "claims"):
        write_table(SUITE, name)
    write_differences(SUITE)
    write_summary(SUITE)
    settle()
    write_audit(SUITE)  # shows hashes of the lock
    write_overview()
    write_index()
    write_report()
    update(Path("README.md"))
    settle()


def edit_csv(name: str, edit: Callable[[pd.DataFrame], pd.DataFrame | None]) -> None:
    """Change a record file, cells as texts. In the working directory."""
    path = origins_file(SUITE) if name == "origins" else records_folder(SUITE) / f"{name}.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    changed = edit(frame)
    (frame if changed is None else changed).to_csv(path, index=False, lineterminator="\n")


def replace_in(path: str, old: str, new: str) -> None:
    """Change the first place of a text that must be there. In the working directory."""
    text = Path(path).read_text(encoding="utf-8")
    assert old in text, f"{path} has no {old!r}"
    Path(path).write_text(text.replace(old, new, 1), encoding="utf-8")


def edit_yaml(path: str, edit: Callable[[Any], object]) -> None:
    data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    edit(data)
    Path(path).write_text(yaml.safe_dump(data), encoding="utf-8")

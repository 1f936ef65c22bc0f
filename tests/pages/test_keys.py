"""paper_configs/README.md: its list of keys is that of the code, and its example is a suite."""

import re
import shutil
from pathlib import Path

import pytest

from dgr.core.errors import DGRError
from dgr.core.paths import CONFIGS
from dgr.pages.keys import update_keys
from dgr.plan.expand import make_plans
from dgr.plan.suites import find_suites

ROOT = Path(__file__).parents[2]
README = (ROOT / CONFIGS / "README.md").read_text(encoding="utf-8")


def test_the_list_of_keys_is_current(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(README, encoding="utf-8")
    update_keys(page)
    assert page.read_text(encoding="utf-8") == README, "run `python -m dgr readme`"


def test_every_link_leads_to_a_table() -> None:
    anchors = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    }
    links = set(re.findall(r"\]\(#([^)]*)\)", README))
    assert links
    assert links <= anchors


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("# Mine\n")
    with pytest.raises(DGRError, match="has no lines `<!-- begin keys -->` and `<!-- end -->`"):
        update_keys(page)
    assert page.read_text() == "# Mine\n"


def test_the_example_is_a_suite(tmp_path: Path) -> None:
    configs = tmp_path / CONFIGS
    configs.mkdir()
    for name in ("datasets.yaml", "sources.yaml"):
        shutil.copy(ROOT / CONFIGS / name, configs)
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    lines = [line.removeprefix("   ") for line in example.splitlines()]
    path = tmp_path / lines[0].removeprefix("# ")
    path.parent.mkdir()
    path.write_text("\n".join(lines), encoding="utf-8")
    (plan,) = [plan for plan in make_plans(configs, find_suites(configs)).values() if plan.get("runs")]
    assert "trial-multimnist-conv-pcgrad-dgr" in plan["runs"]
    assert list(plan["tables"]) == ["trial-T1"]

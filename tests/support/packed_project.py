"""A made-up suite whose stages left something, with the lock that DVC would have written."""

import hashlib
import json
import shutil
from pathlib import Path

import yaml

from dgr.archive.outputs import folder_listing, output_md5
from dgr.core.files import write_json, write_text

ROOT = Path(__file__).parents[2]
SUITE, RUN, FETCHED = "toy", "toy-run", "faces"
FILES = {
    f"runs/{SUITE}/train/{RUN}/manifest.json": "{}\n",
    f"runs/{SUITE}/train/{RUN}/seed-0/metrics.json": '{"accuracy": 0.5}\n',
    f"runs/{SUITE}/probe/{RUN}.json": "[1, 2]\n",
    f"trained/{SUITE}/{RUN}/seed-0.pt": "weights\n",
    f"trained/{SUITE}/{RUN}/manifest.json": "{}\n",
    "data/digits/train.npy": "digits\n",
    "data/digits/manifest.json": "{}\n",
    f"data/{FETCHED}/train.npy": "nobody's business\n",
    f"results/{SUITE}/tables/T1.csv": "method,value\nEW,1\n",
    "paper_configs/toy/T1.yaml": "kind: runs\n",
    "src/dgr/code.py": "",
    "requirements.lock": "torch==2\n",
}
TABLE = {"name": "T1", "title": "A table.", "notes": [], "columns": ["method"], "rows": [["EW"]], "records": [[]]}
OWN_STAGES = {
    "train": ["runs", {f"runs/{SUITE}/train/${{key}}": {"persist": True}}, f"trained/{SUITE}/${{key}}"],
    "probe": ["runs", f"runs/{SUITE}/probe/${{key}}.json"],
    "table": ["tables", *({f"results/{SUITE}/tables/T1.{end}": {"cache": False}} for end in ("csv", "json"))],
}
SHARED_STAGES = {
    "fetch": ["sources"],
    "prepare": ["datasets", "data/${key}"],
    "prepare_fetched": ["fetched_datasets", {"data/${key}": {"push": False}}],
}


def make_packed_project(root: Path) -> None:
    """Files, plans, stages and locks of a suite on one data set of its own and one that was fetched."""
    for name, text in FILES.items():
        write_text(root / name, text)
    write_json(root / f"results/{SUITE}/tables/T1.json", TABLE)
    for name in ("CITATION.cff", "LICENSE", "paper_configs/sources.yaml"):
        shutil.copy(ROOT / name, root / name)
    known = yaml.safe_load((ROOT / "paper_configs/datasets.yaml").read_text(encoding="utf-8"))
    datasets = {"digits": known["multimnist"], FETCHED: known["utkface"]}
    write_text(root / "paper_configs/datasets.yaml", yaml.safe_dump(datasets))
    write_locks(root)


def write_locks(root: Path) -> None:
    """Plans, stages and locks of the files as they are."""
    plan = {"runs": {RUN: {}}, "tables": {"toy-T1": {}}}
    made = {"sources": {}, "datasets": {"digits": {}}, "fetched_datasets": {FETCHED: {}}}
    _write_stages(root, SUITE, OWN_STAGES, plan, deps=["data/digits", f"data/{FETCHED}"])
    _write_stages(root, "shared", SHARED_STAGES, made, deps=[])


def _write_stages(root: Path, folder: str, stages: dict, plan: dict, deps: list[str]) -> None:
    place = root / "suites" / folder
    write_json(place / "plan.json", {"paths": {"root": "../..", "plan": f"suites/{folder}/plan.json"}, **plan})
    blocks, locked = {}, {}
    for name, (section, *outs) in stages.items():
        block = {"wdir": "${paths.root}", "cmd": f"make {name}", "deps": deps, "outs": outs}
        blocks[name] = {"foreach": f"${{{section}}}", "do": block}
        for key in plan[section]:
            paths = [next(iter(out)) if isinstance(out, dict) else out for out in outs]
            locked[f"{name}@{key}"] = {
                "cmd": f"make {name}",
                "deps": [_entry(root, path) for path in deps],
                "outs": [_entry(root, path.replace("${key}", key)) for path in sorted(paths)],
            }
    write_text(place / "dvc.yaml", yaml.safe_dump({"vars": ["plan.json"], "stages": blocks}))
    write_text(place / "dvc.lock", yaml.safe_dump({"schema": "2.0", "stages": locked}))


def _entry(root: Path, name: str) -> dict:
    path = root / name
    files = [each for each in path.rglob("*") if each.is_file()] or [path]
    size = sum(file.stat().st_size for file in files)
    many = {"nfiles": len(files)} if path.is_dir() else {}
    return {"path": name, "hash": "md5", "md5": output_md5(path), "size": size, **many}


def listed(folder: Path) -> list[dict[str, str]]:
    """The parsed listing of a folder, after a check that its hash is the folder's."""
    text = folder_listing(folder)
    assert output_md5(folder) == hashlib.md5(text).hexdigest() + ".dir"
    return json.loads(text)

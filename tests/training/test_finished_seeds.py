"""Another list of seeds trains what is new in it; anything else that decides a seed's numbers trains it again."""

import json
import shutil

import pytest

from dgr.core.files import MANIFEST, read_json, write_json
from dgr.core.paths import DATA, output_path, trained_folder, tuning_file
from dgr.core.provenance import is_current, loaded_code
from dgr.training import stages

EW, DGR = (f"mini-multimnist-conv-equal_weighting-{name}" for name in ("none", "dgr"))


def train(key=EW):
    """Every file of a run's folder after training it."""
    stages.train(key, "cpu")
    folder = output_path("mini", "train", key)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def of_seed(files, seed):
    return {path: content for path, content in files.items() if path.startswith(f"seed-{seed}/")}


def test_an_added_seed_leaves_the_others_as_they_are(project, edit_plan):
    before = train()
    edit_plan("runs", EW, seeds=[100, 1, 0])
    after = train()
    assert of_seed(before, 0) | of_seed(before, 1) == of_seed(after, 0) | of_seed(after, 1)
    assert of_seed(after, 100).keys() == {path.replace("seed-0", "seed-100") for path in of_seed(after, 0)}
    assert read_json(output_path("mini", "train", EW) / MANIFEST, "")["seeds"] == [100, 1, 0]


def test_a_seed_out_of_the_list_disappears(project, edit_plan):
    before = train()
    edit_plan("runs", EW, seeds=[1])
    after = train()
    assert after == of_seed(before, 1) | {MANIFEST: after[MANIFEST]}
    assert "seed-0" not in after[MANIFEST].decode()


def test_the_manifest_alone_is_made_again(project):
    """Snakemake removes the file that stands for a run's folder before it runs the stage."""
    before = train()
    (output_path("mini", "train", EW) / MANIFEST).unlink()
    assert train() == before


@pytest.mark.parametrize(
    "change", ["learning rate", "data", "device", "code", "damage", "no manifest", "no weights", "another z", "z kept"]
)
def test_what_decides_a_seed_trains_it_again(project, edit_plan, monkeypatch, change):
    train()
    folder = output_path("mini", "train", EW)
    # What is kept is moved and stays the same file; times in it are too coarse to tell one training from another.
    before = [(folder / f"seed-{seed}/history.csv").stat().st_ino for seed in (0, 1)]
    if change == "learning rate":
        edit_plan("runs", EW, training={"learning_rate": 0.0011})
    elif change == "data":
        manifest = read_json(DATA / "multimnist" / MANIFEST, "")
        write_json(DATA / "multimnist" / MANIFEST, manifest | {"report": "another"})
    elif change == "device":
        monkeypatch.setattr(stages, "hardware", lambda _: "another processor")
    elif change == "code":
        for seed in (0, 1):
            path = folder / f"seed-{seed}" / MANIFEST
            manifest = read_json(path, "")
            write_json(path, manifest | {"code": manifest["code"] | {"training/run.py": "0" * 64}})
    elif change == "damage":
        for seed in (0, 1):
            (folder / f"seed-{seed}/metrics.json").write_text("{}")
    elif change == "no manifest":
        for seed in (0, 1):
            (folder / f"seed-{seed}" / MANIFEST).unlink()
    elif change == "z kept":
        edit_plan("runs", EW, keeps_representations=False)
    else:
        for path in trained_folder("mini", EW).glob("seed-*.pt" if change == "no weights" else "seed-*.npz"):
            path.write_bytes(b"other") if change == "another z" else path.unlink()
    train()
    after = [(folder / f"seed-{seed}/history.csv").stat().st_ino for seed in (0, 1)]
    assert not set(before) & set(after)


def test_what_is_large_lies_apart_and_only_where_it_is_read(project, edit_plan):
    train()
    large = trained_folder("mini", EW)
    assert {path.name for path in large.iterdir()} == {
        *("seed-0.npz", "seed-0.pt", "seed-1.npz", "seed-1.pt"),
        MANIFEST,
    }
    edit_plan("runs", EW, keeps_representations=False, seeds=[1])
    train()
    assert {path.name for path in large.iterdir()} == {"seed-1.pt", MANIFEST}


def test_trained_again_without_what_is_large_it_is_the_same(project):
    before = train()
    shutil.rmtree(trained_folder("mini", EW))
    after = train()
    for seed in (0, 1):
        manifests = [json.loads(files[f"seed-{seed}/{MANIFEST}"])["trained"] for files in (before, after)]
        assert manifests[0] == manifests[1]
        assert set(manifests[0]) == {f"seed-{seed}.npz", f"seed-{seed}.pt"}


@pytest.mark.parametrize("other", [{"learning_rate": 1e-3, "strength": 1.0}, {"learning_rate": 2e-3, "strength": 0.01}])
def test_another_choice_trains_a_tuned_run_again(project, edit_plan, other):
    edit_plan("tuned_runs", DGR, training={"learning_rate": "tuned"})
    record = tuning_file("mini", DGR)
    write_json(record, {"chosen": {"learning_rate": 1e-3, "strength": 0.01}})
    before = train(DGR)
    edit_plan("tuned_runs", DGR, seeds=[0, 100])
    kept = train(DGR)
    assert of_seed(kept, 0) == of_seed(before, 0)
    write_json(record, {"chosen": other})
    after = json.loads(of_seed(train(DGR), 0)["seed-0/metrics.json"])
    assert {name: after[name] for name in other} == other
    assert after["final"] != json.loads(before["seed-0/metrics.json"])["final"]


def test_seeds_that_a_killed_stage_finished_are_not_lost_to_older_ones(project, edit_plan, monkeypatch):
    before = train()
    older = shutil.copytree(output_path("mini", "train", EW), project / "older")
    monkeypatch.setattr(stages, "write_manifest", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        train()
    monkeypatch.undo()
    monkeypatch.chdir(project)
    # Finished seeds wait in the workspace; the same ones come back from a cache meanwhile.
    shutil.copytree(older, output_path("mini", "train", EW), dirs_exist_ok=True)
    assert train() == before


def test_code_is_what_was_imported_and_what_it_was():
    code = loaded_code()
    assert {"training/run.py", "core/seeds.py"} <= set(code)
    assert not {"cli.py", "__main__.py"} & set(code)
    assert is_current(code)
    assert not is_current(code | {"core/seeds.py": "0" * 64})
    assert not is_current(code | {"core/gone.py": "0" * 64})

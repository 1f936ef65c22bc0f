"""Studies W4, S3 and W5 on made sources, and on the small copies where they are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import TypeAdapter
from real_sources import fetched, made_pictures, made_sentences, real

from dgr.core.errors import DGRError
from dgr.real_studies import flipped_pictures, noisy_picture_task, sentence_pairs
from dgr.real_studies.flipped_pictures import MAIN_CLASS, MAIN_LABEL, flipped
from dgr.real_studies.one_against_rest import areas_on, class_samples
from dgr.real_studies.pair_training import TrainedArms
from dgr.real_studies.pictures import PICTURE_CLASSES, Pictures, PictureSizes
from dgr.real_studies.registry import RealStudyConfig, real_rows, real_trials
from dgr.real_studies.sentence_pairs import ALL_PAIRS, ARMS, PAIRS, measure_draw, summarised
from dgr.real_studies.sentence_tasks import draw_sentence_tasks
from dgr.real_studies.sentences import SETS, read_sets
from dgr.studies.alignment_layers import FRONTS
from dgr.studies.samples import Recipe

needs_pictures = pytest.mark.skipif(not real("cifar10_small").exists(), reason="needs cifar10_small.tar.gz")
S3 = {
    "kind": "flipped_pictures", "source": "made", "pictures": {"train": 60, "val": 20, "test": 40},
    "flips": ["uniform", "background"], "levels": [0.6], "epochs": 1, "batch_size": 20, "held_out_size": 20,
    "learning_rate": 0.01, "momentum": 0.9, "methods": [{"name": "equal_weighting"}, {"name": "slgrad"}],
}  # fmt: skip
W5 = {
    "kind": "noisy_picture_task", "source": "made", "pictures": {"train": 60, "val": 20, "test": 40},
    "noisy_class": "ship", "levels": [0, 40], "width": 4, "epochs": 1, "batch_size": 20, "learning_rate": 0.001,
    "methods": [{"name": "equal_weighting"}, {"name": "svd_reweighting"}],
}  # fmt: skip
W4 = {
    "kind": "sentence_pairs", "source": "made", "levels": [0, 90], "draws": 2, "control_draws": 1,
    "sentences": {"train": 12, "val": 2, "test": 6}, "vectors": {"width": 4, "least": 2},
    "training": {"width": 2, "steps": 4, "joint_steps": 2, "batch_size": 6}, "learning_rate": 0.01,
}  # fmt: skip


def config(settings, **changes):
    return TypeAdapter(RealStudyConfig).validate_python(settings | changes)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return made_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    return made_sentences(tmp_path_factory.mktemp("sentences"))


@pytest.mark.parametrize("settings", [S3, W5, W4], ids=["S3", "W5", "W4"])
def test_rows_are_finite_complete_and_of_the_seed_alone(settings, pictures, sentences):
    place = sentences if settings is W4 else pictures
    rows = list(real_rows(config(settings), 0, {}, place))
    torch.manual_seed(99)
    state = torch.get_rng_state()
    assert list(real_rows(config(settings), 0, {}, place)) == rows
    assert torch.equal(torch.get_rng_state(), state), "the caller's random state was touched"
    assert list(real_rows(config(settings), 1, {}, place)) != rows
    assert all(np.isfinite(row.value) for row in rows)
    assert len({row[:-1] for row in rows}) == len(rows)
    if settings is S3:
        names = {"equal_weighting", "slgrad", *flipped_pictures.TRAINED_BESIDE, "constant"}
        assert {row[:3] for row in rows} == {(flips, 0.6, name) for flips in S3["flips"] for name in names}
        assert {row.method for row in rows if row.measure == "detection_auc"} == {"slgrad"}
    if settings is W4:
        pairs = {"_".join(pair) for pair in PAIRS}
        assert {row.setting for row in rows if row.level == 0} == {ALL_PAIRS, *pairs, *SETS}
        assert {row.setting for row in rows if row.level == 90} == {ALL_PAIRS}
        assert {row.method for row in rows if row.setting == ALL_PAIRS} == set(ARMS)


@pytest.mark.parametrize("settings", [S3, W5, W4], ids=["S3", "W5", "W4"])
def test_every_row_gets_a_rate_of_its_own_on_tuning_seeds(settings, pictures, sentences):
    grid = {"grid": [0.001, 0.01], "seeds": [7]}
    place = sentences if settings is W4 else pictures
    trials = real_trials(config(settings, learning_rate=grid), place)
    methods = {
        "S3": {"equal_weighting", "slgrad", *flipped_pictures.TRAINED_BESIDE},
        "W5": {"equal_weighting", "svd_reweighting"},
        "W4": set(ARMS),
    }
    name = {id(S3): "S3", id(W5): "W5", id(W4): "W4"}[id(settings)]
    assert {trial.method for trial in trials} == methods[name]
    assert {trial.seed for trial in trials} == {7}
    assert all(0 <= trial.value <= 1 for trial in trials)
    assert real_trials(config(settings), place) == []


def test_no_picture_is_in_two_splits_and_copies_count_once(tmp_path):
    place = made_pictures(tmp_path)
    copy = (place / "train/bird/0000.png").read_bytes()
    (place / "test/bird/again.png").write_bytes(copy)
    clash = (place / "train/frog/0001.png").read_bytes()
    (place / "test/cat/same.png").write_bytes(clash)
    found = Pictures(place)
    assert np.bincount(found.labels).tolist() == [12, 12, 12, 12, 12, 12, 11, 12, 12, 12]
    splits = found.draw(PictureSizes(train=60, val=20, test=30), "x", 0)
    content = [image.numpy().tobytes() for images, _ in splits.values() for image in images]
    assert len(set(content)) == len(content) == 110
    assert all(labels.bincount().tolist() == [len(labels) // 10] * 10 for _, labels in splits.values())


@needs_pictures
def test_the_real_pictures_are_read_and_split(tmp_path):
    found = Pictures(fetched("cifar10_small", tmp_path))
    assert found.images.shape == (3000, 3, 32, 32)
    assert np.bincount(found.labels).tolist() == [300] * 10
    splits = found.draw(PictureSizes(train=800, val=200, test=2000), "x", 0)
    content = [image.numpy().tobytes() for images, _ in splits.values() for image in images]
    assert len(set(content)) == len(content) == 3000
    # What is in a picture: ships and airplanes are bluer than frogs.
    blue = [found.images[found.labels == label, 2].mean() for label in range(10)]
    assert max(blue, key=float) in (blue[PICTURE_CLASSES.index("airplane")], blue[PICTURE_CLASSES.index("ship")])


def test_bad_pictures_are_one_sentence(tmp_path):
    place = made_pictures(tmp_path)
    path = place / "test/dog/0002.png"
    Image.new("RGB", (31, 32)).save(path)
    with pytest.raises(DGRError, match=r"test/dog/0002\.png has 31×32 pixels, but must have 32×32; replace it"):
        Pictures(place)
    path.write_bytes(b"no picture")
    with pytest.raises(DGRError, match=r"test/dog/0002\.png is not a whole image"):
        Pictures(place)
    path.unlink()
    with pytest.raises(DGRError, match=r"but a class has only 11; lower the sizes"):
        Pictures(place).draw(PictureSizes(train=60, val=20, test=40), "x", 0)
    (place / "train/dog").rename(place / "train/wolf")
    with pytest.raises(DGRError, match=r"train must hold a folder for each class of CIFAR-10 and no other.*: dog"):
        Pictures(place)


@pytest.mark.parametrize("flips", ["uniform", "background"])
def test_flips_are_those_of_the_study_on_digits(flips):
    labels = torch.arange(200) % 10
    data, wrong = flipped((torch.zeros(200, 3, 2, 2), labels), flips, 0.6, 0)
    truth = (labels == MAIN_LABEL).long()
    assert torch.equal(wrong, data.targets[MAIN_CLASS] != truth)
    for name, target in data.targets.items():
        assert name == MAIN_CLASS or torch.equal(target, (labels == PICTURE_CLASSES.index(name)).long())
    if flips == "background":
        assert wrong.sum() == 12
        assert not wrong[truth == 0].any()
    else:
        assert 8 <= wrong[truth == 1].sum() <= 16
        assert 0 < wrong[truth == 0].sum() < 30


def test_the_rows_of_s3_train_on_what_their_names_say(pictures, monkeypatch):
    seen = []
    train = Recipe.train
    monkeypatch.setattr(Recipe, "train", lambda self, *a: (seen.append(a[1].targets[MAIN_CLASS]), train(self, *a))[1])
    settings = config(S3, methods=[{"name": "equal_weighting"}])
    rows = list(flipped_pictures.run(settings, 0, {}, pictures))
    truth = {
        name: (labels == MAIN_LABEL).long()
        for name, (_, labels) in Pictures(pictures).draw(settings.pictures, "flipped_pictures", 0).items()
    }
    plain, both, held_out, right, again, _ = seen
    assert not torch.equal(plain, truth["train"])
    assert not torch.equal(plain, again)
    assert torch.equal(both, torch.cat([plain, truth["val"]]))
    assert torch.equal(held_out, truth["val"])
    assert torch.equal(right, truth["train"])
    fixed = [row.value for row in rows if row.method == "constant" and row.measure == "main_accuracy"]
    assert fixed == [0.9, 0.9]


def test_areas_are_those_of_a_count_of_pairs(pictures):
    settings = config(S3)
    splits = Pictures(pictures).draw(settings.pictures, "x", 0)
    test = class_samples(splits["test"])

    class Scores(torch.nn.Module):
        def forward(self, inputs):
            score = inputs.mean(dim=(1, 2, 3))
            return {name: torch.stack([-score, score * (k % 2 or -1)], dim=1) for k, name in enumerate(PICTURE_CLASSES)}

    found = areas_on(Scores(), test)
    logits = Scores()(test.inputs)
    for name in PICTURE_CLASSES:
        score = (logits[name][:, 1] - logits[name][:, 0]).double()
        yes, no = score[test.targets[name] == 1], score[test.targets[name] == 0]
        wins = (yes[:, None] > no).double() + 0.5 * (yes[:, None] == no).double()
        assert found[name] == pytest.approx(wins.mean().item())


def test_random_labels_are_of_one_task_and_larger_shares_hold_smaller():
    data = class_samples((torch.zeros(400, 3, 2, 2), torch.arange(400) % 10))
    some, more = (noisy_picture_task.with_random_labels(data, "ship", share, 0) for share in (0.2, 0.4))
    changed = [one.targets["ship"] != data.targets["ship"] for one in (some, more)]
    assert changed[1][changed[0]].all()
    assert 60 <= changed[1].sum() <= 100, "half of 160 random labels"
    assert all(torch.equal(more.targets[name], data.targets[name]) for name in PICTURE_CLASSES if name != "ship")


def test_counts_and_correlation_follow_from_the_pairs(sentences):
    settings = config(W4)
    found = measure_draw(settings, read_sets(sentences), 0, {}, 5)
    whole = summarised(found, 0)
    pairs = ["_".join(pair) for pair in PAIRS]

    def of(arm, measure):
        return np.array([found[pair, arm, measure] for pair in pairs])

    for arm in FRONTS:
        better = of(arm, "accuracy") - of("equal_weighting", "accuracy")
        assert whole[ALL_PAIRS, arm, "pairs_improved"] == (better > 0).sum() + 0.5 * (better == 0).sum()
        assert whole[ALL_PAIRS, arm, "pairs_alike"] == sum(of(arm, "similarity") > of("equal_weighting", "similarity"))
    assert whole[ALL_PAIRS, "equal_weighting", "accuracy"] == pytest.approx(of("equal_weighting", "accuracy").mean())
    alone = {name: found[name, "single_task", "accuracy"] for name in SETS}
    for first, second in itertools.combinations(SETS, 2):
        mean = (alone[first] + alone[second]) / 2
        assert found[f"{first}_{second}", "single_task", "accuracy"] == pytest.approx(mean)


def test_fronts_change_nothing_before_they_are_trained_and_leave_the_encoder(sentences):
    settings = config(W4)
    tasks = list(draw_sentence_tasks(read_sets(sentences), settings.sentences, settings.vectors, 0).values())[:2]
    arms = TrainedArms(settings.training, tasks, 0)
    begun = arms.train("equal_weighting", 0.01)
    for arm in FRONTS:
        trained = arms.train(arm, 0.01)
        joint = arms._joint[0.01][0]
        inner = dict(trained.encoder.encoder.named_parameters())
        for name, parameter in joint.encoder.named_parameters():
            assert torch.equal(inner[name], parameter), "B is frozen"
            assert not torch.equal(dict(begun.encoder.named_parameters())[name], parameter), "and EW trains on"
    again = TrainedArms(settings.training, tasks, 0).train("equal_weighting", 0.01)
    for one, other in zip(begun.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other), "what was trained before does not matter"


def test_turned_inputs_keep_their_lengths(sentences):
    settings = config(W4)
    task = draw_sentence_tasks(read_sets(sentences), settings.sentences, settings.vectors, 0)["mr"]
    turn = sentence_pairs.plane_rotation(4, 90, np.random.default_rng(0))
    turned = sentence_pairs._turned(task, turn)
    before, after = (each.splits["train"].inputs.double() for each in (task, turned))
    torch.testing.assert_close(after @ after.T, before @ before.T, atol=1e-5, rtol=1e-5)
    assert (after * before).sum(dim=1).abs().max() < 1e-5 * before.square().sum(dim=1).max(), "at a right angle"

"""Sets of sentences: what is read, what is refused, what counts as a copy, and that no copy is in two splits."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from real_sources import fetched, made_sentences, real

from dgr.core.errors import DGRError
from dgr.real_studies.sentence_tasks import SentenceSizes, VectorSettings, draw_sentence_tasks
from dgr.real_studies.sentences import EDGE, SETS, group_copies, read_sets, sentence_key, words_of
from dgr.real_studies.word_vectors import WordVectors

needs_real = pytest.mark.skipif(not real("sentiment").exists(), reason="needs sentiment/sentiment.tar.gz")
SIZES = SentenceSizes(train=12, val=2, test=6)
VECTORS = VectorSettings(width=4, least=2)


@pytest.fixture
def made(tmp_path):
    return made_sentences(tmp_path / "sentiment")


def test_lines_of_other_encodings_are_read_and_separators_do_not_end_them(made):
    path = made / "rt-polarity.all"
    path.write_bytes(path.read_bytes() + "0 two\x85parts of one\u2028line .\n".encode() + b"1 caf\xe9 au lait .\n")
    found = read_sets(made)["mr"]
    assert ["two", "parts", "of", "one", "line"] in [sentence.words for sentence in found]
    assert ["cafe", "au", "lait"] in [sentence.words for sentence in found]
    assert ["cafe", "noir", "is", "tres", "bon"] in [sentence.words for sentence in found]


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        ("rt-polarity.all", "2 too many classes", "rt-polarity.all, line 1 has the label '2', but labels are 0 to 1"),
        ("TREC.test.all", "6 what is it ?", "TREC.test.all, line 1 has the label '6', but labels are 0 to 5"),
        ("custrev.all", "no label at all", "custrev.all, line 1 has the label 'no', but labels are 0 to 1"),
        ("mpqa.all", "-1 negative", "mpqa.all, line 1 has the label '-1', but labels are 0 to 1"),
        ("mpqa.all", " no label", "mpqa.all, line 1 has the label '', but labels are 0 to 1"),
    ],
)
def test_a_label_outside_its_set_is_one_sentence(made, file, line, message):
    path = made / file
    path.write_bytes(f"{line}\n".encode() + path.read_bytes())
    with pytest.raises(DGRError, match=message):
        read_sets(made)


def test_a_missing_or_double_file_is_named(made):
    (made / "more").mkdir()
    (made / "more/subj.all").write_text("0 again\n")
    with pytest.raises(DGRError, match=r"has 2 files subj\.all, but must have one"):
        read_sets(made)
    (made / "more/subj.all").unlink()
    (made / "subj.all").unlink()
    with pytest.raises(DGRError, match=r"has 0 files subj\.all, but must have one; fetch the source again"):
        read_sets(made)


def test_empty_sentences_are_left_out_and_contradicting_copies_too(made):
    before = read_sets(made)["cr"]
    path = made / "custrev.all"
    path.write_bytes(
        path.read_bytes() + b"0 \n1\n1 ...\n0 the same words\n1 The same, words!\n0 said twice\n0 said Twice\n"
    )
    after = read_sets(made)["cr"]
    assert [s.words for s in after if s.words not in [b.words for b in before]] == [["said", "twice"]]


def test_copies_are_the_same_letters_or_a_long_common_start_or_end():
    assert sentence_key("Ca n't STOP -lrb- Café -rrb- .") == sentence_key("can't stop ( cafe )") == "cantstopcafe"
    assert words_of("does n't Crème") == ["does", "n't", "creme"]
    long, other = "a" * EDGE + "x" * 5, "b" * EDGE
    keys = sorted({long, "a" * EDGE + "y" * 40 + other, "zz" + other, "short", "shorter", "c" * 50})
    groups = group_copies(keys)
    assert len({groups[key] for key in keys if key[0] in "az"}) == 1, "joined through what starts and ends alike"
    assert len({groups["short"], groups["shorter"], groups["c" * 50]}) == 3


@pytest.mark.parametrize("seed", [0, 1])
def test_no_copy_is_in_two_splits_of_any_sets(made, seed, monkeypatch):
    assert_no_leak(read_sets(made), SIZES, VECTORS, seed, monkeypatch)


@needs_real
def test_no_copy_is_in_two_splits_of_the_real_sets(tmp_path, monkeypatch):
    sets = read_sets(fetched("sentiment", tmp_path))
    assert {name: len(members) for name, members in sets.items()} == {
        "mr": 10660, "subj": 9998, "cr": 3762, "mpqa": 8127, "trec": 5864, "sst": 9600,
    }  # fmt: skip
    groups = {name: {sentence.group for sentence in members} for name, members in sets.items()}
    assert len(groups["sst"] & groups["mr"]) > 0.95 * len(groups["sst"]), "SST is made of MR"
    assert len(groups["subj"] & groups["mr"]) > 0.4 * len(groups["subj"])
    assert_no_leak(
        sets, SentenceSizes(train=1000, val=200, test=600), VectorSettings(width=8, least=5), 1000, monkeypatch
    )


def assert_no_leak(sets, sizes, vectors, seed, monkeypatch):
    """Keys are compared anew, from the words; nothing of how groups are found is used."""
    seen, means = [], WordVectors.mean_of
    monkeypatch.setattr(WordVectors, "mean_of", lambda self, words: (seen.append(words), means(self, words))[1])
    tasks = draw_sentence_tasks(sets, sizes, vectors, seed)
    wanted = sizes.model_dump()
    sides = dict.fromkeys(wanted)
    for (name, task), split in itertools.product(tasks.items(), wanted):
        inputs, labels = task.splits[split]
        assert inputs.shape == (wanted[split], vectors.width)
        if SETS[name][0] == 2:
            assert labels.bincount().tolist() == [wanted[split] // 2] * 2
    for position, words in enumerate(seen):  # set by set, and in a set split by split
        split = list(wanted)[position % 3]
        keys = {"".join(one).replace("'", "") for one in words}
        sides[split] = (sides[split] or set()) | keys | {k[:EDGE] for k in keys} | {k[-EDGE:] for k in keys}
    for one, other in itertools.combinations(sides.values(), 2):
        assert not one & other


def test_draws_differ_by_seed_alone_and_are_centred_together(made):
    sets = read_sets(made)
    first, again, other = (draw_sentence_tasks(sets, SIZES, VECTORS, seed) for seed in (0, 0, 1))
    for name in SETS:
        assert (first[name].splits["test"].inputs == again[name].splits["test"].inputs).all()
    assert any((first[n].splits["test"].inputs != other[n].splits["test"].inputs).any() for n in SETS)
    whole = np.concatenate([task.splits["train"].inputs.double().numpy() for task in first.values()])
    np.testing.assert_allclose(whole.mean(axis=0), 0, atol=1e-6)


def test_too_few_sentences_or_words_are_one_sentence(made):
    sets = read_sets(made)
    with pytest.raises(DGRError, match="sentences of a class for split 'test', but 300 are asked for; lower"):
        draw_sentence_tasks(sets, SentenceSizes(train=2, val=2, test=600), VECTORS, 0)
    with pytest.raises(DGRError, match="too few for vectors of 4 numbers; lower 'vectors'"):
        draw_sentence_tasks(sets, SIZES, VectorSettings(width=4, least=10_000), 0)


def test_word_vectors_are_the_formula():
    sentences = [["a", "b"], ["a", "b", "c"], ["c", "d"], ["d", "a"], ["b", "c"], ["d", "e"], ["e", "a"]]
    found = WordVectors(sentences, 3, 1, 0)
    words = sorted({word for words in sentences for word in words})
    joint = np.array([[sum(v in s and w in s for s in sentences) * (v != w) for w in words] for v in words], float)
    with np.errstate(divide="ignore"):
        wanted = np.maximum(np.log(joint * joint.sum() / np.outer(joint.sum(1), joint.sum(1))), 0)
    left, sizes, _ = np.linalg.svd(wanted)
    expected = left[:, :3] * np.sqrt(sizes[:3])
    np.testing.assert_allclose(found.vectors @ found.vectors.T, expected @ expected.T, atol=1e-8)
    np.testing.assert_allclose(found.mean_of([["a", "a", "d", "unknown"], []]), [
        (2 * found.vectors[0] + found.vectors[3]) / 3, np.zeros(3)])  # fmt: skip

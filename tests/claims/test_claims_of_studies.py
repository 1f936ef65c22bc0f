"""The claims on the other papers: they ask for what the studies measure, and say what follows for a reader."""

import numpy as np
import pandas as pd
import pytest

from dgr.claims import CLAIMS_FILE, StudyComparison, load_claims, study_verdicts
from dgr.claims.schema import Claim
from dgr.config.parsing import parse
from dgr.config.plan_file import plan_entry
from dgr.core.errors import DGRError
from dgr.real_studies import flipped_pictures, sentence_pairs
from dgr.real_studies.schema import RealStudyEntry
from dgr.records.records import STUDY_SECTIONS
from dgr.studies import flipped_labels
from dgr.studies.alignment_layers import FRONTS
from dgr.studies.compared import row_name
from dgr.studies.noisy_regression import CONSTANT
from dgr.studies.sample_detection import CLEAN_ONLY, HELD_OUT_ONLY, WITH_HELD_OUT
from dgr.studies.schema import StudyEntry
from dgr.studies.transfer import SOURCE_TASKS
from dgr.tables.studies.claims import study_claims_table

BESIDE = {
    "noisy_regression": [WITH_HELD_OUT, HELD_OUT_ONLY, CLEAN_ONLY, CONSTANT],
    "flipped_labels": flipped_labels.BESIDE,
    "transfer": list(SOURCE_TASKS),
    "alignment": ["single_task", "equal_weighting", *FRONTS],
    "sentence_pairs": [*sentence_pairs.ARMS, sentence_pairs.CONSTANT],
    "flipped_pictures": [*flipped_pictures.TRAINED_BESIDE, flipped_pictures.NO_PICTURE],
    "cheaper_penalty": ["every", "tf32", "alone"],
}
SENTENCES = {
    "supported": "It is so.",
    "opposite": "It is the other way.",
    "no relevant difference": "It is all the same.",
    "undecided": "It is open.",
}


def comparisons():
    return [c for claim in load_claims(CLAIMS_FILE).claims for c in claim.comparisons if isinstance(c, StudyComparison)]


@pytest.mark.parametrize("comparison", comparisons(), ids=lambda c: c.id)
def test_what_a_claim_compares_is_what_its_study_measures(comparison):
    schema = RealStudyEntry if comparison.study.startswith("real_studies-") else StudyEntry
    study = parse(schema, plan_entry(comparison.study, STUDY_SECTIONS), comparison.study).study
    rows = [*map(row_name, getattr(study, "methods", [])), *BESIDE.get(study.kind, [])]
    assert {comparison.treatment, *comparison.references} <= set(rows)
    levels = {*study.levels, *([1] if study.kind == "cheaper_penalty" else [])}
    wanted = {*comparison.levels, *([] if comparison.from_level is None else [comparison.from_level])}
    assert wanted <= levels
    report = plan_entry(comparison.study, ("study_reports",))
    assert set(comparison.settings) <= set(report["settings"])
    assert comparison.measure in report["measures"]


def test_reported_seeds_were_not_seen_before_and_choose_nothing():
    """Earlier forms of these studies were run with seeds 0 to 5, and pilots use seeds from 1000 on."""
    names = [f"studies-{name}" for name in ("S1", "S2", "L1", "W1", "W2", "W3")]
    for key in (*names, *(f"real_studies-{name}" for name in ("S3", "W4", "W5"))):
        seeds = plan_entry(key, STUDY_SECTIONS)["seeds"]
        assert min(seeds) >= 100
        assert max(seeds) < 1000


def test_every_gate_is_a_control_of_the_same_study():
    by_id = {comparison.id: comparison for comparison in comparisons()}
    gated = [comparison for comparison in by_id.values() if comparison.gate]
    assert {comparison.study.partition("-")[2] for comparison in gated} >= {"S1", "S2", "L1", "W3", "S3", "W4", "W5"}
    for comparison in gated:
        assert by_id[comparison.gate].study == comparison.study


def claim(**changes):
    comparison = {
        "id": "X1a", "question": "?", "kind": "study", "study": "s-X", "measure": "score", "settings": ["a"],
        "levels": [1], "direction": "higher", "region": 0.1, "treatment": "new", "references": ["old"],
    } | changes  # fmt: skip
    whole = {"id": "X1", "title": "t", "about": "paper", "text": "t", "paper": "Wu 2020", "alpha": 0.05}
    return parse(Claim, whole | {"comparisons": [comparison]}, "claims.yaml")


def test_a_verdict_without_its_sentence_is_refused():
    with pytest.raises(DGRError, match="X1a: 'reader' has no sentence for the verdict opposite and undecided"):
        claim(reader={k: v for k, v in SENTENCES.items() if k not in ("opposite", "undecided")})
    with pytest.raises(DGRError, match="no sentence for the verdict assay failed"):
        claim(reader=SENTENCES, gate="X1b")
    assert claim(reader=SENTENCES)


@pytest.mark.parametrize(
    ("gain", "direction", "sentence"),
    [
        (0.5, "higher", "It is so."),
        (0.5, "lower", "It is the other way."),
        (0.0, "higher", "It is all the same."),
    ],
)
def test_the_table_tells_the_reader_what_the_verdict_means(gain, direction, sentence):
    generator = np.random.default_rng(0)
    rows = [
        (seed, "a", 1.0, method, "score", (gain if method == "new" else 0.0) + 0.01 * generator.normal())
        for seed in range(10)
        for method in ("new", "old")
    ]
    frame = pd.DataFrame(rows, columns=["seed", "setting", "level", "method", "measure", "value"])
    found = study_verdicts({"s-X": frame}, [claim(reader=SENTENCES, direction=direction)])

    class Told:
        def measure(self, name):
            from dgr.config.study_report import MeasureText

            return MeasureText(label=name, direction="higher")

    notes = study_claims_table("s", {"s-X": Told()}, found).notes
    assert f"For a reader (Wu 2020). X1a: {sentence}" in notes
    assert sum(text in " ".join(notes) for text in SENTENCES.values()) == 1

"""The part of the uncertainty that the test samples are, from answers of made-up runs."""

import base64
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_up_records import HOME, claims_of, make_records, paired

from dgr.claims import run_verdicts
from dgr.comparison.samples import sample_uncertainty

SEEDS, SAMPLES = range(8), 400


def text(array):
    return base64.b64encode(array.tobytes()).decode()


@pytest.fixture(scope="module")
def answered():
    """Records whose accuracies are those of recorded answers; the answers and sources beside."""
    records, random = make_records(), np.random.default_rng(3)
    runs, rows, truth = records.runs.copy(), [], {}
    sources = {seed: random.integers(0, 90, (SAMPLES, 2)).astype("<i4") for seed in SEEDS}
    cells = runs[["method", "regularizer"]].drop_duplicates().itertuples(index=False, name=None)
    for method, regularizer in cells:
        for seed in SEEDS:
            for task in ("left", "right"):
                right = random.uniform(size=SAMPLES) < 0.8 + 0.05 * (regularizer == "dgr")
                truth[method, regularizer, seed, task] = right
                identity = {**HOME, "method": method, "regularizer": regularizer, "seed": seed, "task": task}
                rows.append({**identity, "samples": SAMPLES, "right": text(np.packbits(right))})
                own = runs["method"].eq(method) & runs["regularizer"].eq(regularizer) & runs["seed"].eq(seed)
                runs.loc[own & runs["task"].eq(task) & runs["split"].eq("test"), "value"] = right.mean()
    parts = [
        {"suite": "toy", "dataset": "digits", "seed": seed, "places": 2, "parts": text(ids)}
        for seed, ids in sources.items()
    ]
    complete = replace(records, runs=runs, answers=pd.DataFrame(rows), sources=pd.DataFrame(parts))
    return complete, truth, sources


def decide(records, *comparisons):
    return run_verdicts(records, claims_of(*comparisons).claims)


def test_the_answers_make_up_the_difference_and_its_error(answered):
    records, truth, sources = answered
    (verdict,) = decide(records, paired(methods=["equal_weighting"]))
    reference = {
        task: np.mean([truth["single_task", "none", seed, task].mean() for seed in SEEDS]) for task in ("left", "right")
    }
    differences = [
        sum(
            50 / reference[task]
            * (truth["equal_weighting", "dgr", seed, task].astype(float) - truth["equal_weighting", "none", seed, task])
            for task in reference
        )
        for seed in SEEDS
    ]  # fmt: skip
    assert verdict.test.estimate == pytest.approx(np.mean([values.mean() for values in differences]))
    wanted = sample_uncertainty(differences, [sources[seed] for seed in SEEDS]).standard_error
    assert verdict.test_set_se == pytest.approx(wanted, rel=1e-9)
    assert 0.1 < verdict.test_set_se < 2


def test_more_methods_share_the_samples(answered):
    records, _, _ = answered
    one, both = decide(records, paired(methods=["equal_weighting"]), paired(id="X2"))
    assert 0 < both.test_set_se < one.test_set_se


def test_where_nothing_is_known_nothing_is_said(answered):
    records, _, _ = answered
    fewer = replace(records, answers=records.answers[records.answers["regularizer"] != "dgr"])
    threes = replace(records, sources=records.sources.assign(places=4))
    for changed in (make_records(), fewer, threes):
        assert decide(changed, paired())[0].test_set_se is None
    probes = paired(measure="probe_accuracy", classifiers=["knn"])
    assert decide(records, probes)[0].test_set_se is None

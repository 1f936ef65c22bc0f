"""Verdicts of studies from made-up records, worked out apart."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dgr.claims import load_claims, study_verdicts
from dgr.claims.narrowing import is_of_studies, measured_by, of_studies
from dgr.claims.schema import Claim
from dgr.config.parsing import parse
from dgr.core.errors import DGRError
from dgr.core.paths import CONFIGS
from dgr.tables.shared.verdicts import found_texts

SEEDS = range(8)


def records(gain, noise=0.01):
    generator = np.random.default_rng(1)
    rows = [
        (seed, setting, level, method, "score", 0.5 + (gain if method == "new" else 0) + noise * generator.normal())
        for seed in SEEDS
        for setting in ("a", "b")
        for level in (0.1, 0.2)
        for method in ("new", "old", "other")
    ]
    return pd.DataFrame(rows, columns=["seed", "setting", "level", "method", "measure", "value"])


def claim(**changes):
    comparison = {
        "id": "X1a", "question": "?", "kind": "study", "study": "s-X", "measure": "score", "settings": ["a", "b"],
        "levels": [0.1, 0.2], "direction": "higher", "region": 0.005, "treatment": "new",
        "references": ["old", "other"],
    } | changes  # fmt: skip
    comparison = {key: value for key, value in comparison.items() if value is not None}
    whole = {
        "id": "X1",
        "title": "t",
        "text": "t",
        "about": "own",
        "paper": "s",
        "alpha": 0.05,
        "comparisons": [comparison],
    }
    return parse(Claim, whole, "claim")


def verdict(frame, **changes):
    (found,) = study_verdicts({"s-X": frame}, [claim(**changes)])
    return found


def test_the_means_and_tests_are_those_of_plain_pandas():
    frame = records(0.05)
    found = study_verdicts({"s-X": frame}, [claim()])
    by_seed = frame.groupby(["method", "seed"])["value"].mean().unstack(0)
    differences = [by_seed["new"] - by_seed[name] for name in ("old", "other")]
    assert [one.comparison.id for one in found] == ["X1a-old", "X1a-other"]
    assert {one.decision for one in found} == {"supported"}
    assert [one.test.estimate for one in found] == pytest.approx([d.mean() for d in differences])
    p = [stats.ttest_1samp(d, 0).pvalue for d in differences]
    assert [one.test.p for one in found] == pytest.approx(p)
    low, high = sorted(p)
    holm = {low: min(1, 2 * low), high: max(high, min(1, 2 * low))}
    assert [one.test.holm_p for one in found] == pytest.approx([holm[one] for one in p])


@pytest.mark.parametrize(
    ("gain", "direction", "region", "decision"),
    [
        (0.05, "higher", 0.005, "supported"),
        (0.05, "lower", 0.005, "opposite"),
        (0.0, "higher", 0.0005, "undecided"),
        (0.0, "higher", 0.05, "no relevant difference"),
    ],
)
def test_decisions(gain, direction, region, decision):
    found = verdict(records(gain), direction=direction, region=region, references=["old"])
    assert found.decision == decision


def test_against_a_number_and_against_a_level():
    frame = records(0.05)
    assert verdict(frame, references=None, bound=0.5).decision == "supported"
    assert verdict(frame, references=None, bound=0.6).decision == "opposite"
    means = frame.groupby(["method", "level", "seed"])["value"].mean().unstack(2).T
    change = means["new"][0.1] - means["new"][0.2]
    found = verdict(frame, references=None, from_level=0.2, levels=[0.1])
    assert found.test.estimate == pytest.approx(change.mean())
    both = verdict(frame, references=["old"], from_level=0.2, levels=[0.1])
    interaction = change - (means["old"][0.1] - means["old"][0.2])
    assert both.test.estimate == pytest.approx(interaction.mean())
    assert both.test.p == pytest.approx(stats.ttest_1samp(interaction, 0).pvalue)


def test_the_median_of_heavy_tails():
    frame = records(0.05)
    frame.loc[(frame["seed"] == 0) & (frame["method"] == "new"), "value"] = 9.0
    mean, median = (verdict(frame, references=["old"], statistic=name) for name in ("mean", "median"))
    assert (mean.decision, median.decision) == ("undecided", "supported")
    assert median.test.estimate == pytest.approx(0.05, abs=0.02)


def test_the_table_and_the_reason_tell_the_same_region():
    found = verdict(records(0.0), region=0.0005, references=["old"])
    assert found_texts(found, (1.0, "", 3))["Region"] == "±0.0005"
    assert found.reason.endswith("within ±0.0005")
    assert found_texts(found, (100.0, "points", 2))["Region"] == "±0.05"


def test_a_median_has_no_detectable_difference():
    mean, median = (verdict(records(0.05), references=["old"], statistic=name) for name in ("mean", "median"))
    assert float(found_texts(mean, (1.0, "", 3))["Detectable"]) > 0
    assert found_texts(median, (1.0, "", 3))["Detectable"] == "–"


def test_what_is_not_there_is_not_run():
    frame = records(0.05)
    assert "no records of study s-Y" in verdict(frame, references=["old"], study="s-Y").reason
    assert "no score of new for a at 0.3" in verdict(frame, references=["old"], levels=[0.1, 0.3]).reason
    assert "no score of gone" in verdict(frame, references=["gone"]).reason
    assert verdict(frame, references=["old"], levels=[0.3]).decision == "not run"


def test_a_bound_stands_alone():
    for changes in ({"references": None}, {"bound": 0.5}, {"references": None, "bound": 0.5, "from_level": 0.1}):
        with pytest.raises(DGRError, match="give either 'bound', or 'references', 'from_level' or both"):
            claim(**changes)


def test_runs_and_studies_share_the_file_and_not_a_table():
    claims = load_claims(CONFIGS / "claims.yaml")
    runs = {c.id for suite in ("faces_gpu", "mini", "methods") for c in measured_by(claims, suite, True, True)}
    studies = {c.id for suite in ("studies", "real_studies") for c in of_studies(claims, suite)}
    assert runs | studies == {c.id for c in claims.claims}
    assert not runs & studies
    assert studies == {c.id for c in claims.claims if is_of_studies(c)}


def test_a_seed_that_lacks_a_cell_is_not_averaged_over_fewer():
    frame = records(0.05)
    holed = frame[~((frame["seed"] == 3) & (frame["method"] == "new") & (frame["level"] == 0.2))]
    found = verdict(holed, references=["old"])
    assert found.decision == "not run"
    assert "no complete score of new for seeds 3" in found.reason


def test_a_claim_is_of_runs_or_of_studies_of_one_suite():
    one = claim().model_dump(exclude_none=True)["comparisons"][0]
    whole = {"id": "X", "title": "t", "text": "t", "about": "own", "paper": "s", "alpha": 0.05}
    with pytest.raises(DGRError, match="either runs decide all comparisons of a claim, or studies of one suite"):
        parse(Claim, whole | {"comparisons": [one, one | {"id": "X1b", "study": "other-X"}]}, "claim")

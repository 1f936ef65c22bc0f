"""Verdicts on claims that studies decide: the same tests as for runs, over rows of a study's records."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dgr.claims.decide import Verdict, decision_of
from dgr.claims.pairs import NotRunError
from dgr.claims.schema import Claim, StudyComparison
from dgr.comparison import bootstrap_interval, compare, generator_from, paired_differences
from dgr.comparison.paired import Array


def study_verdicts(records: Mapping[str, pd.DataFrame], claims: list[Claim]) -> list[Verdict]:
    """The verdict on every comparison; all tests of a claim are one family (Holm).

    Args:
        records: the frame of each study by its key: seed, setting, level, method, measure, value.
        claims: claims whose comparisons are all of kind ``study``.
    """
    return [verdict for claim in claims for verdict in _decide(records, claim)]


def _decide(records: Mapping[str, pd.DataFrame], claim: Claim) -> list[Verdict]:
    differences: dict[str, dict[str, Array]] = {}
    found: dict[str, Verdict] = {}
    own = [comparison for comparison in claim.comparisons if isinstance(comparison, StudyComparison)]
    for comparison in own:
        try:
            differences[comparison.id] = _differences(records, comparison)
        except NotRunError as error:
            found[comparison.id] = Verdict(claim, comparison, "not run", str(error))
    family = {name: values for members in differences.values() for name, values in members.items()}
    lower = {c.id for c in own if c.direction == "lower"}
    tests = compare(family, claim.alpha, [name for id_, all_ in differences.items() if id_ in lower for name in all_])
    by_name = {test.name: test for test in tests}
    for comparison in own:
        if members := differences.get(comparison.id):
            mean = np.mean(list(members.values()), axis=0)
            low, high = bootstrap_interval(mean, 1 - claim.alpha, generator_from(mean))
            outcomes = tuple(by_name[name] for name in members)
            sides = [{"better": 1, "worse": -1, "inconclusive": 0}[test.outcome] for test in outcomes]
            texts = [f"{test.name.partition('/')[2]}: {test.reason or test.outcome}" for test in outcomes]
            decision = decision_of(sides)
            found[comparison.id] = Verdict(
                claim,
                comparison,
                decision,
                "" if decision == "reproduced" else "; ".join(texts),
                n=len(mean),
                mean=float(mean.mean()),
                low=low,
                high=high,
                tests=outcomes,
            )
    return [found[comparison.id] for comparison in own]


def _differences(records: Mapping[str, pd.DataFrame], comparison: StudyComparison) -> dict[str, Array]:
    """Treatment minus each reference, one value a seed, by the test's name."""
    treatment = _values(records, comparison, comparison.treatment, comparison.levels)
    if comparison.bound is not None:
        fixed = pd.Series(comparison.bound, index=treatment.index)
        return {f"{comparison.id}/{comparison.bound:g}": paired_differences(treatment, fixed)}
    if comparison.from_level is not None:
        at = _values(records, comparison, comparison.treatment, [comparison.from_level])
        return {f"{comparison.id}/level {comparison.from_level:g}": paired_differences(treatment, at)}
    return {
        f"{comparison.id}/{name}": paired_differences(treatment, _values(records, comparison, name, comparison.levels))
        for name in comparison.references
    }


def _values(
    records: Mapping[str, pd.DataFrame], comparison: StudyComparison, method: str, levels: list[float]
) -> pd.Series:
    """Mean over settings and levels, by seed.

    Raises:
        NotRunError: the study, or a cell of it, is not there.
    """
    if comparison.study not in records:
        raise NotRunError(f"no records of study {comparison.study}")
    frame = records[comparison.study]
    rows = frame[(frame["measure"] == comparison.measure) & (frame["method"] == method)]
    wanted = {(setting, level) for setting in comparison.settings for level in levels}
    if missing := wanted - set(zip(rows["setting"], rows["level"], strict=True)):
        cells = ", ".join(f"{setting} at {level:g}" for setting, level in sorted(missing))
        raise NotRunError(f"no {comparison.measure} of {method} for {cells}")
    chosen = rows[[cell in wanted for cell in zip(rows["setting"], rows["level"], strict=True)]]
    by_seed = chosen.groupby("seed")["value"]
    if short := [str(seed) for seed, size in by_seed.size().items() if size != len(wanted)]:
        raise NotRunError(f"no complete {comparison.measure} of {method} for seeds {', '.join(short)}")
    return by_seed.mean()

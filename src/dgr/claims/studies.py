"""Verdicts on claims that studies decide: the same tests as for runs, over rows of a study's records."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dgr.claims.decide import Differences, decide
from dgr.claims.schema import AnyComparison, Claim, StudyComparison
from dgr.claims.verdict import Decision, NotRunError, Verdict
from dgr.comparison import Comparison, paired_differences
from dgr.core.arrays import FloatArray


def study_verdicts(records: Mapping[str, pd.DataFrame], claims: list[Claim]) -> list[Verdict]:
    """The verdict on every comparison.

    Args:
        records: the frame of each study by its key: seed, setting, level, method, measure, value.
        claims: claims whose comparisons are all of kind ``study``.
    """

    def look_up(claim: Claim, comparison: AnyComparison) -> Differences:
        assert isinstance(comparison, StudyComparison)
        tests = _differences(records, comparison)
        return Differences(tests, average=np.mean(list(tests.values()), axis=0))

    return [verdict for claim in claims for verdict in decide(claim, look_up, _reasons)]


def _reasons(tests: tuple[Comparison, ...], decision: Decision) -> list[str]:
    """What each test says, unless all go the claimed way."""
    if decision == "reproduced":
        return []
    return [f"{test.name.partition('/')[2]}: {test.reason or test.outcome}" for test in tests]


def _differences(records: Mapping[str, pd.DataFrame], comparison: StudyComparison) -> dict[str, FloatArray]:
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

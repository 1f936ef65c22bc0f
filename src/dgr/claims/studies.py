"""Verdicts on claims that studies decide: the same tests as for runs, over rows of a study's records."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from dgr.claims.comparisons import AnyComparison, StudyComparison
from dgr.claims.decide import Differences, decide
from dgr.claims.schema import Claim
from dgr.claims.verdict import NotRunError, Verdict
from dgr.comparison import paired_differences


def study_verdicts(records: Mapping[str, pd.DataFrame], claims: list[Claim]) -> list[Verdict]:
    """The verdict on every test.

    Args:
        records: the frame of each study by its key: seed, setting, level, method, measure, value.
        claims: claims whose comparisons are all of kind ``study``.
    """

    def look_up(claim: Claim, comparison: AnyComparison) -> Differences:
        assert isinstance(comparison, StudyComparison)
        return Differences(_differences(records, comparison))

    return decide(claims, look_up)


def _differences(records: Mapping[str, pd.DataFrame], comparison: StudyComparison) -> pd.Series:
    """Treatment minus reference, by seed; each as its change from a level, where the comparison names one."""

    def value(method: str) -> pd.Series:
        values = _values(records, comparison, method, comparison.levels)
        if comparison.from_level is None:
            return values
        return values - _values(records, comparison, method, [comparison.from_level])

    treatment = value(comparison.treatment).sort_index()
    if comparison.references:
        (name,) = comparison.references
        reference = value(name)
    else:
        reference = pd.Series(comparison.bound or 0.0, index=treatment.index)
    return pd.Series(paired_differences(treatment, reference), treatment.index)


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

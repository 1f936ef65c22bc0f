"""What a table's file leaves to tuning, checked: every arm has what it needs, and no arm more tries than another."""

from __future__ import annotations

from pathlib import Path

from dgr.config.runs import TuningRule
from dgr.core.errors import DGRError, nearest
from dgr.plan.suite_files import RegularizerBlock, TableFile
from dgr.training.configuration import RunConfig, TuningConfig


def check_tuning(file: TableFile, path: Path) -> None:
    """Refuse a file whose tuning could not be done, or would favour an arm.

    Raises:
        DGRError: an arm has no tuning though something is left to it, or tuning of what is not; it lacks a grid or has
            one too many; seeds are both tuned with and reported; arms try different numbers of settings; or an arm
            matches one that is not there.
    """
    arms = {block.use.name: block for block in file.regularizers}
    tried: dict[int, str] = {}
    for name, block in arms.items():
        where = f"{path}: regularizer '{name}'"
        _check_grids(file, block, where)
        if (rule := block.tuning) is None:
            continue
        if shared := sorted(set(rule.seeds) & set(file.seeds)):
            raise DGRError(f"{where}: seeds {shared} are used for tuning and for reporting; keep them apart.")
        if rule.matches is not None:
            _check_matched(block, rule.matches, arms, where)
        if rule.rule == "best_mean_validation":
            tried.setdefault(len(rule.learning_rates or [0]) * len(rule.strengths or [0]), name)
    if len(tried) > 1:
        told = ", ".join(f"'{name}' has {number}" for number, name in sorted(tried.items()))
        raise DGRError(f"{path}: every tuned arm must try equally many settings, but {told}.")


def tuning_of(rule: TuningRule, run: RunConfig) -> TuningConfig:
    """The tuning of a run. The reported seeds are no part of it: adding one must not repeat the tuning."""
    matched = None
    if rule.matches is not None:
        matched = f"{run.key.removesuffix(run.regularizer.name)}{rule.matches}"
    return TuningConfig(**rule.model_dump(), run=run.model_copy(update={"seeds": rule.seeds}), matched=matched)


def _check_matched(block: RegularizerBlock, matches: str, arms: dict[str, RegularizerBlock], where: str) -> None:
    chosen = {name: arm for name, arm in arms.items() if arm.tuning is not None and arm.tuning.matches is None}
    if matches not in chosen:
        raise DGRError(
            f"{where} matches '{matches}', which is no arm with a choice of its own{nearest(matches, chosen)}."
        )
    known = chosen[matches].methods
    if known is not None and (block.methods is None or not set(block.methods) <= set(known)):
        raise DGRError(f"{where} matches '{matches}', but has methods that '{matches}' lacks; give both the same.")


def _check_grids(file: TableFile, block: RegularizerBlock, where: str) -> None:
    strength, rule = getattr(block.use, "strength", None) == "tuned", block.tuning
    rate = file.training.learning_rate == "tuned"
    if (rate or strength) != (rule is not None):
        raise DGRError(f"{where} must have a tuning block exactly when its strength or learning rate is 'tuned'.")
    if rule is not None and strength != (rule.strengths is not None):
        raise DGRError(f"{where} must have 'strengths' in its tuning exactly when its strength is 'tuned'.")
    if rule is not None and rule.matches is None and rate != (rule.learning_rates is not None):
        raise DGRError(f"{where} must have 'learning_rates' in its tuning exactly when the learning rate is 'tuned'.")

"""Records of a made-up suite with known effects: eight seeds, two trained tasks, one new task."""

import itertools
from dataclasses import fields

import numpy as np
import pandas as pd

from dgr.claims import Claims, load_claims
from dgr.claims.narrowing import is_of_studies
from dgr.config.parsing import parse
from dgr.core.paths import CONFIGS
from dgr.records.outcomes import UNIVERSALITY
from dgr.records.records import Records

METHODS = ("equal_weighting", "pcgrad")
CLASSIFIERS = ("knn", "tree")
REGULARIZERS = ("none", "dgr", "norm")
HOME = {"suite": "toy", "dataset": "digits", "architecture": "conv"}
IDENTITY = ["method", "regularizer", "seed"]


def shipped_claims():
    """Those that runs decide of the methods that DGR's authors cross it with."""
    claims = load_claims(CONFIGS / "claims.yaml").claims
    return Claims(claims=[claim for claim in claims if not is_of_studies(claim) and claim.suites != ["faces_gpu"]])


def paired(**changes):
    """One paired comparison of Δm; of another measure with the usual region."""
    usual = {"delta_m": 0.5, "probe_accuracy": 0.005}.get(changes.get("measure", "delta_m"), 0.02)
    return {
        "id": "X1",
        "question": "?",
        "kind": "paired",
        "measure": "delta_m",
        "direction": "higher",
        "region": usual,
        "treatment": {"regularizer": "dgr"},
        "reference": {"regularizer": "none"},
        "methods": list(METHODS),
    } | changes


def cost(**changes):
    return {
        "id": "X1",
        "question": "?",
        "kind": "cost",
        "treatment": {"method": "equal_weighting", "regularizer": "dgr"},
        "reference": {"method": "equal_weighting", "regularizer": "none"},
        "architecture": "conv",
        "at_most": 1.1,
    } | changes


def claims_of(*comparisons, **changes):
    data = {"id": "X", "title": "t", "text": "t", "about": "paper", "paper": "s", "alpha": 0.05} | changes
    return parse(Claims, {"claims": [data | {"comparisons": list(comparisons)}]}, "claims.yaml")


COST_RATIOS = {("none", 0): 1.0, ("dgr", 1): 1.04, ("dgr", 4): 1.2, ("authors", 1): 3.0, ("authors", 4): 11.0}
"""By regularizer and number of dummies, to the plain step of the same round."""


def make_costs(rounds=30, plain=0.1):
    """Steps whose rounds differ by as much as a busy machine makes them, and ratios within a round by a hundredth."""
    random = np.random.default_rng(2)
    slow = plain * np.exp(random.normal(0, 0.3, rounds))
    return pd.DataFrame(
        {**HOME, "method": "equal_weighting", "regularizer": name, "num_dummies": number, "round": turn,
         "seconds_per_step": slow[turn] * ratio * (1 if name == "none" else np.exp(random.normal(0, 0.01)))}
        for (name, number), ratio in COST_RATIOS.items()
        for turn in range(rounds)
    )  # fmt: skip


def make_records(gain=0.03, control=0.0, seeds=8, noise=0.004, methods=METHODS):
    """Accuracy, probes and universality improve by ``gain`` with DGR and by ``control`` with the norm penalty."""
    random = np.random.default_rng(1)
    effect = {"none": 0.0, "dgr": gain, "norm": control}
    runs, probes, losses = [], [], []
    cells = [("single_task", "none"), *itertools.product(methods, REGULARIZERS)]
    for (method, name), seed in itertools.product(cells, range(seeds)):
        run = {**HOME, "method": method, "regularizer": name, "seed": seed}
        for task, split in itertools.product(("left", "right"), ("val", "test")):
            value = 0.9 + effect[name] + noise * random.normal()
            metric = {"metric": "accuracy", "primary": True, "value": value}
            runs += [{**run, "task": task, "split": split, "moment": m, **metric} for m in ("final", "best_validation")]
        norm = {"metric": "mean_norm", "primary": False, "moment": "final", "value": 1.0}
        runs.append({**run, "task": "representation", "split": "test", **norm})
        if method == "single_task":
            continue
        for task, classifier in itertools.product(("left", "right", "parity"), CLASSIFIERS):
            row = {**run, "task": task, "classifier": classifier}
            probes.append({**row, "given": "representation", "value": 0.8 + effect[name] + noise * random.normal()})
            probes.append({**row, "given": "untrained", "value": 0.99})
        for task, epoch in (("left", 1), ("right", 1), ("left", 3), ("right", 3), ("parity", 3)):
            loss = (1.0 - 10 * effect[name] if epoch == 3 else 5.0) + noise * random.normal()
            losses.append({**run, "epoch": epoch, "task": task, **dict.fromkeys(UNIVERSALITY, loss)})
    frames = {"runs": runs, "probes": probes, "universality": losses, "costs": make_costs()}
    return Records(**{field.name: pd.DataFrame(frames.get(field.name, [])) for field in fields(Records)})

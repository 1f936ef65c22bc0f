"""One step of equal weighting with DGR, and of the authors' procedure, as multiples of a plain step.

    python benchmarks/step_cost.py [--rounds 100] [--limit 1.10] [--key mini-multimnist-conv]

Run from the repository's top folder after `python -m dgr prepare multimnist`. The cases take turns in one process, in
random order, a few steps each, and are compared with the plain steps of their own round. Exit status 0: with one set
of dummies the whole interval is within the limit; 1: it is not.
"""

import argparse
import sys

import numpy as np
from scipy import stats

from dgr.config.parsing import parse
from dgr.config.plan_file import plan_entry
from dgr.core.device import choose_device
from dgr.core.errors import DGRError
from dgr.core.origin import device_name
from dgr.core.paths import DATA
from dgr.datasets.prepared import load
from dgr.measurements.configuration import CostConfig
from dgr.measurements.cost import WARM_UP, make_steppers
from dgr.measurements.cost_case import PLAIN_METHOD
from dgr.measurements.timing import interleaved_seconds

LEVEL = 0.95


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--key", default="mini-multimnist-conv", help="a cost stage of the plan")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--limit", type=float, default=1.10)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()

    device = choose_device(options.device)
    config = parse(CostConfig, plan_entry(options.key, ("costs",)), options.key)
    methods = [method for method in config.methods if method.name == PLAIN_METHOD]
    steppers = make_steppers(config.model_copy(update={"methods": methods}), load(config.dataset, DATA), device)
    for stepper in steppers.values():
        for _ in range(WARM_UP):
            stepper()
    seconds = interleaved_seconds(list(steppers.values()), options.rounds, device, config.steps)
    plain = seconds[:, list(steppers).index((PLAIN_METHOD, "none", 0))]
    print(f"{device_name(device)}; plain step {1000 * np.median(plain):.2f} ms, {options.rounds} rounds")
    holds = False
    for column, (_, name, dummies) in zip(seconds.T, steppers, strict=True):
        if name == "none":
            continue
        ratios = column / plain
        random = np.random.default_rng(0)
        interval = stats.bootstrap(
            (ratios,), np.median, confidence_level=LEVEL, method="percentile", rng=random
        ).confidence_interval
        label = {"dgr": "DGR", "norm": "norm control", "authors": "DGR as released"}[name]
        sets = f", N = {dummies}" if dummies else ""
        print(f"{label + sets:24} {np.median(ratios):6.3f} × plain  [{interval.low:.3f}, {interval.high:.3f}]")
        if (name, dummies) == ("dgr", 1):
            holds = bool(interval.high <= options.limit)
    print(f"DGR with one set of dummies within {options.limit:.2f}: {'yes' if holds else 'no'}")
    return 0 if holds else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DGRError as error:
        sys.exit(f"step_cost: {error}")

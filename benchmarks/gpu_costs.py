"""A step of the paper's models without and with DGR on a GPU: milliseconds, ratio to the plain step, peak memory.

    python benchmarks/gpu_costs.py --out FOLDER [--seconds 180] [--device cuda] [--rounds 5] [--steps 4] [--small]

Run from the repository's top folder; no data set is needed. The cases of a model take turns in one process, in random
order, and are compared with the plain steps of their own round. FOLDER/costs.json, costs.csv and costs.md are written
anew after each model. A model is not begun where the last one took longer than what is left of the seconds.
"""

import argparse
import csv
import io
import json
import sys
import time
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).parents[1]
MODELS = ("nyuv2/split", "utkface/resnet50", "nyuv2/mtan", "cityscapes/split")
"""Of the suite `paper`, the most telling first."""
STRENGTH = 0.1
WARM_UP = 4


def cases():
    """Regularizers by name; all of DGR with one set of dummies."""
    exact = {"name": "dgr", "strength": STRENGTH}
    return {
        "plain": {"name": "none"},
        "DGR, exact": exact,
        "DGR, exact, every=4": exact | {"every": 4},
        "DGR, finite difference": exact | {"estimator": "finite_difference"},
    }


def paper_run(model, regularizer, small):
    """A run of the suite `paper` from random weights, with another regularizer; small for a rehearsal."""
    from dgr.training.configuration import RunConfig

    plan = json.loads((ROOT / "suites/paper/plan.json").read_text(encoding="utf-8"))
    run = plan["runs"][f"paper-{model.replace('/', '-')}-equal_weighting-none"] | {"regularizer": regularizer}
    if "pretrained" in run["architecture"]:
        run["architecture"] = run["architecture"] | {"pretrained": False, "weights": None}
    if small:
        narrow = {"backbone": "resnet18", "head_channels": 8, "rates": [1, 2, 3]}
        dense = "backbone" in run["architecture"]
        run["architecture"] = run["architecture"] | (narrow if dense else {"name": "resnet18"})
        run["training"] = run["training"] | {"batch_size": 2}
    return RunConfig(**run)


def rows_of(model, device, rounds, steps, small):
    """Measured cases of a model; one that fails has a row that says how."""
    import torch

    from dgr.datasets.registry import parse_dataset
    from dgr.measurements.cost_steps import Stepper
    from dgr.measurements.step_times import made_up_batch
    from dgr.measurements.timing import interleaved_seconds, peak_bytes
    from dgr.training.build import build_parts

    name = model.partition("/")[0]
    dataset = parse_dataset(
        yaml.safe_load((ROOT / "paper_configs/datasets.yaml").read_text(encoding="utf-8"))[name], name
    )
    steppers, failed = {}, []
    for case, regularizer in cases().items():
        run = paper_run(model, regularizer, small)
        channels, *sides = dataset.image_shape
        if run.training.augmentation is not None and run.training.augmentation.crop is not None:
            sides = run.training.augmentation.crop
        shape = (channels, *(32 if small else side for side in sides))
        try:
            parts = build_parts(run, dataset.tasks, shape, seed=0).to(device)
            batch = made_up_batch(dataset.tasks, shape, run.training.batch_size, device)
            stepper = Stepper(parts, dataset.tasks, iter(lambda batch=batch: batch, None))
            for _ in range(1 if small else WARM_UP):
                stepper()
            stepper.parts.optimizer.zero_grad()
            peak = max(peak_bytes(stepper, device) for _ in range(1 if small else WARM_UP))
            steppers[case] = stepper, stepper.resting_bytes() + peak
        except (RuntimeError, ValueError) as error:  # also out of memory, and what the library refuses
            failed.append({"model": model, "case": case, "error": f"{type(error).__name__}: {error}".splitlines()[0]})
            torch.cuda.empty_cache()
    seconds = interleaved_seconds([stepper for stepper, _ in steppers.values()], rounds, device, steps)
    columns = dict(zip(steppers, seconds.T, strict=True))
    done = []
    for case, (_, peak) in steppers.items():
        row = {"model": model, "case": case, "batch_size": run.training.batch_size, "rounds": rounds}
        row |= {"milliseconds": round(1000 * float(np.median(columns[case])), 3), "peak_mb": round(peak / 1e6, 1)}
        if "plain" in columns:
            ratios = columns[case] / columns["plain"]
            for name, number in (("ratio", np.median), ("ratio_low", np.min), ("ratio_high", np.max)):
                row[name] = round(float(number(ratios)), 4)
        done.append(row)
    return done + failed


def write(out, rows, place, start):
    """The three files; the device, its settings and versions stand in the JSON file."""
    from dgr.core.files import write_json, write_text
    from dgr.core.origin import origin

    write_json(out / "costs.json", {**origin(place, time.monotonic() - start), "rows": rows})
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(out / "costs.csv", text.getvalue())
    write_text(out / "costs.md", as_markdown(rows))


def as_markdown(rows):
    """The rows as a table for readers, without those that failed."""
    import pandas as pd

    shown = [
        {
            "Model": row["model"],
            "Images": str(row["batch_size"]),
            "Case": row["case"],
            "Step, ms": f"{row['milliseconds']:.0f}",
            "Ratio": f"{row['ratio']:.2f}",
            "Lowest and highest of the rounds": f"{row['ratio_low']:.2f} to {row['ratio_high']:.2f}",
            "Peak memory, GB": f"{row['peak_mb'] / 1000:.1f}",
        }
        for row in rows
        if "ratio" in row
    ]
    sides = ("left", "right", "left", "right", "right", "left", "right")
    return pd.DataFrame(shown).to_markdown(index=False, disable_numparse=True, colalign=sides) + "\n" if shown else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4, help="of a turn; every=4 needs a multiple of 4")
    parser.add_argument(
        "--small", action="store_true", help="a rehearsal: one model, ResNet-18, small images, two samples"
    )
    options = parser.parse_args()

    from dgr.core.device import choose_device

    start, place = time.monotonic(), choose_device(options.device)
    rows, longest = [], 0.0
    for model in MODELS[:1] if options.small else MODELS:
        began = time.monotonic()
        if began - start + longest > options.seconds:
            print(f"no time is left for {model}")
            continue
        rows += rows_of(model, place, options.rounds, options.steps, options.small)
        longest = max(longest, time.monotonic() - began)
        write(options.out, rows, place, start)
        for row in rows:
            if row["model"] == model:
                print(", ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    return 0


if __name__ == "__main__":
    from dgr.core.errors import DGRError

    try:
        sys.exit(main())
    except DGRError as error:
        sys.exit(f"gpu_costs: {error}")

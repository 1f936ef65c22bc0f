"""Scenes a second that rooms are made at, on one core.

    python benchmarks/rooms_speed.py [--scenes 400] [--rounds 5] [--size 64] [--limit 200]

Counts processor time, so that a busy machine matters less; what shares the core's cache still slows it down. Exit
status 0: the median round reaches the limit; 1: it does not.
"""

import argparse
import sys
import time

import numpy as np
from threadpoolctl import threadpool_limits

from dgr.datasets.kinds.rooms import Config


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--limit", type=float, default=200)
    options = parser.parse_args()

    speeds = []
    for seed in range(options.rounds):
        config = Config(kind="rooms", image_size=options.size, scenes={"train": options.scenes}, noise=0.03, seed=seed)
        start = time.process_time()
        with threadpool_limits(1):
            config.compose()
        speeds.append(options.scenes / (time.process_time() - start))
    median = float(np.median(speeds))
    print(f"{options.size}×{options.size} pixels, {options.rounds} rounds of {options.scenes} scenes")
    print(f"{median:.0f} scenes a second of processor time, slowest round {min(speeds):.0f}, fastest {max(speeds):.0f}")
    print(f"at least {options.limit:.0f}: {'yes' if median >= options.limit else 'no'}")
    return 0 if median >= options.limit else 1


if __name__ == "__main__":
    sys.exit(main())

"""Every folder the project reads or writes, relative to the repository root (the working directory)."""

from pathlib import Path

CONFIGS = Path("paper_configs")
PLAN = CONFIGS / "runs.yaml"
DATA = Path("data")
RUNS = Path("runs")
TUNING = Path("tuning")
SWEEPS = Path("sweeps")
COSTS = Path("costs")
PROBES = Path("probes")
BASELINES = Path("baselines")
EMBEDDINGS = Path("embeddings")
UNFINISHED = Path("unfinished")
RESULTS = Path("results")
FIGURES = Path("figures")

"""The stages of dvc.yaml as Snakemake rules: Snakemake decides what runs and when, DVC runs and records it.

snakemake --cores all                       # the suite `mini`
snakemake --cores all --config suite=NAME   # another one
"""

import re
from functools import reduce
from operator import getitem
from pathlib import Path
from shutil import which

import yaml

PLAN = yaml.safe_load(Path("paper_configs/runs.yaml").read_text())
STAGES = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]
RUNS = PLAN["runs"] | PLAN["tuned_runs"]
SUITE = config.get("suite", "mini")
# Only a real GPU is claimed by one job at a time; without one, runs train beside each other on the cores.
GPU = int(which("nvidia-smi") is not None)

if SUITE not in PLAN["suites"]:
    raise WorkflowError(f"Unknown suite '{SUITE}'; paper_configs has: {', '.join(PLAN['suites'])}.")


def entries(stage):
    """What dvc.yaml repeats a stage over: key → configuration."""
    return PLAN[STAGES[stage]["foreach"].strip("${}")]


def paths(stage, key, block):
    """A stage's `deps` or `outs` with ${key} and ${item.…} filled in."""
    scope = {"key": key, "item": entries(stage)[key]}
    for item in STAGES[stage]["do"][block]:
        template = next(iter(item)) if isinstance(item, dict) else item  # `PATH` or `PATH: {cache: false}`
        yield re.sub(r"\$\{([\w.]+)\}", lambda match: reduce(getitem, match[1].split("."), scope), template)


def in_suite(stage, key):
    if stage == "prepare":
        return any(run["suite"] == SUITE and run["dataset"] == key for run in RUNS.values())
    if stage == "collect":
        return key == SUITE
    entry = entries(stage)[key]
    return entry.get("run", entry)["suite"] == SUITE


def tracked(path):
    """The file that stands for an output: a folder's manifest has the hash of everything in the folder."""
    return f"{path}/manifest.json" if path.startswith(("data/", "runs/")) else path


CHOSEN = [(stage, key) for stage in STAGES for key in entries(stage) if in_suite(stage, key)]
OUTPUTS = [path for stage, key in CHOSEN for path in paths(stage, key, "outs")]


def inputs(stage, key):
    """Every file a stage reads. A folder that stages write into stands for all they make there."""
    for path in paths(stage, key, "deps"):
        if made := [output for output in OUTPUTS if f"{output}/".startswith(f"{path}/")]:
            yield from map(tracked, made)
        elif Path(path).is_dir():
            yield from sorted(map(str, Path(path).rglob("*.py")))
        else:
            yield path


def found(folder):
    """What lies in a folder, configured or not: DVC sees a run that is left over, so Snakemake has to see it too."""
    configured = {Path(output).name for output in OUTPUTS if Path(output).parent == Path(folder)}
    return sorted(configured.union(path.name for path in Path(folder).glob("[!.]*")))


def one_of(values):
    """A wildcard constraint that matches these values and nothing else."""
    return "|".join(map(re.escape, values)) or "(?!)"


# Always runs, and fails whenever dvc.lock and the files of this suite disagree.
rule all:
    input:
        [tracked(path) for path in OUTPUTS],
    log:
        "logs/audit.log",
    params:
        stages="|".join(f"{stage}@{key}" for stage, key in CHOSEN),
    shell:
        "dvc status > {log} 2>&1 && ! grep -E '^({params.stages}):' {log}"


rule prepare:
    input:
        lambda w: inputs("prepare", w.key),
    output:
        "data/{key}/manifest.json",
    log:
        "logs/prepare/{key}.log",
    params:
        configuration=lambda w: entries("prepare")[w.key],
    shell:
        "dvc --wait-for-lock repro --single-item prepare@{wildcards.key} > {log} 2>&1"


rule tune:
    input:
        lambda w: inputs("tune", w.key),
    output:
        "tuning/{key}.json",
    log:
        "logs/tune/{key}.log",
    resources:
        gpu=GPU,
    params:
        configuration=lambda w: entries("tune")[w.key],
    shell:
        "dvc --wait-for-lock repro --single-item tune@{wildcards.key} > {log} 2>&1"


rule train:
    input:
        lambda w: inputs("train", w.key),
    output:
        "runs/{key}/manifest.json",
    log:
        "logs/train/{key}.log",
    wildcard_constraints:
        key=one_of(entries("train")),
    resources:
        gpu=GPU,
    params:
        configuration=lambda w: entries("train")[w.key],
    shell:
        "dvc --wait-for-lock repro --single-item train@{wildcards.key} > {log} 2>&1"


rule train_tuned:
    input:
        lambda w: inputs("train_tuned", w.key),
    output:
        "runs/{key}/manifest.json",
    log:
        "logs/train_tuned/{key}.log",
    wildcard_constraints:
        key=one_of(entries("train_tuned")),
    resources:
        gpu=GPU,
    params:
        configuration=lambda w: entries("train_tuned")[w.key],
    shell:
        "dvc --wait-for-lock repro --single-item train_tuned@{wildcards.key} > {log} 2>&1"


rule collect:
    input:
        lambda w: inputs("collect", w.suite),
    output:
        "results/{suite}/runs.csv",
        "results/{suite}/histories.csv",
        "results/{suite}/tuning.csv",
        "results/{suite}/provenance.csv",
    log:
        "logs/collect/{suite}.log",
    params:
        found=found("runs") + found("tuning"),
    shell:
        "dvc --wait-for-lock repro --single-item collect@{wildcards.suite} > {log} 2>&1"


rule table:
    input:
        lambda w: inputs("table", f"{w.suite}-{w.name}"),
    output:
        "results/{suite}/{name}.csv",
        "results/{suite}/{name}.md",
        "results/{suite}/{name}.tex",
    log:
        "logs/table/{suite}-{name}.log",
    wildcard_constraints:
        name=one_of(table["name"] for table in entries("table").values()),
    shell:
        "dvc --wait-for-lock repro --single-item table@{wildcards.suite}-{wildcards.name} > {log} 2>&1"


rule figure:
    input:
        lambda w: inputs("figure", f"{w.suite}-{w.name}"),
    output:
        "figures/{suite}/{name}.pdf",
        "figures/{suite}/{name}.png",
    log:
        "logs/figure/{suite}-{name}.log",
    wildcard_constraints:
        name=one_of(figure["name"] for figure in entries("figure").values()),
    shell:
        "dvc --wait-for-lock repro --single-item figure@{wildcards.suite}-{wildcards.name} > {log} 2>&1"

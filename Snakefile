"""The stages of dvc.yaml as Snakemake rules: Snakemake decides what runs and when, DVC runs and records it.

snakemake --cores all                       # the suite `mini`
snakemake --cores all --config suite=NAME   # another one
"""

import json
import re
from functools import reduce
from operator import getitem
from pathlib import Path
from shutil import which

import yaml

from dgr.measurements.estimate import describe

SUITE = config.get("suite", "mini")
# The default suite's plan is at the top, any other's in a folder of its own.
FOUND = [Path("plan.json"), *Path("suites").glob("*/plan.json")]
PLANS = {path.parent.name or "mini": path for path in FOUND}
if SUITE not in PLANS:
    raise WorkflowError(f"Unknown suite '{SUITE}'; there are: {', '.join(sorted(PLANS))}.")
PLAN = json.loads(PLANS[SUITE].read_text(encoding="utf-8"))
if workflow.is_main_process and PLAN["runs"]:
    logger.info(describe(SUITE))  # what it will cost, before it starts
STAGES_FILE = PLANS[SUITE].with_name("dvc.yaml")
STAGES = yaml.safe_load(STAGES_FILE.read_text(encoding="utf-8"))["stages"]
ADDRESS = "" if STAGES_FILE == Path("dvc.yaml") else f"{STAGES_FILE}:"
ON_GPU = ("tune", "train", "train_tuned", "sweep", "cost")
# Only a real GPU is claimed by one job at a time; without one, runs train beside each other on the cores.
GPU = int(which("nvidia-smi") is not None)

REPORTED = {
    ("table", ".csv"): ("report/table.rst", "Tables", {"table": "{name}"}),
    ("figure", ".png"): ("report/figure.rst", "Figures", {"figure": "{name}"}),
    ("audit", ".html"): ("report/audit.rst", "Audit", {"suite": "{key}"}),
    ("study_report", ".csv"): ("report/table.rst", "Tables", {"table": "{name}"}),
    ("study_report", ".png"): ("report/figure.rst", "Figures", {"figure": "{name}"}),
    ("study_audit", ".html"): ("report/audit.rst", "Audit", {"suite": "{key}"}),
}


report: "report/workflow.rst"


def entries(stage):
    """What dvc.yaml repeats a stage over: key → configuration."""
    return PLAN[STAGES[stage]["foreach"].strip("${}")]


def paths(stage, key, block):
    """A stage's `deps` or `outs` with ${key}, ${item.…} and ${paths.…} filled in."""
    scope = {"key": key, "item": entries(stage)[key], "paths": PLAN["paths"]}
    for item in STAGES[stage]["do"][block]:
        template = next(iter(item)) if isinstance(item, dict) else item  # `PATH` or `PATH: {cache: false}`
        yield re.sub(r"\$\{([\w.]+)\}", lambda match: reduce(getitem, match[1].split("."), scope), template)


def tracked(path):
    """The file that stands for an output: a folder's manifest has the hash of everything in the folder."""
    return path if Path(path).suffix else f"{path}/manifest.json"


CHOSEN = [(stage, key) for stage in STAGES for key in entries(stage)]
OUTPUTS = [path for stage, key in CHOSEN for path in paths(stage, key, "outs")]


def inputs(stage, key):
    """Every file a stage reads. A folder that stages write into stands for all they make there."""
    for path in paths(stage, key, "deps"):
        if made := [output for output in OUTPUTS if f"{output}/".startswith(f"{path}/")]:
            yield from map(tracked, made)
        elif Path(path).is_dir():
            yield from sorted(str(file) for file in Path(path).rglob("*.*") if "__pycache__" not in file.parts)
        else:
            yield path
    yield from map(tracked, weights(entries(stage)[key]))


def weights(entry):
    """Where a pretrained run starts from. The run's entry in the plan has its hash, so DVC needs no dependency."""
    architecture = entry.get("run", entry).get("architecture")
    pretrained = isinstance(architecture, dict) and architecture.get("pretrained")
    return [f"sources/{architecture['name']}_imagenet"] if pretrained else []


def patterns(stage):
    """A stage's outputs with wildcards: ${key} → {key}, ${item.name} → {name}, ${item.run.suite} → {suite}."""
    templates = (next(iter(out)) if isinstance(out, dict) else out for out in STAGES[stage]["do"]["outs"])
    return [shown(stage, tracked(re.sub(r"\$\{(?:\w+\.)*(\w+)\}", r"{\1}", template))) for template in templates]


def shown(stage, path):
    """Marks what `snakemake --report` shows, with its caption."""
    if (stage, Path(path).suffix) not in REPORTED:
        return path
    caption, category, labels = REPORTED[stage, Path(path).suffix]
    return report(path, caption=caption, category=category, labels=labels)


def key_of(wildcards):
    """Tables and figures are files of their suite's folder; every other stage has its key in its outputs."""
    return wildcards.key if "key" in wildcards.keys() else f"{wildcards.suite}-{wildcards.name}"


def found():
    """What lies in the suite's runs, configured or not: DVC sees one that is left over, so Snakemake has to as well."""
    made = {output for output in OUTPUTS if output.startswith(f"runs/{SUITE}/")}
    return sorted(made.union(map(str, Path("runs", SUITE).glob("*/[!.]*"))))


def log_of(stage):
    """A log with the wildcards of the stage's outputs: by key, or by suite and name."""
    wildcards = re.findall(r"{\w+}", patterns(stage)[0])
    return f"logs/{stage}/{'/'.join(wildcards)}.log"


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
        stages=STAGES_FILE,
    shell:
        "dvc status {params.stages} > {log} 2>&1 && grep -q 'pipelines are up to date' {log}"


# One rule a stage. Its wildcards are those of the stage's outputs in dvc.yaml.
for STAGE in STAGES:

    rule:
        name:
            STAGE
        input:
            lambda w, stage=STAGE: inputs(stage, key_of(w)),
        output:
            patterns(STAGE),
        log:
            log_of(STAGE),
        wildcard_constraints:
            key=one_of(entries(STAGE)),
            name=one_of(entry["name"] for entry in entries(STAGE).values() if entry and "name" in entry),
            suite=SUITE,
        # The longest chains start first.
        priority: int(STAGE == "tune")
        # What is timed has the machine to itself.
        threads: workflow.cores if STAGE == "cost" else 1
        resources:
            gpu=GPU if STAGE in ON_GPU else 0,
        params:
            stage=lambda w, stage=STAGE: f"{ADDRESS}{stage}@{key_of(w)}",
            configuration=lambda w, stage=STAGE: entries(stage)[key_of(w)],
            found=found() if STAGE == "collect" else [],
        shell:
            "dvc --wait-for-lock repro --single-item {params.stage} > {log} 2>&1"

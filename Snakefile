"""The stages of dvc.yaml as Snakemake rules: Snakemake decides what runs and when, DVC runs and records it.

snakemake --cores all                                # the suite `mini`
snakemake --cores all --config suite=NAME            # another one
snakemake --cores all --config suite=NAME seeds=0,1  # a quick look at it, in a place of its own
"""

import re
import sys
from functools import cache
from pathlib import Path
from shutil import which
from types import SimpleNamespace

from snakemake.io import IOFile

from dgr.plan.checkout.engine import begin
from dgr.core.errors import DGRError
from dgr.core.paths import TRAINED, suite_folder
from dgr.measurements.estimate import describe
from dgr.measurements.limits import megabytes, minutes
from dgr.plan.graph import OVER_ALL, key_of, needs, suite_stages
from dgr.plan.opening import open_suite
from dgr.plan.warm import keep_warm

TUNING = ("tune", "match")
TRAINING = (*TUNING, "train", "train_tuned", "sweep")
KEPT = (*TUNING, "fetch")
ON_GPU = (*TRAINING, "cost")

try:
    SUITE = open_suite(config, check=workflow.is_main_process)
    STAGES = suite_stages(SUITE)
    CORES = workflow.resource_settings.cores  # none where a cluster has them
    if workflow.is_main_process and CORES is not None and CORES < 1:
        raise DGRError("At least one step runs at a time: say `--cores 1` or more, or `--cores all`.")
    if workflow.is_main_process and any(STAGES[name].entries for name in TRAINING):
        logger.info(describe(SUITE))  # what it will cost, before it starts
except DGRError as error:
    raise WorkflowError(str(error)) from None
# Only where there is a GPU does a job take one of its slots; without one, runs train beside each other on the cores.
GPU = int(which("nvidia-smi") is not None)


# Stages are forks of one process that has imported what takes seconds; it ends with this one.
onstart:
    # On a cluster a job must not find it, where a node is this machine: its work would be done here, outside of the job.
    if workflow.local_exec:
        keep_warm()
        # To limit jobs a second, Snakemake looks for work once more each second for every job that has ended: by and by
        # that takes a core of its own. Here cores limit jobs.
        workflow.scheduler.job_rate_limiter = None


REPORTED = {
    ("table", ".csv"): ("report/table.rst", "Tables", {"table": "{name}"}),
    ("figure", ".png"): ("report/figure.rst", "Figures", {"figure": "{name}"}),
    ("audit", ".html"): ("report/audit.rst", "Audit", {"suite": "{key}"}),
    ("study_report", ".csv"): ("report/table.rst", "Tables", {"table": "{name}"}),
    ("study_report", ".png"): ("report/figure.rst", "Figures", {"figure": "{name}"}),
    ("study_claims", ".csv"): ("report/table.rst", "Tables", {"table": "claims"}),
}


report: "report/workflow.rst"


def tracked(path):
    """The file that stands for an output: a folder's manifest has the hash of everything in the folder."""
    return path if Path(path).suffix else f"{path}/manifest.json"


CHOSEN = [(stage, key) for stage in STAGES.values() for key in stage.entries]
OUTPUTS = [path for stage, key in CHOSEN for path in stage.fill(key, "outs")]
# About all suites; each is asked about by itself, since what lies before it is theirs.
ALONE = [STAGES[name].address("") for name in OVER_ALL if STAGES[name].entries]


def redo(addresses):
    """Lets Snakemake repeat stages as it does those that it was killed in, whatever their outputs look like."""
    outdated = [(stage, key) for stage, key in CHOSEN if stage.address(key) in addresses]
    paths = [IOFile(tracked(path)) for stage, key in outdated for path in stage.fill(key, "outs")]
    workflow.persistence.started(SimpleNamespace(output=paths))


@cache
def take_over():
    """Once, when Snakemake looks for what is to be done: earlier it does not know whether it will do it."""
    if workflow.is_main_process and workflow.executor_plugin:
        try:
            begin(SUITE, ALONE, workflow.dryrun, redo)
        except DGRError as error:
            logger.error(str(error))
            sys.exit(1)


def below(path, folder):
    return f"{path}/".startswith(f"{folder}/")


def inputs(stage, key):
    """Every file a stage reads. Of a folder, what other stages make in it and what else lies there, as DVC sees it."""
    take_over()
    for path in needs(stage, key):
        made = [output for output in OUTPUTS if below(output, path)]
        yield from map(tracked, made)
        if Path(path).is_dir() and made != [path]:
            files = (str(file) for file in Path(path).rglob("[!.]*.*") if "__pycache__" not in file.parts)
            yield from sorted(file for file in files if not any(below(file, output) for output in made))
        elif not made:
            yield path


def patterns(stage):
    """A stage's outputs with wildcards: ${key} → {key}, ${item.name} → {name}, ${item.run.suite} → {suite}."""
    templates = stage.templates("outs")
    paths = [tracked(re.sub(r"\$\{(?:\w+\.)*(\w+)\}", r"{\1}", template)) for template in templates]
    # What tuning chose is committed, and what was fetched may have come from a place that only its reader knows: DVC must
    # find both, to see whether they are still right.
    return [update(path) if stage.name in KEPT else shown(stage.name, path) for path in paths]


def shown(name, path):
    """Marks what `snakemake --report` shows, with its caption."""
    if (name, Path(path).suffix) not in REPORTED:
        return path
    caption, category, labels = REPORTED[name, Path(path).suffix]
    return report(path, caption=caption, category=category, labels=labels)


def log_of(stage):
    """A log with the wildcards of the stage's outputs: by key, or by suite and name."""
    wildcards = re.findall(r"{\w+}", patterns(stage)[0])
    return f"logs/{'/'.join([stage.name, *wildcards])}.log"


def one_of(values):
    """A wildcard constraint that matches these values and nothing else."""
    return "|".join(map(re.escape, values)) or "(?!)"


def limits(stage):
    """What a training may take, for clusters; here nobody asks. Of other stages the profile says it."""
    if stage.name not in TRAINING:
        return {}

    def runtime(wildcards):
        key = key_of(wildcards)
        return minutes(SUITE, stage.name, key, stage.entries[key])

    def mem_mb(wildcards, attempt):
        key = key_of(wildcards)
        return megabytes(stage.name, key, stage.entries[key], attempt)

    return {"runtime": runtime, "mem_mb": mem_mb}


# Always runs, and fails whenever dvc.lock and the files of this suite disagree. The plans are checked already; DVC is told.
# What is large of trained runs may be missing: it is made for measurements that are to be made, and for nothing else.
rule all:
    input:
        lambda w: take_over() or [tracked(path) for path in OUTPUTS if not below(path, TRAINED)],
    log:
        "logs/audit.log",
    params:
        folder=suite_folder(SUITE),
        alone=ALONE,
    shell:
        "python -m dgr.plan.warm dgr.plan.checkout.lock_check {params.folder} {params.alone} > {log} 2>&1"


# One rule a stage. Its wildcards are those of the stage's outputs in dvc.yaml.
for STAGE in STAGES.values():

    rule:
        name:
            STAGE.name
        input:
            lambda w, stage=STAGE: inputs(stage, key_of(w)),
        output:
            patterns(STAGE),
        log:
            log_of(STAGE),
        wildcard_constraints:
            key=one_of(STAGE.entries),
            name=one_of(entry["name"] for entry in STAGE.entries.values() if "name" in entry),
            suite=SUITE,
        # The longest chains start first.
        priority: int(STAGE.name in TUNING)
        # What is timed has the machine to itself. On a cluster the profile says so, and no number of cores is known.
        threads: lambda w, stage=STAGE: workflow.cores if stage.name == "cost" and workflow.local_exec else 1
        resources:
            **limits(STAGE),
            gpu_slots=GPU if STAGE.name in ON_GPU else 0,
        params:
            stage=lambda w, stage=STAGE: stage.address(key_of(w)),
            configuration=lambda w, stage=STAGE: stage.entries[key_of(w)],
        shell:
            "python -m dgr.plan.warm dvc --wait-for-lock repro --single-item {params.stage} > {log} 2>&1"
            + (" && touch {output}" if STAGE.name in KEPT else "")

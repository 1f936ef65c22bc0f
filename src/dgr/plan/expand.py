"""Expands each suite's YAML into the list of stages that both engines read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dgr.config.architectures import ArchitectureConfig, ResNetArchitecture
from dgr.config.datasets import DatasetConfig, DenseFolderConfig, UTKFaceConfig
from dgr.config.parsing import Strict, parse, read_yaml
from dgr.config.plan_file import Plan
from dgr.config.runs import (
    BaselineConfig,
    ControlConfig,
    CostConfig,
    DGRConfig,
    EmbeddingConfig,
    MethodConfig,
    ProbedRun,
    RegularizerConfig,
    RunConfig,
    SweepConfig,
    TuningConfig,
    TuningRule,
)
from dgr.config.sources import read_source
from dgr.core.errors import DGRError, nearest
from dgr.core.paths import PLAN, SUITES
from dgr.methods.registry import build_method
from dgr.plan.suite_files import Common, CostFile, StudyFile, SuiteFile, SweepFile, TableFile

AnyFile = TableFile | SweepFile | CostFile
DEFAULT_SUITE = "mini"
"""Its plan stands at the top, so that plain ``snakemake`` and ``dvc repro`` make this suite and no other."""
STAGES = (
    "sources",
    "datasets",
    "fetched_datasets",
    "tuning",
    "runs",
    "tuned_runs",
    "probes",
    "baselines",
    "embeddings",
    "sweeps",
    "costs",
    "suites",
    "tables",
    "figures",
    "audits",
    "studies",
    "study_reports",
    "study_audits",
)


def make_plans(configs: Path) -> dict[Path, Plan]:
    """All stages of each suite, by stage and key, and the file that they belong into.

    Args:
        configs: the folder ``paper_configs``: ``datasets.yaml``, ``sources.yaml`` and the YAML files in each suite's
            folder.

    Raises:
        DGRError: a file is wrong, two files describe the same stage differently, or two suites share a data set.
    """
    owners: dict[str, str] = {}
    plans = {}
    for folder in sorted(path for path in configs.iterdir() if path.is_dir()):
        suite = folder.name
        place = Path() if suite == DEFAULT_SUITE else SUITES / suite
        plan = _suite_plan(suite, configs)
        plan["paths"] = {"root": "/".join(".." for _ in place.parts) or ".", "plan": str(place / PLAN)}
        for name in plan["datasets"] | plan["fetched_datasets"] | plan["sources"]:
            if owners.setdefault(name, suite) != suite:
                raise DGRError(
                    f"{folder}: '{name}' is made by suite '{owners[name]}' too, and only one suite's stages can make "
                    "it; give it a second name."
                )
        plans[place / PLAN] = plan
    return plans


def _suite_plan(suite: str, configs: Path) -> Plan:
    plan: Plan = {stage: {} for stage in STAGES}
    for path in sorted((configs / suite).glob("*.yaml")):
        file = parse(SuiteFile, read_yaml(path), str(path)).root
        if file.suite != suite:
            raise DGRError(f"{path}: it says suite '{file.suite}', but lies in the folder of '{suite}'; move it.")
        for stage, key, data in _study(file) if isinstance(file, StudyFile) else _of_file(file, configs, path):
            if plan[stage].setdefault(key, data) != data:
                raise DGRError(f"{path}: {key} is described differently in another file of its suite; make them equal.")
    return plan


def dump(plan: Plan) -> str:
    """The text of the generated file."""
    return json.dumps(plan, indent=1, ensure_ascii=False) + "\n"


def _study(file: StudyFile) -> Iterator[tuple[str, str, Any]]:
    key = f"{file.suite}-{file.name}"
    yield "studies", key, file.entry().model_dump(mode="json")
    yield "study_reports", key, file.report().model_dump(mode="json")
    yield "study_audits", file.suite, {}


def _of_file(file: AnyFile, configs: Path, path: Path) -> Iterator[tuple[str, str, Any]]:
    file = _with_weights(file, configs)
    yield from _data(file.dataset, configs)
    yield from _weights(file.architecture, configs)
    yield "suites", file.suite, {}
    yield from _reports(file)
    yield from _stages(file, path)


def _data(name: str, configs: Path) -> Iterator[tuple[str, str, Any]]:
    """The stages that make a data set: one, or two where it is fetched."""
    known = read_yaml(configs / "datasets.yaml")
    if name not in known:
        raise DGRError(f"{configs / 'datasets.yaml'} has no data set '{name}'{nearest(name, known)}.")
    config = parse(DatasetConfig, known[name], f"{configs / 'datasets.yaml'}: {name}").root
    fetched = isinstance(config, UTKFaceConfig | DenseFolderConfig)
    yield "fetched_datasets" if fetched else "datasets", name, config.model_dump(mode="json")
    if isinstance(config, UTKFaceConfig | DenseFolderConfig):
        yield "sources", config.source, read_source(configs, config.source).model_dump(mode="json")


def _with_weights(file: AnyFile, configs: Path) -> AnyFile:
    """The file with the hash of pretrained weights: a training depends on them, not on where they lie."""
    architecture = file.architecture
    if not isinstance(architecture, ResNetArchitecture) or not architecture.pretrained:
        return file
    digest = read_source(configs, f"{architecture.name}_imagenet").sha256
    return file.model_copy(update={"architecture": architecture.model_copy(update={"weights": digest})})


def _weights(architecture: ArchitectureConfig, configs: Path) -> Iterator[tuple[str, str, Any]]:
    """The source of the weights that a pretrained architecture starts from."""
    if isinstance(architecture, ResNetArchitecture) and architecture.pretrained:
        name = f"{architecture.name}_imagenet"
        yield "sources", name, read_source(configs, name).model_dump(mode="json")


def _reports(file: Common) -> Iterator[tuple[str, str, Any]]:
    about = {"dataset": file.dataset, "architecture": file.architecture.name}
    for stage, names in (("tables", file.tables), ("figures", file.figures)):
        for name in names:
            yield stage, f"{file.suite}-{name}", {"suite": file.suite, "name": name, **about}
    if file.audit:
        yield "audits", file.suite, {}


def _stages(file: AnyFile, path: Path) -> Iterator[tuple[str, str, Any]]:
    """Stage, key and entry of all that a file trains and measures."""
    for stage, key, config in _configurations(file, path):
        yield stage, key, config.model_dump(mode="json")


def _configurations(file: AnyFile, path: Path) -> Iterator[tuple[str, str, Strict]]:
    key = f"{file.suite}-{file.dataset}-{file.architecture.name}"
    if isinstance(file, TableFile):
        for run, tuning in _runs(file, path):
            yield "tuned_runs" if tuning else "runs", run.key, run
            if tuning:
                yield "tuning", run.key, tuning
            if file.probes:
                shared = run.model_dump(include={"suite", "dataset", "architecture", "seeds"})
                yield "probes", run.key, ProbedRun(**file.probes.model_dump(), **shared)
        place = {"suite": file.suite, "dataset": file.dataset}
        if file.probes:
            yield (
                "baselines",
                f"{file.suite}-{file.dataset}",
                BaselineConfig.model_validate(file.probes.model_dump() | place),
            )
        if file.embedding:
            method = f"{key}-{file.embedding.method}"
            shown = place | {"plain": f"{method}-none", "regularized": f"{method}-dgr"}
            settings = file.embedding.model_dump(exclude={"method"})
            yield "embeddings", file.suite, EmbeddingConfig.model_validate(settings | shown)
    elif isinstance(file, SweepFile):
        for name, block in file.sweeps.items():
            run = _run(file, file.method, block.use, file.seeds)
            sweep = SweepConfig(suite=file.suite, name=name, run=run, vary=block.vary)
            sweep.points()
            yield "sweeps", f"{key}-{name}", sweep
    else:
        shared = file.model_dump(exclude={"kind", "tables", "figures", "audit"})
        yield "costs", key, CostConfig(**shared)


def _run(file: Common, method: MethodConfig, regularizer: RegularizerConfig, seeds: list[int]) -> RunConfig:
    build_method(method.name, 2, **method.options)
    return RunConfig(
        suite=file.suite,
        dataset=file.dataset,
        architecture=file.architecture,
        method=method,
        regularizer=regularizer,
        seeds=seeds,
        training=file.training,
    )


def _runs(file: TableFile, path: Path) -> Iterator[tuple[RunConfig, TuningConfig | None]]:
    names = [method.name for method in file.methods]
    for block in file.regularizers:
        for unknown in set(block.methods or []) - set(names):
            raise DGRError(f"{path}: regularizer '{block.use.name}' names method '{unknown}'{nearest(unknown, names)}.")
        tuned = isinstance(block.use, DGRConfig | ControlConfig) and block.use.strength == "tuned"
        if tuned != (block.tuning is not None):
            raise DGRError(
                f"{path}: regularizer '{block.use.name}' must have a tuning block exactly when its strength is 'tuned'."
            )
        for method in file.methods:
            if block.methods is None or method.name in block.methods:
                run = _run(file, method, block.use, file.seeds)
                tuning = _tuning(block.tuning, run, path) if block.tuning else None
                if file.snapshots and method.name in file.snapshots.methods:
                    training = run.training.model_copy(update={"snapshot_epochs": file.snapshots.epochs})
                    run = run.model_copy(update={"training": training})
                yield run, tuning


def _tuning(rule: TuningRule, run: RunConfig, path: Path) -> TuningConfig:
    if shared := set(rule.seeds) & set(run.seeds):
        raise DGRError(f"{path}: seeds {sorted(shared)} are used for tuning and for reporting; keep them apart.")
    # The reported seeds are no part of the tuning stage: adding one must not repeat the tuning.
    return TuningConfig(**rule.model_dump(), run=run.model_copy(update={"seeds": rule.seeds}))

"""Expands each suite's YAML into the list of stages that both engines read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dgr.config.datasets import DatasetConfig, FetchedDataset, LocalDataset
from dgr.config.parsing import Strict, parse
from dgr.config.plan_file import Plan
from dgr.config.regularizers import Regularizer
from dgr.config.runs import BaselineConfig, EmbeddingConfig, MethodConfig
from dgr.config.sources import read_source, read_sources
from dgr.core.errors import DGRError, nearest
from dgr.core.paths import CODE, CONFIGS, HASHES, PLAN, SHARED, suite_folder
from dgr.datasets.registry import STAGES_OF_DATA, read_datasets
from dgr.measurements.configuration import CostConfig, ProbedRun
from dgr.plan.keys_once import check_keys
from dgr.plan.narrowing import narrowed
from dgr.plan.specifications import check_alone, stages_of_specifications
from dgr.plan.suite_files import Common, CostFile, SpecificationFile, SweepFile, TableFile, read_file
from dgr.plan.suites import Suite, find_suites, names_its_file
from dgr.plan.tuning import check_tuning, tuning_of
from dgr.training.configuration import RunConfig, SweepConfig, TuningConfig

if TYPE_CHECKING:
    from dgr.plan.suite_files import AnyFile

TrainedFile = TableFile | SweepFile | CostFile | SpecificationFile
PLAN_SECTIONS = (
    "suites",
    "tuning",
    "matching",
    "runs",
    "tuned_runs",
    "probes",
    "baselines",
    "embeddings",
    "sweeps",
    "specifications",
    "costs",
    "records",
    "tables",
    "figures",
    "audits",
    "studies",
    "real_studies",
    "study_reports",
    "study_claims",
)


def make_plans(configs: Path, suites: list[Suite] | None = None) -> dict[Path, Plan]:
    """The plans of suites and of what they share, by the file that each belongs into.

    Args:
        configs: the folder ``paper_configs``: ``datasets.yaml``, ``sources.yaml`` and the YAML files in each suite's
            folder.
        suites: all that are configured, unless told.

    Raises:
        DGRError: a file is wrong, or gives a key twice, or two files of a suite describe the same stage differently.
    """
    check_keys(configs)
    wanted = find_suites(configs) if suites is None else suites
    with names_its_file(configs / "datasets.yaml"):
        datasets = read_datasets(configs)
    plans = {suite_folder(suite.name) / PLAN: suite_plan(suite, configs, datasets) for suite in wanted}
    return plans | {SHARED / PLAN: shared_plan(configs, datasets)}


def suite_plan(suite: Suite, configs: Path, datasets: Mapping[str, DatasetConfig]) -> Plan:
    """All stages of a suite, by stage and key.

    Raises:
        DGRError: as :func:`make_plans`.
    """
    plan: Plan = {"paths": _paths(suite_folder(suite.name)), **{stage: {} for stage in PLAN_SECTIONS}}
    plan["paths"] |= {"suite": suite.name, "configs": str(CONFIGS / suite.of)}
    plan["suites"][suite.name] = {}
    for path in sorted((configs / suite.of).glob("*.yaml")):
        with names_its_file(path):
            file = read_file(path)
            if file.suite != suite.of:
                raise DGRError(f"it says suite '{file.suite}', but lies in the folder of '{suite.of}'; move it.")
            stages = list(_of_file(narrowed(file, suite), configs, path, datasets))
        for stage, key, data in stages:
            if plan[stage].setdefault(key, data) != data:
                raise DGRError(f"{path}: {key} is described differently in another file of its suite; make them equal.")
    _keep_representations(plan)
    check_alone(plan, configs / suite.of)
    if suite.seeds:  # what is only looked at quickly has no page, and no place in the index of all suites
        plan["audits"], plan["study_claims"] = {}, {}
    elif plan["audits"] and not (plan["study_reports"] or (plan["tables"] and plan["figures"])):
        raise DGRError(
            f"{configs / suite.of}: its page needs a table and a figure at least; name them in one of its files, such "
            "as `tables: [T1]` and `figures: [F5]`."
        )
    return plan


def _keep_representations(plan: Plan) -> None:
    """Mark the runs whose representations a measurement reads; another file of the suite may describe the run."""
    shown = [run for entry in plan["embeddings"].values() for run in (entry["plain"], entry["regularized"])]
    for key in (*plan["probes"], *shown):
        for runs in (plan["runs"], plan["tuned_runs"]):
            if key in runs:
                runs[key]["keeps_representations"] = True


def shared_plan(configs: Path, datasets: Mapping[str, DatasetConfig]) -> Plan:
    """The stages that make data sets, whatever suite uses them: all that are described.

    Raises:
        DGRError: a data set or a source is described wrongly.
    """
    plan: Plan = {"paths": _paths(SHARED), **{stage: {} for stage in ("sources", *STAGES_OF_DATA)}}
    made, fetched, local = STAGES_OF_DATA
    for name, source in read_sources(configs).items():
        plan["sources"][name] = source.model_dump(mode="json")
    for name, config in datasets.items():
        if isinstance(config, FetchedDataset):
            read_source(configs, config.source)
        stage = fetched if isinstance(config, FetchedDataset) else local if isinstance(config, LocalDataset) else made
        plan[stage][name] = config.model_dump(mode="json")
    return plan


def dump(plan: Mapping[str, Any]) -> str:
    """The text of a generated file."""
    return json.dumps(plan, indent=1, ensure_ascii=False) + "\n"


def _paths(folder: Path) -> dict[str, str]:
    """From a folder to the top, and what stages read from there."""
    files = {"plan": folder / PLAN, "hashes": folder / HASHES, "code": CODE}
    return {"root": "/".join(".." for _ in folder.parts) or "."} | {name: str(path) for name, path in files.items()}


def _of_file(
    file: AnyFile, configs: Path, path: Path, datasets: Mapping[str, DatasetConfig]
) -> Iterator[tuple[str, str, Any]]:
    if file.kind == "study" or file.kind == "real_study":
        if file.kind == "real_study":
            read_source(configs, file.study.source)
        yield from file.stages()
        return
    if file.dataset not in datasets:
        told = f"{path}: {configs / 'datasets.yaml'} has no data set '{file.dataset}'"
        raise DGRError(f"{told}{nearest(file.dataset, datasets)}")
    yield from _reports(file)
    yield from _stages(_with_weights(file, configs), path, datasets[file.dataset].kind)


def _with_weights(file: TrainedFile, configs: Path) -> TrainedFile:
    """The file with the hash of pretrained weights: a training depends on them, not on where they lie."""
    architecture = file.architecture
    if architecture.weights_source is None:
        return file
    digest = read_source(configs, architecture.weights_source).sha256
    return file.model_copy(update={"architecture": architecture.model_copy(update={"weights": digest})})


def _reports(file: Common) -> Iterator[tuple[str, str, Any]]:
    about = {"dataset": file.dataset, "architecture": file.architecture.name}
    if isinstance(file, TableFile) and file.remark:
        about["remark"] = file.remark
    if isinstance(file, SpecificationFile):  # whose reports are about all data sets and widths together
        about = {}
    for stage, names in (("tables", file.tables), ("figures", file.figures)):
        for name in names:
            yield stage, f"{file.suite}-{name}", {"suite": file.suite, "name": name, **about}
    yield "records", file.suite, {}
    yield "audits", file.suite, {}


def _stages(file: TrainedFile, path: Path, kind: str) -> Iterator[tuple[str, str, Any]]:
    """Stage, key and entry of all that a file trains and measures."""
    for stage, key, config in _configurations(file, path, kind):
        yield stage, key, config.model_dump(mode="json")


def _configurations(file: TrainedFile, path: Path, kind: str) -> Iterator[tuple[str, str, Strict]]:
    key = f"{file.suite}-{file.dataset}-{file.architecture.name}"
    if isinstance(file, TableFile):
        for run, tuning in _runs(file, path):
            yield "tuned_runs" if tuning else "runs", run.key, run
            if tuning:
                yield "matching" if tuning.matched else "tuning", run.key, tuning
            if file.probes and (file.probed is None or run.regularizer.name in file.probed):
                shared = run.model_dump(include={"suite", "dataset", "architecture", "seeds"})
                yield (
                    "probes",
                    run.key,
                    parse(ProbedRun, {**file.probes.model_dump(), **shared, "kind": kind}, "probes"),
                )
        place = {"suite": file.suite, "dataset": file.dataset}
        if file.probes:
            yield (
                "baselines",
                f"{file.suite}-{file.dataset}",
                parse(BaselineConfig, file.probes.model_dump() | place | {"kind": kind}, "probes"),
            )
        if file.embedding:
            method = f"{key}-{file.embedding.method}"
            shown = place | {"plain": f"{method}-none", "regularized": f"{method}-dgr"}
            settings = file.embedding.model_dump(exclude={"method"})
            yield "embeddings", file.suite, parse(EmbeddingConfig, settings | shown, "embedding")
    elif isinstance(file, SpecificationFile):
        yield from stages_of_specifications(file)
    elif isinstance(file, SweepFile):
        for name, block in file.sweeps.items():
            run = _run(file, file.method, block.use, file.seeds)
            sweep = SweepConfig(suite=file.suite, name=name, run=run, vary=block.vary)
            sweep.points()
            yield "sweeps", f"{key}-{name}", sweep
    else:
        shared = file.model_dump(exclude={"kind", "tables", "figures"})
        yield "costs", key, parse(CostConfig, shared, str(path))


def _run(file: Common, method: MethodConfig, regularizer: Regularizer, seeds: list[int]) -> RunConfig:
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
    check_tuning(file, path)
    for block in file.regularizers:
        for method in file.methods:
            if block.methods is None or method.name in block.methods:
                run = _run(file, method, block.use, file.seeds)
                tuning = tuning_of(block.tuning, run) if block.tuning else None
                if file.snapshots and file.snapshots.are_kept_of(run.method.name, run.regularizer.name):
                    training = run.training.model_copy(update={"snapshot_epochs": file.snapshots.epochs})
                    run = run.model_copy(update={"training": training})
                yield run, tuning

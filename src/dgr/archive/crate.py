"""``ro-crate-metadata.json``: an archive of runs described as an RO-Crate 1.1, for those who find it without us."""

from __future__ import annotations

import datetime
import json
import mimetypes
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rocrate.model import ContextEntity
from rocrate.rocrate import ROCrate

from dgr.archive.citation import Citation, CitedWork, read_citation
from dgr.archive.exhibits import shown_files
from dgr.archive.manifest import MANIFEST_NAME
from dgr.archive.outputs import KeptOutput
from dgr.config.datasets import DatasetConfig, FetchedDataset
from dgr.config.sources import read_sources
from dgr.core.errors import DGRError
from dgr.core.files import sha256
from dgr.core.paths import CONFIGS, DATA, RESULTS, RUNS, TRAINED, suite_folder
from dgr.datasets.registry import read_datasets
from dgr.plan.graph import suite_stages
from dgr.plan.locks import LOCK_NAME

CRATE_NAME = "ro-crate-metadata.json"
LICENCE = "https://spdx.org/licenses/"
PACKAGE_FOLDER = "src/dgr/"
TEXTS = {
    MANIFEST_NAME: "SHA-256 and size of every file of this archive; which stage made which output, with DVC's hash",
    "requirements.lock": "The environment: every package with its version",
    "requirements.hashes": "The same with the SHA-256 of each package's files, but for torch and torchvision",
    "CITATION.cff": "How to cite the software and the papers it is about",
    "LICENSE": "The licence's text",
    "README.md": "What the project is and how it is run",
}


def crate_text(suites: list[str], outputs: list[KeptOutput], names: Iterable[str], date: str | None) -> str:
    """The file's text; the same for the same files.

    Args:
        suites: that the archive holds.
        outputs: of their stages that it holds.
        names: of all its files, from the repository's top folder.
        date: of publication; unless told, when git last saw the suites' locks change.

    Raises:
        DGRError: git does not know that date, it is none, or a described file is missing or damaged.
    """
    citation = read_citation()
    crate: Any = ROCrate(version="1.1")
    crate.metadata.extra_terms["sha256"] = "https://schema.org/sha256"
    crate.name = f"Runs of {citation.title}"
    crate.description = (
        f"Records of all runs of the suites {', '.join(suites)}, the tables and figures made of them, and the code, "
        f"configuration and environment that made them. `dgr restore` puts the runs back into a clone."
    )
    crate.datePublished = _date(suites, date)
    licence = _add(crate, f"{LICENCE}{citation.license}", "CreativeWork", name=citation.license)
    group = _add(crate, "#authors", "Organization", name=", ".join(author.shown for author in citation.authors))
    crate.license = licence
    crate.root_dataset["author"] = group
    crate.root_dataset["citation"] = [_paper(crate, work) for work in citation.references]
    known = set(names)
    for name, text in TEXTS.items():
        if name in known:
            _file(crate, name, text)
    _code(crate, citation, licence, group)
    _data(crate, suites, outputs)
    for suite in suites:
        _suite(crate, suite, outputs)
    return json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False) + "\n"


def _date(suites: list[str], given: str | None) -> str:
    date = given
    if date is None:
        locks = [str(suite_folder(suite) / LOCK_NAME) for suite in suites]
        command = ("git", "log", "-1", "--format=%cs", "--", *locks)
        try:
            date = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            date = ""
    try:
        return datetime.date.fromisoformat(date).isoformat()
    except ValueError as error:
        problem = f"'{given}' is no date" if given else f"git does not know when {LOCK_NAME} was committed"
        raise DGRError(f"{problem}; give the day of publication as `--date YYYY-MM-DD`.") from error


def _add(crate: Any, identity: str, kind: str, **properties: Any) -> Any:
    return crate.add(ContextEntity(crate, identity, properties={"@type": kind, **properties}))


def _file(crate: Any, name: str, text: str) -> Any:
    """A file with its description; size and hash of all but the manifest, which is written last."""
    facts: dict[str, Any] = {"name": Path(name).name, "description": text}
    if guessed := mimetypes.guess_type(name)[0]:
        facts["encodingFormat"] = guessed
    if (path := Path(name)).is_file():
        facts |= {"contentSize": str(path.stat().st_size), "sha256": sha256(path)}
    return crate.add_file(dest_path=name, properties=facts)


def _paper(crate: Any, work: CitedWork) -> Any:
    name = work.address or f"#{work.title.split()[0].lower()}-{work.year}"
    authors = ", ".join(author.shown for author in work.authors)
    facts = {"name": work.title, "datePublished": str(work.year), "creditText": authors}
    return _add(crate, name, "ScholarlyArticle", **facts, **({"description": work.notes} if work.notes else {}))


def _code(crate: Any, citation: Citation, licence: Any, group: Any) -> None:
    python = _add(crate, "https://www.python.org/", "ComputerLanguage", name="Python", version=_python())
    facts = {
        "@type": ["Dataset", "SoftwareSourceCode"],
        "name": citation.title,
        "version": citation.version,
        "programmingLanguage": {"@id": python.id},
        "license": {"@id": licence.id},
        "author": {"@id": group.id},
        "softwareRequirements": {"@id": "requirements.lock"},
    }
    crate.add_dataset(dest_path=PACKAGE_FOLDER, properties=facts)


def _python() -> str:
    return ".".join(map(str, sys.version_info[:2]))


def _data(crate: Any, suites: list[str], outputs: list[KeptOutput]) -> None:
    """Data sets of the suites: those that are in the archive, and by their source those that may not be."""
    sources, known = read_sources(CONFIGS), read_datasets(CONFIGS)
    packed = {Path(output.path).name for output in outputs if Path(output.path).is_relative_to(DATA)}
    used = {
        key
        for suite in suites
        for name, stage in suite_stages(suite).items()
        if name.startswith("prepare")
        for key in stage.entries
    }
    for name in sorted(used):
        config = known[name]
        facts: dict[str, Any] = {"name": name, "description": _kind(config)}
        if isinstance(config, FetchedDataset):
            source = sources[config.source]
            origin = _add(crate, f"#{config.source}", "Dataset", name=source.title, description=source.instructions)
            facts["isBasedOn"] = {"@id": origin.id}
        if name in packed:
            crate.add_dataset(dest_path=f"{DATA / name}/", properties=facts)
        else:
            _add(crate, f"#data-{name}", "Dataset", **facts)


def _kind(config: DatasetConfig) -> str:
    """What the file of its kind says of itself."""
    return (sys.modules[type(config).__module__].__doc__ or "").split("\n")[0]


def _suite(crate: Any, suite: str, outputs: list[KeptOutput]) -> None:
    for folder, text in ((RUNS, "Records of every run and measurement"), (TRAINED, "Weights and representations")):
        place = folder / suite
        count = sum(Path(output.path).is_relative_to(place) for output in outputs)
        if count:
            told = {"name": str(place), "description": f"{text} of the suite {suite}: {count} outputs of stages"}
            crate.add_dataset(dest_path=f"{place}/", properties=told)
    lock = suite_folder(suite) / LOCK_NAME
    shown = [_file(crate, file.path.as_posix(), f"{file.name}: {file.text}") for file in shown_files(suite)]
    if lock.is_file():
        shown.append(_file(crate, lock.as_posix(), f"What each stage of the suite {suite} read and made, with hashes"))
    facts: dict[str, Any] = {
        "name": f"Suite {suite}",
        "description": "Numbers, tables and the page that ties each number to its run",
        "hasPart": [{"@id": file.id} for file in shown],
    }
    if (RESULTS / suite).is_dir():
        crate.add_dataset(dest_path=f"{RESULTS / suite}/", properties=facts)

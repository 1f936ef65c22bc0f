"""An archive and the repository described to strangers: the RO-Crate and codecheck.yml keep to their specifications."""

import json
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from committed_support import committed
from packed_project import FETCHED, RUN, SUITE, make_packed_project
from rocrate.rocrate import ROCrate

from dgr.archive.citation import read_citation
from dgr.archive.codecheck import codecheck_text
from dgr.archive.crate import CRATE_NAME
from dgr.archive.manifest import MANIFEST_NAME
from dgr.archive.packing import pack
from dgr.core.errors import DGRError

CONTEXT, PROFILE = "https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/crate/1.1"


@pytest.fixture
def unpacked(tmp_path, monkeypatch):
    """An archive of the made-up suite, with weights, unpacked."""
    make_packed_project(tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    pack([SUITE], tmp_path / "runs.tar.gz", True, "2026-01-31")
    (tmp_path / "unpacked").mkdir()
    subprocess.run(("tar", "-xzf", tmp_path / "runs.tar.gz", "-C", tmp_path / "unpacked"), check=True)
    return tmp_path / "unpacked"


def entities(folder):
    crate = json.loads((folder / CRATE_NAME).read_text(encoding="utf-8"))
    assert CONTEXT in crate["@context"]
    found = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(found) == len(crate["@graph"]), "the specification allows no identifier twice"
    return found


def referred(value):
    """All that a property refers to, within lists too."""
    if isinstance(value, dict):
        yield value["@id"]
    elif isinstance(value, list):
        for item in value:
            yield from referred(item)


def test_the_crate_has_what_the_specification_demands(unpacked):
    found = entities(unpacked)
    descriptor, root = found[CRATE_NAME], found["./"]
    assert (descriptor["@type"], descriptor["about"]) == ("CreativeWork", {"@id": "./"})
    assert descriptor["conformsTo"] == {"@id": PROFILE}
    assert root["@type"] == "Dataset"
    assert root["datePublished"] == "2026-01-31"
    assert root["name"]
    assert root["description"]
    assert found[root["license"]["@id"]]["name"] == "MIT"
    assert found[root["author"]["@id"]]["name"] == "The dgr replication authors"
    for identity, entity in found.items():
        assert entity["@type"], identity
        assert set(referred([value for name, value in entity.items() if name != "conformsTo"])) <= set(found), identity


def test_every_described_file_is_there_and_is_that(unpacked):
    found = entities(unpacked)
    parts = {part["@id"] for part in found["./"]["hasPart"]}
    data = {
        identity
        for identity, entity in found.items()
        if not identity.startswith(("#", "./", "http")) and identity != CRATE_NAME and entity["@type"] != "CreativeWork"
    }
    assert parts == data
    manifest = json.loads((unpacked / MANIFEST_NAME).read_text())["files"]
    for identity in sorted(data):
        path = unpacked / unquote(identity)
        assert path.is_dir() if identity.endswith("/") else path.is_file(), identity
        if path.is_file() and identity != MANIFEST_NAME:
            entity, packed = found[identity], manifest[unquote(identity)]
            assert (entity["sha256"], entity["contentSize"]) == (packed["sha256"], str(packed["size"]))


def test_the_crate_tells_of_code_environment_papers_suites_and_data(unpacked):
    found = entities(unpacked)
    assert "SoftwareSourceCode" in found["src/dgr/"]["@type"]
    assert found["src/dgr/"]["softwareRequirements"] == {"@id": "requirements.lock"}
    assert {entity["@id"] for entity in found["./"]["citation"]} >= {"https://doi.org/10.1007/978-3-031-72989-8_14"}
    assert found[f"results/{SUITE}/tables/T1.csv"]["description"] == "T1: A table"
    assert {"@id": f"results/{SUITE}/tables/T1.csv"} in found[f"results/{SUITE}/"]["hasPart"]
    assert {f"runs/{SUITE}/", f"trained/{SUITE}/", f"suites/{SUITE}/dvc.lock", "data/digits/"} <= set(found)
    # Faces that may not be handed on: where they come from, and on what terms.
    faces = found[f"#data-{FETCHED}"]
    assert "UTKFace" in faces["description"]
    assert "non-commercial research only" in found[faces["isBasedOn"]["@id"]]["description"]


def test_the_library_reads_the_crate(unpacked):
    crate = ROCrate(unpacked)
    assert crate.name.startswith("Runs of dgr")
    assert crate.get(f"runs/{SUITE}/").type == "Dataset"
    assert RUN


def test_codecheck_is_current_and_keeps_to_its_specification(monkeypatch):
    monkeypatch.chdir(committed())
    text = Path("codecheck.yml").read_text(encoding="utf-8")
    assert text == codecheck_text(), "run `python -m dgr codecheck`"
    assert text.startswith("%YAML 1.1\n")
    assert "\n---\n" in text
    content = yaml.safe_load(text)
    assert content["version"] == "https://codecheck.org.uk/spec/config/1.0/"
    files = [entry["file"] for entry in content["manifest"]]
    assert len(files) == len(set(files)) > 20
    assert all(Path(file).is_file() and not Path(file).is_absolute() and ".." not in file for file in files)
    assert all(entry["comment"] for entry in content["manifest"])
    assert {"results/mini/tables/T1.csv", "figures/mini/F5.png", "results/studies/tables/S1.csv"} <= set(files)
    assert not [file for file in files if "utkface" in file]
    assert content["paper"]["title"] == read_citation().title
    assert [author["name"] for author in content["paper"]["authors"]] == ["The dgr replication authors"]
    assert "10.1007/978-3-031-72989-8_14" in content["paper"]["reference"]


def test_a_damaged_table_is_named(unpacked):
    Path(f"results/{SUITE}/tables/T1.json").write_text("{}")
    with pytest.raises(DGRError, match=r"tables/T1.json holds no table; make it again with `make reproduce`"):
        pack([SUITE], Path("again.tar.gz"), False, "2026-01-31")

"""What is found by its file name: listed and read without an import, imported when it is asked for."""

import sys

import pytest

from dgr.core.errors import DGRError
from dgr.core.registry import Listing, Registry


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "made_up_entries"
    (folder / "shared").mkdir(parents=True)
    for name in ("__init__", "_helper", "registry", "shared/__init__"):
        (folder / f"{name}.py").touch()
    (folder / "first.py").write_text('LABEL = "First"\nSIZES: tuple[int, ...] = (1, 2)\nTWICE = 2 * len(LABEL)\n')
    (folder / "broken.py").write_text('import no_such_package\nLABEL = "Broken"\n')
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == folder.name]:
        del sys.modules[name]


def test_entries_are_the_modules_of_the_folder(package):
    for entries in (Listing(package.name, "entry"), Registry(package.name, "entry")):
        assert list(entries) == ["broken", "first"]
        assert len(entries) == 2
        assert "first" in entries
        assert "shared" not in entries


def test_what_an_entry_declares_is_read_without_importing_it(package):
    listing = Listing(package.name, "entry")
    assert listing.declared("broken", "LABEL") == "Broken"
    assert listing.declared("first", "SIZES") == (1, 2)
    with pytest.raises(DGRError, match=r"first.py is no entry: it does not declare TWICE as a plain value"):
        listing.declared("first", "TWICE")
    assert package.name not in sys.modules


def test_an_entry_is_imported_when_it_is_asked_for(package):
    registry = Registry(package.name, "entry", ("LABEL",))
    assert registry["first"].TWICE == 10
    assert f"{package.name}.broken" not in sys.modules
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        registry["broken"]
    with pytest.raises(DGRError, match=r"first.py is no entry: it does not define COLOUR"):
        Registry(package.name, "entry", ("COLOUR",))["first"]


def test_an_unknown_entry_is_no_member_and_names_the_nearest_when_asked_for(package):
    registry = Registry(package.name, "entry")
    assert "frist" not in registry
    for ask in (registry.check, registry.__getitem__, lambda name: registry.declared(name, "LABEL")):
        with pytest.raises(DGRError, match="Unknown entry 'frist'; did you mean 'first'"):
            ask("frist")


def test_a_file_and_a_folder_of_one_name_are_refused(package):
    (package / "first").mkdir()
    (package / "first" / "__init__.py").touch()
    with pytest.raises(DGRError, match="both make entry 'first'; rename one"):
        list(Registry(package.name, "entry"))


def test_entries_are_listed_by_the_order_that_they_declare(package):
    (package / "broken.py").unlink()
    for name, order in (("ant", 2), ("bee", 0.5), ("cat", 2)):
        (package / f"{name}.py").write_text(f"ORDER = {order}\n")
    listing = Listing(package.name, "entry")
    with pytest.raises(DGRError, match=r"first.py is no entry: it does not declare ORDER"):
        listing.in_order()
    (package / "first.py").unlink()
    assert listing.in_order() == ["bee", "ant", "cat"]

"""What can be added by adding a file: the modules of a folder, each an entry under its file's name."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache, cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from typing_extensions import override

from dgr.core.errors import DGRError, nearest
from dgr.core.extras import needed

_REQUIRED = object()


class Listing:
    """The names of a package's modules, and what their files declare; nothing is imported.

    What reports need of entries: they write a method's name without torch and without a solver. Whoever only lists
    depends on the entries' files, and not on what those import.

    Args:
        package: dotted name of the package; each of its modules is an entry, apart from ``registry`` and names that
            begin with an underscore. Sub-packages are no entries.
        what: what an entry is called in messages, such as ``"method"``.
    """

    def __init__(self, package: str, what: str) -> None:
        self.package, self.what = package, what

    @cached_property
    def folder(self) -> Path:
        """Where the entries' files are."""
        spec = find_spec(self.package)
        assert spec is not None, f"{self.package} is part of this package"
        assert spec.submodule_search_locations, f"{self.package} is a package"
        return Path(spec.submodule_search_locations[0])

    def __iter__(self) -> Iterator[str]:
        return (path.stem for path in sorted(self.folder.glob("*.py")) if path.stem in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str) or name.startswith("_") or name == "registry" or not self.file(name).is_file():
            return False
        if (self.folder / name / "__init__.py").exists():
            raise DGRError(
                f"{self.file(name)} and the folder {self.folder / name} both make {self.what} '{name}'; rename one."
            )
        return True

    def in_order(self) -> list[str]:
        """The names as readers meet them: by the number ``ORDER`` that each file declares.

        Raises:
            DGRError: a file declares none.
        """
        return sorted(self, key=lambda name: (self.declared(name, "ORDER"), name))

    def check(self, name: str) -> None:
        """Refuse a name that is no entry.

        Raises:
            DGRError: naming the nearest entry.
        """
        if name not in self:
            raise DGRError(f"Unknown {self.what} '{name}'{nearest(name, self)}.")

    def file(self, name: str) -> Path:
        """The entry's file."""
        return self.folder / f"{name}.py"

    def declared(self, name: str, constant: str, default: Any = _REQUIRED) -> Any:
        """The literal that an entry assigns to a constant, read without importing the entry.

        Args:
            name: the entry's name.
            constant: the constant's name.
            default: what stands for it where an entry need not declare it.

        Raises:
            DGRError: there is no such entry, or it declares no such literal and would have to.
        """
        self.check(name)
        found = _literals(self.file(name)).get(constant, default)
        if found is _REQUIRED:
            raise DGRError(f"{self.file(name)} is no {self.what}: it does not declare {constant} as a plain value.")
        return found

    def by_names(self) -> dict[str, str]:
        """The entry behind each of the ``NAMES`` that entries declare, where what they make has names of its own.

        Raises:
            DGRError: an entry declares no such tuple, or two declare one name.
        """
        found: dict[str, str] = {}
        for entry in self:
            names = self.declared(entry, "NAMES")
            if not isinstance(names, tuple):
                raise DGRError(f"{self.file(entry)}: NAMES must be a tuple of names, such as ('X9',).")
            for name in names:
                if found.setdefault(name, entry) != entry:
                    raise DGRError(
                        f"{self.file(found[name])} and {self.file(entry)} both make {self.what} {name}; rename it."
                    )
        return found


class Registry(Listing, Mapping[str, ModuleType]):
    """The modules of one package by name; each is imported when it is asked for, and no other.

    Args:
        package: as for :class:`Listing`.
        what: as there.
        provides: names that every entry must define, such as a class or a label.
    """

    def __init__(self, package: str, what: str, provides: tuple[str, ...] = ()) -> None:
        super().__init__(package, what)
        self.provides = provides

    @override
    def __getitem__(self, name: str) -> ModuleType:
        """The entry's module, imported.

        Raises:
            DGRError: there is no such entry, its file lacks something that every entry must define, or it needs a
                package of an extra that is not installed.
        """
        self.check(name)
        with needed(f"{self.what.capitalize()} '{name}'"):
            module = import_module(f"{self.package}.{name}")
        for wanted in self.provides:
            if not hasattr(module, wanted):
                raise DGRError(f"{self.file(name)} is no {self.what}: it does not define {wanted}.")
        return module

    def making(self, name: str) -> ModuleType:
        """The entry that makes what has a name of its own, imported.

        What stands behind a hyphen tells it apart from others of its kind, such as ``T2-split`` and ``T2-mtan``.

        Raises:
            DGRError: no entry makes it, or as for an entry itself.
        """
        makers, kind = self.by_names(), name.partition("-")[0]
        if kind not in makers:
            raise DGRError(f"There is no {self.what} '{name}'{nearest(name, makers)}")
        return self[makers[kind]]


@cache
def _literals(path: Path) -> dict[str, Any]:
    """Every constant that a module assigns a literal to, at its top level."""
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                continue
        with suppress(ValueError):  # what is computed is no literal
            found[name] = ast.literal_eval(value)
    return found

"""Which of the project's modules a stage's result depends on, read from the source without running it."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"


COMMANDS = ("dgr/cli.py", "dgr/plan/cli.py", "dgr/pages/cli.py")


def modules_of_command(command: str) -> set[str]:
    """Paths, relative to the repository, of all modules that a command of ``dgr.cli`` imports, directly or not.

    The command line itself is left out: it only passes names on. A package's ``__init__`` counts where a name is
    imported from it, not where it is only on the way to a module. ``Registry("dgr.methods", …)`` imports every entry
    of that package, sooner or later; ``Listing("dgr.methods", …)`` reads the entries' files, but not what they import.
    """
    trees = (ast.parse((SOURCE / path).read_text(encoding="utf-8")) for path in COMMANDS)
    nodes = (node for tree in trees for node in tree.body)
    (function,) = (node for node in nodes if isinstance(node, ast.FunctionDef) and node.name == command)
    found: set[Path] = set()
    read: set[Path] = set()
    waiting = _imported(function)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            module = ast.parse(path.read_text(encoding="utf-8"))
            waiting |= _imported(module) | _entries(module, "Registry")
            read |= _entries(module, "Listing")
    return {str(path.relative_to(SOURCE.parent)) for path in found | read}


def _imported(tree: ast.AST) -> set[Path]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not followed"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {path for name in names if name.split(".")[0] == "dgr" and (path := _file(name))}


def _entries(tree: ast.AST, kind: str) -> set[Path]:
    """The modules of each package that a ``Registry("package", …)`` or a ``Listing`` is made of."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str() as package), *_]) if name == kind:
                found |= set(SOURCE.joinpath(*package.split(".")).glob("[!_]*.py"))
    return found


def _file(name: str) -> Path | None:
    """The module that a dotted name is, or is defined in."""
    place = SOURCE.joinpath(*name.split("."))
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.exists():
            return path
    parent = name.rpartition(".")[0]
    return _file(parent) if parent else None

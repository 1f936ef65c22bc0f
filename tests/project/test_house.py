"""The house keeps its order: arrows point one way, no file or room grows too large, and each name means one thing."""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src/dgr"
ROOMS = (
    *("core", "config", "datasets", "models", "regularizers", "methods", "training", "measurements", "studies"),
    *("real_studies", "plan", "comparison", "records", "claims", "tables", "figures", "pages", "archive"),
    *("verification", "terminal"),
)
"""A room may import itself and those before it."""
MODULES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
LINES = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
LOOSE = {"__init__.py", "__main__.py", "cli.py"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


def imported_rooms(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module == "dgr":
            names = [f"dgr.{alias.name}" for alias in node.names]
        yield from (name.split(".")[1] for name in names if name.startswith("dgr."))


def test_every_room_has_its_place_and_nothing_is_loose() -> None:
    assert {room_of(path) for path in MODULES} - LOOSE == set(ROOMS)


def test_no_arrow_runs_back_up() -> None:
    back = {
        f"{path.relative_to(PACKAGE)} imports {room}"
        for path, tree in MODULES.items()
        if room_of(path) in ROOMS
        for room in imported_rooms(tree)
        if room in ROOMS and ROOMS.index(room) > ROOMS.index(room_of(path))
    }
    assert back == set()


def test_no_module_is_long_and_no_room_is_large() -> None:
    assert {str(path.relative_to(PACKAGE)): lines for path, lines in LINES.items() if lines > 250} == {}
    rooms = Counter({room: sum(LINES[path] for path in LINES if room_of(path) == room) for room in ROOMS})
    share = {room: lines / sum(LINES.values()) for room, lines in rooms.items()}
    assert {room: round(part, 3) for room, part in share.items() if part > 0.2} == {}


def public_names(tree: ast.Module) -> Iterator[str]:
    """What a module defines at its top level, its type aliases and constants too."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def test_no_public_name_is_defined_twice() -> None:
    places = defaultdict(set)
    for path, tree in MODULES.items():
        if path.name not in LOOSE:
            for name in public_names(tree):
                if not name.startswith("_"):
                    places[name].add(str(path.relative_to(PACKAGE)))
    assert {name: sorted(files) for name, files in places.items() if len(files) > 1 and name not in ENTRY_NAMES} == {}


ENTRY_NAMES: set[str] = {"Config", "GRID", "LABEL", "NAMES", "ORDER", "WORDS", "build", "make", "run"}
ENTRY_NAMES |= {"COLOUR", "CONTROL", "DASH", "MARKER", "PENALTY", "SYMBOL"}
"""What every entry of a registry defines, and so many files do."""

"""The wheel in fresh environments with torch of several versions: what a user of the penalty does with it.

    python tests/project/compatibility/run.py --torch 2.4.1 --torch 2.14.1 [--folder SCRATCH] [--lightning VERSION]

Builds the wheel, makes an environment for each version and installs torch, the wheel and Lightning there (gigabytes),
runs each check in it, prints a table and writes results.csv: docs/penalty.md has its sentence. The environments
are removed in the end, unless a folder is named: one that lies there already is used again, with the wheel as it is
now. Exit status 1: a check failed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

import record  # noqa: E402
from readme_support import script  # noqa: E402

CHECKS = {
    "README's loop": ["-W", "error", "-W", "ignore:Failed to initialize NumPy:UserWarning", "-c", script()],
    "autocast bf16": ["check_amp.py", "bf16"],
    "autocast fp16 with loss scaling": ["check_amp.py", "fp16"],
    "Lightning 32-true": ["check_lightning.py", "32-true"],
    "Lightning bf16-mixed": ["check_lightning.py", "bf16-mixed"],
    "Lightning bf16-true": ["check_lightning.py", "bf16-true"],
    "DDP in two processes": ["check_ddp.py"],
}
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def call(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def must(*command: str | Path, cwd: Path | None = None) -> str:
    done = call(*command, cwd=cwd)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def wheel(folder: Path) -> Path:
    """Built from a copy: building leaves folders behind."""
    source = folder / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "src/dgr", source / "src/dgr", ignore=shutil.ignore_patterns("__pycache__"))
    must(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", "dist", ".", cwd=source)
    return next((source / "dist").glob("dgr-*.whl"))


def environment(place: Path, version: str, built: Path, lightning: str) -> Path:
    """Its Python."""
    python = place / "bin/python"
    if not python.exists():
        must(sys.executable, "-m", "venv", place)
        must(
            python,
            "-m",
            "pip",
            "install",
            "-q",
            f"torch=={version}",
            "lightning" + (f"=={lightning}" if lightning else ""),
        )
    must(python, "-m", "pip", "install", "-q", "--force-reinstall", "--no-deps", built)
    must(python, "-m", "pip", "check")
    return python


def versions(python: Path) -> dict[str, str]:
    """Of what is installed there, as results.csv names it."""
    program = (
        "import json, platform; from importlib.metadata import version;"
        "found = {name: version(name) for name in ('torch', 'lightning')};"
        "print(json.dumps(found | {'python': platform.python_version()}))"
    )
    found: dict[str, str] = json.loads(must(python, "-c", program))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", action="append", required=True, help="a version; may be given several times")
    parser.add_argument("--folder", type=Path, help="where environments stay")
    parser.add_argument("--lightning", default="", help="its version; the newest unless told")
    options = parser.parse_args()
    folder = (options.folder or Path(tempfile.mkdtemp(prefix="dgr-compatibility-"))).resolve()
    failed = False
    try:
        built = wheel(folder)
        for version in options.torch:
            python = environment(folder / f"torch-{version}", version, built, options.lightning)
            outcomes = {}
            for name, (first, *rest) in CHECKS.items():
                command = [HERE / first, *rest] if first.endswith(".py") else [first, *rest]
                done = call(python, *command, cwd=folder)
                outcomes[name] = done.returncode == 0
                print(f"torch {version:8} {name:31} {'passed' if outcomes[name] else 'FAILED'}", flush=True)
                if not outcomes[name]:
                    print(done.stderr, flush=True)
            record.write(record.merged(record.rows(), record.new_rows(versions(python), outcomes)))
            failed |= not all(outcomes.values())
    finally:
        if options.folder is None:
            shutil.rmtree(folder)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

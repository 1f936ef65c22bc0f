"""What a GPU is wanted for, in so many seconds: its tests, costs of a step, then a suite, most telling cells first.

    python benchmarks/gpu_session.py --seconds 480 --out FOLDER [--slots 4] [--data UTKFace.tar.gz] [--resume EARLIER]
    python benchmarks/gpu_session.py --seconds 60 --out FOLDER --device cpu --small   # a rehearsal

Run from the repository's top folder. It ends in time, whatever is going on then. FOLDER holds small files only, and is
worth keeping at any moment: session.json (GPUs, versions, what was done), tests.xml, costs as JSON, CSV and Markdown,
the records of finished stages as below `runs` and `results`, what is finished of cut ones below `partial`, and logs.
The next piece is told of it by --resume, on the same commit, and goes on after the finished stages and, within a
tuning, after the finished trainings. To report a suite whose stages are all finished, copy FOLDER/runs and
FOLDER/results over the checkout's and type `python -m dgr collect SUITE`.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from timed_parts import Part, Session

from dgr.core.paths import tuning_file

ROOT = Path(__file__).parents[1]
DGR = (sys.executable, "-m", "dgr")
SMALL_FILES = ("*.json", "*.csv")
PARTIAL = Path("partial")
TUNED_IN_PART = PARTIAL / "tune"
LEFT_FOR_TESTS, LEFT_FOR_COSTS = 0.2, 0.3
"""Shares of what is left of the time that these may take at most."""


def stages(suite: str, device: str) -> list[Part]:
    """Tunings and trainings of a suite, short trainings first, then by method: equal weighting and its arms first."""
    plan = json.loads(plan_file(suite).read_text(encoding="utf-8"))
    runs = plan["runs"] | plan["tuned_runs"]
    methods = list(dict.fromkeys(run["method"]["name"] for run in runs.values()))
    methods.sort(key=lambda name: (name != "equal_weighting", name != "single_task"))
    parts = []
    for key, run in runs.items():
        place = run["training"]["epochs"], methods.index(run["method"]["name"])
        tuned, end = key in plan["tuning"], [key, "--device", device]
        if tuned:
            parts.append(((*place, 0), Part(f"tune:{key}", [*DGR, "tune", *end])))
        parts.append(((*place, tuned), Part(f"train:{key}", [*DGR, "train", *end], f"tune:{key}" if tuned else "")))
    return [part for _, part in sorted(parts, key=lambda pair: pair[0])]


def gpus() -> list[str]:
    """Their names, as the driver tells them."""
    if shutil.which("nvidia-smi") is None:
        return []
    told = subprocess.run(("nvidia-smi", "-L"), capture_output=True, text=True, check=False).stdout
    return [line.partition(" (UUID")[0] for line in told.splitlines()]


def plan_file(suite: str) -> Path:
    own = Path("suites") / suite / "plan.json"
    return own if own.exists() else Path("plan.json")


def keep_records(part: Part, suite: str, out: Path) -> None:
    """Copy what a stage left that is small: its records if it is finished, and its finished seeds otherwise."""
    stage, _, key = part.name.partition(":")
    if not key:
        return
    if stage == "tune":
        _copied(tuning_file(suite, key), out)
    else:
        for folder in (f"runs/{suite}/train/{key}", f"runs/shared/origins/{suite}/{key}"):
            _small_files_copied(Path(folder), out)
    for folder in Path("unfinished").glob(f"{key}-*"):
        _small_files_copied(folder, out / PARTIAL / stage)


def _small_files_copied(folder: Path, out: Path) -> None:
    for pattern in SMALL_FILES:
        for file in folder.rglob(pattern):
            _copied(file, out)


def _copied(file: Path, out: Path) -> None:
    if file.is_file():
        (out / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, out / file)


def take_over(earlier: Path, out: Path, parts: list[Part], about: dict[str, object]) -> None:
    """Take what an earlier piece finished: records go where the next stages read them, single trainings to tunings.

    Of a training that was cut there are no weights, so that its seeds are trained again.
    """
    told = json.loads((earlier / "session.json").read_text(encoding="utf-8"))
    if told["code"] != about["code"] or told["plan"] != about["plan"]:
        sys.exit(f"gpu_session: {earlier} was made with another code or plan; go on from its commit, or begin anew.")
    finished = {part["name"] for part in told["parts"] if part["state"] == "done"}
    for part in parts:
        if part.name in finished:
            part.state = "done"
    for target in (out, Path()):
        for folder in ("runs", "results"):
            _folder_copied(earlier / folder, target / folder)
    _folder_copied(earlier / TUNED_IN_PART, out / TUNED_IN_PART)
    _folder_copied(earlier / TUNED_IN_PART / "unfinished", Path("unfinished"))


def _folder_copied(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, required=True, help="of all together, ending included")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--suite", default="faces_gpu")
    parser.add_argument("--slots", type=int, default=4, help="trainings beside each other")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--data", type=Path, help="the data set's archive; needed where data/ does not hold it")
    parser.add_argument("--resume", type=Path, help="what an earlier piece left")
    parser.add_argument("--small", action="store_true", help="a rehearsal: small models in the costs")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    from dgr.core.files import sha256
    from dgr.core.provenance import code_hash, versions

    about: dict[str, object] = {"suite": options.suite, "device": options.device, "slots": options.slots}
    about |= {"gpus": gpus(), "versions": versions(), "code": code_hash(), "plan": sha256(plan_file(options.suite))}
    session = Session(options.out, options.seconds, about, lambda part: keep_records(part, options.suite, options.out))
    suite = stages(options.suite, options.device)
    if options.resume:
        take_over(options.resume, options.out, suite, about)
    marked = [str(path) for path in Path("tests").rglob("test_*.py") if "mark.gpu" in path.read_text(encoding="utf-8")]
    xml = f"--junitxml={options.out / 'tests.xml'}"
    python = sys.executable
    small = ["--small", "--rounds", "1", "--steps", "1"] if options.small else []
    limit = LEFT_FOR_COSTS * session.left
    command = [python, str(ROOT / "benchmarks/gpu_costs.py"), "--out", str(options.out), "--seconds", str(limit)]
    command += ["--device", options.device, *small]
    try:
        if not options.resume:
            if marked:
                tests = [python, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", xml, *marked]
                session.run([Part("tests", tests)], seconds=LEFT_FOR_TESTS * session.left)
            session.run([Part("costs", command)], seconds=limit + 20)
        session.run(data := data_of(options.suite, options.data))
        if all(part.state == "done" for part in data):
            session.run(suite, options.slots)
    except KeyboardInterrupt:
        session.cut()
    session.write()
    states = [part.state for part in session.parts]
    print(f"{states.count('done')} of {len(states)} parts are done, {states.count('failed')} failed: {options.out}")
    return int("failed" in states)


def data_of(suite: str, archive: Path | None) -> list[Part]:
    """What makes the suite's data sets that are not there."""
    plan = json.loads(plan_file(suite).read_text(encoding="utf-8"))
    shared = json.loads(Path("suites/shared/plan.json").read_text(encoding="utf-8"))
    parts: list[Part] = []
    for name in dict.fromkeys(run["dataset"] for run in plan["runs"].values()):
        if (Path("data") / name / "manifest.json").exists():
            continue
        for fetched in (stage.get(name, {}).get("source") for stage in shared.values()):
            if fetched and not (Path("sources") / fetched / "manifest.json").exists():
                origin = ["--from", str(archive)] if archive else []
                parts.append(Part(f"fetch {fetched}", [*DGR, "fetch", fetched, *origin]))
        after = parts[-1].name if parts and parts[-1].name.startswith("fetch") else ""
        parts.append(Part(f"prepare {name}", [*DGR, "prepare", name], after))
    return parts


if __name__ == "__main__":
    sys.exit(main())

"""Compute the whole fingerprint here and under two emulated processors, compare it, and write down who saw it hold.

    python tests/fingerprint/witness.py     # or `make fingerprint`; about a quarter of an hour on two cores

Exit status 0: all have the committed bits, and witnesses.csv and witnesses.md say so; 1: some differ, which are named.
Without qemu-x86_64 (Debian's qemu-user) only this machine is asked.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from shutil import which

from dgr.core.files import write_text
from dgr.core.numerics import HARMLESS, KERNELS
from fingerprint import COMMITTED, HERE, Hashes, committed, differences

EMULATOR = "qemu-x86_64"
EMULATED = ("EPYC-Rome", "Haswell")
"""Another maker's processor, and the oldest generation that has the kernels; neither has AVX-512."""
RECORD, SENTENCE = HERE / "witnesses.csv", HERE / "witnesses.md"
COLUMNS = ["processor", "how", "c_library", "date", "fingerprint"]


class NoFingerprintError(Exception):
    """A processor did not come to the end."""


def fingerprint_on(processor: str | None, patterns: list[str]) -> Hashes:
    """The hashes that a process of its own finds, which nobody told anything about numerics.

    Args:
        processor: one of the emulator's; None: this machine's.
        patterns: of the parts.

    Raises:
        NoFingerprintError: with the end of what the process said.
    """
    emulator = [] if processor is None else [EMULATOR, "-cpu", processor]
    program = [sys.executable, "-W", "error", str(HERE / "fingerprint.py"), "--parts", *patterns]
    inherited = {name: value for name, value in os.environ.items() if name not in HARMLESS | KERNELS}
    environment = inherited | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([*emulator, *program], capture_output=True, encoding="utf-8", env=environment, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "TCG doesn't support" not in line]
        raise NoFingerprintError(
            f"{processor or 'this machine'}: exit status {done.returncode}\n" + "\n".join(said[-8:])
        )
    hashes: Hashes = json.loads(done.stdout)
    return hashes


def whole(hashes: Path = COMMITTED) -> str:
    """The hash of all hashes, by which witnesses name the fingerprint that they saw."""
    return hashlib.sha256(hashes.read_bytes()).hexdigest()[:16]


def witnesses(record: Path = RECORD) -> list[dict[str, str]]:
    """The rows of witnesses.csv."""
    if not record.exists():
        return []
    with record.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sentence(rows: list[dict[str, str]], current: str) -> str:
    """README's line: on which processors the committed fingerprint was seen to hold."""
    seen = [row for row in rows if row["fingerprint"] == current]
    names = "; ".join(f"{row['processor']} ({row['how']}, {row['date']})" for row in seen) or "no processor yet"
    return (
        "- On Linux the same seed gives the same bits on every x86-64 processor with AVX2, of whatever maker; a GPU or "
        f"another kind of processor gives other digits. `make fingerprint` checks it. Seen to hold on: {names}.\n"
    )


def add_witness(rows: list[dict[str, str]], new: dict[str, str]) -> list[dict[str, str]]:
    """The rows with one more, unless this processor has seen this fingerprint; what saw an earlier one goes."""
    kept = [row for row in rows if row["fingerprint"] == new["fingerprint"]]
    same = [row for row in kept if (row["processor"], row["how"]) == (new["processor"], new["how"])]
    return kept if same else [*kept, new]


def write_witnesses(rows: list[dict[str, str]], record: Path = RECORD, shown: Path = SENTENCE) -> None:
    """Write both files."""
    lines = [COLUMNS, *([row[column] for column in COLUMNS] for row in rows)]
    write_text(record, "".join(",".join(line) + "\n" for line in lines))
    write_text(shown, sentence(rows, whole()))


def main() -> int:
    """Ask this machine and the emulated ones at the same time."""
    import platform

    import torch

    from dgr.core.origin import device_name

    here = device_name(torch.device("cpu")).removeprefix("cpu (").removesuffix(")").replace(",", " ")
    asked = [None, *(EMULATED if which(EMULATOR) else ())]
    if len(asked) == 1:
        print(f"{EMULATOR} is not installed (Debian: qemu-user); only this machine is asked.")
    wanted, rows, failed = committed(["*"]), witnesses(), 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = [(processor, pool.submit(fingerprint_on, processor, ["*"])) for processor in asked]
        for processor, future in running:
            name, how = (here, "native") if processor is None else (processor, "emulated")
            try:
                wrong = differences(future.result(), wanted, name)
            except NoFingerprintError as error:
                wrong = str(error)
            print(f"{name}, {how}: {wrong or f'all {len(wanted)} parts have the committed bits.'}", flush=True)
            failed += bool(wrong)
            if not wrong:
                seen = {"processor": name, "how": how, "c_library": " ".join(platform.libc_ver())}
                date = datetime.now(UTC).date().isoformat()
                rows = add_witness(rows, {**seen, "date": date, "fingerprint": whole()})
    write_witnesses(rows)
    print("Now `python -m dgr readme` brings the README's line up to date.")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

"""The SHA-256 of every part of the fingerprint, as JSON: equal on every processor that computes the same bits.

python tests/fingerprint/fingerprint.py                          # all parts
python tests/fingerprint/fingerprint.py --parts 'method/*' ...   # some, by patterns
python tests/fingerprint/fingerprint.py --write                  # all, to fingerprint.json, which is committed
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from fnmatch import fnmatch
from pathlib import Path

HERE = Path(__file__).parent
COMMITTED = HERE / "fingerprint.json"
REMEDY = "python tests/fingerprint/fingerprint.py --write"
Hashes = dict[str, str]


def compute(patterns: list[str]) -> Hashes:
    """Of the parts that match one of the patterns, in a process that computes portable numbers."""
    from dgr.core.numerics import make_portable

    make_portable()
    sys.path.append(str(HERE.parent / "support"))
    from parts import all_parts

    from dgr.core.device import choose_device

    choose_device("cpu")
    hashes = {}
    for name, part in all_parts(patterns).items():
        digest = hashlib.sha256()
        for piece in part():
            digest.update(piece)
        hashes[name] = digest.hexdigest()
    return hashes


def committed(patterns: list[str]) -> Hashes:
    """What the parts that match one of the patterns should be."""
    hashes: Hashes = json.loads(COMMITTED.read_text(encoding="utf-8"))
    return {name: digest for name, digest in hashes.items() if any(fnmatch(name, pattern) for pattern in patterns)}


def differences(found: Hashes, wanted: Hashes, processor: str) -> str:
    """What is wrong with the hashes found on a processor, in a sentence or two; empty where nothing is.

    Args:
        found: of this processor.
        wanted: the committed ones of the same parts.
        processor: its name.
    """
    new, gone = sorted(found.keys() - wanted.keys()), sorted(wanted.keys() - found.keys())
    other = [name for name in wanted if name in found and found[name] != wanted[name]]
    told = []
    if new:
        told.append(f"No hash is committed for {', '.join(new)}: run `{REMEDY}` and commit what it writes.")
    if gone:
        told.append(f"{', '.join(gone)} is gone from the code: run `{REMEDY}`.")
    if other:
        told.append(
            f"On the processor {processor} these parts have other bits than committed: {', '.join(other)}. Where code "
            f"was changed that computes them, run `{REMEDY}` and say so in the commit."
        )
    return " ".join(told)


def main() -> None:
    """Compute, and print or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--parts", nargs="+", default=["*"], metavar="PATTERN")
    chosen.add_argument("--write", action="store_true")
    options = parser.parse_args()
    text = json.dumps(compute(options.parts), indent=1) + "\n"
    if options.write:
        COMMITTED.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()

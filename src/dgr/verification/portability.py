"""Whether this machine must give the bits that are committed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from dgr.config.plan_file import Plan
from dgr.core.files import read_json
from dgr.core.numerics import numerics
from dgr.records.records import configured_studies
from dgr.verification.record_files import origins_file, text_frame

PORTABLE = "portable x86-64"


def why_bits_may_differ(suite: str, plan: Plan) -> list[str]:
    """What here is not as it was where the records were made; identical bits are expected where nothing is.

    Python's version does not count: it computes nothing that is recorded.
    """
    reasons = []
    if (here := numerics()) != PORTABLE:
        reasons.append(f"numbers here are {here}, and bits hold where they are {PORTABLE}")
    for origin in origins(suite, plan):
        if not str(origin["device"]).startswith("cpu"):
            reasons.append(f"records were made on {origin['device']}, and bits hold on CPUs")
        for package, recorded in origin["versions"].items():
            here = _version(package)
            if package != "python" and recorded and _public(recorded) != _public(here):
                reasons.append(f"records were made with {package} {recorded}, and here is {here or 'none'}")
    return list(dict.fromkeys(reasons))


def origins(suite: str, plan: Plan) -> list[dict[str, Any]]:
    """Where the numbers of a suite were made, each combination of device and versions once."""
    found: list[dict[str, Any]] = []
    if origins_file(suite).exists():
        frame = text_frame(origins_file(suite))
        names = [name for name in map(str, frame) if name.startswith("version_")]
        for row in frame[["device", *names]].drop_duplicates().to_dict("records"):
            versions = {name.removeprefix("version_"): row[name] for name in names}
            found.append({"device": row["device"], "versions": versions})
    for entry in configured_studies(plan, suite).values():
        path = origins_file(suite, f"{entry['name']}.json")
        if path.exists():
            origin = read_json(path, "restore it with `git checkout`")
            found.append({"device": origin["device"], "versions": origin["versions"]})
    return found


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _public(text: str) -> str:
    """Without what says where a build is from: ``2.13.0+cpu`` is 2.13.0."""
    return text.partition("+")[0]

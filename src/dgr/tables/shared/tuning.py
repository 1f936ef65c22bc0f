"""What a table of runs says of how they were tuned, and whether they were trained for long enough."""

from __future__ import annotations

from typing import Any

from dgr.records.names import regularizer_label
from dgr.records.outcomes import trained_out
from dgr.records.scope import Scope


def lies_at_an_end(scope: Scope, key: str, column: str, value: float | None) -> bool:
    """Whether what was chosen is an end of what was tried: a better one may lie outside.

    Args:
        scope: of the table.
        key: of the run.
        column: ``learning_rate`` or ``strength``.
        value: what was chosen.
    """
    tried = scope.records.tuning.loc[scope.records.tuning["key"] == key, column].dropna().unique()
    return value is not None and len(tried) > 1 and value in (min(tried), max(tried))


def tuning_notes(scope: Scope) -> list[str]:
    """How learning rate and strength were chosen, once for all arms with the same rule, with the grids of each."""
    ways: dict[str, dict[str, list[str]]] = {}
    for key, entry in scope.tuning.items():
        label = regularizer_label(scope.runs[key]["regularizer"]["name"])
        arms = ways.setdefault(_way(entry), {}).setdefault(_grids(entry), [])
        arms.append("the method alone" if label == "–" else label)
    return [
        f"Tuning: {way}. Grids: "
        + "; ".join(f"{', '.join(dict.fromkeys(labels))}: {grids}" for grids, labels in arms.items())
        + "."
        for way, arms in ways.items()
    ]


def trained_out_note(scope: Scope) -> list[str]:
    """How many runs were not flat at their end, by the configured rule."""
    rules = [entry["training"]["trained_out"] for entry in scope.runs.values()]
    rule = next(filter(None, rules), None)
    if rule is None:
        return []
    flat = trained_out(scope.records.runs, scope.records.histories, rule["epochs"], rule["points"])
    return [
        f"Trained out: in {int(flat.sum())} of {len(flat)} runs the mean of the validation metrics over the last "
        f"{rule['epochs']} epochs differs by at most {rule['points']:g} percent from that of as many before."
    ]


def _way(entry: dict[str, Any]) -> str:
    seeds = ", ".join(map(str, entry["seeds"]))
    if entry["matches"]:
        return (
            f"at the learning rate of {regularizer_label(entry['matches'])}, the strength with which the mean ‖z‖ on "
            f"validation data is the same as there, interpolated from those of a grid with seeds {seeds}"
        )
    first = f" with seed {entry['seeds'][0]}, and the best {entry['finalists']} of them" if entry["finalists"] else ""
    far = f"; where the choice is an end, up to {entry['extensions']} values beyond it" if entry["extensions"] else ""
    return (
        f"all settings of a grid were tried{first} with seeds {seeds}, which are not reported{far}; chosen is the "
        "highest validation metric at the last epoch, averaged over tasks and seeds"
    )


def _grids(entry: dict[str, Any]) -> str:
    return " × ".join(
        f"{name} {_listed(entry[part])}"
        for part, name in (("learning_rates", "learning rates"), ("strengths", "strengths"))
        if entry.get(part)
    )


def _listed(values: list[float]) -> str:
    return f"{{{', '.join(f'{value:g}' for value in values)}}}"

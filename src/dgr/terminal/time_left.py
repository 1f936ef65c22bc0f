"""How long the steps that are left will take, from committed times and from what was seen so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FEW_SECONDS = 4.0
"""Seconds of a step whose time nobody committed and of whose kind none is finished yet, where its kind is quick."""
PRIOR = 30.0
"""Seconds for which the machine counts as the committed one, with all cores at work, before its own pace does."""
_Step = tuple[str, str]
"""Name of the stage, and key."""


@dataclass
class TimeLeft:
    """Steps that are to be done, and their time.

    Of a step that is not done: its committed seconds times the pace of this machine (seconds here over committed
    seconds, of the finished steps), else the mean of its kind's finished steps, else :data:`FEW_SECONDS`, else
    nothing is known. The sum is divided by how many steps ran at a time so far.

    Attributes:
        waiting: how many steps of each stage have not started.
        known: committed seconds by stage and key.
        width: how many steps can run at a time.
        slow: stages whose steps are not quick.
        start: when the first could start, in seconds of any clock; the same clock's ``now`` is given below.
    """

    waiting: dict[str, int]
    known: Mapping[str, Mapping[str, float]]
    width: int
    slow: frozenset[str]
    start: float
    running: dict[_Step, float] = field(default_factory=dict)
    finished: dict[_Step, float] = field(default_factory=dict)

    def begin(self, step: _Step, now: float) -> None:
        """A step has started."""
        self.waiting[step[0]] = max(self.waiting.get(step[0], 0) - 1, 0)
        self.running[step] = now

    def end(self, step: _Step, now: float) -> float:
        """A step is done; the seconds that it took."""
        self.finished[step] = now - self.running.pop(step, now)
        return self.finished[step]

    def drop(self, step: _Step) -> None:
        """A step has failed: it takes no more time, and if it is tried again it begins anew."""
        self.running.pop(step, None)

    def seconds(self, now: float) -> tuple[float, bool]:
        """Until all is done, and whether that is all: False where of some step nothing is known, which comes on top."""
        parts = [(count, self._of_waiting(name), 0.0) for name, count in self.waiting.items() if count]
        parts += [(1, self._of(step), now - since) for step, since in self.running.items()]
        total = sum(count * max(each - gone, 0.0) for count, each, gone in parts if each is not None)
        busy = sum(self.finished.values()) + sum(now - since for since in self.running.values())
        at_a_time = (PRIOR * self.width + busy) / (PRIOR + now - self.start)
        left = sum(count for count, _, _ in parts)
        return total / max(1.0, min(at_a_time, self.width, left)), all(each is not None for _, each, _ in parts)

    def _of_waiting(self, name: str) -> float | None:
        """Seconds of a step of a stage of which only the number is known: the mean of those that were not seen yet."""
        seen = {key for stage, key in (*self.running, *self.finished) if stage == name}
        known = [seconds for key, seconds in self.known.get(name, {}).items() if key not in seen]
        return self._pace() * sum(known) / len(known) if known else self._of_kind(name)

    def _of(self, step: _Step) -> float | None:
        known = self.known.get(step[0], {}).get(step[1])
        return self._of_kind(step[0]) if known is None else self._pace() * known

    def _of_kind(self, name: str) -> float | None:
        own = [seconds for (stage, _), seconds in self.finished.items() if stage == name]
        if own:
            return sum(own) / len(own)
        return None if name in self.slow else FEW_SECONDS

    def _pace(self) -> float:
        pairs = [(seconds, self.known.get(name, {}).get(key)) for (name, key), seconds in self.finished.items()]
        here, there = (sum(pair[side] or 0.0 for pair in pairs if pair[1] is not None) for side in (0, 1))
        return (PRIOR + here) / (PRIOR + there)

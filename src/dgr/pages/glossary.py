"""The words and signs of tables: what each means, on hover in the heads of tables and as a list on every page."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

WORDS_AND_SIGNS = {
    "Δm": "mean over tasks of the improvement over single-task learning, in percent; higher is better",
    "‖z‖": "length of the representation z, mean over test samples",
    "z": "the representation: what the encoder gives to the heads",
    "DGR": "Dummy Gradient norm Regularization: λ times the squared gradient norm of untrained heads",
    "STL": "single-task learning: one encoder a task; the reference of Δm",
    "EW": "equal weighting: the tasks' losses are added up",
    "n": "number of seeds",
    "Ours": "mean over seeds of the difference, the first minus the second",
    "Interval": "of the test that decides the verdict, at the level that its family of tests leaves it",
    "Region": "of equivalence: a difference within it is too small to matter; set before the runs",
    "Detectable": "the smallest true difference that so many seeds with this spread find with probability 0.8",
    "Holm": "adjusted by Holm's method, so that the error holds for all tests of a claim together",
    "TOST": "two one-sided tests, which show that a difference lies within the region",
    "d_z": "mean over standard deviation of the differences by seed",
    "λ": "strength of DGR",
    "β": "strength of the penalty on ‖z‖²",
    "↑": "higher is better",
    "↓": "lower is better",
    "supported": "a difference is shown on the claimed side of zero",
    "opposite": "a difference is shown on the other side",
    "no relevant difference": "the difference is shown to lie within the region",
    "undecided": "neither could be shown, which does not mean that there is no difference",
    "assay failed": "a positive control does not show what is known, so that nothing follows",
    "not run": "records that the row needs are not there",
}
_LONGEST_FIRST = sorted(WORDS_AND_SIGNS, key=len, reverse=True)
IN_HEADS = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in _LONGEST_FIRST))


def glossed(text: str) -> Markup:
    """A column's name, its first known word with the meaning on hover."""
    match = IN_HEADS.search(text)
    if match is None:
        return escape(text)
    before, word, after = text[: match.start()], match[0], text[match.end() :]
    return Markup('{}<abbr title="{}">{}</abbr>{}').format(before, WORDS_AND_SIGNS[word], word, after)

"""The one exception that stands for a mistake of the user, not of the program."""

import difflib
from collections.abc import Iterable


class DGRError(Exception):
    """A condition the user can mend: one sentence that names the offending thing and the way out.

    The command line prints it without a traceback and ends with exit status 1.

    Args:
        sentence: with its full stop, which is left out behind what :func:`nearest` asks.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(f"{sentence[:-2]}?" if sentence.endswith("?.") else sentence)


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for a close match, whatever the case, else the list of them."""
    by_lower_case = {each.lower(): each for each in known}
    close = difflib.get_close_matches(word.lower(), by_lower_case, n=1)
    if close:
        return f"; did you mean '{by_lower_case[close[0]]}'?"
    return f"; known: {', '.join(by_lower_case.values()) or 'none'}"

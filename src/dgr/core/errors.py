"""The one exception that stands for a mistake of the user, not of the program."""

import difflib
import re
from collections.abc import Iterable

UNSAFE = re.compile("pickle|weights_only|trust", re.IGNORECASE)
"""What libraries name in advice to load whatever a file holds."""
LONGEST_SENTENCE = 2000
"""Characters of a sentence; whatever a file holds may stand in one."""


class DGRError(Exception):
    """A condition the user can mend: one sentence that names the offending thing and the way out.

    The command line prints it without a traceback and ends with exit status 1. It is one line, and what cannot be
    printed in it is escaped, since it may quote a file that does things to a terminal.

    Args:
        sentence: its full stop may be left out, and is behind what :func:`nearest` asks.
    """

    def __init__(self, sentence: str) -> None:
        line = "".join(_printable(character) for character in " ".join(sentence.split()))
        line = line if line.endswith((".", "?")) else f"{line}."
        if len(line) > LONGEST_SENTENCE:  # the way out stands at the end
            line = f"{line[: LONGEST_SENTENCE // 2]} … {line[3 - LONGEST_SENTENCE // 2 :]}"
        super().__init__(f"{line[:-2]}?" if line.endswith("?.") else line)


def _printable(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def reason(error: Exception) -> str:
    """What a library says, in a part of a sentence: without its advice in further lines, such as to trust a file."""
    told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    line = next(iter(told.strip().splitlines()), type(error).__name__).rstrip(".")
    line = re.sub(r":? <\S+ object at 0x[0-9a-f]+>", "", line)
    words = re.sub(r"'[^']*'|\"[^\"]*\"", "", line)  # a quoted path may have them too
    return "it holds Python objects, which are never loaded" if UNSAFE.search(words) else line


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for a close match, whatever the case, else the list of them."""
    by_lower_case = {each.lower(): each for each in known}
    close = difflib.get_close_matches(word.lower(), by_lower_case, n=1)
    if close:
        return f"; did you mean '{by_lower_case[close[0]]}'?"
    return f"; known: {', '.join(by_lower_case.values()) or 'none'}"

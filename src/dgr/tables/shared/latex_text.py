"""Unicode text as LaTeX, and how wide it gets there."""

from __future__ import annotations

import re

# What LaTeX cannot take as it stands, text first, then the symbols that tables use.
_LATEX = {
    "\\": r"\textbackslash{}",
    **{character: "\\" + character for character in "&%$#{}"},
    "_": r"\_\allowbreak{}",  # long names of the configuration are broken there
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "‖z‖²": r"$\Vert z\Vert^2$",
    "‖z‖": r"$\Vert z\Vert$",
    "Δm": r"$\Delta_m$",
    "λ": r"$\lambda$",
    "β": r"$\beta$",
    "ε": r"$\varepsilon$",
    "∂": r"$\partial$",
    "±": r"$\pm$",
    "−": r"$-$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "≈": r"$\approx$",
    "°": r"$^\circ$",
    "²": r"$^2$",
    "³": r"$^3$",
    "–": "--",
    "’": "'",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "→": r"$\to$",
    "←": r"$\leftarrow$",
    "√": r"$\surd$",
    "½": r"$\frac{1}{2}$",
    "†": r"\textsuperscript{\dag}",
    "…": r"\ldots{}",
    "é": r"\'e",
    # A mean and its deviation stay on one line.
    " ± ": r"~$\pm$~",
}
_PATTERN = re.compile("|".join(map(re.escape, sorted(_LATEX, key=len, reverse=True))))

_WIDTHS = {
    2.6: "iljI.,:;'|!()[] ",
    3.5: "tfrs*-/",
    4.3: '0123456789–‖†°²³{}"',
    6.4: "ABCDEFGHJKLNOPQRSTUVXYZwβΔ",
    6.8: "±−+=<>×≤≥≈→·",
    7.6: "mM%",
    8.8: "W@…",
}
_WIDTH = {character: width for width, characters in _WIDTHS.items() for character in characters}
_OTHER = 4.6
"""Widths in points of Computer Modern at 8 points, a little more than they are."""


def escape_latex(text: str) -> str:
    """Unicode text as LaTeX; a symbol that LaTeX does not know becomes its command, in one pass."""
    return _PATTERN.sub(lambda match: _LATEX[match.group()], text)


def line_width(text: str) -> float:
    """About how wide a text is on one line, in points, at a size of 8 points; rather more than less."""
    return sum(_WIDTH.get(character, _OTHER) for character in text)


def widest_word(text: str) -> float:
    """The same of its widest part that LaTeX cannot break: between spaces, behind hyphens and underscores."""
    whole = text.replace(" ± ", "±")
    return max((line_width(word) for word in re.split(r"\s+|(?<=[\w]-)(?=\w)|(?<=_)", whole)), default=0.0)

"""Texts that are no table, or one of what nobody counts."""

from __future__ import annotations

TEXTS = [
    "",
    "\n",
    ",",
    "a",
    "a,b\n1\n",
    "a,b\n1,2,3\n",
    '"',
    '"a\n',
    "a,a\n1,2\n",
    "\0",
    "a\0b\n1\0\n",
    "epoch\n" + "9" * 10_000,
    "x" * 300_000,
    "," * 50_000,
    "\n" + "," * 50_000,
    "a" + ",a" * 2_000 + "\n" + "1," * 2_000 + "1\n",
    "\n" * 50_000,
    '"' * 50_000,
    "=cmd|' /C calc'!A0\n1\n",
    "\x1b[31m\n1\n",
    "seed,value\n1.5,nan\n",
    "seed\n1e999\n",
]
BOMBS = [text.encode() for text in TEXTS] + [
    b"\x80,\xff\n",
    "a,b\n1,2\n".encode("utf-16"),
    b"\x1f\x8b\x08\0",
    b"PK\3\4",
]

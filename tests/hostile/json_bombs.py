"""Texts of JSON that are small and no record."""

from __future__ import annotations

TEXTS = [
    "",
    "[" * 100_000,
    '{"a":' * 100_000,
    "[" * 900 + "]" * 900,
    "9" * 10_000,
    "-" * 1000,
    "1e999",
    "NaN",
    '{"key": NaN, "rows": Infinity}',
    '{"files": {"../../../etc/passwd": "x"}}',
    '{"files": {"a\\u0000b": "x"}}',
    '{"files": {"' + "x" * 5000 + '": "x"}}',
    '{"files": {"": "x", "/dev/zero": "x"}}',
    '{"files": [1]}',
    '{"files": null}',
    '{"\\ud800": "\\udfff"}',
    '{"\\u001b[31m": 1}',
    '"text"',
    "[]",
    "{}",
    "null",
    "true",
    "0",
    "{'a': 1}",
    '{"a": 1} {"b": 2}',
    '{"a": 1,}',
    "\ufeff{}",
]
BOMBS = [text.encode("utf-8", "surrogatepass") for text in TEXTS] + [
    b"\x80",
    b"{\xff}",
    "{}".encode("utf-16"),
    b"\0" * 100,
]

"""The bits of this machine are the committed ones; what is told where they are not, and who saw them."""

import json
import sys
from pathlib import Path

import pytest
from witness import RECORD, SENTENCE, add_witness, fingerprint_on, sentence, whole, witnesses

from dgr.core.numerics import numerics
from fingerprint import COMMITTED, committed, differences

ROW = {"processor": "A", "how": "native", "c_library": "glibc 2.36", "date": "2026-01-01", "fingerprint": "new"}


@pytest.mark.skipif(numerics() != "portable x86-64", reason="this machine's numbers are its own")
def test_this_machine_computes_the_committed_bits():
    found, wanted = fingerprint_on(None, ["*"]), committed(["*"])
    if sys.version_info < (3, 11, 4):  # whose zip files have other headers: the same arrays in another file
        del found["data/files"], wanted["data/files"]
    assert differences(found, wanted, "of this machine") == ""


def test_differences_are_named_with_the_way_out():
    wanted = {"a/one": "1", "a/two": "2", "b": "3"}
    assert differences(wanted, wanted, "X") == ""
    told = differences({"a/one": "1", "a/two": "9", "c": "4"}, wanted, "Some CPU")
    assert "No hash is committed for c: run `python tests/fingerprint/fingerprint.py --write`" in told
    assert "b is gone" in told
    assert "On the processor Some CPU these parts have other bits than committed: a/two." in told
    assert "a/one" not in told


def test_the_readmes_line_is_made_from_the_witnesses():
    assert SENTENCE.read_text() == sentence(witnesses(), whole())
    for row in witnesses():
        assert row["processor"] in SENTENCE.read_text()
    assert {row["how"] for row in witnesses(RECORD)} <= {"native", "emulated"}


def test_a_witness_of_another_fingerprint_does_not_count():
    old = ROW | {"processor": "B", "fingerprint": "old"}
    assert "on: no processor yet." in sentence([old], "new")
    rows = add_witness([old], ROW)
    assert rows == [ROW]
    assert add_witness(rows, ROW | {"date": "2027-01-01"}) == [ROW]
    assert "A (native, 2026-01-01)" in sentence(rows, "new")


def test_the_whole_fingerprint_has_one_hash(tmp_path: Path):
    changed = tmp_path / "fingerprint.json"
    changed.write_text(json.dumps(committed(["*"]) | {"method/pcgrad": "0"}, indent=1) + "\n")
    assert whole(changed) != whole(COMMITTED) == whole()

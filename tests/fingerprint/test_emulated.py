"""The bits of a processor of another maker, emulated, are the committed ones."""

from shutil import which

import pytest
from witness import EMULATED, EMULATOR, fingerprint_on

from fingerprint import committed, differences

QUICK = ["regularizer/*", "encoder/conv/*"]
"""What an emulator, some thirty times slower, computes in seconds. `make fingerprint` computes the rest, and on one of
another generation too."""


@pytest.mark.skipif(which(EMULATOR) is None, reason="needs qemu-x86_64 (Debian: qemu-user)")
@pytest.mark.parametrize("processor", EMULATED[:1])
def test_an_emulated_processor_computes_the_same(processor):
    assert len(committed(QUICK)) >= 7
    assert differences(fingerprint_on(processor, QUICK), committed(QUICK), processor) == ""

"""What `dgr verify` finds of the committed sentences and citation, so that tests are not green beside a red verify."""

import pytest
from committed_support import committed

from dgr.verification.citation import check_citation
from dgr.verification.prose import check_prose


@pytest.mark.parametrize("check", [check_prose, check_citation])
def test_what_is_committed_passes(check, monkeypatch):
    monkeypatch.chdir(committed())
    finding = check()
    assert finding.problems == []
    assert finding.compared > 3

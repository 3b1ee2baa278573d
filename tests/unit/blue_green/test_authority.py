"""Who signs the certificate of the test listener is known before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._blue_green.run import authority
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused


def test_a_file_of_certificates_that_is_not_there_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(PlanRefused) as refusal:
        authority({"test_ca_path": str(tmp_path / "ca.pem"), "test_validate_certs": True})
    (sentence,) = refusal.value.problems
    assert str(tmp_path / "ca.pem") in sentence
    assert "Correct the path" in sentence


def test_a_file_that_is_there_is_taken_and_none_needs_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    path = str(tmp_path / "ca.pem")
    assert authority({"test_ca_path": path, "test_validate_certs": True}) == path
    assert authority({"test_ca_path": None, "test_validate_certs": True}) is None


def test_who_checks_no_certificate_needs_no_file() -> None:
    assert authority({"test_ca_path": "nowhere", "test_validate_certs": False}) is None

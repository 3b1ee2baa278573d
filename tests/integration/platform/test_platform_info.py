"""What a phase knows from the phases before it in the same run is not asked for again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.ansible import run_module, run_playbook
from tests.support.cloud import Cloud

WHO: dict[str, Any] = {
    "name_prefix": "stories-local",
    "tags": {"Project": "1001-stories", "Environment": "local"},
    "region": "us-east-1",
}


@pytest.fixture
def stands(cloud: Cloud) -> Cloud:
    assert run_playbook(cloud, "playbooks/phase1.yml").returncode == 0
    return cloud


def asked(cloud: Cloud, **parameters: Any) -> tuple[dict[str, Any], list[str]]:
    """The module's answer and the calls that it made."""
    with cloud.recorded() as calls:
        told = run_module(cloud, "platform_info", {**WHO, **parameters})
    return told, [call["action"] for call in calls]


def test_only_what_is_not_known_is_asked_for_and_all_of_it_is_told(stands: Cloud) -> None:
    first, _calls = asked(stands, requires=["network", "kms_keys"])
    second, calls = asked(stands, requires=["network", "log_bucket"], known=first)
    assert calls == ["HeadBucket"]
    alone, _calls = asked(stands, requires=["network", "kms_keys", "log_bucket"])
    assert {**second, "invocation": 0} == {**alone, "invocation": 0}


def test_what_another_platform_told_is_not_used(stands: Cloud) -> None:
    first, _calls = asked(stands, requires=["network"])
    second, calls = asked(stands, requires=["network"], known={**first, "name_prefix": "stories-other"})
    assert "GetCallerIdentity" in calls
    assert "DescribeVpcs" in calls
    assert second["network"] == first["network"]


def test_a_section_that_was_not_there_is_asked_for_again(stands: Cloud) -> None:
    first, _calls = asked(stands, optional=["content_delivery"])
    assert first["content_delivery"] is None
    refused, _calls = asked(stands, requires=["content_delivery"], known=first)
    assert "Run playbooks/phase4.yml first" in refused["msg"]

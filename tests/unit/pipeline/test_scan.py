"""The gate on what a scan of an image found, and the wait for it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._aws.api import Aws
from ansible_collections.stories1001.platform.plugins.module_utils._ecr_images.read import Image
from ansible_collections.stories1001.platform.plugins.module_utils._ecr_images.scan import (
    scan_of,
    too_many,
    wrong_limits,
)
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import StepFailed
from botocore.exceptions import ClientError

BASIC = {
    "imageScanStatus": {"status": "COMPLETE"},
    "imageScanFindings": {
        "findingSeverityCounts": {"CRITICAL": 1, "HIGH": 2},
        "findings": [
            {"name": "CVE-2", "severity": "HIGH", "attributes": []},
            {
                "name": "CVE-1",
                "severity": "CRITICAL",
                "attributes": [
                    {"key": "package_name", "value": "openssl"},
                    {"key": "package_version", "value": "3.0.1"},
                ],
            },
        ],
    },
}
ENHANCED = {
    "imageScanStatus": {"status": "ACTIVE"},
    "imageScanFindings": {
        "findingSeverityCounts": {"CRITICAL": 1},
        "enhancedFindings": [
            {
                "severity": "CRITICAL",
                "packageVulnerabilityDetails": {
                    "vulnerabilityId": "CVE-3",
                    "vulnerablePackages": [{"name": "zlib", "version": "1.2"}],
                },
            }
        ],
    },
}


class Ecr:
    """Answers DescribeImageScanFindings with one answer after the other; the last one stays."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def describe_image_scan_findings(self, **_asked: Any) -> Any:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, str):
            raise ClientError({"Error": {"Code": answer, "Message": "told"}}, "DescribeImageScanFindings")
        return answer


class Module:
    region = "us-east-1"

    def __init__(self, ecr: Ecr) -> None:
        self.ecr = ecr

    def client(self, _service: str, **_options: Any) -> Ecr:
        return self.ecr


def image(*answers: Any) -> Image:
    times = iter(range(10**6))
    return Image(
        Aws(Module(Ecr(*answers))), "app", "1.0", sleep=lambda _seconds: None, clock=lambda: float(next(times))
    )


def test_findings_of_both_kinds_of_scan_are_judged_and_the_worst_named_first() -> None:
    assert list(too_many(scan_of(BASIC), {"CRITICAL": 0, "HIGH": 2})) == [
        "1 findings of severity CRITICAL, allowed are 0: CVE-1 in openssl 3.0.1"
    ]
    assert [one["name"] for one in scan_of(BASIC).findings] == ["CVE-1", "CVE-2"]
    assert list(too_many(scan_of(ENHANCED), {"CRITICAL": 0})) == [
        "1 findings of severity CRITICAL, allowed are 0: CVE-3 in zlib 1.2"
    ]


def test_severities_that_are_not_named_do_not_count() -> None:
    assert list(too_many(scan_of(BASIC), {"CRITICAL": 1})) == []


def test_a_scan_that_is_not_begun_or_not_done_is_waited_for() -> None:
    running = {"imageScanStatus": {"status": "IN_PROGRESS"}}
    assert image("ScanNotFoundException", running, BASIC).await_scan("sha256:1", 10, 0).status == "COMPLETE"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"imageScanStatus": {"status": "UNSUPPORTED_IMAGE", "description": "no distribution"}}, "no distribution"),
        ({"imageScanStatus": {"status": "IN_PROGRESS"}}, "Waited 3 s .* IN_PROGRESS"),
        ("ScanNotFoundException", "not begun. Does the repository scan on push"),
        ("AccessDeniedException", "Give the caller the permission"),
    ],
)
def test_a_scan_that_does_not_end_well_is_one_sentence(answer: Any, sentence: str) -> None:
    with pytest.raises(StepFailed, match=sentence):
        image(answer).await_scan("sha256:1", 3, 0)


@pytest.mark.parametrize("allowed", [{"SEVERE": 0}, {"HIGH": -1}, {"HIGH": "many"}, {"HIGH": True}])
def test_limits_that_mean_nothing_are_refused(allowed: dict[str, Any]) -> None:
    assert list(wrong_limits(allowed))

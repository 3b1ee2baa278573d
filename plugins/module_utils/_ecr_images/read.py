# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS calls about one image in ECR, and the wait for its scan."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .._aws.api import Aws
from .._engine.steps import PlanRefused, StepFailed
from .scan import Scan, scan_of

_NO_REPOSITORY = ("RepositoryNotFoundException",)
_NO_IMAGE = ("ImageNotFoundException",)
_NO_SCAN = ("ScanNotFoundException",)


class Image:
    """One image by repository and tag or digest.

    sleep: waits so many seconds; clock: seconds that never go back.
    """

    def __init__(
        self,
        aws: Aws,
        repository: str,
        reference: str,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._aws, self._repository, self._reference = aws, repository, reference
        self._sleep, self._clock = sleep, clock

    @property
    def title(self) -> str:
        return f"{self._repository}{'@' if self._is_digest else ':'}{self._reference}"

    @property
    def _is_digest(self) -> bool:
        return self._reference.startswith("sha256:")

    def repository_uri(self) -> str:
        """Such as 123456789012.dkr.ecr.us-east-1.amazonaws.com/name. Raises PlanRefused when there is none."""
        answer = self._aws.call_unless(
            _NO_REPOSITORY,
            f"look for ECR repository {self._repository}",
            "ecr",
            "describe_repositories",
            repositoryNames=[self._repository],
        )
        if not answer or not answer["repositories"]:
            raise PlanRefused(
                [f"Looked for ECR repository {self._repository} and found none. Run playbooks/phase3.yml."]
            )
        return str(answer["repositories"][0]["repositoryUri"])

    def digest(self) -> str:
        """Empty when there is no such image."""
        which = {"imageDigest": self._reference} if self._is_digest else {"imageTag": self._reference}
        answer = self._aws.call_unless(
            _NO_IMAGE,
            f"look for image {self.title}",
            "ecr",
            "describe_images",
            repositoryName=self._repository,
            imageIds=[which],
        )
        return str(answer["imageDetails"][0]["imageDigest"]) if answer and answer["imageDetails"] else ""

    def scan(self, digest: str) -> Scan | None:
        """What is known of the scan now; None when none was begun."""
        answer = self._findings(digest)
        if answer is None:
            return None
        scan = scan_of(answer)
        findings, token = list(scan.findings), answer.get("nextToken")
        while scan.done and token:
            answer = self._findings(digest, nextToken=token) or {}
            findings += scan_of(answer).findings
            token = answer.get("nextToken")
        return Scan(scan.status, scan.reason, scan.counts, tuple(findings))

    def _findings(self, digest: str, **more: Any) -> Any:
        return self._aws.call_unless(
            _NO_SCAN,
            f"read the findings of image {self.title}",
            "ecr",
            "describe_image_scan_findings",
            repositoryName=self._repository,
            imageId={"imageDigest": digest},
            **more,
        )

    def start_scan(self, digest: str) -> None:
        attempt = f"start a scan of image {self.title}"
        which = {"imageDigest": digest}
        self._aws.call(attempt, "ecr", "start_image_scan", repositoryName=self._repository, imageId=which)

    def await_scan(self, digest: str, timeout: float, poll: float) -> Scan:
        """The finished scan. Raises StepFailed when it failed or is not done after ``timeout`` seconds."""
        deadline = self._clock() + timeout
        while True:
            scan = self.scan(digest)
            if scan is not None and scan.done:
                return scan
            if scan is not None and scan.failed:
                why = scan.reason or "no reason"
                raise StepFailed(
                    f"Waited for the scan of image {self.title} and found it {scan.status} ({why}). "
                    "ECR scans images of the Linux distributions that it knows; build on one of them, or scan "
                    "elsewhere and set release_scan to false."
                )
            if self._clock() > deadline:
                raise StepFailed(
                    f"Waited {timeout:g} s for the scan of image {self.title} and found it "
                    f"{scan.status if scan else 'not begun'}. Does the repository scan on push? Wait, then run again."
                )
            self._sleep(poll)

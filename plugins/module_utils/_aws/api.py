# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one way in which our modules call AWS: clients, retries, pages and wording of errors."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from threading import Lock
from typing import Any, Protocol

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

from .errors import attempting, error_code

try:
    from botocore.exceptions import ClientError
except ImportError:  # AnsibleAWSModule reports the missing library before any of this runs
    ClientError = Exception

# Throttling and 5xx; amazon.aws knows the codes. About 60 s in all, on top of botocore's own retries.
_retry = AWSRetry.jittered_backoff(retries=8, delay=1, max_delay=15)


class AwsModule(Protocol):
    """The part of AnsibleAWSModule that is needed here."""

    region: str | None

    def client(self, service: str, **options: Any) -> Any: ...


class Aws:
    """Calls AWS on behalf of one module run.

    Every call names its attempt in words ("describe subnets of stories-production"), so that an error is
    a sentence a person can act on.
    """

    def __init__(self, module: AwsModule) -> None:
        self._module = module
        self.region = module.region
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._making = Lock()
        self._ended: SystemExit | None = None

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client, one per service and region, which threads may share; region None is the module's own."""
        with self._making, attempting(f"connect to {service} in {region or self.region}"):
            if self._ended:
                raise self._ended  # the module has told its failure; no other thread may tell one more
            if (service, region) not in self._clients:
                try:
                    client = self._module.client(service, **({"region": region} if region else {}))
                except SystemExit as end:
                    self._ended = end
                    raise
                self._clients[service, region] = client
            return self._clients[service, region]

    def call(self, attempt: str, service: str, operation: str, /, region: str | None = None, **parameters: Any) -> Any:
        """One call of a boto3 client method (snake case); StepFailed when AWS refuses."""
        with attempting(attempt):
            return _retry(getattr(self.client(service, region), operation))(**parameters)

    def call_unless(
        self,
        codes: Collection[str],
        attempt: str,
        service: str,
        operation: str,
        /,
        region: str | None = None,
        **parameters: Any,
    ) -> Any | None:
        """As `call`; None when AWS answers with one of these error codes (already there, already gone)."""
        with attempting(attempt):
            try:
                return _retry(getattr(self.client(service, region), operation))(**parameters)
            except ClientError as error:
                if error_code(error) in codes:
                    return None
                raise

    def signed_url(self, attempt: str, operation: str, seconds: int, /, **parameters: Any) -> str:
        """An address of S3 under which anybody may call this operation for so many seconds."""
        with attempting(attempt):
            # What boto3 signs with of itself is, in older regions, what S3 refuses for buckets with a key of their own.
            client = self._module.client("s3", config={"signature_version": "s3v4"})
            address: str = client.generate_presigned_url(operation, Params=parameters, ExpiresIn=seconds)
            return address

    def pages(
        self,
        attempt: str,
        service: str,
        operation: str,
        key: str,
        /,
        region: str | None = None,
        missing: Collection[str] = (),
        **parameters: Any,
    ) -> list[Any]:
        """All items under ``key`` of all pages; an empty list when AWS answers with a code of ``missing``."""
        client = self.client(service, region)

        @_retry
        def collect() -> list[Any]:
            if not client.can_paginate(operation):
                return list(getattr(client, operation)(**parameters).get(key) or [])
            pages = client.get_paginator(operation).paginate(**parameters)
            return [item for page in pages for item in page.get(key) or []]

        with attempting(attempt):
            try:
                return collect()
            except ClientError as error:
                if error_code(error) in missing:
                    return []
                raise


def tag_filters(tags: dict[str, str]) -> list[dict[str, Any]]:
    """EC2 filters for resources that carry all of these tags."""
    return [{"Name": f"tag:{name}", "Values": [value]} for name, value in sorted(tags.items())]


def sorted_unique(values: Sequence[str]) -> list[str]:
    """The canonical form of a list in which order and repetition mean nothing."""
    return sorted(set(values))

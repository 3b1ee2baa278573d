# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults that strike calls on purpose: throttling, server errors, latency, lost replies."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from local_cloud.control_plane.wire.models import Classified
from local_cloud.control_plane.wire.responses import AwsError

KINDS = ("throttle", "error", "latency", "lost_reply")

# (error code, HTTP status) with which a service refuses too many calls. Source: each service's "common errors".
_THROTTLES = {
    "ec2": ("RequestLimitExceeded", 503),
    "s3": ("SlowDown", 503),
    "lambda": ("TooManyRequestsException", 429),
    "apigateway": ("TooManyRequestsException", 429),
    "dynamodb": ("ThrottlingException", 400),
    "servicediscovery": ("RequestLimitExceeded", 400),
    "route53": ("Throttling", 400),
    "wafv2": ("WAFLimitsExceededException", 400),
}
_SERVER_ERRORS = {"ec2": "InternalError", "s3": "InternalError", "ecs": "ServerException", "rds": "InternalFailure"}


@dataclass
class Fault:
    """What strikes which calls.

    `service` and `action` are globs over botocore's names. `kind` "error" answers `code` with `status` (default: the
    service's internal error, 500). `latency_ms` delays (kind "latency"). `probability` is between 0 and 1; `count`
    is how many more calls it may strike (None: no limit). `skip` calls pass first.
    """

    id: int
    kind: str
    service: str = "*"
    action: str = "*"
    region: str = "*"
    writes_only: bool = False
    probability: float = 1.0
    count: int | None = None
    skip: int = 0
    latency_ms: float = 0.0
    code: str | None = None
    status: int | None = None
    struck: int = field(default=0)

    def strikes(self, call: Classified) -> bool:
        """True if this fault strikes this call now; counts down."""
        if self.count is not None and self.struck >= self.count:
            return False
        if self.writes_only and not call.writes:
            return False
        if not (
            fnmatchcase(call.service, self.service)
            and fnmatchcase(call.operation.name, self.action)
            and fnmatchcase(call.signature.region, self.region)
        ):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if random.random() >= self.probability:
            return False
        self.struck += 1
        return True

    def answer(self, call: Classified) -> AwsError:
        """The error that the client gets in place of the call's effect."""
        if self.kind == "throttle":
            plain = "Throttling" if call.protocol in ("query", "rest-xml") else "ThrottlingException"
            code, status = _THROTTLES.get(call.service, (plain, 400))
            return AwsError(self.code or code, "Rate exceeded", self.status or status)
        status = self.status or 500
        default = _SERVER_ERRORS.get(call.service, "InternalFailure") if status < 503 else "ServiceUnavailable"
        return AwsError(self.code or default, "An injected fault answered in place of the service.", status)


class Faults:
    """The faults that are on, and the latency table."""

    def __init__(self, latency_table: Path, latency: bool) -> None:
        self.active: dict[int, Fault] = {}
        self.latency_enabled = latency
        self._table: dict[str, float] = json.loads(latency_table.read_text())
        self._ids = itertools.count(1)

    def add(self, wanted: Any) -> dict[str, Any]:
        """Switch a fault on. Raises AwsError for an unknown kind or key."""
        if not isinstance(wanted, dict) or wanted.get("kind") not in KINDS:
            raise AwsError("InvalidFault", f"a fault needs a kind: one of {', '.join(KINDS)}", 400)
        try:
            fault = Fault(id=next(self._ids), **wanted)
        except TypeError as error:
            raise AwsError("InvalidFault", str(error), 400) from error
        self.active[fault.id] = fault
        return asdict(fault)

    def remove(self, fault_id: int | None) -> int:
        """Switch one fault off, or all. Returns how many were on."""
        gone = [fault_id] if fault_id is not None else list(self.active)
        return sum(self.active.pop(number, None) is not None for number in gone)

    def read(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self.active.values()]

    def striking(self, call: Classified) -> list[Fault]:
        return [fault for fault in self.active.values() if fault.strikes(call)]

    def table_latency_ms(self, call: Classified) -> float:
        """What AWS takes for this call, by the longest matching pattern of the latency table; 0 when it is off."""
        if not self.latency_enabled:
            return 0.0
        name = f"{call.service}:{call.operation.name}"
        matching = [pattern for pattern in self._table if fnmatchcase(name, pattern)]
        if matching:
            return self._table[max(matching, key=len)]
        return self._table["write" if call.writes else "read"]

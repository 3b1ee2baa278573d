# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every AWS call that a client made, as JSON lines, without secrets."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from local_cloud.control_plane.wire import models

REDACTED = "********"
_KEPT = 200_000  # entries in memory; the file keeps all

_SECRET_NAMES = re.compile(
    r"(password|passphrase|secretstring|secretbinary|secretaccesskey|authtoken|authorization|private_?key|plaintext)",
    re.IGNORECASE,
)
# Names that match, and hold no secret: switches, ARNs and names of secrets.
_HARMLESS_NAMES = re.compile(
    r"(arn$|id$|name$|length$|strategy$|enabled$|required|type$|^(manage|rotate|exclude|include|require|hardexpiry|"
    r"allowusers|maxpasswordage|minimumpasswordlength|passwordreuse))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Entry:
    """One call. `time` is seconds since 1970, `latency_ms` includes injected latency, `status` is HTTP's.

    `status` 0 means that the connection was dropped by an injected fault; `took_effect` is False when a fault
    answered in AWS's place.
    """

    seq: int
    time: float
    service: str
    action: str
    region: str
    writes: bool
    parameters: Any
    status: int
    error: str | None
    request_id: str
    latency_ms: float
    took_effect: bool


def redacted(value: Any, shape: Shape | None, name: str = "") -> Any:
    """`value` as JSON with every secret replaced, judged by AWS's model (trait "sensitive") and by names."""
    if value is None or value == "":
        return value
    secret_name = bool(_SECRET_NAMES.search(name)) and not _HARMLESS_NAMES.search(name)
    if secret_name or (shape is not None and models.is_sensitive(shape)):
        return REDACTED
    if isinstance(value, dict):
        return _redacted_members(value, shape)
    if isinstance(value, list):
        inner = shape.member if isinstance(shape, ListShape) else None
        return [redacted(item, inner, name) for item in value]
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def _redacted_members(value: dict[str, Any], shape: Shape | None) -> dict[str, Any]:
    # {"Name": "master_password", "Value": …} and {"ParameterName": …, "ParameterValue": …}: the name is a value.
    named = str(value.get("Name") or value.get("name") or value.get("ParameterName") or value.get("Key") or "")
    hides_value = bool(_SECRET_NAMES.search(named)) and not _HARMLESS_NAMES.search(named)
    hides_value = hides_value or value.get("Type") == "SecureString"
    found = {}
    for key, item in value.items():
        member: Shape | None = None
        if isinstance(shape, StructureShape):
            member = shape.members.get(key)
        elif isinstance(shape, MapShape):
            member = shape.value
        hidden = hides_value and key in ("Value", "value", "ParameterValue")
        # What CloudFront adds to a request, and what a load balancer lets through by, is a password.
        hidden = hidden or key == "HeaderValue" or (key == "Values" and "HttpHeaderName" in value)
        found[key] = REDACTED if hidden else redacted(item, member, key)
    return found


class CallLog:
    """Appends to a JSONL file and answers from memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        if path.exists():
            with open(path) as lines:
                self._entries.extend(self._whole_lines(lines))
        # Calls are written as they end; those that began side by side may stand in any order.
        self._next = max((entry["seq"] for entry in self._entries), default=0) + 1
        self._file = open(path, "a", buffering=1)  # noqa: SIM115  (open as long as the process runs)

    @staticmethod
    def _whole_lines(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
        for line in lines:
            try:
                yield json.loads(line)
            except json.JSONDecodeError:  # the last line of a process that was killed while it wrote
                continue

    def next_seq(self) -> int:
        """A number that no other entry has; numbers ascend in the order in which calls arrived."""
        self._next += 1
        return self._next - 1

    def add(self, entry: Entry) -> None:
        record = asdict(entry)
        self._entries.append(record)
        self._file.write(json.dumps(record, default=str) + "\n")

    def read(self, since: int = 0, writes_only: bool = False) -> list[dict[str, Any]]:
        """Entries with a seq above `since`, oldest first."""
        return [entry for entry in self._entries if entry["seq"] > since and (entry["writes"] or not writes_only)]

    def clear(self) -> None:
        """Forget all entries, in memory and in the file; seq goes on."""
        self._entries.clear()
        self._file.truncate(0)

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Client tokens: a call that is repeated with the same token and parameters has one effect and one answer.

An SDK whose reply was lost repeats its call with the token of the first try; so this is what makes a lost reply
harmless. It is imported after `services/`, so that a repeat is recognised before any other check.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.stores import store

# (service, member that is the token) -> operations
_TOKENS = {
    ("ec2", "ClientToken"): ("CreateVpcEndpoint", "CreateFlowLogs", "CreateManagedPrefixList"),
    ("secretsmanager", "ClientRequestToken"): ("CreateSecret",),
    ("acm", "IdempotencyToken"): ("RequestCertificate",),
    ("servicediscovery", "CreatorRequestId"): (
        "CreatePrivateDnsNamespace",
        "CreatePublicDnsNamespace",
        "CreateHttpNamespace",
        "CreateService",
    ),
    ("backup", "CreatorRequestId"): ("CreateBackupVault", "CreateBackupPlan", "CreateBackupSelection"),
    ("ecs", "clientToken"): ("RunTask",),
}

_seen = store("idempotency_tokens")  # "operation|token" -> {"digest": of the parameters, "answer": the first answer}


def _plain(value: Any) -> Any:
    """`value` with moments as text, which JSON can keep."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _once(token_member: str) -> Any:
    async def answer_once(call: Call) -> Params:
        token = call.params.get(token_member)
        if not token:
            return await call.forward()
        key = f"{call.service}.{call.operation}|{token}"
        # A digest, because parameters may hold a secret.
        digest = hashlib.sha256(json.dumps(call.params, sort_keys=True, default=str).encode()).hexdigest()
        if key in _seen:
            if _seen[key]["digest"] == digest:
                known: Params = _seen[key]["answer"]
                return known
            if call.service == "ec2":
                raise AwsError(
                    "IdempotentParameterMismatch",
                    "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
                )
        answer = await call.forward()
        _seen[key] = {"digest": digest, "answer": _plain(answer)}
        return answer

    return answer_once


for (_service, _member), _operations in _TOKENS.items():
    registry.handles(_service, *_operations)(_once(_member))

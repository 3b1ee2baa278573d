# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The values behind a container definition's `secrets`, found as the ECS agent finds them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from local_cloud.control_plane.overlay import AwsError

Scope = tuple[str, str]
Invoke = Callable[[Scope, str, str, dict[str, Any]], Awaitable[dict[str, Any]]]


async def value(invoke: Invoke, scope: Scope, value_from: str) -> str:
    """The text behind `valueFrom`: a secret's ARN with `:json-key:version-stage:version-id`, or an SSM parameter.

    Raises AwsError with ECS's words, in which the agent stops the task (ResourceInitializationError).
    """
    try:
        if ":secretsmanager:" in value_from:
            return await _secret(invoke, scope, value_from)
        name = value_from.partition(":parameter")[2] or value_from
        answer = await invoke(scope, "ssm", "GetParameter", {"Name": name, "WithDecryption": True})
        return str(answer["Parameter"]["Value"])
    except AwsError as error:
        raise AwsError(
            "ResourceInitializationError",
            f"unable to pull secrets or registry auth: unable to retrieve secret {value_from}: "
            f"{error.code}: {error.message}",
            400,
        ) from error


async def _secret(invoke: Invoke, scope: Scope, value_from: str) -> str:
    parts = value_from.split(":")
    arn, suffix = ":".join(parts[:7]), [*parts[7:], "", "", ""]
    key, stage, version = suffix[0], suffix[1], suffix[2]
    parameters = {"SecretId": arn}
    if stage:
        parameters["VersionStage"] = stage
    if version:
        parameters["VersionId"] = version
    answer = await invoke((scope[0], parts[3]), "secretsmanager", "GetSecretValue", parameters)
    text = str(answer.get("SecretString", ""))
    if not key:
        return text
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise AwsError("InvalidParameter", f"the secret is no JSON, so it has no key {key}") from error
    if key not in fields:
        raise AwsError("InvalidParameter", f"retrieved secret from Secrets Manager did not contain json key {key}")
    return str(fields[key])

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The keys of a task's role, as the ECS agent gives them to its containers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from local_cloud.control_plane.overlay import AwsError

Record = dict[str, Any]
Invoke = Callable[[tuple[str, str], str, str, Record], Awaitable[Record]]


async def credentials(invoke: Invoke, task: Record | None) -> Record:
    """AccessKeyId, SecretAccessKey, Token, Expiration and RoleArn. Raises AwsError without such a task or role."""
    if task is None:
        raise AwsError("NoSuchTask", "There is no such task.", 404)
    parts = task["taskArn"].split(":")
    scope = (parts[4], parts[3])
    answer = await invoke(scope, "ecs", "DescribeTaskDefinition", {"taskDefinition": task["taskDefinitionArn"]})
    role = (task.get("overrides") or {}).get("taskRoleArn") or answer["taskDefinition"].get("taskRoleArn")
    if not role:
        raise AwsError("NoTaskRole", "The task has no role.", 404)
    session = {"RoleArn": role, "RoleSessionName": task["taskArn"].rpartition("/")[2][:64]}
    keys = (await invoke(scope, "sts", "AssumeRole", session))["Credentials"]
    until = keys["Expiration"]
    return {
        "RoleArn": role,
        "AccessKeyId": keys["AccessKeyId"],
        "SecretAccessKey": keys["SecretAccessKey"],
        "Token": keys["SessionToken"],
        "Expiration": until if isinstance(until, str) else until.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }

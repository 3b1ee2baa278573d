# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets that RDS manages say so and are not overwritten; a name whose secret waits for deletion is taken."""

from __future__ import annotations

from ministack.services import rds, secretsmanager

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry


def _managed(arn: str) -> bool:
    records = [*rds._clusters.values(), *rds._instances.values()]
    return any((record.get("MasterUserSecret") or {}).get("SecretArn") == arn for record in records)


@registry.handles("secretsmanager", "DescribeSecret")
async def describe_secret(call: Call) -> Params:
    answer = await call.forward()
    if _managed(answer["ARN"]):
        answer |= {"OwningService": "rds", "RotationEnabled": True, "RotationRules": {"AutomaticallyAfterDays": 7}}
    return answer


@registry.handles("secretsmanager", "DeleteSecret", "PutSecretValue", "UpdateSecret")
async def change_secret(call: Call) -> Params:
    secret = call.params["SecretId"]
    if secret.startswith("rds!") or _managed(secret):
        raise AwsError(
            "InvalidRequestException",
            "You can't make this change to the secret because the secret is managed by another service: rds.",
        )
    return await call.forward()


@registry.handles("secretsmanager", "CreateSecret")
async def create_secret(call: Call) -> Params:
    old = secretsmanager._secrets.get(call.params["Name"])
    if old and old.get("DeletedDate"):
        raise AwsError(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        )
    answer = await call.forward()
    if call.params.get("SecretString") is None and call.params.get("SecretBinary") is None:
        # A secret that is created without a value has no version; ministack gives it an empty one.
        secretsmanager._secrets[answer["Name"]]["Versions"].clear()
        answer.pop("VersionId", None)
    return answer

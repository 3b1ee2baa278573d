# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A secret that is created without a value has no version: ministack gives it an empty one."""

from __future__ import annotations

from ministack.services import secretsmanager

from local_cloud.control_plane.overlay import Call, Params, registry


@registry.handles("secretsmanager", "CreateSecret")
async def create_secret(call: Call) -> Params:
    answer = await call.forward()
    if call.params.get("SecretString") is None and call.params.get("SecretBinary") is None:
        secretsmanager._secrets[answer["Name"]]["Versions"].clear()
        answer.pop("VersionId", None)
    return answer

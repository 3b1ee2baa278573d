# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECR: an image that is asked for and is not there is an error."""

from __future__ import annotations

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry


@registry.handles("ecr", "DescribeImages")
async def describe_images(call: Call) -> Params:
    answer = await call.forward()
    found = answer.get("imageDetails", [])
    for wanted in call.params.get("imageIds", []):
        tag, digest = wanted.get("imageTag"), wanted.get("imageDigest")
        if not any(
            tag in (None, *image.get("imageTags", [])) and digest in (None, image["imageDigest"]) for image in found
        ):
            raise AwsError(
                "ImageNotFoundException",
                f"The image with imageId {{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}} does not "
                f"exist within the repository with name '{call.params['repositoryName']}' in the registry with id "
                f"'{call.account}'",
            )
    return answer

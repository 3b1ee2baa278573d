# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECR: an image that is asked for and is not there is an error; what scans find is what a test says."""

from __future__ import annotations

from typing import Any

from local_cloud.control_plane.overlay import AdminRequest, AwsError, Call, Params, registry

_findings: dict[str, list[dict[str, Any]]] = {}  # by digest; there is no scanner here


@registry.at_reset
async def _forget_findings() -> None:
    _findings.clear()


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


@registry.admin("POST", "/ecr/findings")
async def set_findings(request: AdminRequest) -> Params:
    """What scans of an image shall find. Body: {"digest": …, "findings": [{"name", "severity", "package"}, …]}."""
    _findings[request.body["digest"]] = request.body["findings"]
    return {}


@registry.handles("ecr", "DescribeImageScanFindings")
async def describe_image_scan_findings(call: Call) -> Params:
    """Nothing is scanned: the answer is what the test put there, else an image without findings."""
    asked = {"repositoryName": call.params["repositoryName"], "imageIds": [call.params["imageId"]]}
    image = (await call.invoke("ecr", "DescribeImages", asked))["imageDetails"][0]
    told = _findings.get(image["imageDigest"], [])
    severities = [one["severity"] for one in told]
    return {
        "registryId": call.account,
        "repositoryName": call.params["repositoryName"],
        "imageId": {"imageDigest": image["imageDigest"]},
        "imageScanStatus": {"status": "COMPLETE", "description": "The scan was completed successfully."},
        "imageScanFindings": {
            "findingSeverityCounts": {one: severities.count(one) for one in sorted(set(severities))},
            "findings": [
                {
                    "name": one["name"],
                    "severity": one["severity"],
                    "attributes": [{"key": "package_name", "value": one.get("package", "")}],
                }
                for one in told
            ],
        },
    }

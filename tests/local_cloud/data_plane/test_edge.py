# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudFront's door: an address with TLS for each distribution, which leads to its origins."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest

from tests.local_cloud.data_plane.stage import Stage, eventually, forward

MANAGED_UNCACHED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"


def distribution(stage: Stage, origin: dict[str, Any]) -> dict[str, Any]:
    """One that sends everything to the load balancer, with a header of its own."""
    config = {
        "CallerReference": stage.name("edge"),
        "Comment": "",
        "Enabled": True,
        "Origins": {
            "Quantity": 1,
            "Items": [
                {
                    "Id": "application",
                    "DomainName": origin["address"],
                    "CustomHeaders": {
                        "Quantity": 1,
                        "Items": [{"HeaderName": "X-Origin-Verify", "HeaderValue": "known to two"}],
                    },
                    "CustomOriginConfig": {
                        "HTTPPort": origin["port"],
                        "HTTPSPort": 443,
                        "OriginProtocolPolicy": "http-only",
                    },
                }
            ],
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "application",
            "ViewerProtocolPolicy": "redirect-to-https",
            "CachePolicyId": MANAGED_UNCACHED,
            "OriginRequestPolicyId": ALL_VIEWER,
        },
    }
    made: dict[str, Any] = stage.client("cloudfront").create_distribution(DistributionConfig=config)
    return {**made["Distribution"], "ETag": made["ETag"]}


def ports(stage: Stage, made: dict[str, Any]) -> dict[str, int]:
    """Port → the one really listened at."""
    known: dict[str, Any] = stage.admin("GET", "/data-plane/status").get("load_balancers", {})
    return dict(known.get(made["Id"], {}).get("ports", {}))


def read(stage: Stage, url: str) -> tuple[int, dict[str, Any]]:
    """(status, JSON body) as a viewer gets them; TLS is verified against the cloud's own authority."""
    context = ssl.create_default_context(cafile=str(stage.state_dir / "tls" / "ca.pem"))
    try:
        with urllib.request.urlopen(url, timeout=10, context=context) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, {}


@pytest.fixture(scope="module")
def origin(stage: Stage) -> dict[str, Any]:
    """A load balancer with one task behind it."""
    group = stage.target_group()
    balancer = stage.load_balancer(forward((group, 1)), port=8080)
    service = stage.service(stage.task_definition(), group)
    stage.steady(service)
    eventually(lambda: list(stage.health(group).values()) == ["healthy"])
    return balancer


def test_a_viewer_reaches_the_application_through_the_distributions_address_with_tls(
    stage: Stage, origin: dict[str, Any]
) -> None:
    made = distribution(stage, origin)
    found = eventually(lambda: ports(stage, made))
    site = f"https://{made['DomainName']}:{found['443']}"
    time.sleep(0.2)  # for the nodes' lag
    status, echo = read(stage, f"{site}/api/echo?page=1")
    assert status == 200
    assert echo["headers"]["x-origin-verify"] == "known to two"
    assert echo["query"] == {"page": "1"}
    listed = stage.client("cloudfront").list_distributions()["DistributionList"]["Items"]
    assert made["DomainName"] in [item["DomainName"] for item in listed]

    front = stage.client("cloudfront")
    config = front.get_distribution_config(Id=made["Id"])
    disabled = {**config["DistributionConfig"], "Enabled": False}
    etag = front.update_distribution(Id=made["Id"], IfMatch=config["ETag"], DistributionConfig=disabled)["ETag"]
    eventually(lambda: not ports(stage, made))
    front.delete_distribution(Id=made["Id"], IfMatch=etag)


def test_a_task_gets_the_keys_of_its_role_and_only_a_task_that_has_one(stage: Stage, origin: dict[str, Any]) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = stage.client("iam").create_role(RoleName="stage-task", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    plain = stage.ecs.describe_task_definition(taskDefinition=stage.task_definition(family="with-role"))
    definition = stage.ecs.register_task_definition(
        family="with-role",
        taskRoleArn=role,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=plain["taskDefinition"]["containerDefinitions"],
    )["taskDefinition"]["taskDefinitionArn"]
    service = stage.service(definition)
    stage.steady(service)
    (task,) = stage.tasks(service)
    where = f"/data-plane/credentials?{urllib.parse.urlencode({'task': task['taskArn']})}"
    keys = stage.admin("GET", where)
    assert keys["RoleArn"] == role
    assert keys["AccessKeyId"].startswith("ASIA")
    assert keys["Token"]
    stage.remove(service)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        stage.admin("GET", "/data-plane/credentials?task=arn:aws:ecs:us-east-1:123456789012:task/stage/none")

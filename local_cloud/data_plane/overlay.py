# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Joins the data plane to the control plane; imported by the control plane's process, after its own services.

Routes, under /_cloud/data-plane:

| route                      | does                                                                                |
|----------------------------|-------------------------------------------------------------------------------------|
| GET /agent, /load-balancer | `?version=N&wait=S`: what that part shall do, once it differs from version N        |
| POST /report               | what came of it: `tasks`, `target_groups`, `status`                                 |
| POST /metrics              | `{"namespace", "region", "data"}` → CloudWatch                                      |
| POST /logs                 | `{"account", "region", "group", "stream", "lines"}` → CloudWatch Logs               |
| POST /secret               | `{"account", "region", "valueFrom"}` → the value that a container gets              |
| GET /credentials           | `?task=ARN`: keys of the role of that task, as a container asks for them            |
| GET /status                | settings, what each part last said of itself, addresses of the load balancers       |
| POST /settings             | any of `time_scale`, `nodes`, `lag` (seconds of all nodes, or `{node: seconds}`)    |
| GET, POST, DELETE /images  | image → version and environment (such as APP_FAULT); POST also puts it into ECR     |
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

from local_cloud.control_plane.overlay import AdminRequest, AwsError, Call, registry
from local_cloud.data_plane import addresses
from local_cloud.data_plane.control import caches, databases, ecs, edge, images, roles, secrets
from local_cloud.data_plane.control.hub import Document
from local_cloud.data_plane.control.plane import Plane, registered_only
from local_cloud.data_plane.control.settings import Settings
from local_cloud.settings import ACCOUNT_ID, STATE_DIR_VARIABLE

Record = dict[str, Any]

_MOST_DATA = 500  # metric data in one PutMetricData


def _plane() -> Plane:
    state_dir = os.environ.get(STATE_DIR_VARIABLE, ".")
    network = addresses.network(int(os.environ.get("GATEWAY_PORT", "4566")))
    return Plane(Settings.load(Path(state_dir) / "data_plane.json", network))


plane = _plane()
ecs.take_over()
databases.register(plane)
caches.register(plane)
plane.listers = {
    "databases": ("rds", (databases.scopes, databases.specs)),
    "caches": ("elasticache", (caches.scopes, caches.specs)),
}
plane.list_snapshots = databases.snapshots
plane.list_former = databases.former_arns
registry.at_start(plane.run)


@registry.after_write
async def _follow(call: Call) -> None:
    plane.signal.changed(call.service)


@registry.at_reset
async def _follow_reset() -> None:
    plane.targets.groups.clear()
    plane.signal.changed("settings")


@registry.handles("elbv2", "CreateLoadBalancer", "DescribeLoadBalancers")
async def _real_address(call: Call) -> Record:
    """An address is the one DNS name that every resolver on every machine knows."""
    answer = await call.forward()
    shown = [
        {**balancer, "DNSName": plane.settings.block("load_balancer", balancer["LoadBalancerArn"])[0]}
        for balancer in answer["LoadBalancers"]
    ]
    return {**answer, "LoadBalancers": shown}


@registry.handles("cloudfront", "CreateDistribution", "CreateDistributionWithTags", "GetDistribution")
@registry.handles("cloudfront", "UpdateDistribution")
async def _door_of_one(call: Call) -> Record:
    answer = await call.forward()
    return {**answer, "Distribution": _with_address(answer["Distribution"])}


@registry.handles("cloudfront", "ListDistributions")
async def _doors_of_all(call: Call) -> Record:
    answer = await call.forward()
    listing = answer["DistributionList"]
    return {"DistributionList": {**listing, "Items": [_with_address(item) for item in listing.get("Items", [])]}}


def _with_address(distribution: Record) -> Record:
    return {**distribution, "DomainName": edge.address(plane.settings, distribution["ARN"])}


@registry.handles("elbv2", "DescribeTargetHealth")
async def _real_health(call: Call) -> Record:
    answer = await call.forward()
    group = plane.targets.groups.get(call.params["TargetGroupArn"])
    if registered_only.get() or group is None:
        return answer
    descriptions = answer["TargetHealthDescriptions"]
    shown = {(item["Target"]["Id"], item["Target"].get("Port")) for item in descriptions}
    if not call.params.get("Targets"):
        descriptions += [
            {"Target": {"Id": target[0], "Port": target[1]}, "HealthCheckPort": str(target[1])}
            for target in sorted(group.draining)
            if target not in shown
        ]
    for item in descriptions:
        if "Port" in item["Target"]:
            item["TargetHealth"] = group.state((item["Target"]["Id"], item["Target"]["Port"]))
    return {"TargetHealthDescriptions": descriptions}


# Routes.


async def _wait_for(document: Document, request: AdminRequest) -> Record:
    seconds = min(float(request.query.get("wait", "0")), 60)
    return await document.wait(int(request.query.get("version", "-1")), seconds)


@registry.admin("GET", "/data-plane/agent")
async def agent_work(request: AdminRequest) -> Record:
    return await _wait_for(plane.agent, request)


@registry.admin("GET", "/data-plane/load-balancer")
async def load_balancer_work(request: AdminRequest) -> Record:
    return await _wait_for(plane.load_balancer, request)


@registry.admin("POST", "/data-plane/report")
async def report(request: AdminRequest) -> Record:
    for task in request.body.get("tasks", []):
        plane.ecs.report(task)
        plane.signal.changed("ecs")
    for group in request.body.get("target_groups", []):
        health = {(item["target"][0], item["target"][1]): item["health"] for item in group.get("health", [])}
        drained = [(target[0], target[1]) for target in group.get("drained", [])]
        plane.targets.report(group["arn"], health, drained)
        plane.signal.changed("elbv2" if drained else "ecs")
    for item in (*request.body.get("databases", []), *request.body.get("caches", [])):
        plane.states[item["key"]] = item["state"]
        plane.details[item["key"]] = item["detail"] or item["state"]
    plane.status.update(request.body.get("status", {}))
    return {}


@registry.admin("POST", "/data-plane/metrics")
async def put_metrics(request: AdminRequest) -> Record:
    """`{"namespace", "region", "data"}`: metric data of the services themselves, as AWS would put them."""
    body, now = request.body, time.time()
    for datum in body["data"]:
        datum["Timestamp"] = now
    for start in range(0, len(body["data"]), _MOST_DATA):
        some = body["data"][start : start + _MOST_DATA]
        scope = (ACCOUNT_ID, body["region"])
        await plane.invoke(scope, "cloudwatch", "PutMetricData", {"Namespace": body["namespace"], "MetricData": some})
    return {}


@registry.admin("POST", "/data-plane/logs")
async def put_logs(request: AdminRequest) -> Record:
    """Lines of a task's container; without their log group they go nowhere."""
    body, now = request.body, int(time.time() * 1000)
    scope, place = (body["account"], body["region"]), {"logGroupName": body["group"], "logStreamName": body["stream"]}
    events = [{"timestamp": now, "message": line} for line in body["lines"]]
    try:
        with contextlib.suppress(AwsError):  # the stream is there since the first lines
            await plane.invoke(scope, "logs", "CreateLogStream", place)
        await plane.invoke(scope, "logs", "PutLogEvents", {**place, "logEvents": events})
    except AwsError as error:
        return {"refused": error.code}
    return {}


@registry.admin("POST", "/data-plane/secret")
async def secret(request: AdminRequest) -> Record:
    scope = (request.body["account"], request.body["region"])
    return {"value": await secrets.value(plane.invoke, scope, request.body["valueFrom"])}


@registry.admin("GET", "/data-plane/credentials")
async def credentials(request: AdminRequest) -> Record:
    return await roles.credentials(plane.invoke, plane.ecs.task(request.query["task"]))


@registry.admin("GET", "/data-plane/status")
async def status(_request: AdminRequest) -> Record:
    return {"settings": plane.settings.public(), **plane.status, "stores": plane.details}


@registry.admin("POST", "/data-plane/settings")
async def change_settings(request: AdminRequest) -> Record:
    try:
        plane.settings.change(request.body)
    except (TypeError, ValueError) as error:
        raise AwsError("ValidationError", f"Changing the data plane's settings: {error}.", 400) from error
    plane.signal.changed("settings")
    return plane.settings.public()


@registry.admin("GET", "/data-plane/images")
async def known_images(_request: AdminRequest) -> Record:
    return plane.settings.images


@registry.admin("POST", "/data-plane/images")
async def push_image(request: AdminRequest) -> Record:
    """`{"repository", "tag", "environment"?, "region"?, "account"?}` → `{"image", "image_by_digest", "digest"}`."""
    pushed = await images.push(plane.invoke, request.body)
    known = {"version": request.body["tag"], "environment": request.body.get("environment", {})}
    plane.settings.images |= {pushed["image"]: known, pushed["image_by_digest"]: known}
    plane.settings.save()
    plane.signal.changed("settings")
    return pushed


@registry.admin("DELETE", "/data-plane/images")
async def forget_images(_request: AdminRequest) -> Record:
    plane.settings.images.clear()
    plane.settings.save()
    return {}

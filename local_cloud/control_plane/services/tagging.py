# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Resource Groups Tagging API finds what ministack's does not look for: networks, databases, secrets, alarms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import acm, cloudwatch, cloudwatch_logs, ec2, rds, secretsmanager, servicediscovery, tagging

from local_cloud.control_plane.services.elasticache import state as elasticache
from local_cloud.control_plane.services.elbv2 import state as elbv2

Tagged = Iterator[tuple[str, list[dict[str, str]]]]

# Prefix of an id -> the resource type in its ARN. Source: "Actions, resources, and condition keys for Amazon EC2".
_EC2_TYPES = {
    "vpc": "vpc",
    "subnet": "subnet",
    "igw": "internet-gateway",
    "nat": "natgateway",
    "eipalloc": "elastic-ip",
    "rtb": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "vpce": "vpc-endpoint",
    "fl": "vpc-flow-log",
    "acl": "network-acl",
    "pl": "prefix-list",
}


def _of_ec2() -> Tagged:
    for name, tags in list(ec2._tags.items()):
        kind = _EC2_TYPES.get(name.partition("-")[0])
        if kind:
            yield f"arn:aws:ec2:{get_region()}:{get_account_id()}:{kind}/{name}", tags


def _by_arn(*stores: Any) -> Callable[[], Tagged]:
    """A collector over stores of ARN -> tags, for this region."""

    def collect() -> Tagged:
        for store in stores:
            for arn, tags in list(store.items()):
                if arn.split(":")[3] == get_region():
                    yield arn, tags

    return collect


def _of_secrets() -> Tagged:
    for secret in secretsmanager._secrets.values():
        yield secret["ARN"], secret.get("Tags") or []


def _of_certificates() -> Tagged:
    for arn, certificate in acm._certificates.items():
        yield arn, certificate.get("Tags") or []


def _of_log_groups() -> Tagged:
    for name, group in cloudwatch_logs._log_groups.items():
        tags = [{"Key": key, "Value": value} for key, value in (group.get("tags") or {}).items()]
        yield f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{name}", tags


def _of_alarms() -> Tagged:
    for arn, tags in list(cloudwatch._resource_tags.items()):
        if arn.split(":")[3] == get_region():
            yield arn, [{"Key": key, "Value": value} for key, value in tags.items()]


tagging._COLLECTORS.update(
    {
        "ec2": _of_ec2,
        "rds": _by_arn(rds._tags),
        "elasticloadbalancing": _by_arn(elbv2.tags),
        "elasticache": _by_arn(elasticache.tags),
        "servicediscovery": _by_arn(servicediscovery._resource_tags),
        "secretsmanager": _of_secrets,
        "acm": _of_certificates,
        "logs": _of_log_groups,
        "cloudwatch": _of_alarms,
    }
)

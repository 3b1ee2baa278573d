# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudFront's door: an address for each distribution, where viewers come with HTTP or HTTPS.

The sockets and the TLS are those of the load balancers' process. What is decided about a request (web ACL,
signature, behavior, origin) is decided in the control plane, to which every request is passed on.
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudfront as ministack_cloudfront

from local_cloud.control_plane.services.cloudfront import viewers
from local_cloud.data_plane.control.settings import Settings

Record = dict[str, Any]

_GROUP = "edge"  # the one target group: the control plane
_IDLE_TIMEOUT = 60.0  # seconds


def address(settings: Settings, distribution: str) -> str:
    """The address at which viewers reach a distribution, by its ARN."""
    return settings.block("edge", distribution)[0]


def doors(settings: Settings, control_plane_port: int) -> tuple[list[Record], list[Record]]:
    """(an entry for each enabled distribution, the target group behind all) in the load balancers' own terms."""
    found = [one for one in ministack_cloudfront._distributions.values() if one["enabled"]]
    settings.release("edge", {one["ARN"] for one in ministack_cloudfront._distributions.values()})
    viewers.addresses.clear()
    viewers.addresses.update({address(settings, one["ARN"]): one["Id"] for one in found})
    if not found:
        return [], []
    return [_door(settings, one) for one in found], [_group(control_plane_port)]


def _door(settings: Settings, distribution: Record) -> Record:
    arn = distribution["ARN"]
    names = [distribution["DomainName"], *ministack_cloudfront._get_distribution_aliases(distribution)]
    forward = {"conditions": [], "actions": [{"Type": "forward", "TargetGroupArn": _GROUP}]}
    listeners = [
        {"arn": f"{arn}:{port}", "port": port, "protocol": protocol, "domains": sorted(names), "rules": [forward]}
        for port, protocol in ((80, "HTTP"), (443, "HTTPS"))
    ]
    return {
        "arn": arn,
        "name": distribution["Id"],
        "region": "us-east-1",
        "measured": False,  # its numbers are none of a load balancer's
        "addresses": [address(settings, arn)],
        "idle_timeout": _IDLE_TIMEOUT,
        "listeners": listeners,
        "target_groups": [_GROUP],
    }


def _group(port: int) -> Record:
    return {
        "arn": _GROUP,
        "name": _GROUP,
        "region": "us-east-1",
        "used": True,
        "measured": False,
        "targets": [["127.0.0.1", port]],
        "draining": [],
        "deregistration_delay": 0.0,
        "stickiness": {"enabled": False, "type": "lb_cookie", "seconds": 86400.0},
        "health_check": {"enabled": False},
    }

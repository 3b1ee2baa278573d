# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tags of all four kinds of resources, and the account's limits and TLS policies."""

from __future__ import annotations

from local_cloud.control_plane.overlay import Call, Params, registry
from local_cloud.control_plane.resources import drop_tags, merge_tags
from local_cloud.control_plane.services.elbv2 import state


@registry.handles("elbv2", "AddTags")
def add_tags(call: Call) -> Params:
    for arn in call.params["ResourceArns"]:
        state.any_of(arn)
    for arn in call.params["ResourceArns"]:
        state.tags[arn] = merge_tags(state.tags.get(arn, []), call.params["Tags"])
    return {}


@registry.handles("elbv2", "RemoveTags")
def remove_tags(call: Call) -> Params:
    for arn in call.params["ResourceArns"]:
        state.any_of(arn)
        state.tags[arn] = drop_tags(state.tags.get(arn, []), call.params["TagKeys"])
    return {}


@registry.handles("elbv2", "DescribeTags")
def describe_tags(call: Call) -> Params:
    shown = []
    for arn in call.params["ResourceArns"]:
        state.any_of(arn)
        shown.append({"ResourceArn": arn, "Tags": state.tags.get(arn, [])})
    return {"TagDescriptions": shown}


@registry.handles("elbv2", "DescribeAccountLimits")
def describe_account_limits(_call: Call) -> Params:
    limits = {
        "application-load-balancers": 50,
        "target-groups": 3000,
        "targets-per-application-load-balancer": 1000,
        "listeners-per-application-load-balancer": 50,
        "rules-per-application-load-balancer": 100,
        "target-groups-per-action-on-application-load-balancer": 5,
    }
    return {"Limits": [{"Name": name, "Max": str(most)} for name, most in limits.items()]}


@registry.handles("elbv2", "DescribeSSLPolicies")
def describe_ssl_policies(call: Call) -> Params:
    protocols = {
        "ELBSecurityPolicy-2016-08": ["TLSv1", "TLSv1.1", "TLSv1.2"],
        "ELBSecurityPolicy-TLS-1-2-2017-01": ["TLSv1.2"],
        "ELBSecurityPolicy-TLS13-1-2-2021-06": ["TLSv1.2", "TLSv1.3"],
        "ELBSecurityPolicy-TLS13-1-2-Res-2021-06": ["TLSv1.2", "TLSv1.3"],
        "ELBSecurityPolicy-TLS13-1-3-2021-06": ["TLSv1.3"],
    }
    wanted = call.params.get("Names") or list(protocols)
    return {
        "SslPolicies": [
            {"Name": name, "SslProtocols": protocols[name], "SupportedLoadBalancerTypes": ["application", "network"]}
            for name in wanted
            if name in protocols
        ]
    }

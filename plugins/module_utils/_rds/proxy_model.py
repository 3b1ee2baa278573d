# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The RDS Proxy that is wanted: the proxy, its pool, its target, an endpoint for readers; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._aws.tags import named
from .._engine.resources import Ref, Resource
from .._engine.steps import PlanRefused

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){0,62}")
_MOST_SECRETS = 200


def problems(params: Mapping[str, Any]) -> list[str]:
    """Everything wrong with a wished proxy, one sentence each (RDS API reference, CreateDBProxy)."""
    name, found = params["name"], []
    if not _NAME.fullmatch(name):
        found.append(
            f"Read the proxy's name {name!r}; AWS takes up to 63 letters, digits and single hyphens, beginning with a "
            "letter. Choose such a name."
        )
    if not 1 <= len(params["secret_arns"]) <= _MOST_SECRETS:
        found.append(f"Read {len(params['secret_arns'])} secrets for proxy {name}; AWS takes 1 to {_MOST_SECRETS}.")
    if not 1 <= params["idle_client_timeout"] <= 28800:
        found.append(
            f"Read idle_client_timeout {params['idle_client_timeout']} for proxy {name}; AWS takes 1 to 28800 seconds."
        )
    if len(params["subnet_ids"]) < 2:
        found.append(f"Read {len(params['subnet_ids'])} subnets for proxy {name}; AWS wants two zones. Name more.")
    most, idle = params["max_connections_percent"], params["max_idle_connections_percent"]
    if not 1 <= most <= 100 or not 0 <= idle <= most:
        found.append(
            f"Read max_connections_percent {most} and max_idle_connections_percent {idle} for proxy {name}; the first "
            "lies between 1 and 100, the second between 0 and the first."
        )
    if not 0 <= params["connection_borrow_timeout"] <= 300:
        found.append(
            f"Read connection_borrow_timeout {params['connection_borrow_timeout']} for proxy {name}; AWS takes 0 to "
            "300 seconds."
        )
    return found


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of an `rds_proxy` call, in the order of creation. Raises PlanRefused."""
    if wrong := problems(params):
        raise PlanRefused(wrong)
    name, tags = params["name"], params["tags"]
    proxy = Ref("db_proxy", name)
    made = [
        Resource(
            "db_proxy",
            name,
            {
                "secrets": sorted(params["secret_arns"]),
                "iam_authentication": params["iam_authentication"],
                "role": params["role_arn"],
                "subnets": sorted(params["subnet_ids"]),
                "security_groups": sorted(params["security_group_ids"]),
                "require_tls": params["require_tls"],
                "idle_client_timeout": params["idle_client_timeout"],
                "debug_logging": params["debug_logging"],
            },
            tags=named(tags, name),
        ),
    ]
    if params["reader_endpoint"]:
        own = f"{name}-reader"
        fields = {
            "proxy": proxy,
            "subnets": sorted(params["subnet_ids"]),
            "security_groups": sorted(params["security_group_ids"]),
        }
        made.append(Resource("db_proxy_endpoint", own, fields, tags=named(tags, own)))
    # Last, since it may have to wait for the cluster's instances.
    made.append(
        Resource(
            "db_proxy_pool",
            name,
            {
                "max_connections_percent": params["max_connections_percent"],
                "max_idle_connections_percent": params["max_idle_connections_percent"],
                "connection_borrow_timeout": params["connection_borrow_timeout"],
                "session_pinning_filters": sorted(params["session_pinning_filters"]),
                "cluster": params["cluster"],
            },
            on=(("db_proxy", name),),
        )
    )
    return made

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All rules of the bill, and the kinds that cost nothing of themselves."""

from __future__ import annotations

from collections.abc import Mapping

from . import compute, data, edge, foundation, operations
from .bill import Rule

RULES: tuple[Rule, ...] = (
    *foundation.RULES,
    *data.RULES,
    *compute.RULES,
    *edge.RULES,
    *operations.RULES,
)

# How one resource of a kind is priced, for a plan that has found it by itself.
BY_KIND: Mapping[str, Rule] = {rule.kind: rule for rule in reversed(RULES)}

# Kinds without a price of their own; what runs through them is on another line. A kind that stands neither here nor
# in a rule is told in the plan as not priced.
FREE = frozenset(
    {
        "backup_plan",
        "backup_selection",
        "budget",
        "cache_parameter_group",
        "cache_policy",
        "cache_subnet_group",
        "certificate",
        "config_recording",
        "config_rule",
        "cost_allocation_tag",
        "db_cluster_parameter_group",
        "db_parameter_group",
        "db_proxy_endpoint",
        "db_proxy_pool",
        "db_subnet_group",
        "delivery_channel",
        "discovery_service",
        "global_cluster",
        "iam_role",
        "internet_gateway",
        "invalidation",
        "ip_set",
        "key_group",
        "listener",
        "log_delivery",
        "log_delivery_destination",
        "log_delivery_source",
        "log_group",
        "notifications",
        "oidc_provider",
        "origin_access_control",
        "origin_request_policy",
        "permission",
        "postgres_user",
        "public_key",
        "query_definition",
        "queue",
        "response_headers_policy",
        "route_table",
        "sampling_rule",
        "scalable_target",
        "scaling_policy",
        "scheduled_action",
        "security_group",
        "security_group_rules",
        "service_linked_role",
        "sns_subscription",
        "sns_topic",
        "subnet",
        "target_group",
        "task_definition",
        "trail",
        "vpc",
        "web_acl_logging",
        "xray_group",
    }
)

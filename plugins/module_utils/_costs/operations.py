# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What phases 5 and 6 cost: logs, metrics, traces, notices, backups."""

from __future__ import annotations

from .bill import USAGE_KIND, Description, Part, Rule, above
from .foundation import bucket, nat_names

# Free each month. Source: the pages named in price_lists/global.yml.
_FREE_TRACES = 100_000
_FREE_EMAILS = 1_000

# How many the role monitoring makes for one platform; a plan counts them itself, and a test compares both.
_ALARMS = 49
_ALARMS_OF_A_NAT_GATEWAY = 2
_ALARMS_OF_A_CACHE_NODE = 4  # and one for the credits of a burstable one
_COMPOSITE_ALARMS = 3
_METRIC_FILTERS = 5
_DASHBOARDS = 3
_REPLICATION_METRICS = 4


def _logs(description: Description, _name: str) -> list[Part]:
    written = description.usage("log_gb")
    # Kept for about a month, so that what is stored is what a month writes.
    return [
        Part(written, "GB written", "cloudwatch_logs/gb"),
        Part(written, "GB kept", "cloudwatch_logs/gb_month"),
    ]


def _watching(description: Description, name: str) -> list[Part]:
    if name == "traces":
        return [Part(above(description.usage("traces"), _FREE_TRACES) / 1e6, "M", "xray/million_traces")]
    return [Part(above(description.usage("emails"), _FREE_EMAILS) / 1e3, "thousand", "sns/thousand_emails")]


def _health_check(description: Description, _name: str) -> list[Part]:
    """Over HTTPS; latency measured and a text looked for, if wished."""
    options = 1 + bool(description.get("monitoring_site_search")) + description.on("monitoring_site_latency")
    return [
        Part(1, "check", "route53/health_check_month"),
        Part(options, "options", "route53/health_check_option_month"),
    ]


def _config(description: Description, _name: str) -> list[Part]:
    return [
        Part(description.usage("config_items"), "items", "config/item"),
        Part(description.usage("config_evaluations"), "evaluations", "config/rule_evaluation"),
    ]


def has_other_region(description: Description) -> bool:
    return bool(description.get("platform_dr_region"))


def _replicates(description: Description) -> bool:
    return has_other_region(description) and description.on("backup_plan_replication")


def _vaults(description: Description) -> list[str]:
    other = [f"{description.prefix}-dr"] if has_other_region(description) else []
    return [description.prefix, *other]


def _vault(description: Description, name: str) -> list[Part]:
    """Recovery points; those of the other region come there over the wire, and have a key of their own there."""
    if not name.endswith("-dr"):
        return [Part(description.usage("backup_gb"), "GB", "backup/aurora_gb_month")]
    copied = description.usage("backup_copy_gb")
    return [
        Part(copied, "GB", "backup/aurora_gb_month"),
        Part(copied, "GB copied", "cross_region/gb"),
        Part(1, "key", "kms/key_month"),
    ]


def _alarms(description: Description) -> int:
    nodes = int(description["elasticache_num_cache_clusters"])
    each = _ALARMS_OF_A_CACHE_NODE + _burstable(description["elasticache_node_type"])
    gateways = len(nat_names(description)) * _ALARMS_OF_A_NAT_GATEWAY
    return _ALARMS + gateways + nodes * each + _burstable(description["rds_aurora_instance_class"])


def _burstable(size: str) -> bool:
    """Whether an instance class or node type, such as ``db.t4g.medium``, lives on credits."""
    return ".t" in size


def _numbered(what: str, count: int) -> list[str]:
    return [f"{what} {number}" for number in range(1, count + 1)]


RULES = (
    Rule(3, USAGE_KIND, lambda _description: ["logs"], _logs),
    Rule(5, USAGE_KIND, lambda _description: ["traces", "e-mails"], _watching),
    Rule(
        5,
        "metric_alarm",
        lambda description: _numbered("alarm", _alarms(description)),
        lambda _description, _name: [Part(1, "alarm", "cloudwatch/alarm_month")],
    ),
    Rule(
        5,
        "composite_alarm",
        lambda _description: _numbered("composite alarm", _COMPOSITE_ALARMS),
        lambda _description, _name: [Part(1, "composite alarm", "cloudwatch/composite_alarm_month")],
    ),
    Rule(
        5,
        "metric_filter",
        lambda _description: _numbered("metric filter", _METRIC_FILTERS),
        lambda _description, _name: [Part(1, "metric", "cloudwatch/metric_month")],
    ),
    # AWS gives three dashboards of an account for nothing; others may use them, so all are counted.
    Rule(
        5,
        "dashboard",
        lambda description: _numbered("dashboard", _DASHBOARDS if description.on("monitoring_dashboards") else 0),
        lambda _description, _name: [Part(1, "dashboard", "cloudwatch/dashboard_month")],
    ),
    Rule(
        5,
        "health_check",
        lambda description: [description.prefix] if description.get("monitoring_site_check") == "route53" else [],
        _health_check,
    ),
    Rule(
        5,
        "config_recorder",
        lambda description: [description.prefix] if description.on("monitoring_config") else [],
        _config,
    ),
    Rule(
        6,
        "backup_vault",
        _vaults,
        _vault,
    ),
    Rule(
        6,
        "bucket_replication",
        lambda description: [f"{description.prefix}-media-<account>"] if _replicates(description) else [],
        lambda description, _name: [
            Part(
                _REPLICATION_METRICS if description.on("backup_plan_replication_metrics") else 0,
                "metrics",
                "cloudwatch/metric_month",
            )
        ],
    ),
    Rule(
        6,
        "s3_bucket",
        lambda description: [f"{description.prefix}-dr-media-<account>"] if _replicates(description) else [],
        bucket,
    ),
)

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What phase 2 costs: database, proxy, cache and secrets."""

from __future__ import annotations

from .bill import USAGE_KIND, Description, Part, Rule
from .prices import HOURS

_SERVERLESS = "db.serverless"
# AWS bills a proxy for at least so much behind it.
_LEAST_PROXY_VCPU = 2
_LEAST_PROXY_ACU = 8
_GENERATED_SECRETS = ("app-user", "redis-auth-token", "nextauth")
_GIVEN_SECRETS = {"openai-api-key": "app_secrets_openai_api_key", "upstage-api-key": "app_secrets_upstage_api_key"}
_SMALL = {"micro": 2, "small": 2, "medium": 2, "large": 2, "xlarge": 4}


def processors(instance_class: str) -> int:
    """vCPUs of an instance class such as ``db.r6g.2xlarge``; 0 for one whose size is not known.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.DBInstanceClass.Summary.html
    """
    size = instance_class.rpartition(".")[2]
    times = size.removesuffix("xlarge")
    return _SMALL.get(size) or (4 * int(times) if times.isdigit() else 0)


def instance_names(description: Description) -> list[str]:
    return [f"{description.prefix}-{number}" for number in range(1, int(description["rds_aurora_instance_count"]) + 1)]


def _instance(description: Description, _name: str) -> list[Part]:
    kind = description["rds_aurora_instance_class"]
    # Aurora I/O-Optimized has prices of its own, under a name of its own.
    service = "aurora_io_optimized" if description["rds_aurora_storage_type"] == "aurora-iopt1" else "aurora"
    if kind == _SERVERLESS:
        return [Part(HOURS * description.usage("serverless_acu"), "ACU-h", f"{service}/acu_hour")]
    return [Part(HOURS, "h", f"{service}/instance_hour/{kind}")]


def _cluster(description: Description, _name: str) -> list[Part]:
    optimized = description["rds_aurora_storage_type"] == "aurora-iopt1"
    service = "aurora_io_optimized" if optimized else "aurora"
    million_io = 0.0 if optimized else description.usage("database_million_io")
    return [
        Part(description.usage("database_gb"), "GB", f"{service}/storage_gb_month"),
        Part(million_io, "M I/O", "aurora/million_io"),
        Part(description.usage("database_backup_gb"), "GB backup", "aurora/backup_gb_month"),
        Part(1, "master secret", "secrets_manager/secret_month"),
    ]


def _proxy(description: Description, _name: str) -> list[Part]:
    kind, count = description["rds_aurora_instance_class"], int(description["rds_aurora_instance_count"])
    if kind == _SERVERLESS:
        behind = max(_LEAST_PROXY_ACU, count * description.usage("serverless_acu"))
        return [Part(HOURS * behind, "ACU-h", "rds_proxy/acu_hour")]
    behind = max(_LEAST_PROXY_VCPU, count * processors(kind))
    return [Part(HOURS * behind, "vCPU-h", "rds_proxy/vcpu_hour")]


def _cache(description: Description, _name: str) -> list[Part]:
    nodes = int(description["elasticache_num_cache_clusters"])
    kind, engine = description["elasticache_node_type"], description["elasticache_engine"]
    return [Part(HOURS * nodes, "node-h", f"elasticache/{engine}_hour/{kind}")]


def _secrets(description: Description) -> list[str]:
    given = [name for name, variable in _GIVEN_SECRETS.items() if description.get(variable)]
    return [f"{description.prefix}-{name}" for name in (*_GENERATED_SECRETS, *given)]


def secret(_description: Description, _name: str) -> list[Part]:
    """A secret of any phase."""
    return [Part(1, "secret", "secrets_manager/secret_month")]


RULES = (
    Rule(2, "secret", _secrets, secret),
    Rule(2, "db_cluster", lambda description: [description.prefix], _cluster),
    Rule(2, "db_instance", instance_names, _instance),
    Rule(
        2,
        "db_proxy",
        lambda description: [description.prefix] if description.on("rds_aurora_proxy") else [],
        _proxy,
    ),
    Rule(2, "replication_group", lambda description: [description.prefix], _cache),
    Rule(
        2,
        USAGE_KIND,
        lambda _description: ["requests to Secrets Manager"],
        lambda description, _name: [
            Part(description.usage("secret_requests") / 1e6, "M", "secrets_manager/million_requests")
        ],
    ),
)

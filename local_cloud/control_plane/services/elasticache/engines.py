# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Engines, versions, families and their parameters, as DescribeCacheEngineVersions and …Parameters show them."""

from __future__ import annotations

from dataclasses import dataclass

from local_cloud.control_plane.overlay import AwsError

# (engine, what may be asked for) -> (full version, parameter group family). Source: "Supported engines and versions".
VERSIONS = {
    ("redis", "5.0.6"): ("5.0.6", "redis5.0"),
    ("redis", "6.2"): ("6.2.6", "redis6.x"),
    ("redis", "7.0"): ("7.0.7", "redis7"),
    ("redis", "7.1"): ("7.1.0", "redis7"),
    ("valkey", "7.2"): ("7.2.6", "valkey7"),
    ("valkey", "8.0"): ("8.0.1", "valkey8"),
    ("valkey", "8.1"): ("8.1.0", "valkey8"),
}
FAMILIES = {"memcached1.6", *(family for _, family in VERSIONS.values())}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a family with its default."""

    value: str
    kind: str = "integer"
    allowed: str = "0-"
    change: str = "immediate"
    modifiable: bool = True


# Source: "Engine specific parameters", Redis OSS 7 and Valkey.
PARAMETERS = {
    "acllog-max-len": Parameter("128", allowed="1-10000"),
    "active-defrag-cycle-max": Parameter("75", allowed="1-75"),
    "active-defrag-cycle-min": Parameter("5", allowed="1-75"),
    "active-defrag-ignore-bytes": Parameter("104857600", allowed="1048576-"),
    "active-defrag-max-scan-fields": Parameter("1000", allowed="1-1000000"),
    "active-defrag-threshold-lower": Parameter("10", allowed="1-100"),
    "active-defrag-threshold-upper": Parameter("100", allowed="1-100"),
    "activedefrag": Parameter("no", "string", "yes,no"),
    "activerehashing": Parameter("yes", "string", "yes,no", "requires-reboot"),
    "appendonly": Parameter("no", "string", "yes,no", modifiable=False),
    "client-output-buffer-limit-normal-hard-limit": Parameter("0"),
    "client-output-buffer-limit-normal-soft-limit": Parameter("0"),
    "client-output-buffer-limit-normal-soft-seconds": Parameter("0"),
    "client-output-buffer-limit-pubsub-hard-limit": Parameter("33554432"),
    "client-output-buffer-limit-pubsub-soft-limit": Parameter("8388608"),
    "client-output-buffer-limit-pubsub-soft-seconds": Parameter("60"),
    "client-query-buffer-limit": Parameter("1073741824", allowed="1048576-1073741824"),
    "close-on-replica-write": Parameter("yes", "string", "yes,no"),
    "cluster-allow-pubsubshard-when-down": Parameter("yes", "string", "yes,no"),
    "cluster-allow-reads-when-down": Parameter("no", "string", "yes,no"),
    "cluster-enabled": Parameter("no", "string", "yes,no", "requires-reboot"),
    "cluster-require-full-coverage": Parameter("no", "string", "yes,no"),
    "databases": Parameter("16", allowed="1-1200000", change="requires-reboot"),
    "hash-max-listpack-entries": Parameter("512"),
    "hash-max-listpack-value": Parameter("64"),
    "hll-sparse-max-bytes": Parameter("3000", allowed="1-16000"),
    "latency-tracking": Parameter("no", "string", "yes,no"),
    "lazyfree-lazy-eviction": Parameter("yes", "string", "yes,no"),
    "lazyfree-lazy-expire": Parameter("yes", "string", "yes,no"),
    "lazyfree-lazy-server-del": Parameter("yes", "string", "yes,no"),
    "lazyfree-lazy-user-del": Parameter("yes", "string", "yes,no"),
    "lazyfree-lazy-user-flush": Parameter("yes", "string", "yes,no"),
    "lfu-decay-time": Parameter("1"),
    "lfu-log-factor": Parameter("10", allowed="1-"),
    "list-compress-depth": Parameter("0"),
    "list-max-listpack-size": Parameter("-2", allowed="-5--1,1-"),
    "maxclients": Parameter("65000", allowed="1-65000", modifiable=False),
    "maxmemory-policy": Parameter(
        "volatile-lru",
        "string",
        "volatile-lru,allkeys-lru,volatile-lfu,allkeys-lfu,volatile-random,allkeys-random,volatile-ttl,noeviction",
    ),
    "maxmemory-samples": Parameter("3", allowed="1-"),
    "min-replicas-max-lag": Parameter("10"),
    "min-replicas-to-write": Parameter("0"),
    "notify-keyspace-events": Parameter("", "string", ""),
    "proto-max-bulk-len": Parameter("536870912", allowed="1048576-536870912"),
    "rename-commands": Parameter("", "string", ""),
    "repl-backlog-size": Parameter("1048576", allowed="16384-"),
    "repl-backlog-ttl": Parameter("3600"),
    "repl-timeout": Parameter("60", allowed="11-"),
    "reserved-memory-percent": Parameter("25", allowed="0-100"),
    "set-max-intset-entries": Parameter("512"),
    "slowlog-log-slower-than": Parameter("10000", allowed="-"),
    "slowlog-max-len": Parameter("128"),
    "stream-node-max-bytes": Parameter("4096"),
    "stream-node-max-entries": Parameter("100"),
    "tcp-keepalive": Parameter("300"),
    "timeout": Parameter("0", allowed="0,20-"),
    "tracking-table-max-keys": Parameter("1000000", allowed="1-100000000"),
    "zset-max-listpack-entries": Parameter("128"),
    "zset-max-listpack-value": Parameter("64"),
}


def resolved(engine: str, version: str | None) -> tuple[str, str]:
    """(full version, family) of an engine version as asked for. Raises AWS's error for one that cannot be had."""
    if version is None:
        version = {"redis": "7.1", "valkey": "8.0"}.get(engine, "")
    for (known_engine, short), (full, family) in VERSIONS.items():
        if known_engine == engine and version in (short, full):
            return full, family
    raise AwsError("InvalidParameterCombination", f"Cannot find version {version} for {engine}")


def check_value(name: str, value: str) -> None:
    """Raises AWS's error when no family has the parameter or it does not take the value."""
    parameter = PARAMETERS.get(name)
    if parameter is None:
        raise AwsError("InvalidParameterValue", f"Invalid parameter name: {name}")
    if not parameter.modifiable:
        raise AwsError("InvalidParameterValue", f"The parameter {name} cannot be modified")
    choices = parameter.allowed.split(",") if parameter.kind == "string" and parameter.allowed else []
    number = value.removeprefix("-").isdigit()
    if (choices and value not in choices) or (parameter.kind == "integer" and not number):
        raise AwsError(
            "InvalidParameterValue", f"The value {value} is not allowed for {name}; allowed values: {parameter.allowed}"
        )

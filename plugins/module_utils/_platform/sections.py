# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What later phases need to know of what earlier phases made: a table of sections.

A section names the phase that makes it, how its resources are observed (by the same kinds that make
them), and how ids are picked from what was found. Each section is read in as few calls as its kinds make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._aws.api import Aws
from .._cloudfront.access import PublicKey
from .._cloudfront.distribution import Distribution
from .._elasticache.kinds import ReplicationGroup
from .._engine.kinds import Observer, observed
from .._engine.resources import Found, State, planned
from .._engine.side_by_side import side_by_side
from .._iam.kinds import Role
from .._kms.kinds import KmsKey
from .._load_balancer.listeners import load_balancer_kinds
from .._load_balancer.model import listener_name
from .._load_balancer.slots import SLOTS, live_slot, slot_name
from .._network.kinds import NatGateway, RouteTable, Subnet, Vpc
from .._rds.clusters import DbCluster
from .._rds.instances import DbInstance
from .._rds.proxies import DbProxy
from .._secrets.kinds import Secret
from .._secrets.model import APPLICATION_SECRETS
from .._security_groups.kinds import SecurityGroup
from .._sns.kinds import Topic
from .._waf.kinds import WebAcl


@dataclass(frozen=True)
class Where:
    """Whose resources are looked for."""

    prefix: str
    tags: Mapping[str, str]
    account_id: str
    region: str


@dataclass(frozen=True)
class Section:
    """One entry of the table.

    phase: the playbook that makes it.
    what: how an error names it.
    kinds: what to observe.
    pick: ids and endpoints from what was found; Missing where something is not there.
    """

    phase: int
    what: str
    kinds: Callable[[Aws, Where], Sequence[Observer]]
    pick: Callable[[Picker], dict[str, Any]]


class LogBucket:
    """Whether the log bucket is there; its many settings are the business of the phase that makes it."""

    def __init__(self, aws: Aws, where: Where) -> None:
        self._aws = aws
        self._name = f"{where.prefix}-logs-{where.account_id}"

    def observe(self) -> Iterable[Found]:
        gone = {"404", "NoSuchBucket", "NotFound"}
        attempt = f"look for bucket {self._name}"
        if self._aws.call_unless(gone, attempt, "s3", "head_bucket", Bucket=self._name) is not None:
            yield Found("s3_bucket", self._name, self._name, {})


class Missing(Exception):
    """A resource that a section needs does not exist; the text names it."""


class Picker:
    """Reads ids out of what was found; in check mode it answers with placeholders for what is missing."""

    def __init__(self, state: State, where: Where, placeholders: bool) -> None:
        self._state = state
        self._placeholders = placeholders
        self.where = where
        self.prefix = where.prefix

    def one(self, kind: str, name: str) -> Found:
        """The resource of this kind and name."""
        found = self._state.get((kind, name))
        if found:
            return found
        if self._placeholders:
            return Found(kind, name, planned(kind, name), {})
        raise Missing(f"{kind.replace('_', ' ')} {name}")

    def id(self, kind: str, name: str) -> str:
        return self.one(kind, name).id

    def arn(self, kind: str, name: str) -> str:
        found = self.one(kind, name)
        return str(found.outputs.get("arn", found.id))

    def names(self, kind: str) -> list[str]:
        """Names of everything of a kind."""
        return [name for its_kind, name in self._state if its_kind == kind]

    def numbered(self, kind: str, stem: str) -> list[Found]:
        """Resources called ``stem-1``, ``stem-2``, … in that order; at least one."""
        found = [one for (its_kind, name), one in self._state.items() if its_kind == kind and _number(name, stem)]
        if not found:
            return (
                [self.one(kind, f"{stem}-{number}") for number in (1, 2, 3)]
                if self._placeholders
                else [self.one(kind, f"{stem}-1")]
            )
        return sorted(found, key=lambda one: _number(one.name, stem))

    def every(self, kind: str) -> dict[str, Found]:
        """Everything of a kind by its name without the platform's prefix."""
        return {
            name.removeprefix(f"{self.prefix}-"): one
            for (its_kind, name), one in self._state.items()
            if its_kind == kind
        }


def _number(name: str, stem: str) -> int:
    tail = name.removeprefix(f"{stem}-")
    return int(tail) if tail != name and tail.isdigit() else 0


def _network(pick: Picker) -> dict[str, Any]:
    vpc = pick.one("vpc", pick.prefix)
    subnets = {tier: pick.numbered("subnet", f"{pick.prefix}-{tier}") for tier in ("public", "app", "data")}
    return {
        "vpc_id": vpc.id,
        "cidr_block": vpc.fields.get("cidr_block"),
        **{f"{tier}_subnet_ids": [subnet.id for subnet in found] for tier, found in subnets.items()},
    }


def _routes(pick: Picker) -> dict[str, Any]:
    return {"app_route_table_ids": [table.id for table in pick.numbered("route_table", f"{pick.prefix}-app")]}


def _nat_gateways(pick: Picker) -> dict[str, Any]:
    return {"ids": [pick.id("nat_gateway", name) for name in sorted(pick.names("nat_gateway"))]}


def _kms_keys(pick: Picker) -> dict[str, Any]:
    return {name: pick.arn("kms_key", f"{pick.prefix}-{name}") for name in ("data", "secrets", "logs", "backup")}


def _roles(pick: Picker) -> dict[str, Any]:
    names = ("task-execution", "task", "rds-monitoring", "rds-proxy", "backup", "lambda")
    return {name: pick.arn("iam_role", f"{pick.prefix}-{name}") for name in names}


def _log_bucket(pick: Picker) -> dict[str, Any]:
    name = pick.id("s3_bucket", f"{pick.prefix}-logs-{pick.where.account_id}")
    return {"name": name}


def _database(pick: Picker) -> dict[str, Any]:
    cluster = pick.one("db_cluster", pick.prefix)
    shown = ("resource_id", "endpoint", "reader_endpoint", "master_secret_arn")
    return {
        "cluster_id": cluster.id,
        "arn": cluster.outputs.get("arn", cluster.id),
        # Numbers have no placeholder; these are the ports that the roles declare unless told otherwise.
        "port": cluster.fields.get("port", 5432),
        "name": cluster.fields.get("database_name"),
        "engine_version": cluster.fields.get("engine_version"),
        "deletion_protection": bool(cluster.fields.get("deletion_protection")),
        "instance_ids": sorted(pick.names("db_instance")),
        **{name: cluster.outputs.get(name, cluster.id) for name in shown},
        "proxy_endpoint": _proxy_endpoint(pick),
    }


def _proxy_endpoint(pick: Picker) -> str | None:
    """Where the application connects, if there is a proxy."""
    if pick.prefix not in pick.names("db_proxy"):
        return None
    endpoint: str | None = pick.one("db_proxy", pick.prefix).outputs.get("endpoint")
    return endpoint


def _cache(pick: Picker) -> dict[str, Any]:
    group = pick.one("replication_group", pick.prefix)
    shown = ("primary_endpoint", "reader_endpoint")
    endpoints = {name: group.outputs.get(name, group.id) for name in shown}
    return {"id": group.id, **endpoints, "endpoint_port": group.outputs.get("endpoint_port", 6379)}


def _load_balancer(pick: Picker) -> dict[str, Any]:
    balancer = pick.one("load_balancer", pick.prefix)
    production = pick.one("listener", listener_name(pick.prefix, 443))
    groups = {slot: pick.one("target_group", slot_name(pick.prefix, slot)) for slot in SLOTS}
    return {
        "arn": balancer.id,
        "dns_name": balancer.outputs.get("dns_name"),
        "hosted_zone_id": balancer.outputs.get("hosted_zone_id"),
        "full_name": balancer.outputs.get("full_name"),
        "deletion_protection": balancer.fields.get("deletion_protection.enabled") == "true",
        "production_listener_arn": production.id,
        "certificate_arn": production.fields.get("certificate") or planned("certificate", pick.prefix),
        "test_listener_arn": pick.id("listener", listener_name(pick.prefix, 8443)),
        "target_groups": {
            slot: {"arn": group.id, "full_name": group.outputs.get("full_name")} for slot, group in groups.items()
        },
        # None while a release has split the traffic: then nobody but the release may decide.
        "live_slot": live_slot(production.outputs.get("weights") or {}),
    }


def _content_delivery(pick: Picker) -> dict[str, Any]:
    distribution = pick.one("distribution", pick.prefix)
    # The keys are numbered by generation; the newest one signs.
    newest = pick.numbered("public_key", f"{pick.prefix}-signing")[-1]
    return {
        "distribution_id": distribution.id,
        "distribution_arn": distribution.outputs.get("arn", distribution.id),
        "domain_name": distribution.outputs.get("domain_name", distribution.id),
        "aliases": distribution.fields.get("aliases", []),
        "certificate_arn": (distribution.fields.get("certificate") or {}).get("arn")
        or planned("certificate", pick.prefix),
        "web_acl_arn": pick.id("web_acl", pick.prefix),
        "key_pair_id": newest.id,
        "signing_key_secret_arn": pick.id("secret", f"{pick.prefix}-url-signing-key"),
        "origin_secret_arn": pick.id("secret", f"{pick.prefix}-origin-header-value"),
    }


def _monitoring(pick: Picker) -> dict[str, Any]:
    watched = ("5xx", "p95")
    return {
        "alerts_topic_arn": pick.id("sns_topic", f"{pick.prefix}-alerts"),
        "notices_topic_arn": pick.id("sns_topic", f"{pick.prefix}-notices"),
        # Alarms that a release may watch beside its own.
        "release_alarms": [
            f"{pick.prefix}-nobody-serves",
            f"{pick.prefix}-burn-5m",
            *(f"{pick.prefix}-{slot}-{alarm}" for slot in SLOTS for alarm in watched),
        ],
    }


def _security_groups(pick: Picker) -> dict[str, Any]:
    names = ("alb", "app", "proxy", "rds", "redis", "maintenance", "endpoints")
    return {name: pick.id("security_group", f"{pick.prefix}-{name}") for name in names}


def _secrets(pick: Picker) -> dict[str, Any]:
    # Keys that others give out may come later; without these three no task starts.
    needed = {name: {"arn": pick.id("secret", f"{pick.prefix}-{name}")} for name in APPLICATION_SECRETS}
    return {**{name: {"arn": secret.id} for name, secret in pick.every("secret").items()}, **needed}


SECTIONS: Mapping[str, Section] = {
    "network": Section(
        phase=1,
        what="the network",
        kinds=lambda aws, where: [kind(aws, where.tags) for kind in (Vpc, Subnet)],
        pick=_network,
    ),
    # Apart from the network: they come last, once their gateways stand, and not every phase needs a way out.
    "routes": Section(
        phase=1,
        what="the routes of the application's subnets",
        kinds=lambda aws, where: [RouteTable(aws, where.tags)],
        pick=_routes,
    ),
    "nat_gateways": Section(
        phase=1,
        what="the NAT gateways",
        kinds=lambda aws, where: [NatGateway(aws, where.tags)],
        pick=_nat_gateways,
    ),
    "security_groups": Section(
        phase=1,
        what="the security groups",
        kinds=lambda aws, where: [SecurityGroup(aws, where.tags)],
        pick=_security_groups,
    ),
    "kms_keys": Section(
        phase=1,
        what="the KMS keys",
        kinds=lambda aws, where: [KmsKey(aws, where.tags, where.prefix, brief=True)],
        pick=_kms_keys,
    ),
    "roles": Section(
        phase=1,
        what="the IAM roles",
        kinds=lambda aws, where: [Role(aws, where.tags, where.prefix)],
        pick=_roles,
    ),
    "log_bucket": Section(
        phase=1,
        what="the log bucket",
        kinds=lambda aws, where: [LogBucket(aws, where)],
        pick=_log_bucket,
    ),
    "database": Section(
        phase=2,
        what="the database",
        kinds=lambda aws, where: [kind(aws, where.tags, where.prefix) for kind in (DbCluster, DbInstance, DbProxy)],
        pick=_database,
    ),
    "cache": Section(
        phase=2,
        what="the cache",
        kinds=lambda aws, where: [ReplicationGroup(aws, where.tags, where.prefix)],
        pick=_cache,
    ),
    "secrets": Section(
        phase=2,
        what="the secrets",
        kinds=lambda aws, where: [Secret(aws, where.tags, where.prefix, also=APPLICATION_SECRETS)],
        pick=_secrets,
    ),
    "load_balancer": Section(
        phase=3,
        what="the load balancer",
        kinds=lambda aws, where: load_balancer_kinds(aws, where.prefix, brief=True),
        pick=_load_balancer,
    ),
    "content_delivery": Section(
        phase=4,
        what="the content delivery",
        kinds=lambda aws, where: [
            PublicKey(aws, where.prefix),
            Distribution(aws, where.tags, where.prefix),
            WebAcl(aws, where.prefix),
            Secret(aws, where.tags, where.prefix),
        ],
        pick=_content_delivery,
    ),
    "monitoring": Section(
        phase=5,
        what="the topics of the alarms",
        kinds=lambda aws, where: [Topic(aws, where.tags, where.prefix)],
        pick=_monitoring,
    ),
}


def read(aws: Aws, where: Where, names: Sequence[str], *, placeholders: bool) -> tuple[dict[str, Any], list[str]]:
    """The asked sections and a sentence for each that is missing."""
    told: dict[str, Any] = {}
    missing: list[str] = []
    states = side_by_side(lambda name: observed(SECTIONS[name].kinds(aws, where)), names)
    for name, state in zip(names, states, strict=True):
        section = SECTIONS[name]
        try:
            told[name] = section.pick(Picker(state, where, placeholders))
        except Missing as gone:
            missing.append(
                f"Looked for {section.what} of {where.prefix} in {where.region} and found no {gone}. "
                f"Run playbooks/phase{section.phase}.yml first."
            )
    return told, missing

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes an RDS Proxy, its pool with the target, and its reader endpoint."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.arn_tags import own_tags
from .._aws.tags import to_boto3
from .._aws.waiters import until
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.steps import StepFailed
from .groups import RdsKind

_GONE = ("DBProxyNotFoundFault", "DBProxyNotFound")
_ENDPOINT_GONE = (*_GONE, "DBProxyEndpointNotFoundFault", "DBProxyEndpointNotFound")
_FAILED = ("incompatible-network", "insufficient-resource-limits")
# AWS leads a proxy to a cluster only once it can ask every instance: not while one is created or gets its monitoring.
_NOT_YET = ("InvalidDBInstanceState", "InvalidDBInstanceStateFault", "InvalidDBClusterStateFault")
_POOL = "default"  # every proxy has this one target group, made and removed with it


class DbProxy(RdsKind):
    kind = "db_proxy"
    traits = Traits("RDS proxy", immutable=frozenset({"subnets"}))

    def described(self) -> dict[str, Any] | None:
        """The proxy as AWS describes it; None without one."""
        proxies = self.aws.pages(
            f"look for RDS proxy {self.name}",
            "rds",
            "describe_db_proxies",
            "DBProxies",
            missing=_GONE,
            DBProxyName=self.name,
        )
        return proxies[0] if proxies else None

    def observe(self) -> Iterable[Found]:
        item = self.described()
        if item is None:
            return
        auth = item.get("Auth") or []
        fields = {
            "secrets": sorted(one["SecretArn"] for one in auth if one.get("SecretArn")),
            "iam_authentication": "required" if any(one.get("IAMAuth") == "REQUIRED" for one in auth) else "disabled",
            "role": item.get("RoleArn"),
            "subnets": sorted(item.get("VpcSubnetIds") or []),
            "security_groups": sorted(item.get("VpcSecurityGroupIds") or []),
            "require_tls": item.get("RequireTLS", False),
            "idle_client_timeout": item.get("IdleClientTimeout"),
            "debug_logging": item.get("DebugLogging", False),
        }
        arn = item["DBProxyArn"]
        tags = own_tags(self.aws, "rds", arn, self.tags, f"RDS proxy {self.name}")
        outputs = {"arn": arn, "endpoint": item.get("Endpoint")}
        yield Found(self.kind, self.name, self.name, fields, tags, outputs, item["Status"] == "available")

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create RDS proxy {wanted.name}",
            "create_db_proxy",
            DBProxyName=wanted.name,
            EngineFamily="POSTGRESQL",
            VpcSubnetIds=wanted.fields["subnets"],
            VpcSecurityGroupIds=wanted.fields["security_groups"],
            Tags=to_boto3(dict(wanted.tags or {})),
            **_proxy_parameters(wanted.fields),
        )
        return self.new(wanted, answer["DBProxy"]["DBProxyArn"])

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self.call(
            f"change RDS proxy {found.name}",
            "modify_db_proxy",
            DBProxyName=found.id,
            SecurityGroups=wanted.fields["security_groups"],
            **_proxy_parameters(wanted.fields),
        )

    def delete(self, found: Found) -> None:
        self.aws.call_unless(_GONE, f"delete RDS proxy {found.name}", "rds", "delete_db_proxy", DBProxyName=found.id)
        self._until(found, "to be gone", good={""})

    def wait(self, found: Found) -> None:
        # One that an earlier run began to delete is awaited until it is gone.
        self._until(found, "to be available", good={"available", ""})

    def _until(self, found: Found, what: str, good: Collection[str]) -> None:
        until(f"RDS proxy {found.name} {what}", _status(self.described), good=good, bad=_FAILED, timeout=1800)


def _proxy_parameters(fields: Mapping[str, Any]) -> dict[str, Any]:
    iam = fields["iam_authentication"].upper()
    return {
        "Auth": [{"AuthScheme": "SECRETS", "SecretArn": arn, "IAMAuth": iam} for arn in fields["secrets"]],
        "RoleArn": fields["role"],
        "RequireTLS": fields["require_tls"],
        "IdleClientTimeout": fields["idle_client_timeout"],
        "DebugLogging": fields["debug_logging"],
    }


def _status(described: Callable[[], dict[str, Any] | None]) -> Callable[[], str]:
    def read() -> str:
        item = described()
        return str(item["Status"]) if item else ""

    return read


class DbProxyPool(RdsKind):
    """The proxy's one target group: how it pools connections, and the cluster that it leads to.

    AWS makes it with the proxy, so that here it exists as soon as a cluster is registered.
    """

    kind = "db_proxy_pool"
    traits = Traits("connection pool of RDS proxy")

    def observe(self) -> Iterable[Found]:
        groups = self.aws.pages(
            f"look at the connection pool of RDS proxy {self.name}",
            "rds",
            "describe_db_proxy_target_groups",
            "TargetGroups",
            missing=_GONE,
            DBProxyName=self.name,
        )
        cluster = self._cluster() if groups else None
        if cluster is None:
            return
        pool = groups[0]["ConnectionPoolConfig"]
        fields = {
            "max_connections_percent": pool.get("MaxConnectionsPercent"),
            "max_idle_connections_percent": pool.get("MaxIdleConnectionsPercent"),
            "connection_borrow_timeout": pool.get("ConnectionBorrowTimeout"),
            "session_pinning_filters": sorted(pool.get("SessionPinningFilters") or []),
            "cluster": cluster,
        }
        yield Found(self.kind, self.name, groups[0]["TargetGroupArn"], fields)

    def _cluster(self) -> str | None:
        targets = self.aws.pages(
            f"list the targets of RDS proxy {self.name}",
            "rds",
            "describe_db_proxy_targets",
            "Targets",
            missing=(*_GONE, "DBProxyTargetGroupNotFoundFault"),
            DBProxyName=self.name,
        )
        return next((target["RdsResourceId"] for target in targets if target["Type"] == "TRACKED_CLUSTER"), None)

    def can_begin(self, wanted: Resource) -> bool:
        cluster = wanted.fields["cluster"]
        instances = self.aws.pages(
            f"list the instances of cluster {cluster}",
            "rds",
            "describe_db_instances",
            "DBInstances",
            Filters=[{"Name": "db-cluster-id", "Values": [cluster]}],
        )
        return bool(instances) and all(one["DBInstanceStatus"] == "available" for one in instances)

    def create(self, wanted: Resource) -> Found:
        # The pool first: a run that is killed in between finds no cluster and does both again.
        self._modify(wanted)
        self._register(wanted)
        return Found(self.kind, wanted.name, wanted.name, wanted.fields)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        if {*fields} - {"cluster"}:
            self._modify(wanted)
        if "cluster" in fields:
            self._deregister(found)
            self._register(wanted)

    def _modify(self, wanted: Resource) -> None:
        fields = wanted.fields
        self.call(
            f"set the connection pool of RDS proxy {self.name}",
            "modify_db_proxy_target_group",
            DBProxyName=self.name,
            TargetGroupName=_POOL,
            ConnectionPoolConfig={
                "MaxConnectionsPercent": fields["max_connections_percent"],
                "MaxIdleConnectionsPercent": fields["max_idle_connections_percent"],
                "ConnectionBorrowTimeout": fields["connection_borrow_timeout"],
                "SessionPinningFilters": fields["session_pinning_filters"],
            },
        )

    def _register(self, wanted: Resource) -> None:
        cluster = wanted.fields["cluster"]

        def attempt() -> str:
            answer = self.aws.call_unless(
                _NOT_YET,
                f"lead RDS proxy {self.name} to cluster {cluster}",
                "rds",
                "register_db_proxy_targets",
                DBProxyName=self.name,
                TargetGroupName=_POOL,
                DBClusterIdentifiers=[cluster],
            )
            return "not ready" if answer is None else "registered"

        until(f"cluster {cluster} to be ready for RDS proxy {self.name}", attempt, good={"registered"}, timeout=3600)

    def _deregister(self, found: Found) -> None:
        self.aws.call_unless(
            (*_GONE, "DBProxyTargetNotFoundFault", "DBProxyTargetNotFound"),
            f"take cluster {found.fields['cluster']} from RDS proxy {self.name}",
            "rds",
            "deregister_db_proxy_targets",
            DBProxyName=self.name,
            TargetGroupName=_POOL,
            DBClusterIdentifiers=[found.fields["cluster"]],
        )

    def delete(self, found: Found) -> None:
        self._deregister(found)


class DbProxyEndpoint(RdsKind):
    """The endpoint that leads to readers. AWS calls its role READ_ONLY and cannot change it."""

    kind = "db_proxy_endpoint"
    traits = Traits("reader endpoint of RDS proxy", immutable=frozenset({"proxy", "subnets"}))

    def _described(self) -> dict[str, Any] | None:
        endpoints = self.aws.pages(
            f"list the endpoints of RDS proxy {self.name}",
            "rds",
            "describe_db_proxy_endpoints",
            "DBProxyEndpoints",
            missing=_ENDPOINT_GONE,
            DBProxyName=self.name,
        )
        return next((one for one in endpoints if one["DBProxyEndpointName"] == f"{self.name}-reader"), None)

    def observe(self) -> Iterable[Found]:
        item = self._described()
        if item is None:
            return
        if item.get("TargetRole") != "READ_ONLY":
            raise StepFailed(
                f"Looked for the reader endpoint {self.name}-reader and found one that leads to the writer. "
                "Delete it in RDS, then run again."
            )
        own, arn = item["DBProxyEndpointName"], item["DBProxyEndpointArn"]
        fields = {
            "proxy": item["DBProxyName"],
            "subnets": sorted(item.get("VpcSubnetIds") or []),
            "security_groups": sorted(item.get("VpcSecurityGroupIds") or []),
        }
        tags = own_tags(self.aws, "rds", arn, self.tags, f"endpoint {own}")
        outputs = {"arn": arn, "endpoint": item.get("Endpoint")}
        yield Found(self.kind, own, own, fields, tags, outputs, item["Status"] == "available")

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create endpoint {wanted.name}",
            "create_db_proxy_endpoint",
            DBProxyName=wanted.fields["proxy"],
            DBProxyEndpointName=wanted.name,
            VpcSubnetIds=wanted.fields["subnets"],
            VpcSecurityGroupIds=wanted.fields["security_groups"],
            TargetRole="READ_ONLY",
            Tags=to_boto3(dict(wanted.tags or {})),
        )
        return self.new(wanted, answer["DBProxyEndpoint"]["DBProxyEndpointArn"])

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self.call(
            f"change endpoint {found.name}",
            "modify_db_proxy_endpoint",
            DBProxyEndpointName=found.id,
            VpcSecurityGroupIds=wanted.fields["security_groups"],
        )

    def delete(self, found: Found) -> None:
        attempt = f"delete endpoint {found.name}"
        self.aws.call_unless(_ENDPOINT_GONE, attempt, "rds", "delete_db_proxy_endpoint", DBProxyEndpointName=found.id)
        self._until(found, "to be gone", good={""})

    def wait(self, found: Found) -> None:
        self._until(found, "to be available", good={"available", ""})

    def _until(self, found: Found, what: str, good: Collection[str]) -> None:
        until(f"endpoint {found.name} {what}", _status(self._described), good=good, bad=_FAILED, timeout=1800)


def proxy_kinds(aws: Aws, tags: Mapping[str, str], name: str) -> list[Kind]:
    """All kinds of a proxy, in the order of creation."""
    return [DbProxy(aws, tags, name), DbProxyEndpoint(aws, tags, name), DbProxyPool(aws, tags, name)]

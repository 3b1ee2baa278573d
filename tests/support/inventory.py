"""Everything that stands in an account under a platform's prefix, listed with plain boto3 calls.

Independent of the collection's own observation, so that a duplicate or a left-over it does not see is seen here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.support.cloud import Cloud

DR_REGION = "us-west-2"  # of the local inventory


def contents(cloud: Cloud, prefix: str) -> list[str]:
    """``service:kind:name`` of each resource, sorted; a duplicate appears twice."""
    found = [
        *_network(cloud, prefix),
        *_security(cloud, prefix),
        *_data(cloud, prefix),
        *_containers(cloud, prefix),
        *_edge_of_the_vpc(cloud, prefix),
        *_edge(cloud, prefix),
        *_functions_and_records(cloud, prefix),
        *_monitoring(cloud, prefix),
        *_backups(cloud, prefix),
    ]
    return sorted(found)


def _named(kind: str, names: Iterable[str], prefix: str) -> list[str]:
    return [f"{kind}:{name}" for name in names if name.removeprefix("alias/").startswith(prefix)]


def _tag(item: Mapping[str, Any]) -> str:
    tags = {tag["Key"]: tag["Value"] for tag in item.get("Tags") or item.get("TagSet") or []}
    return str(tags.get("Name", ""))


def _network(cloud: Cloud, prefix: str) -> list[str]:
    ec2 = cloud.client("ec2")
    alive = [{"Name": "state", "Values": ["pending", "available"]}]
    listings: Mapping[str, Callable[[], list[dict[str, Any]]]] = {
        "vpc": lambda: ec2.describe_vpcs()["Vpcs"],
        "subnet": lambda: ec2.describe_subnets()["Subnets"],
        "internet gateway": lambda: ec2.describe_internet_gateways()["InternetGateways"],
        "NAT gateway": lambda: ec2.describe_nat_gateways(Filter=alive)["NatGateways"],
        "address": lambda: ec2.describe_addresses()["Addresses"],
        "route table": lambda: ec2.describe_route_tables()["RouteTables"],
        "flow log": lambda: ec2.describe_flow_logs()["FlowLogs"],
        "endpoint": lambda: ec2.describe_vpc_endpoints()["VpcEndpoints"],
    }
    found = [line for kind, listing in listings.items() for line in _named(f"ec2:{kind}", map(_tag, listing()), prefix)]
    groups = [group["GroupName"] for group in ec2.describe_security_groups()["SecurityGroups"]]
    return [*found, *_named("ec2:security group", groups, prefix)]


def _security(cloud: Cloud, prefix: str) -> list[str]:
    iam, kms = cloud.client("iam"), cloud.client("kms")
    roles = [role["RoleName"] for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]]
    live = _live_keys(kms)
    # A key that waits for its deletion keeps its alias until then.
    aliases = [
        alias["AliasName"]
        for page in kms.get_paginator("list_aliases").paginate()
        for alias in page["Aliases"]
        if alias.get("TargetKeyId") in live
    ]
    buckets = [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]]
    return [
        *_named("iam:role", roles, prefix),
        *_named("kms:alias", aliases, prefix),
        *(f"kms:key:{_key_name(kms, key)}" for key in live if _key_name(kms, key).startswith(prefix)),
        *_named("s3:bucket", buckets, prefix),
        *(f"logs:group:{name}" for name in _log_groups(cloud) if prefix in name),
    ]


def _live_keys(kms: Any) -> list[str]:
    keys = [key["KeyId"] for page in kms.get_paginator("list_keys").paginate() for key in page["Keys"]]
    return [key for key in keys if kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] != "PendingDeletion"]


def _key_name(kms: Any, key: str) -> str:
    tags = {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=key)["Tags"]}
    return str(tags.get("Name", ""))


def _log_groups(cloud: Cloud) -> list[str]:
    pages = cloud.client("logs").get_paginator("describe_log_groups").paginate()
    return [group["logGroupName"] for page in pages for group in page["logGroups"]]


def _data(cloud: Cloud, prefix: str) -> list[str]:
    rds, cache = cloud.client("rds"), cloud.client("elasticache")
    names: Mapping[str, list[str]] = {
        "rds:cluster": [one["DBClusterIdentifier"] for one in rds.describe_db_clusters()["DBClusters"]],
        "rds:instance": [one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]],
        "rds:proxy": [one["DBProxyName"] for one in rds.describe_db_proxies()["DBProxies"]],
        "rds:subnet group": [one["DBSubnetGroupName"] for one in rds.describe_db_subnet_groups()["DBSubnetGroups"]],
        "rds:cluster parameter group": [
            one["DBClusterParameterGroupName"]
            for one in rds.describe_db_cluster_parameter_groups()["DBClusterParameterGroups"]
        ],
        "rds:parameter group": [
            one["DBParameterGroupName"] for one in rds.describe_db_parameter_groups()["DBParameterGroups"]
        ],
        "elasticache:replication group": [
            one["ReplicationGroupId"] for one in cache.describe_replication_groups()["ReplicationGroups"]
        ],
        "elasticache:parameter group": [
            one["CacheParameterGroupName"] for one in cache.describe_cache_parameter_groups()["CacheParameterGroups"]
        ],
        "elasticache:subnet group": [
            one["CacheSubnetGroupName"] for one in cache.describe_cache_subnet_groups()["CacheSubnetGroups"]
        ],
        "secretsmanager:secret": [one["Name"] for one in cloud.client("secretsmanager").list_secrets()["SecretList"]],
    }
    return [line for kind, some in names.items() for line in _named(kind, some, prefix)]


def _containers(cloud: Cloud, prefix: str) -> list[str]:
    ecs = cloud.client("ecs")
    clusters = [arn.rsplit("/", 1)[1] for arn in ecs.list_clusters()["clusterArns"]]
    services = [
        arn.rsplit("/", 1)[1]
        for cluster in clusters
        if cluster.startswith(prefix)
        for arn in ecs.list_services(cluster=cluster)["serviceArns"]
    ]
    revisions = [arn.rsplit("/", 1)[1] for arn in ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"]]
    repositories = [one["repositoryName"] for one in cloud.client("ecr").describe_repositories()["repositories"]]
    map_ = cloud.client("servicediscovery")
    scaling = cloud.client("application-autoscaling")
    targets = [
        target["ResourceId"]
        for namespace in ("ecs", "rds")
        for target in scaling.describe_scalable_targets(ServiceNamespace=namespace)["ScalableTargets"]
    ]
    policies = [
        f"{policy['ResourceId']} {policy['PolicyName']}"
        for namespace in ("ecs", "rds")
        for policy in scaling.describe_scaling_policies(ServiceNamespace=namespace)["ScalingPolicies"]
    ]
    return [
        *_named("ecs:cluster", clusters, prefix),
        *_named("ecs:service", services, prefix),
        *_named("ecs:task definition", revisions, prefix),
        *_named("ecr:repository", repositories, prefix),
        *_named("cloud map:namespace", [one["Name"] for one in map_.list_namespaces()["Namespaces"]], prefix),
        *(f"cloud map:service:{one['Name']}" for one in map_.list_services()["Services"]),
        *(f"autoscaling:target:{name}" for name in targets if prefix in name),
        *(f"autoscaling:policy:{name}" for name in policies if prefix in name),
    ]


def _edge_of_the_vpc(cloud: Cloud, prefix: str) -> list[str]:
    elbv2 = cloud.client("elbv2")
    balancers = elbv2.describe_load_balancers()["LoadBalancers"]
    listeners = [
        f"elbv2:listener:{balancer['LoadBalancerName']}-{listener['Port']}"
        for balancer in balancers
        if balancer["LoadBalancerName"].startswith(prefix)
        for listener in elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    ]
    groups = [one["TargetGroupName"] for one in elbv2.describe_target_groups()["TargetGroups"]]
    certificates = cloud.client("acm").list_certificates()["CertificateSummaryList"]
    return [
        *_named("elbv2:load balancer", [one["LoadBalancerName"] for one in balancers], prefix),
        *listeners,
        *_named("elbv2:target group", groups, prefix),
        *(f"acm:certificate:{one['DomainName']}" for one in certificates),
    ]


def _edge(cloud: Cloud, prefix: str) -> list[str]:
    """CloudFront and WAF; a distribution bears the prefix at the beginning of its comment."""
    front, waf = cloud.client("cloudfront"), cloud.client("wafv2")

    def items(listing: dict[str, Any], key: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = listing[key].get("Items") or []
        return found

    groups = [one["KeyGroup"]["KeyGroupConfig"]["Name"] for one in items(front.list_key_groups(), "KeyGroupList")]
    policies = {
        "cache policy": [
            one["CachePolicy"]["CachePolicyConfig"]["Name"]
            for one in items(front.list_cache_policies(Type="custom"), "CachePolicyList")
        ],
        "origin request policy": [
            one["OriginRequestPolicy"]["OriginRequestPolicyConfig"]["Name"]
            for one in items(front.list_origin_request_policies(Type="custom"), "OriginRequestPolicyList")
        ],
        "response headers policy": [
            one["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]["Name"]
            for one in items(front.list_response_headers_policies(Type="custom"), "ResponseHeadersPolicyList")
        ],
    }
    names: Mapping[str, list[str]] = {
        "cloudfront:distribution": [one["Comment"] for one in items(front.list_distributions(), "DistributionList")],
        "cloudfront:access control": [
            one["Name"] for one in items(front.list_origin_access_controls(), "OriginAccessControlList")
        ],
        "cloudfront:public key": [one["Name"] for one in items(front.list_public_keys(), "PublicKeyList")],
        "cloudfront:key group": groups,
        **{f"cloudfront:{kind}": some for kind, some in policies.items()},
        "wafv2:web ACL": [one["Name"] for one in waf.list_web_acls(Scope="CLOUDFRONT")["WebACLs"]],
        "wafv2:IP set": [one["Name"] for one in waf.list_ip_sets(Scope="CLOUDFRONT")["IPSets"]],
    }
    return [line for kind, some in names.items() for line in _named(kind, some, prefix)]


def _functions_and_records(cloud: Cloud, prefix: str) -> list[str]:
    """What works on uploads, and what releases need."""
    queues = [url.rsplit("/", 1)[1] for url in cloud.client("sqs").list_queues().get("QueueUrls", [])]
    functions = [one["FunctionName"] for one in cloud.client("lambda").list_functions()["Functions"]]
    return [
        *_named("lambda:function", functions, prefix),
        *_named("sqs:queue", queues, prefix),
        *_named("dynamodb:table", cloud.client("dynamodb").list_tables()["TableNames"], prefix),
    ]


def _monitoring(cloud: Cloud, prefix: str) -> list[str]:
    watch, sns, logs, xray = (cloud.client(name) for name in ("cloudwatch", "sns", "logs", "xray"))
    alarms = watch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    names: Mapping[str, list[str]] = {
        "cloudwatch:alarm": [
            one["AlarmName"] for page in alarms for one in [*page["MetricAlarms"], *page["CompositeAlarms"]]
        ],
        "cloudwatch:dashboard": [one["DashboardName"] for one in watch.list_dashboards()["DashboardEntries"]],
        "logs:delivery": [one["deliverySourceName"] for one in logs.describe_deliveries()["deliveries"]],
        "logs:delivery source": [one["name"] for one in logs.describe_delivery_sources()["deliverySources"]],
        "logs:delivery destination": [
            one["name"] for one in logs.describe_delivery_destinations()["deliveryDestinations"]
        ],
        "sns:topic": [one["TopicArn"].rpartition(":")[2] for one in sns.list_topics()["Topics"]],
        "logs:query": [one["name"] for one in logs.describe_query_definitions()["queryDefinitions"]],
        "xray:group": [one["GroupName"] for one in xray.get_groups()["Groups"]],
        "route53:health check": [
            one["CallerReference"].partition("/")[0]
            for one in cloud.client("route53").list_health_checks()["HealthChecks"]
        ],
        "cloudtrail:trail": [one["Name"] for one in cloud.client("cloudtrail").describe_trails()["trailList"]],
        "config:recorder": [
            one["name"] for one in cloud.client("config").describe_configuration_recorders()["ConfigurationRecorders"]
        ],
    }
    return [line for kind, listed in names.items() for line in _named(kind, listed, prefix)]


def _backups(cloud: Cloud, prefix: str) -> list[str]:
    """Plans, and what lies in the region of the copies."""
    plans = [one["BackupPlanName"] for one in cloud.client("backup").list_backup_plans()["BackupPlansList"]]
    vaults = [
        f"{region}:{vault['BackupVaultName']}"
        for region in ("us-east-1", DR_REGION)
        for vault in cloud.client("backup", region).list_backup_vaults()["BackupVaultList"]
        if vault["BackupVaultName"].startswith(prefix)
    ]
    kms = cloud.client("kms", DR_REGION)
    keys = [_key_name(kms, key) for key in _live_keys(kms)]
    return [
        *_named("backup:plan", plans, prefix),
        *(f"backup:vault:{name}" for name in vaults),
        *_named(f"kms:key:{DR_REGION}", keys, prefix),
    ]

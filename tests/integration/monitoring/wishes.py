"""One wish for each module of phase 5, with every setting away from its default, and what a hand can do to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.cloud import Cloud

NAME = "stories-test"
TAGS = {"Project": "1001-stories", "Environment": "test", "Component": "monitoring"}
ACCOUNT = "123456789012"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:{NAME}-alerts"


@dataclass(frozen=True)
class Case:
    """A module, what is wished of it, and the proof of its drift.

    by_hand: changes every declared field at once. named: what the plan must then name.
    partly: makes a part of it, as a run does that is killed. steps: ids of the first run's steps.
    refused: changed parameters and the sentence that they earn.
    """

    module: str
    wish: dict[str, Any]
    steps: list[str]
    by_hand: Callable[[Cloud], None]
    named: list[str]
    partly: Callable[[Cloud], None]
    prepare: Callable[[Cloud], None] = lambda cloud: None
    gone: dict[str, Any] = field(default_factory=dict)


# Alarms


def _metric(ident: str, name: str, **more: Any) -> dict[str, Any]:
    dimensions = {"LoadBalancer": "app/stories-test/1"}
    return {
        "id": ident,
        "namespace": "AWS/ApplicationELB",
        "metric_name": name,
        "dimensions": dimensions,
        "statistic": "Sum",
        "period": 300,
        **more,
    }


ALARMS: dict[str, Any] = {
    "name": NAME,
    "tags": TAGS,
    "alarms": [
        {
            "name": f"{NAME}-p95",
            "description": "slow",
            "namespace": "AWS/ApplicationELB",
            "metric_name": "TargetResponseTime",
            "dimensions": {"LoadBalancer": "app/stories-test/1"},
            "statistic": "p95",
            "period": 300,
            "threshold": 2,
            "evaluation_periods": 3,
            "datapoints_to_alarm": 2,
            "treat_missing_data": "notBreaching",
            "low_samples": "ignore",
            "alarm_actions": [TOPIC],
            "ok_actions": [TOPIC],
            "insufficient_data_actions": [TOPIC],
        },
        {
            "name": f"{NAME}-ratio",
            "metrics": [
                _metric("errors", "HTTPCode_Target_5XX_Count"),
                _metric("requests", "RequestCount"),
                {"id": "ratio", "expression": "FILL(errors, 0) / requests", "return_data": True, "label": "share"},
            ],
            "threshold": 0.01,
        },
        {
            "name": f"{NAME}-unusual",
            "metrics": [
                _metric("requests", "RequestCount", return_data=True),
                {"id": "usual", "expression": "ANOMALY_DETECTION_BAND(requests, 2)", "return_data": True},
            ],
            "threshold_metric": "usual",
            "comparison": "LessThanLowerThreshold",
        },
    ],
    "composite_alarms": [
        {
            "name": f"{NAME}-both",
            "rule": f'ALARM("{NAME}-p95") AND ALARM("{NAME}-ratio")',
            "description": "both",
            "alarm_actions": [TOPIC],
        }
    ],
}


def alarms_by_hand(cloud: Cloud) -> None:
    watch = cloud.client("cloudwatch")
    watch.put_metric_alarm(
        AlarmName=f"{NAME}-p95",
        Namespace="AWS/Other",
        MetricName="Other",
        Dimensions=[],
        ExtendedStatistic="p50",
        Period=60,
        Threshold=3,
        EvaluationPeriods=4,
        DatapointsToAlarm=4,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
        EvaluateLowSampleCountPercentile="evaluate",
        ActionsEnabled=False,
    )
    queries = watch.describe_alarms(AlarmNames=[f"{NAME}-ratio"])["MetricAlarms"][0]["Metrics"]
    queries[2]["Expression"] = "errors / requests"
    watch.put_metric_alarm(
        AlarmName=f"{NAME}-ratio",
        Metrics=queries,
        Threshold=0.01,
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    (unusual,) = watch.describe_alarms(AlarmNames=[f"{NAME}-unusual"])["MetricAlarms"]
    watch.put_metric_alarm(
        AlarmName=f"{NAME}-unusual",
        Metrics=unusual["Metrics"],
        ThresholdMetricId="usual",
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanUpperThreshold",
    )
    watch.put_composite_alarm(AlarmName=f"{NAME}-both", AlarmRule=f'ALARM("{NAME}-p95")', ActionsEnabled=False)
    arn = watch.describe_alarms(AlarmNames=[f"{NAME}-p95"])["MetricAlarms"][0]["AlarmArn"]
    watch.untag_resource(ResourceARN=arn, TagKeys=["Project"])
    # One of ours that nobody describes, and one of somebody else.
    tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    simple = {
        "Namespace": "A",
        "MetricName": "B",
        "Statistic": "Sum",
        "Period": 60,
        "Threshold": 1,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    watch.put_metric_alarm(AlarmName=f"{NAME}-old", Tags=tags, **simple)
    watch.put_metric_alarm(AlarmName=f"{NAME}-theirs", **simple)


def one_alarm(cloud: Cloud) -> None:
    tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{NAME}-p95",
        Namespace="AWS/ApplicationELB",
        MetricName="TargetResponseTime",
        ExtendedStatistic="p95",
        Period=300,
        Threshold=2,
        EvaluationPeriods=3,
        ComparisonOperator="GreaterThanThreshold",
        Tags=tags,
    )


# Topics


def _policy(service: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Publish",
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sns:Publish",
                "Resource": TOPIC,
            }
        ],
    }


KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
TOPICS: dict[str, Any] = {
    "name": NAME,
    "tags": TAGS,
    "topics": [
        {
            "name": f"{NAME}-alerts",
            "display_name": "1001 Stories",
            "kms_key_arn": KEY,
            "policy": _policy("cloudwatch.amazonaws.com"),
            "subscriptions": [{"endpoint": "ops@example.org"}, {"endpoint": "head@example.org"}],
        }
    ],
}


def topics_by_hand(cloud: Cloud) -> None:
    sns = cloud.client("sns")
    others = {
        "DisplayName": "Other",
        "KmsMasterKeyId": "alias/aws/sns",
        "Policy": json.dumps(_policy("s3.amazonaws.com")),
    }
    for name, value in others.items():
        sns.set_topic_attributes(TopicArn=TOPIC, AttributeName=name, AttributeValue=value)
    sns.untag_resource(ResourceArn=TOPIC, TagKeys=["Component"])
    sns.subscribe(TopicArn=TOPIC, Protocol="sms", Endpoint="+12065550100")


def one_topic(cloud: Cloud) -> None:
    tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    cloud.client("sns").create_topic(Name=f"{NAME}-alerts", Tags=tags)


# Dashboards

DASHBOARDS: dict[str, Any] = {
    "dashboards": [
        {
            "name": NAME,
            "widgets": [
                {"type": "text", "width": 24, "height": 2, "properties": {"markdown": "# Slots\nblue and green"}},
                {"title": "CPU", "properties": {"region": "us-east-1", "metrics": [["AWS/ECS", "CPUUtilization"]]}},
                {
                    "title": "Memory",
                    "properties": {"region": "us-east-1", "metrics": [["AWS/ECS", "MemoryUtilization"]]},
                },
            ],
        },
        {"name": f"{NAME}-edge", "widgets": []},
    ]
}


def dashboards_by_hand(cloud: Cloud) -> None:
    watch = cloud.client("cloudwatch")
    body = json.loads(watch.get_dashboard(DashboardName=NAME)["DashboardBody"])
    body["widgets"][1]["properties"]["metrics"] = [["AWS/RDS", "CPUUtilization"]]
    body["widgets"].append(
        {"type": "text", "x": 0, "y": 20, "width": 6, "height": 2, "properties": {"markdown": "mine"}}
    )
    watch.put_dashboard(DashboardName=NAME, DashboardBody=json.dumps(body))


def one_dashboard(cloud: Cloud) -> None:
    cloud.client("cloudwatch").put_dashboard(DashboardName=NAME, DashboardBody='{"widgets": []}')


# Logs

APP = f"/{NAME}/app"
LOGS: dict[str, Any] = {
    "name": NAME,
    "queries": [{"name": "errors", "query": "filter level = 'error'", "log_groups": [APP, f"/{NAME}/exec"]}],
    "metric_filters": [
        {
            "name": f"{NAME}-slow",
            "log_group": APP,
            "pattern": "{ $.duration_ms > 2000 }",
            "metric": "SlowRequests",
            "default_value": 0,
            "unit": "Count",
        }
    ],
}


def log_groups(cloud: Cloud) -> None:
    for name in (APP, f"/{NAME}/exec"):
        cloud.client("logs").create_log_group(logGroupName=name)


def logs_by_hand(cloud: Cloud) -> None:
    logs = cloud.client("logs")
    saved = logs.describe_query_definitions(queryDefinitionNamePrefix=f"{NAME}/")["queryDefinitions"][0]
    other = {"queryString": "limit 1", "logGroupNames": [APP]}
    logs.put_query_definition(name=saved["name"], queryDefinitionId=saved["queryDefinitionId"], **other)
    logs.put_query_definition(name=f"{NAME}/mine", **other)
    value = {"metricNamespace": NAME, "metricName": "Other", "metricValue": "2", "defaultValue": 1, "unit": "Seconds"}
    logs.put_metric_filter(
        logGroupName=APP, filterName=f"{NAME}-slow", filterPattern="ERROR", metricTransformations=[value]
    )


def one_query(cloud: Cloud) -> None:
    logs = cloud.client("logs")
    logs.put_query_definition(name=f"{NAME}/errors", queryString="limit 1", logGroupNames=[APP])


# X-Ray

XRAY: dict[str, Any] = {
    "name": NAME,
    "tags": TAGS,
    "groups": [{"name": f"{NAME}-slow", "filter_expression": "responsetime > 2"}],
    "sampling_rules": [
        {
            "name": f"{NAME}-api",
            "priority": 20,
            "fixed_rate": 0.1,
            "reservoir_size": 1,
            "service_name": "app*",
            "service_type": "AWS::ECS::Container",
            "host": "stories.test",
            "http_method": "GET",
            "url_path": "/api/*",
            "attributes": {"slot": "blue"},
        }
    ],
}


def xray_by_hand(cloud: Cloud) -> None:
    xray = cloud.client("xray")
    insights = {"InsightsEnabled": True, "NotificationsEnabled": False}
    xray.update_group(GroupName=f"{NAME}-slow", FilterExpression="error", InsightsConfiguration=insights)
    rule = {
        "Priority": 30,
        "FixedRate": 1.0,
        "ReservoirSize": 5,
        "ServiceName": "*",
        "ServiceType": "*",
        "Host": "*",
        "HTTPMethod": "*",
        "URLPath": "*",
        "ResourceARN": "arn:other",
        "Attributes": {},
    }
    xray.update_sampling_rule(SamplingRuleUpdate={"RuleName": f"{NAME}-api", **rule})
    arn = xray.get_groups()["Groups"][0]["GroupARN"]
    xray.untag_resource(ResourceARN=arn, TagKeys=["Component"])


def one_group(cloud: Cloud) -> None:
    cloud.client("xray").create_group(GroupName=f"{NAME}-slow", FilterExpression="error")


# Config

CONFIG: dict[str, Any] = {
    "name": NAME,
    "tags": TAGS,
    "role_arn": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
    "bucket": "stories-test-logs",
    "snapshot_frequency": "TwentyFour_Hours",
    "recording_frequency": "DAILY",
    "rules": [
        {
            "name": f"{NAME}-ssh",
            "identifier": "RESTRICTED_INCOMING_TRAFFIC",
            "description": "no open port",
            "input_parameters": {"blockedPort1": 22},
            "resource_types": ["AWS::EC2::SecurityGroup"],
            "frequency": "Six_Hours",
        }
    ],
}


def config_by_hand(cloud: Cloud) -> None:
    config = cloud.client("config")
    config.stop_configuration_recorder(ConfigurationRecorderName=NAME)
    kinds = {"allSupported": False, "resourceTypes": ["AWS::S3::Bucket"]}
    recorder = {"name": NAME, "roleARN": "arn:aws:iam::123456789012:role/other", "recordingGroup": kinds}
    config.put_configuration_recorder(ConfigurationRecorder=recorder)
    config.put_delivery_channel(DeliveryChannel={"name": NAME, "s3BucketName": "other", "s3KeyPrefix": "x"})
    source = {"Owner": "AWS", "SourceIdentifier": "RDS_STORAGE_ENCRYPTED"}
    config.put_config_rule(ConfigRule={"ConfigRuleName": f"{NAME}-ssh", "Source": source})
    arn = config.describe_config_rules()["ConfigRules"][0]["ConfigRuleArn"]
    config.untag_resource(ResourceArn=arn, TagKeys=["Component"])


def a_recorder(cloud: Cloud) -> None:
    recorder = {"name": NAME, "roleARN": CONFIG["role_arn"], "recordingGroup": {"allSupported": True}}
    cloud.client("config").put_configuration_recorder(ConfigurationRecorder=recorder)


# CloudTrail

TRAIL: dict[str, Any] = {"name": NAME, "tags": TAGS, "bucket": "stories-test-logs", "kms_key_arn": KEY}


def trail_bucket(cloud: Cloud) -> None:
    for name in ("stories-test-logs", "stories-test-other"):
        cloud.client("s3").create_bucket(Bucket=name)


def trail_by_hand(cloud: Cloud) -> None:
    trail = cloud.client("cloudtrail")
    other = KEY.replace("0a1b2c3d-", "1a1b2c3d-")
    trail.update_trail(
        Name=NAME,
        S3BucketName="stories-test-other",
        S3KeyPrefix="x",
        IncludeGlobalServiceEvents=False,
        IsMultiRegionTrail=False,
        EnableLogFileValidation=False,
        KmsKeyId=other,
    )
    selector = {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}
    trail.put_event_selectors(TrailName=NAME, EventSelectors=[selector])
    trail.stop_logging(Name=NAME)
    arn = trail.describe_trails(trailNameList=[NAME])["trailList"][0]["TrailARN"]
    trail.remove_tags(ResourceId=arn, TagsList=[{"Key": "Component"}])


def a_trail(cloud: Cloud) -> None:
    tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    cloud.client("cloudtrail").create_trail(Name=NAME, S3BucketName="stories-test-logs", TagsList=tags)


# Budget

BUDGET: dict[str, Any] = {
    "name": NAME,
    "account_id": ACCOUNT,
    "tags": TAGS,
    "limit_usd": 500,
    "filter_tags": {"Project": "1001-stories"},
    "notifications": [
        {"type": "ACTUAL", "threshold_percent": 80, "emails": ["admin@example.org"], "topic_arns": [TOPIC]},
        {"type": "FORECASTED", "threshold_percent": 100, "emails": ["admin@example.org"]},
    ],
    "cost_allocation_tags": ["Project"],
}


def budget_by_hand(cloud: Cloud) -> None:
    budgets = cloud.client("budgets")
    limit = {"Amount": "5000", "Unit": "USD"}
    other = {"BudgetName": NAME, "BudgetType": "COST", "BudgetLimit": limit, "TimeUnit": "ANNUALLY"}
    budgets.update_budget(AccountId=ACCOUNT, NewBudget=other)
    notice = {
        "NotificationType": "ACTUAL",
        "ComparisonOperator": "GREATER_THAN",
        "Threshold": 80,
        "ThresholdType": "PERCENTAGE",
    }
    budgets.delete_notification(AccountId=ACCOUNT, BudgetName=NAME, Notification=notice)
    budgets.untag_resource(ResourceARN=f"arn:aws:budgets::{ACCOUNT}:budget/{NAME}", ResourceTagKeys=["Component"])
    inactive = [{"TagKey": "Project", "Status": "Inactive"}]
    cloud.client("ce").update_cost_allocation_tags_status(CostAllocationTagsStatus=inactive)


def a_budget(cloud: Cloud) -> None:
    limit = {"Amount": "500.0", "Unit": "USD"}
    budget = {"BudgetName": NAME, "BudgetType": "COST", "BudgetLimit": limit, "TimeUnit": "MONTHLY"}
    cloud.client("budgets").create_budget(AccountId=ACCOUNT, Budget=budget)


# Health checks

CHECKS: dict[str, Any] = {
    "name": NAME,
    "tags": TAGS,
    "health_checks": [
        {
            "name": f"{NAME}-site",
            "host": "stories.example.org",
            "path": "/api/health",
            "search": "ok",
            "failure_threshold": 2,
            "regions": ["us-east-1", "eu-west-1", "ap-southeast-1"],
        }
    ],
}


def _check_id(cloud: Cloud) -> str:
    return str(cloud.client("route53").list_health_checks()["HealthChecks"][0]["Id"])


def checks_by_hand(cloud: Cloud) -> None:
    route53, ident = cloud.client("route53"), _check_id(cloud)
    route53.update_health_check(
        HealthCheckId=ident,
        FullyQualifiedDomainName="other.example.org",
        Port=444,
        ResourcePath="/other",
        SearchString="other",
        FailureThreshold=5,
        Inverted=True,
        Disabled=True,
        Regions=["us-west-1", "us-west-2", "sa-east-1"],
    )
    route53.change_tags_for_resource(ResourceType="healthcheck", ResourceId=ident, RemoveTagKeys=["Component"])


def a_check(cloud: Cloud) -> None:
    config = {"Type": "HTTPS", "FullyQualifiedDomainName": "stories.example.org", "Port": 443}
    cloud.client("route53").create_health_check(CallerReference=f"{NAME}-site/0a1b", HealthCheckConfig=config)


_PLACE = {"name": NAME, "tags": TAGS}
CASES = {
    "alarms": Case(
        "cloudwatch_alarms",
        ALARMS,
        [
            *(f"metric_alarm/{NAME}-{alarm}:create" for alarm in ("p95", "ratio", "unusual")),
            f"composite_alarm/{NAME}-both:create",
        ],
        alarms_by_hand,
        [
            "actions_enabled: false",
            "alarm_actions: []",
            "comparison: LessThanThreshold",
            "comparison: GreaterThanUpperThreshold",
            "datapoints_to_alarm: 4",
            "description: null",
            "dimensions: {}",
            "evaluation_periods: 4",
            "expression: errors / requests",
            "extended_statistic: p50",
            "insufficient_data_actions: []",
            "low_samples: evaluate",
            "metric_name: Other",
            "namespace: AWS/Other",
            "ok_actions: []",
            "period: 60",
            f'rule: ALARM("{NAME}-p95")',
            "threshold: 3.0",
            "treat_missing_data: breaching",
            f"alarm {NAME}-old",
        ],
        one_alarm,
        gone=_PLACE,
    ),
    "topics": Case(
        "sns_topics",
        TOPICS,
        [
            f"sns_topic/{NAME}-alerts:create",
            f"sns_subscription/{NAME}-alerts email:ops@example.org:create",
            f"sns_subscription/{NAME}-alerts email:head@example.org:create",
        ],
        topics_by_hand,
        ["display_name: Other", "kms_key: alias/aws/sns", "s3.amazonaws.com", "sms:+12065550100", "Component"],
        one_topic,
        gone=_PLACE,
    ),
    "dashboards": Case(
        "cloudwatch_dashboards",
        DASHBOARDS,
        [f"dashboard/{NAME}:create", f"dashboard/{NAME}-edge:create"],
        dashboards_by_hand,
        ["widget CPU", "AWS/RDS", "- mine"],
        one_dashboard,
        gone=DASHBOARDS,
    ),
    "logs": Case(
        "cloudwatch_log_insights",
        LOGS,
        [f"query_definition/{NAME}/errors:create", f"metric_filter/{NAME}-slow:create"],
        logs_by_hand,
        [
            "query: limit 1",
            "log_groups:",
            f"{NAME}/mine",
            "pattern: ERROR",
            f"metric: {NAME}/Other",
            "value: '2'",
            "default_value: 1",
            "unit: Seconds",
        ],
        one_query,
        prepare=log_groups,
        gone={"name": NAME},
    ),
    "xray": Case(
        "xray_rules",
        XRAY,
        [f"xray_group/{NAME}-slow:create", f"sampling_rule/{NAME}-api:create"],
        xray_by_hand,
        [
            "filter_expression: error",
            "insights: true",
            "priority: 30",
            "fixed_rate: 1.0",
            "reservoir_size: 5",
            "service_name: '*'",
            "service_type: '*'",
            "host: '*'",
            "http_method: '*'",
            "url_path: '*'",
            "resource_arn: arn:other",
            "attributes: {}",
            "Component",
        ],
        one_group,
        gone=_PLACE,
    ),
    "config": Case(
        "config_recorder",
        CONFIG,
        [
            f"config_recorder/{NAME}:create",
            f"delivery_channel/{NAME}:create",
            f"config_recording/{NAME}:create",
            f"config_rule/{NAME}-ssh:create",
        ],
        config_by_hand,
        [
            "recording: false",
            "role: arn:aws:iam::123456789012:role/other",
            "frequency: CONTINUOUS",
            "global_resources: false",
            "- AWS::S3::Bucket",
            "bucket: other",
            "bucket_prefix: x",
            "snapshots: null",
            "identifier: RDS_STORAGE_ENCRYPTED",
            "description: ''",
            "input_parameters: {}",
            "resource_types: []",
            "Component",
        ],
        a_recorder,
        gone=_PLACE,
    ),
    "trail": Case(
        "cloudtrail_trail",
        TRAIL,
        [f"trail/{NAME}:create"],
        trail_by_hand,
        [
            "bucket: stories-test-other",
            "bucket_prefix: x",
            "global_events: false",
            "kms_key: arn:aws:kms:us-east-1:123456789012:key/1a1b2c3d-",
            "log_file_validation: false",
            "logging: false",
            "management_events: ReadOnly",
            "multi_region: false",
            "Component",
        ],
        a_trail,
        prepare=trail_bucket,
        gone=_PLACE,
    ),
    "budget": Case(
        "cost_budget",
        BUDGET,
        [f"budget/{NAME}:create", "cost_allocation_tag/Project:change"],
        budget_by_hand,
        [
            "filters: {}",
            "limit_usd: '5000'",
            "time_unit: ANNUALLY",
            "ACTUAL GREATER_THAN 80 PERCENTAGE",
            "status: Inactive",
            "Component",
        ],
        a_budget,
        gone={**_PLACE, "account_id": ACCOUNT},
    ),
    "health_checks": Case(
        "route53_health_checks",
        CHECKS,
        [f"health_check/{NAME}-site:create"],
        checks_by_hand,
        [
            "host: other.example.org",
            "port: 444",
            "path: /other",
            "search: other",
            "failure_threshold: 5",
            "inverted: true",
            "disabled: true",
            "- sa-east-1",
            "Component",
        ],
        a_check,
        gone=_PLACE,
    ),
}

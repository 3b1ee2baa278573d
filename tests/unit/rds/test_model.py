"""The cluster and the proxy that are wanted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused
from ansible_collections.stories1001.platform.plugins.module_utils._rds import model, proxy_model

CLUSTER: dict[str, Any] = {
    "name": "stories-test",
    "tags": {"Project": "1001-stories", "Environment": "test"},
    "subnet_ids": ["subnet-b", "subnet-a"],
    "security_group_ids": ["sg-a"],
    "availability_zones": ["us-east-1a", "us-east-1b"],
    "port": 5432,
    "database_name": "stories_db",
    "master_username": "stories_admin",
    "master_secret_kms_key_arn": "",
    "kms_key_arn": "",
    "storage_type": "aurora",
    "backup_retention_period": 30,
    "preferred_backup_window": "03:00-04:00",
    "preferred_maintenance_window": "Sun:04:00-Sun:05:00",
    "deletion_protection": True,
    "cloudwatch_logs_exports": ["postgresql"],
    "log_retention_days": 30,
    "log_kms_key_arn": "",
    "iam_database_authentication": True,
    "copy_tags_to_snapshot": True,
    "cluster_parameters": {"rds.force_ssl": True, "shared_preload_libraries": ["pg_stat_statements", "auto_explain"]},
    "instance_parameters": {},
    "serverless_v2_scaling": None,
    "instance_count": 3,
    "instance_class": "db.r6g.large",
    "performance_insights": True,
    "performance_insights_retention": 7,
    "performance_insights_kms_key_arn": "",
    "monitoring_interval": 60,
    "monitoring_role_arn": "arn:aws:iam::123456789012:role/monitoring",
    "auto_minor_version_upgrade": True,
    "ca_certificate_identifier": "",
    "reboot": False,
}
PROXY: dict[str, Any] = {
    "name": "stories-test",
    "tags": CLUSTER["tags"],
    "cluster": "stories-test",
    "secret_arns": ["arn:secret"],
    "iam_authentication": "disabled",
    "role_arn": "arn:role",
    "subnet_ids": ["subnet-a", "subnet-b"],
    "security_group_ids": ["sg-a"],
    "require_tls": True,
    "idle_client_timeout": 1800,
    "debug_logging": False,
    "max_connections_percent": 90,
    "max_idle_connections_percent": 50,
    "connection_borrow_timeout": 120,
    "session_pinning_filters": [],
    "reader_endpoint": True,
}


def test_groups_come_before_the_cluster_and_the_cluster_before_its_instances() -> None:
    made = model.desired(CLUSTER, "15.8")
    kinds = [resource.kind for resource in made]
    assert kinds == [
        "db_subnet_group",
        "db_cluster_parameter_group",
        "db_parameter_group",
        "log_group",
        "db_cluster",
        "db_instance",
        "db_instance",
        "db_instance",
    ]
    zones = [resource.fields["availability_zone"] for resource in made if resource.kind == "db_instance"]
    assert zones == ["us-east-1a", "us-east-1b", "us-east-1a"]


def test_parameters_are_written_as_aws_writes_them() -> None:
    group = next(one for one in model.desired(CLUSTER, "15.8") if one.kind == "db_cluster_parameter_group")
    assert group.name == "stories-test-aurora-postgresql15"
    assert group.fields["parameters"] == {
        "rds.force_ssl": "1",
        "shared_preload_libraries": "pg_stat_statements,auto_explain",
    }


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "1001-stories"}, "beginning with a letter"),
        ({"name": "stories--test"}, "single hyphens"),
        ({"database_name": "stories-db"}, "database_name"),
        ({"master_username": "rdsadmin"}, "reserves it"),
        ({"backup_retention_period": 36}, "AWS keeps 1 to 35"),
        ({"instance_count": 17}, "1 to 16"),
        ({"instance_class": "r6g.large"}, "db.r6g.large"),
        ({"monitoring_interval": 45}, "0, 1, 5, 10, 15, 30, 60"),
        ({"monitoring_role_arn": ""}, "without monitoring_role_arn"),
        ({"performance_insights_retention": 30}, "31 times 1 to 23"),
        ({"log_retention_days": 31}, "for the logs"),
        ({"instance_class": "db.serverless"}, "without serverless_v2_scaling"),
        ({"serverless_v2_scaling": {"min_capacity": 0.3, "max_capacity": 2}}, "halves from 0 to 256"),
        ({"serverless_v2_scaling": {"min_capacity": 4, "max_capacity": 2}}, "above max_capacity"),
        ({"preferred_backup_window": "04:30-05:30"}, "overlap"),
    ],
)
def test_a_wrong_cluster_is_refused_with_what_to_do(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PlanRefused, match=sentence):
        model.desired({**CLUSTER, **wrong}, "15.8")


def test_a_proxy_has_a_pool_and_if_wanted_an_endpoint_for_readers() -> None:
    assert [one.kind for one in proxy_model.desired(PROXY)] == ["db_proxy", "db_proxy_endpoint", "db_proxy_pool"]
    assert len(proxy_model.desired({**PROXY, "reader_endpoint": False})) == 2


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "1001"}, "beginning with a letter"),
        ({"secret_arns": []}, "Read 0 secrets"),
        ({"idle_client_timeout": 0}, "1 to 28800"),
        ({"subnet_ids": ["subnet-a"]}, "two zones"),
        ({"max_idle_connections_percent": 95}, "between 0 and the first"),
        ({"connection_borrow_timeout": 301}, "300 seconds"),
    ],
)
def test_a_wrong_proxy_is_refused_with_what_to_do(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PlanRefused, match=sentence):
        proxy_model.desired({**PROXY, **wrong})

"""What a restore is asked for, and what it takes from its original."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused
from ansible_collections.stories1001.platform.plugins.module_utils._recovery import restored

WISH: dict[str, Any] = {
    "name": "stories-restored",
    "state": "present",
    "source_cluster": "stories",
    "restore_to_time": "",
    "snapshot": "",
    "instance_count": 1,
    "subnet_group": "",
    "security_group_ids": [],
    "cluster_parameter_group": "",
    "instance_parameter_group": "",
    "instance_class": "",
    "kms_key_arn": "",
    "master_secret_kms_key_arn": "",
    "port": None,
    "deletion_protection": False,
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "Stories_1"}, "the name 'Stories_1'"),
        ({"name": "stories"}, "beside the original"),
        ({"source_cluster": ""}, "neither source_cluster nor snapshot"),
        ({"snapshot": "x", "restore_to_time": "2026-11-22T23:40:00Z"}, "both snapshot and restore_to_time"),
        ({"restore_to_time": "yesterday"}, "no moment with a zone"),
        ({"restore_to_time": "2026-11-22T23:40:00"}, "no moment with a zone"),
        ({"instance_count": 0}, "0 instances"),
    ],
)
def test_a_bad_wish_is_said_in_one_sentence(changed: dict[str, Any], said: str) -> None:
    (problem,) = restored.problems({**WISH, **changed})
    assert said in problem


def test_the_same_moment_in_another_zone_is_the_same_restore() -> None:
    moments = ("2026-11-22T23:40:00Z", "2026-11-23T00:40:00+01:00", "2026-11-22T23:40:00.9+00:00")
    origins = {restored.origin({**WISH, "restore_to_time": moment}) for moment in moments}
    assert origins == {restored.Origin("stories", "2026-11-22T23:40:00Z")}


def test_another_restore_under_the_same_name_is_refused() -> None:
    wanted = restored.Origin("stories", "latest")
    restored.refuse_another(wanted.tags, wanted, "stories-restored")
    for tags in ({}, {**wanted.tags, "RestoredTo": "2026-11-22T23:40:00Z"}):
        with pytest.raises(PlanRefused, match="Choose another name"):
            restored.refuse_another(tags, wanted, "stories-restored")


def test_what_is_not_given_comes_from_the_original_and_what_neither_says_is_asked_for() -> None:
    cluster = {
        "DBSubnetGroup": "stories",
        "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1"}],
        "DBClusterParameterGroup": "stories-aurora-postgresql15",
        "KmsKeyId": "arn:aws:kms:key",
        "Port": 5432,
    }
    writer = {"DBInstanceClass": "db.r6g.large", "DBParameterGroups": [{"DBParameterGroupName": "stories-15"}]}
    found = restored.inherited({**WISH, "instance_class": "db.t4g.medium"}, cluster, writer)
    assert (found["subnet_group"], found["instance_class"]) == ("stories", "db.t4g.medium")
    assert (found["security_groups"], found["instance_parameter_group"]) == (["sg-1"], "stories-15")
    with pytest.raises(PlanRefused, match="no subnet_group and no security_group_ids and no instance_class"):
        restored.inherited(WISH, None, None)

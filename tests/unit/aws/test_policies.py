"""Policies that mean the same are equal in their canonical form, and only these."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies
from ansible_collections.stories1001.platform.plugins.module_utils._aws.policies import canonical

ALLOW: dict[str, Any] = {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


ONE = policy({**ALLOW, "Action": ["s3:GetObject", "s3:PutObject"]}, {**ALLOW, "Sid": "Else", "Effect": "Deny"})


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (policy({**ALLOW, "Action": ["s3:GetObject"]}), policy(ALLOW), True),
        (
            ONE,
            policy({**ALLOW, "Sid": "Else", "Effect": "Deny"}, {**ALLOW, "Action": ["s3:PutObject", "s3:GetObject"]}),
            True,
        ),
        (
            policy({**ALLOW, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}),
            policy({**ALLOW, "Principal": {"AWS": ["123456789012"]}}),
            True,
        ),
        (policy({**ALLOW, "Principal": {"AWS": "*"}}), policy({**ALLOW, "Principal": "*"}), True),
        (
            policy({**ALLOW, "Condition": {"Bool": {"aws:SecureTransport": False}}}),
            policy({**ALLOW, "Condition": {"Bool": {"aws:SecureTransport": ["false"]}}}),
            True,
        ),
        (policy(ALLOW), policy({**ALLOW, "Effect": "Deny"}), False),
        (policy(ALLOW), policy({**ALLOW, "Resource": "arn:aws:s3:::books/*"}), False),
        (policy(ALLOW), policy(ALLOW, {**ALLOW, "Sid": "More", "Action": "s3:*"}), False),
        (
            policy({**ALLOW, "Principal": {"Service": "ecs-tasks.amazonaws.com"}}),
            policy({**ALLOW, "Principal": {"AWS": "ecs-tasks.amazonaws.com"}}),
            False,
        ),
        (
            policy({**ALLOW, "Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}),
            policy({**ALLOW, "Condition": {"StringLike": {"aws:SourceAccount": "1"}}}),
            False,
        ),
    ],
)
def test_two_policies_are_equal_when_aws_reads_them_alike(
    left: dict[str, Any], right: dict[str, Any], same: bool
) -> None:
    assert (canonical(left) == canonical(right)) is same
    assert compare_policies(left, right, default_version="2008-10-17") is not same


@pytest.mark.parametrize("wrong", ["no json", "[]", {"Version": "2012-10-17"}])
def test_what_is_no_policy_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"Expecting value|a policy is an object"):
        canonical(wrong)

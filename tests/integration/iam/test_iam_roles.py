"""iam_roles on the embedded cloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

TAGS = {"Project": "1001-stories", "Environment": "test"}
EXECUTION = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
URL = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::123456789012:oidc-provider/{URL}"


def policy(**statement: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}


TRUST = policy(Principal={"Service": "ecs-tasks.amazonaws.com"}, Action="sts:AssumeRole")
SECRETS = policy(Action=["secretsmanager:GetSecretValue"], Resource=["*"])
DEPLOY = policy(
    Principal={"Federated": PROVIDER},
    Action="sts:AssumeRoleWithWebIdentity",
    Condition={"StringEquals": {f"{URL}:aud": "sts.amazonaws.com", f"{URL}:sub": "repo:o/r:environment:test"}},
)
WISH: dict[str, Any] = {
    "name": "stories-test",
    "tags": TAGS,
    "service_linked_roles": ["ecs.amazonaws.com"],
    "oidc_providers": [{"url": f"https://{URL}"}],
    "roles": [
        {
            "name": "task-execution",
            "description": "Starts containers",
            "trust_policy": TRUST,
            "managed_policies": [EXECUTION],
            "inline_policies": {"secrets": SECRETS},
            "permissions_boundary": "arn:aws:iam::aws:policy/PowerUserAccess",
        },
        {"name": "deploy", "trust_policy": DEPLOY, "max_session_duration": 7200},
    ],
}
ROLE = "stories-test-task-execution"


def steps(result: dict[str, Any]) -> list[str]:
    assert not result.get("failed"), result["msg"]
    return [step["id"] for step in result["steps"]]


def test_the_plan_on_an_empty_account_lists_what_the_run_then_makes_and_writes_nothing(cloud: Cloud) -> None:
    with cloud.recorded() as calls:
        planned = run_module(cloud, "iam_roles", WISH, check=True)
    assert not [call for call in calls if call["writes"]]
    made = run_module(cloud, "iam_roles", WISH)
    assert steps(planned) == steps(made)
    assert steps(made) == [
        "service_linked_role/ecs.amazonaws.com:create",
        f"oidc_provider/{URL}:create",
        f"iam_role/{ROLE}:create",
        "iam_role/stories-test-deploy:create",
    ]
    assert made["role_arns"]["deploy"] == "arn:aws:iam::123456789012:role/stories-test-deploy"
    with cloud.recorded() as calls:
        assert run_module(cloud, "iam_roles", WISH)["changed"] is False
    assert len(calls) == 5


def trusts_another(cloud: Cloud) -> None:
    other = policy(Principal={"AWS": "arn:aws:iam::210987654321:root"}, Action="sts:AssumeRole")
    cloud.client("iam").update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(other))


def may_do_all(cloud: Cloud) -> None:
    everything = json.dumps(policy(Action="*", Resource="*"))
    cloud.client("iam").put_role_policy(RoleName=ROLE, PolicyName="by-hand", PolicyDocument=everything)


def other_secrets(cloud: Cloud) -> None:
    document = json.dumps(policy(Action="secretsmanager:*", Resource="*"))
    cloud.client("iam").put_role_policy(RoleName=ROLE, PolicyName="secrets", PolicyDocument=document)


def another_managed_policy(cloud: Cloud) -> None:
    cloud.client("iam").attach_role_policy(RoleName=ROLE, PolicyArn=READ_ONLY)


def lost_managed_policy(cloud: Cloud) -> None:
    cloud.client("iam").detach_role_policy(RoleName=ROLE, PolicyArn=EXECUTION)


def no_boundary(cloud: Cloud) -> None:
    cloud.client("iam").delete_role_permissions_boundary(RoleName=ROLE)


def other_description(cloud: Cloud) -> None:
    cloud.client("iam").update_role(RoleName=ROLE, Description="mine", MaxSessionDuration=3600)


def longer_session(cloud: Cloud) -> None:
    cloud.client("iam").update_role(RoleName=ROLE, Description="Starts containers", MaxSessionDuration=43200)


def lost_identity(cloud: Cloud) -> None:
    cloud.client("iam").untag_role(RoleName=ROLE, TagKeys=["Project", "Environment"])


@pytest.mark.parametrize(
    ("by_hand", "shown"),
    [
        (trusts_another, "'210987654321'"),
        (may_do_all, "by-hand"),
        (other_secrets, "secretsmanager:*"),
        (another_managed_policy, READ_ONLY),
        (lost_managed_policy, "managed_policies: []"),
        (no_boundary, "permissions_boundary: null"),
        (other_description, "description: mine"),
        (longer_session, "max_session_duration: 43200"),
        (lost_identity, "Project: 1001-stories"),
    ],
)
def test_what_was_changed_by_hand_on_a_role_is_named_as_drift_and_mended(
    cloud: Cloud, by_hand: Callable[[Cloud], None], shown: str
) -> None:
    run_module(cloud, "iam_roles", WISH)
    by_hand(cloud)
    drift = run_module(cloud, "iam_roles", WISH, check=True)
    diff = drift["diff"][0]["before"] + drift["diff"][0]["after"]
    assert f"IAM role {ROLE}" in diff
    assert shown in diff
    assert run_module(cloud, "iam_roles", WISH)["changed"] is True
    assert run_module(cloud, "iam_roles", WISH)["changed"] is False


def test_an_audience_that_was_taken_from_the_provider_is_put_back_and_another_ones_stays(cloud: Cloud) -> None:
    run_module(cloud, "iam_roles", WISH)
    iam = cloud.client("iam")
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER, ClientID="other")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER, ClientID="sts.amazonaws.com")
    assert "audience sts.amazonaws.com" in run_module(cloud, "iam_roles", WISH, check=True)["diff"][0]["after"]
    run_module(cloud, "iam_roles", WISH)
    audiences = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER)["ClientIDList"]
    assert sorted(audiences) == ["other", "sts.amazonaws.com"]


def test_policies_that_mean_the_same_are_no_drift(cloud: Cloud) -> None:
    run_module(cloud, "iam_roles", WISH)
    same = json.dumps({"Version": "2012-10-17", "Statement": TRUST["Statement"][0]})
    cloud.client("iam").update_assume_role_policy(RoleName=ROLE, PolicyDocument=same)
    assert run_module(cloud, "iam_roles", WISH)["changed"] is False


def test_roles_of_a_run_that_was_stopped_are_finished(cloud: Cloud) -> None:
    refusal = {"kind": "error", "code": "AccessDenied", "status": 403}
    for _run in range(3):
        cloud.admin("POST", "/faults", {"service": "iam", "writes_only": True, "skip": 1, **refusal})
        assert run_module(cloud, "iam_roles", WISH)["failed"] is True
        cloud.admin("DELETE", "/faults")
    run_module(cloud, "iam_roles", WISH)
    assert run_module(cloud, "iam_roles", WISH)["changed"] is False


@pytest.mark.parametrize("action", ["CreateServiceLinkedRole", "CreateOpenIDConnectProvider"])
def test_what_the_account_shares_may_have_been_made_a_moment_before(cloud: Cloud, action: str) -> None:
    """By the run of another platform, or by a call of this one whose answer was lost."""
    cloud.admin("POST", "/faults", {"kind": "lost_reply", "service": "iam", "action": action, "count": 1})
    try:
        assert not run_module(cloud, "iam_roles", WISH).get("failed")
    finally:
        cloud.admin("DELETE", "/faults")
    assert run_module(cloud, "iam_roles", WISH)["changed"] is False


def test_absent_removes_roles_and_their_provider_and_leaves_service_linked_roles(cloud: Cloud) -> None:
    run_module(cloud, "iam_roles", WISH)
    gone = {"name": "stories-test", "tags": TAGS, "state": "absent"}
    assert len(steps(run_module(cloud, "iam_roles", gone))) == 3
    assert run_module(cloud, "iam_roles", gone)["changed"] is False
    names = [role["RoleName"] for role in cloud.client("iam").list_roles()["Roles"]]
    assert "AWSServiceRoleForECS" in names
    assert not [name for name in names if name.startswith("stories-test")]


def test_a_provider_that_another_platforms_role_trusts_is_left_in_the_account(cloud: Cloud) -> None:
    run_module(cloud, "iam_roles", WISH)
    trust = json.dumps(DEPLOY)
    cloud.client("iam").create_role(RoleName="other-prod-deploy", AssumeRolePolicyDocument=trust)
    gone = {"name": "stories-test", "tags": TAGS, "state": "absent"}
    assert len(steps(run_module(cloud, "iam_roles", gone))) == 2


def test_a_role_of_another_platform_that_begins_alike_is_left_alone(cloud: Cloud) -> None:
    cloud.client("iam").create_role(RoleName="stories-test-eu-task", AssumeRolePolicyDocument=json.dumps(TRUST))
    gone = {"name": "stories-test", "tags": TAGS, "state": "absent"}
    assert run_module(cloud, "iam_roles", gone)["changed"] is False

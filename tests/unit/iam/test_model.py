"""What IAM would refuse, or nobody should wish, is refused before the first write."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._iam.model import desired, problems

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ROLE: dict[str, Any] = {
    "name": "task",
    "description": "",
    "path": "/",
    "trust_policy": TRUST,
    "managed_policies": [],
    "inline_policies": {},
    "permissions_boundary": None,
    "max_session_duration": 3600,
}


def wish(**role: Any) -> dict[str, Any]:
    tags = {"Project": "p", "Environment": "e"}
    roles = [{**ROLE, **role}]
    return {"name": "stories-test", "tags": tags, "roles": roles, "oidc_providers": [], "service_linked_roles": []}


def trusting(principal: Any, **conditions: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": conditions}
    return {"Version": "2012-10-17", "Statement": [statement]}


GITHUB = {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"}
SUB = {"token.actions.githubusercontent.com:sub": "repo:o/r:ref:refs/heads/main"}
AUD = {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}


@pytest.mark.parametrize(
    ("role", "sentence"),
    [
        ({"name": "x" * 64}, "up to 64"),
        ({"path": "stories"}, "begins and ends with a slash"),
        ({"description": "x" * 1001}, "longer than 1000"),
        ({"max_session_duration": 60}, "3600 to 43200"),
        ({"managed_policies": [f"arn:aws:iam::aws:policy/{number}" for number in range(11)]}, "more than 10"),
        ({"managed_policies": ["AdministratorAccess"]}, "Give its ARN"),
        ({"trust_policy": {}}, "found nothing in it"),
        ({"inline_policies": {"secrets": {"Version": "2012-10-17"}}}, "Give a JSON policy document"),
        ({"inline_policies": {"long": trusting({"AWS": [f"{n:012}" for n in range(900)]})}}, "IAM takes 10240"),
        ({"trust_policy": trusting({"AWS": [f"{n:012}" for n in range(200)]})}, "longer than 2048"),
        ({"trust_policy": trusting("*")}, "trusts everyone"),
        ({"trust_policy": trusting(GITHUB, StringEquals=AUD)}, "without a condition on the token's sub"),
    ],
)
def test_what_must_not_be_is_one_sentence(role: dict[str, Any], sentence: str) -> None:
    found = [*problems(wish(**role))]
    assert len(found) == 1
    assert sentence in found[0]


def test_a_role_for_one_repository_and_branch_is_fine() -> None:
    assert desired(wish(trust_policy=trusting(GITHUB, StringEquals={**AUD, **SUB})))


def test_a_role_that_trusts_another_of_the_call_is_made_after_it() -> None:
    deployer = {**ROLE, "name": "deployer"}
    trusted = {**ROLE, "trust_policy": trusting({"AWS": "arn:aws:iam::123456789012:role/stories-test-deployer"})}
    made = {role.name: role.on for role in desired({**wish(), "roles": [deployer, trusted]})}
    assert made == {"stories-test-deployer": (), "stories-test-task": (("iam_role", "stories-test-deployer"),)}

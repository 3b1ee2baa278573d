# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The roles, identity providers and service-linked roles that are wanted, as resources; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._aws.policies import canonical, text
from .._aws.tags import named
from .._engine.resources import Resource, after_named
from .._engine.steps import PlanRefused

# IAM user guide, "IAM and AWS STS quotas"; API reference of CreateRole.
_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_PATH = re.compile(r"/([!-~]+/)*")
_URL = re.compile(r"https://[^/?#]+(/[^?#]*)?")
_DESCRIPTION = 1000
_TRUST = 2048
_INLINE = 10240
_MANAGED = 10
_SESSION = range(3600, 43201)


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of an `iam_roles` call. Raises PlanRefused."""
    if wrong := [*problems(params)]:
        raise PlanRefused(wrong)
    tags = params["tags"]
    return [
        *(Resource("service_linked_role", service, {}) for service in params["service_linked_roles"]),
        *(_provider(provider, tags) for provider in params["oidc_providers"]),
        # IAM takes no principal that does not exist.
        *after_named((_role(params["name"], role, tags) for role in params["roles"]), "trust_policy", "/{}'"),
    ]


def full_name(prefix: str, name: str) -> str:
    """IAM's role name, such as ``stories-production-task``."""
    return f"{prefix}-{name}"


def provider_name(url: str) -> str:
    """How IAM calls a provider: its URL without the scheme."""
    return url.removeprefix("https://").rstrip("/")


def audience(name: str) -> str:
    """The field that says whether a provider takes tokens for this audience."""
    return f"audience {name}"


def _provider(provider: Mapping[str, Any], tags: Mapping[str, str]) -> Resource:
    own = provider_name(provider["url"])
    # One provider serves a whole account: another platform's tags and audiences on it are none of our business.
    fields = {audience(name): True for name in provider["audiences"]}
    return Resource("oidc_provider", own, fields, initial={"tags": named(tags, own)})


def _role(prefix: str, role: Mapping[str, Any], tags: Mapping[str, str]) -> Resource:
    own = full_name(prefix, role["name"])
    fields = {
        "description": role["description"],
        "inline_policies": {name: canonical(policy) for name, policy in role["inline_policies"].items()},
        "managed_policies": sorted(set(role["managed_policies"])),
        "max_session_duration": role["max_session_duration"],
        "path": role["path"],
        "permissions_boundary": role["permissions_boundary"],
        "trust_policy": canonical(role["trust_policy"]),
    }
    return Resource("iam_role", own, fields, tags=named(tags, own))


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the roles and providers, one sentence each."""
    for provider in params["oidc_providers"]:
        if not _URL.fullmatch(provider["url"]):
            yield f"Read the identity provider {provider['url']!r}; IAM takes https:// and a host. Write it so."
        if not provider["audiences"]:
            yield f"Read the identity provider {provider['url']} without audiences; no token would do. Name one."
    names = [role["name"] for role in params["roles"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Read IAM role {name} twice. Name each role once."
    for role in params["roles"]:
        yield from _role_problems(full_name(params["name"], role["name"]), role)


def _role_problems(name: str, role: Mapping[str, Any]) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield f"Read the IAM role name {name!r}; IAM takes up to 64 letters, digits and _+=,.@-. Choose such a name."
    if not _PATH.fullmatch(role["path"]):
        yield f"Read path {role['path']!r} of IAM role {name}; a path begins and ends with a slash. Write it so."
    if len(role["description"]) > _DESCRIPTION:
        yield f"Read a description of IAM role {name} longer than {_DESCRIPTION} characters. Shorten it."
    if role["max_session_duration"] not in _SESSION:
        yield (
            f"Read max_session_duration {role['max_session_duration']} of IAM role {name}; IAM takes 3600 to 43200 "
            "seconds. Choose a number between these."
        )
    if len(set(role["managed_policies"])) > _MANAGED:
        yield f"Read more than {_MANAGED} managed policies for IAM role {name}. Attach fewer, or raise the quota."
    for arn in role["managed_policies"]:
        if not arn.startswith("arn:"):
            yield f"Read the managed policy {arn!r} of IAM role {name}. Give its ARN, arn:aws:iam::…."
    documents = {"trust policy": role["trust_policy"], **role["inline_policies"]}
    sizes = {}
    for what, document in documents.items():
        try:
            policy = canonical(document)
        except ValueError as error:
            yield f"Read {what} of IAM role {name}: {error}. Give a JSON policy document."
            continue
        if policy is None:
            yield f"Read {what} of IAM role {name} and found nothing in it. Give a JSON policy document."
            continue
        sizes[what] = _size(policy)
        if what == "trust policy":
            yield from _trust_problems(name, policy["Statement"])
    if sizes.pop("trust policy", 0) > _TRUST:
        yield f"Read a trust policy of IAM role {name} longer than {_TRUST} characters. Shorten it, or raise the quota."
    if sum(sizes.values()) > _INLINE:
        yield (
            f"Read inline policies of IAM role {name} of {sum(sizes.values())} characters in all; IAM takes {_INLINE}. "
            "Say more with wildcards, or attach a managed policy."
        )


def _size(policy: Mapping[str, Any]) -> int:
    """Characters without white space, as IAM counts."""
    return len(re.sub(r"\s", "", text(policy)))


def _trust_problems(name: str, statements: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for statement in statements:
        if statement.get("Effect") != "Allow":
            continue
        if statement.get("Principal") == "*" and not statement.get("Condition"):
            yield f"Read a trust policy of IAM role {name} that trusts everyone. Name who may assume it."
        federated = "Federated" in (statement.get("Principal") or {})
        if federated and not any(key.endswith(":sub") for key in _condition_keys(statement)):
            yield (
                f"Read a trust policy of IAM role {name} that trusts an identity provider without a condition on the "
                "token's sub; anyone with an account there could assume it. Add the condition."
            )


def _condition_keys(statement: Mapping[str, Any]) -> Iterator[str]:
    for tests in (statement.get("Condition") or {}).values():
        yield from tests

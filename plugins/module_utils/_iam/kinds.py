# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes roles and identity providers.

Two list calls tell everything about all roles of the account, whatever their number: ListRoles has the
description and the session's length, GetAccountAuthorizationDetails policies, boundaries and tags.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.consistency import Expectations
from .._aws.policies import canonical, text
from .._aws.tags import belongs, from_boto3, to_boto3
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.steps import StepFailed
from .model import audience

_LINKED = "/aws-service-role/"
_DEFAULT_SESSION = 3600


class _Iam(Kind):
    """What the kinds of this file share."""

    def __init__(self, aws: Aws, tags: Mapping[str, str], prefix: str, names: Collection[str] = ()) -> None:
        """names: what this call wants; found even without our tags, so that lost tags are drift."""
        self._aws = aws
        self._wanted_tags = tags
        self._prefix = prefix
        self._names = frozenset(names)

    def _call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self._aws.call(attempt, "iam", operation, **parameters)

    def _ours(self, name: str, tags: Mapping[str, str]) -> bool:
        return name in self._names or belongs(tags, self._wanted_tags)

    def _shared(self, wanted: Resource, code: str) -> Found:
        """What the whole account shares, which another platform's run has made since this one looked.

        code: with which AWS refused to make a second.
        """
        for found in self.observe():
            if found.name == wanted.name:
                return found
        raise StepFailed(
            f"Tried to create {self.traits.title} {wanted.name}; AWS answered {code} and shows none. "
            "Look at the name, then run the play again."
        )

    def _roles(self) -> list[dict[str, Any]]:
        return self._aws.pages("list IAM roles", "iam", "list_roles", "Roles")


class ServiceLinkedRole(_Iam):
    """Roles that AWS's own services need; one for a whole account, made if missing and never removed."""

    kind = "service_linked_role"
    traits = Traits("service-linked role")

    def observe(self) -> Iterable[Found]:
        if self._names:
            for role in self._roles():
                service = role["Path"].removeprefix(_LINKED).rstrip("/")
                if role["Path"].startswith(_LINKED) and service in self._names:
                    yield Found(self.kind, service, role["RoleName"], {}, outputs={"arn": role["Arn"]})

    def create(self, wanted: Resource) -> Found:
        attempt, taken = f"create the service-linked role of {wanted.name}", "InvalidInput"
        answer = self._aws.call_unless(
            {taken}, attempt, "iam", "create_service_linked_role", AWSServiceName=wanted.name
        )
        if answer is None:
            return self._shared(wanted, taken)
        return Found(self.kind, wanted.name, answer["Role"]["RoleName"], {}, outputs={"arn": answer["Role"]["Arn"]})

    def delete(self, found: Found) -> None:
        """Never called: `observe` finds none unless this call wants them."""


class OidcProvider(_Iam):
    """Identity providers for deployments; one for a URL and a whole account, shared by its platforms."""

    kind = "oidc_provider"
    traits = Traits("identity provider")

    def observe(self) -> Iterable[Found]:
        attempt = "list identity providers"
        listed = self._aws.pages(attempt, "iam", "list_open_id_connect_providers", "OpenIDConnectProviderList")
        for arn in (one["Arn"] for one in listed):
            name = arn.partition(":oidc-provider/")[2]
            answer = self._call(
                f"look at identity provider {name}", "get_open_id_connect_provider", OpenIDConnectProviderArn=arn
            )
            tags = dict(from_boto3(answer.get("Tags", [])))
            if name in self._names or (belongs(tags, self._wanted_tags) and not self._trusted_by_others(arn)):
                fields = {audience(one): True for one in answer.get("ClientIDList", [])}
                yield Found(self.kind, name, arn, fields, outputs={"arn": arn})

    def _trusted_by_others(self, arn: str) -> bool:
        """True when a role that is not of this platform would lose its provider."""
        return any(
            arn in str(role.get("AssumeRolePolicyDocument", ""))
            for role in self._roles()
            if not role["RoleName"].startswith(f"{self._prefix}-")
        )

    def create(self, wanted: Resource) -> Found:
        taken = "EntityAlreadyExists"
        answer = self._aws.call_unless(
            {taken},
            f"create identity provider {wanted.name}",
            "iam",
            "create_open_id_connect_provider",
            Url=f"https://{wanted.name}",
            ClientIDList=[field.removeprefix(audience("")) for field in wanted.fields],
            Tags=to_boto3(dict(wanted.initial["tags"])),
        )
        if answer is None:
            return self._shared(wanted, taken)
        arn = answer["OpenIDConnectProviderArn"]
        return Found(self.kind, wanted.name, arn, wanted.fields, outputs={"arn": arn})

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        for field in fields:
            self._call(
                f"add the {field} to identity provider {found.name}",
                "add_client_id_to_open_id_connect_provider",
                OpenIDConnectProviderArn=found.id,
                ClientID=field.removeprefix(audience("")),
            )

    def delete(self, found: Found) -> None:
        attempt = f"delete identity provider {found.name}"
        self._call(attempt, "delete_open_id_connect_provider", OpenIDConnectProviderArn=found.id)


class Role(_Iam):
    """Roles with their trust, their policies and their boundary."""

    kind = "iam_role"
    traits = Traits("IAM role", immutable=frozenset({"path"}))

    def __init__(self, aws: Aws, tags: Mapping[str, str], prefix: str, names: Collection[str] = ()) -> None:
        super().__init__(aws, tags, prefix, names)
        self._expectations = Expectations(self.traits.title, self.observe)

    def observe(self) -> Iterable[Found]:
        start = f"{self._prefix}-"
        listed = {role["RoleName"]: role for role in self._roles() if role["RoleName"].startswith(start)}
        if not listed:
            return
        details = self._aws.pages(
            "read IAM roles in detail", "iam", "get_account_authorization_details", "RoleDetailList", Filter=["Role"]
        )
        for detail in details:
            name = detail["RoleName"]
            tags = dict(from_boto3(detail.get("Tags", [])))
            if name in listed and self._ours(name, tags):
                profiles = [profile["InstanceProfileName"] for profile in detail.get("InstanceProfileList", [])]
                outputs = {"arn": detail["Arn"], "instance_profiles": profiles}
                yield Found(self.kind, name, name, _fields(listed[name], detail), tags, outputs)

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        boundary = fields["permissions_boundary"]
        answer = self._call(
            f"create IAM role {wanted.name}",
            "create_role",
            RoleName=wanted.name,
            Path=fields["path"],
            Description=fields["description"],
            AssumeRolePolicyDocument=text(fields["trust_policy"]),
            MaxSessionDuration=fields["max_session_duration"],
            Tags=to_boto3(dict(wanted.tags or {})),
            **({"PermissionsBoundary": boundary} if boundary else {}),
        )
        bare = {**fields, "inline_policies": {}, "managed_policies": []}
        made = Found(self.kind, wanted.name, wanted.name, bare, wanted.tags, {"arn": answer["Role"]["Arn"]})
        self.change(made, wanted, ("inline_policies", "managed_policies"))
        return made

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self._expectations.expect(wanted)
        changes: Mapping[str, Callable[[Found, Any], None]] = {
            "trust_policy": self._put_trust,
            "permissions_boundary": self._put_boundary,
            "inline_policies": self._put_inline,
            "managed_policies": self._put_managed,
        }
        for field, put in changes.items():
            if field in fields:
                put(found, wanted.fields[field])
        if {"description", "max_session_duration"}.intersection(fields):
            self._call(
                f"change IAM role {found.name}",
                "update_role",
                RoleName=found.name,
                Description=wanted.fields["description"],
                MaxSessionDuration=wanted.fields["max_session_duration"],
            )

    def wait(self, found: Found) -> None:
        self._expectations.wait(found.name)

    def _put_trust(self, found: Found, policy: Mapping[str, Any]) -> None:
        attempt = f"set the trust policy of IAM role {found.name}"
        self._call(attempt, "update_assume_role_policy", RoleName=found.name, PolicyDocument=text(policy))

    def _put_boundary(self, found: Found, arn: str | None) -> None:
        attempt = f"set the permissions boundary of IAM role {found.name}"
        if arn is None:
            self._call(attempt, "delete_role_permissions_boundary", RoleName=found.name)
        else:
            self._call(attempt, "put_role_permissions_boundary", RoleName=found.name, PermissionsBoundary=arn)

    def _put_inline(self, found: Found, wanted: Mapping[str, Mapping[str, Any]]) -> None:
        have: Mapping[str, Any] = found.fields["inline_policies"]
        for name in sorted(have.keys() - wanted.keys()):
            attempt = f"delete the inline policy {name} of IAM role {found.name}"
            self._call(attempt, "delete_role_policy", RoleName=found.name, PolicyName=name)
        for name, policy in sorted(wanted.items()):
            if have.get(name) != policy:
                attempt = f"set the inline policy {name} of IAM role {found.name}"
                document = text(policy)
                self._call(attempt, "put_role_policy", RoleName=found.name, PolicyName=name, PolicyDocument=document)

    def _put_managed(self, found: Found, wanted: Sequence[str]) -> None:
        have = set(found.fields["managed_policies"])
        for arn in sorted(set(wanted) - have):
            attempt = f"attach {arn} to IAM role {found.name}"
            self._call(attempt, "attach_role_policy", RoleName=found.name, PolicyArn=arn)
        for arn in sorted(have - set(wanted)):
            attempt = f"detach {arn} from IAM role {found.name}"
            self._call(attempt, "detach_role_policy", RoleName=found.name, PolicyArn=arn)

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        if put:
            self._call(f"tag IAM role {found.name}", "tag_role", RoleName=found.name, Tags=to_boto3(dict(put)))
        if remove:
            attempt = f"remove tags from IAM role {found.name}"
            self._call(attempt, "untag_role", RoleName=found.name, TagKeys=list(remove))

    def delete(self, found: Found) -> None:
        self._put_managed(found, [])
        self._put_inline(found, {})
        for profile in found.outputs["instance_profiles"]:
            attempt = f"take IAM role {found.name} from instance profile {profile}"
            operation = "remove_role_from_instance_profile"
            self._call(attempt, operation, InstanceProfileName=profile, RoleName=found.name)
        self._call(f"delete IAM role {found.name}", "delete_role", RoleName=found.name)


def _fields(role: Mapping[str, Any], detail: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "description": role.get("Description", ""),
        "inline_policies": {
            policy["PolicyName"]: canonical(policy["PolicyDocument"]) for policy in detail.get("RolePolicyList", [])
        },
        "managed_policies": sorted(policy["PolicyArn"] for policy in detail.get("AttachedManagedPolicies", [])),
        "max_session_duration": role.get("MaxSessionDuration", _DEFAULT_SESSION),
        "path": role["Path"],
        "permissions_boundary": detail.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "trust_policy": canonical(detail["AssumeRolePolicyDocument"]),
    }


def iam_kinds(aws: Aws, tags: Mapping[str, str], prefix: str, wanted: Collection[Resource] = ()) -> list[Kind]:
    """All kinds of this package, in the order of creation."""

    def names(kind: str) -> list[str]:
        return [resource.name for resource in wanted if resource.kind == kind]

    return [kind(aws, tags, prefix, names(kind.kind)) for kind in (ServiceLinkedRole, OidcProvider, Role)]

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How WAF lists, makes, changes and removes IP sets, web ACLs and their logging.

Names are unique in a scope, so they identify. Every change needs the lock token of the state that was
read; WAF refuses one that somebody else has overtaken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from .._aws.api import Aws
from .._aws.tags import from_boto3, to_boto3
from .._aws.waiters import until
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import side_by_side, together
from .model import ip_set_names

_GONE = ("WAFNonexistentItemException",)
# Resources of the scope CLOUDFRONT live in this region, whatever region the platform is in.
_GLOBAL_REGION = "us-east-1"


class WafKind(Kind):
    """What IP sets and web ACLs share. thing: as it is called in operations and answers."""

    thing: ClassVar[str]

    def __init__(self, aws: Aws, name: str, scope: str = "CLOUDFRONT") -> None:
        self.aws = aws
        self.name = name
        self.scope = scope
        self.region = _GLOBAL_REGION if scope == "CLOUDFRONT" else None

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(attempt, "wafv2", operation, region=self.region, **parameters)

    def snake(self) -> str:
        return {"IPSet": "ip_set", "WebACL": "web_acl"}[self.thing]

    def names(self) -> Sequence[str]:
        return [self.name]

    def observe(self) -> Iterable[Found]:
        return side_by_side(self._found, [item for item in self.listed() if item["Name"] in self.names()])

    def _found(self, item: Mapping[str, Any]) -> Found:
        name, arn = item["Name"], item["ARN"]
        answer, tags = together(
            lambda: self.call(f"read {self.traits.title} {name}", f"get_{self.snake()}", **self.key(item)),
            lambda: self.call(f"read the tags of {arn}", "list_tags_for_resource", ResourceARN=arn),
        )
        own = from_boto3(tags["TagInfoForResource"]["TagList"])
        return Found(self.kind, name, arn, self.fields(answer[self.thing]), own, {"arn": arn})

    def listed(self) -> list[dict[str, Any]]:
        """All of the scope; WAF pages by NextMarker and botocore knows no paginator for it."""
        items: list[dict[str, Any]] = []
        marker: dict[str, str] = {}
        while True:
            operation = f"list_{self.snake()}s"
            answer = self.call(f"list every {self.traits.title}", operation, Scope=self.scope, Limit=100, **marker)
            items += answer[f"{self.thing}s"]
            if not answer.get("NextMarker") or not answer[f"{self.thing}s"]:
                return items
            marker = {"NextMarker": answer["NextMarker"]}

    def key(self, item: Mapping[str, Any]) -> dict[str, str]:
        return {"Name": item["Name"], "Id": item["Id"], "Scope": self.scope}

    def fields(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def wishes(self, wanted: Resource) -> dict[str, Any]:
        """The parameters that the creating and the changing call share."""
        raise NotImplementedError

    def made_with(self, wanted: Resource) -> dict[str, Any]:
        """The parameters that only the creating call takes."""
        return {}

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create {self.traits.title} {wanted.name}",
            f"create_{self.snake()}",
            Name=wanted.name,
            Scope=self.scope,
            Tags=to_boto3(dict(wanted.tags or {})),
            **self.wishes(wanted),
            **self.made_with(wanted),
        )
        arn = answer["Summary"]["ARN"]
        return Found(self.kind, wanted.name, arn, wanted.fields, wanted.tags, {"arn": arn})

    def locked(self, found: Found) -> dict[str, str]:
        key = {"Name": found.name, "Id": found.id.rsplit("/", 1)[-1], "Scope": self.scope}
        answer = self.call(f"read {self.traits.title} {found.name}", f"get_{self.snake()}", **key)
        return {**key, "LockToken": answer["LockToken"]}

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        attempt = f"change {self.traits.title} {found.name}"
        self.call(attempt, f"update_{self.snake()}", **self.locked(found), **self.wishes(wanted))

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        if put:
            self.call(f"tag {found.id}", "tag_resource", ResourceARN=found.id, Tags=to_boto3(dict(put)))
        if remove:
            self.call(f"untag {found.id}", "untag_resource", ResourceARN=found.id, TagKeys=list(remove))

    def delete(self, found: Found) -> None:
        # What has just lost its last user (a distribution, a web ACL) counts as used for a while.
        def remove() -> str:
            answer = self.aws.call_unless(
                ("WAFAssociatedItemException",),
                f"delete {self.traits.title} {found.name}",
                "wafv2",
                f"delete_{self.snake()}",
                region=self.region,
                **self.locked(found),
            )
            return "in use" if answer is None else "deleted"

        until(f"{self.traits.title} {found.name} to be free of users", remove, good={"deleted"}, timeout=300)


class IpSet(WafKind):
    kind = "ip_set"
    thing = "IPSet"
    traits = Traits("IP set", immutable=frozenset({"version"}))

    def names(self) -> Sequence[str]:
        return ip_set_names(self.name)

    def fields(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "version": shown["IPAddressVersion"],
            "description": shown.get("Description", ""),
            "addresses": sorted(shown["Addresses"]),
        }

    def wishes(self, wanted: Resource) -> dict[str, Any]:
        return {"Description": wanted.fields["description"], "Addresses": wanted.fields["addresses"]}

    def made_with(self, wanted: Resource) -> dict[str, Any]:
        return {"IPAddressVersion": wanted.fields["version"]}


class WebAcl(WafKind):
    kind = "web_acl"
    thing = "WebACL"
    traits = Traits("web ACL")

    def fields(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "description": shown.get("Description", ""),
            "default_action": next(iter(shown["DefaultAction"])).lower(),
            "rules": {rule["Name"]: canonical(rule) for rule in shown.get("Rules", [])},
            "visibility": dict(shown["VisibilityConfig"]),
        }

    def wishes(self, wanted: Resource) -> dict[str, Any]:
        fields = wanted.fields
        # WAF takes no empty description and then shows none.
        described = {"Description": fields["description"]} if fields["description"] else {}
        return {
            **described,
            "DefaultAction": {fields["default_action"].capitalize(): {}},
            "Rules": sorted(fields["rules"].values(), key=lambda rule: rule["Priority"]),
            "VisibilityConfig": fields["visibility"],
        }


def canonical(value: Any) -> Any:
    """A rule as the model writes it: text for the bytes that boto3 shows, no empty lists or missing values."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, Mapping):
        return {key: canonical(part) for key, part in value.items() if part is not None and part != []}
    if isinstance(value, list):
        return [canonical(part) for part in value]
    return value


class WebAclLogging(Kind):
    kind = "web_acl_logging"
    traits = Traits("logging of web ACL")

    def __init__(self, aws: Aws, name: str, scope: str = "CLOUDFRONT") -> None:
        self.aws = aws
        self.name = name
        self.scope = scope
        self.region = _GLOBAL_REGION if scope == "CLOUDFRONT" else None

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(attempt, "wafv2", operation, region=self.region, **parameters)

    def observe(self) -> Iterable[Found]:
        attempt = f"list the logging configurations of web ACL {self.name}"
        answer = self.call(attempt, "list_logging_configurations", Scope=self.scope, Limit=100)
        for item in answer.get("LoggingConfigurations", []):
            if item["ResourceArn"].split("/")[-2] != self.name:
                continue
            redacted = [
                part["SingleHeader"]["Name"] for part in item.get("RedactedFields", []) if "SingleHeader" in part
            ]
            fields = {
                "web_acl": item["ResourceArn"],
                "destination": item["LogDestinationConfigs"][0].removesuffix(":*"),
                "redacted_headers": sorted(redacted),
                "keep": _kept(item.get("LoggingFilter")),
            }
            yield Found(self.kind, self.name, item["ResourceArn"], fields)

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        configuration = {
            "ResourceArn": fields["web_acl"],
            "LogDestinationConfigs": [fields["destination"]],
            "RedactedFields": [{"SingleHeader": {"Name": header}} for header in fields["redacted_headers"]],
        }
        if fields["keep"] == "matched":
            configuration["LoggingFilter"] = _MATCHED
        attempt = f"log web ACL {wanted.name} to {fields['destination']}"
        self.call(attempt, "put_logging_configuration", LoggingConfiguration=configuration)
        return Found(self.kind, wanted.name, fields["web_acl"], fields)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self.create(wanted)  # one call puts the whole configuration

    def delete(self, found: Found) -> None:
        self.aws.call_unless(
            _GONE,
            f"end the logging of web ACL {found.name}",
            "wafv2",
            "delete_logging_configuration",
            region=self.region,
            ResourceArn=found.id,
        )


# Requests that a rule counted, blocked or challenged; what was simply let through is in CloudFront's own log.
_MATCHED: dict[str, Any] = {
    "DefaultBehavior": "DROP",
    "Filters": [
        {
            "Behavior": "KEEP",
            "Requirement": "MEETS_ANY",
            "Conditions": [
                {"ActionCondition": {"Action": action}}
                for action in ("BLOCK", "COUNT", "CAPTCHA", "CHALLENGE", "EXCLUDED_AS_COUNT")
            ],
        }
    ],
}


def _kept(found: Mapping[str, Any] | None) -> str:
    if not found:
        return "all"
    return "matched" if found == _MATCHED else "by a filter of another's making"


def waf_kinds(aws: Aws, name: str, scope: str = "CLOUDFRONT") -> list[Kind]:
    """All kinds of a web ACL, in the order of creation."""
    return [kind(aws, name, scope) for kind in (IpSet, WebAcl, WebAclLogging)]

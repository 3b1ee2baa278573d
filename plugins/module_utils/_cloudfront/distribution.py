# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How CloudFront lists, makes, changes and removes a distribution.

The list takes no tag filter, so the tags of each distribution are read; those whose comment begins with
our name come first, and the reading ends with the first that is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from .._aws.api import Aws
from .._aws.tags import belongs, from_boto3, to_boto3
from .._aws.waiters import until
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import together
from .._engine.steps import PlanRefused
from .api import call, listed
from .shapes import read, write


class Distribution(Kind):
    """The one distribution of a platform.

    wait_seconds: how long to wait until every edge location has a change; 0 does not wait.
    aliases: those that it shall bear; one that another distribution of the account bears refuses the plan.
    """

    kind = "distribution"
    traits = Traits("distribution", hidden=frozenset({"origin_headers"}))

    def __init__(
        self,
        aws: Aws,
        tags: Mapping[str, str],
        prefix: str,
        wait_seconds: int = 0,
        aliases: Iterable[str] = (),
    ) -> None:
        self.aws = aws
        self.tags = tags
        self.prefix = prefix
        self.wait_seconds = wait_seconds
        self.aliases = frozenset(aliases)

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return call(self.aws, attempt, operation, **parameters)

    def observe(self) -> Iterable[Found]:
        items = listed(self.aws, "list every distribution", "list_distributions", "DistributionList")
        for item in sorted(items, key=lambda item: not item.get("Comment", "").startswith(self.prefix)):
            # One that says to be ours is read at once with its tags; any other only when these say so.
            likely = item.get("Comment", "").startswith(self.prefix)
            reads: list[Callable[[], Any]] = [partial(self._tags_of, item)]
            tags, *configs = together(*reads, *([partial(self._config_of, item)] if likely else []))
            if belongs(tags, self.tags):
                self._refuse_taken(other for other in items if other["Id"] != item["Id"])
                (answer,) = configs or [self._config_of(item)]
                yield Found(
                    self.kind,
                    self.prefix,
                    item["Id"],
                    read(answer["DistributionConfig"]),
                    tags,
                    {"arn": item["ARN"], "domain_name": item["DomainName"]},
                    settled=item["Status"] == "Deployed" or not self.wait_seconds,
                )
                return
        self._refuse_taken(items)

    def _tags_of(self, item: Mapping[str, Any]) -> dict[str, str]:
        attempt = f"read the tags of distribution {item['Id']}"
        answer = self.call(attempt, "list_tags_for_resource", Resource=item["ARN"])
        return dict(from_boto3(answer["Tags"].get("Items") or []))

    def _config_of(self, item: Mapping[str, Any]) -> Any:
        return self.call(f"read distribution {item['Id']}", "get_distribution_config", Id=item["Id"])

    def _refuse_taken(self, others: Iterable[Mapping[str, Any]]) -> None:
        """CloudFront lets no two distributions bear one name."""
        wrong = [
            f"Tried to give distribution {self.prefix} the name {alias} and found it on distribution {other['Id']} "
            f"({other.get('Comment', '')}). Move it: aws cloudfront associate-alias --alias {alias} "
            "--target-distribution-id <the new one>; or leave it out until then."
            for other in others
            for alias in sorted(self.aliases.intersection(other["Aliases"].get("Items") or []))
        ]
        if wrong:
            raise PlanRefused(wrong)

    def create(self, wanted: Resource) -> Found:
        tags = {"Items": to_boto3(dict(wanted.tags or {}))}
        config = write(wanted.fields, {"CallerReference": wanted.name})
        answer = self.call(
            f"create distribution {wanted.name}",
            "create_distribution_with_tags",
            DistributionConfigWithTags={"DistributionConfig": config, "Tags": tags},
        )
        made = answer["Distribution"]
        outputs = {"arn": made["ARN"], "domain_name": made["DomainName"]}
        return Found(self.kind, wanted.name, made["Id"], wanted.fields, wanted.tags, outputs)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self._update(found, lambda config: write(wanted.fields, config))

    def _update(self, found: Found, changed: Any) -> None:
        standing = self.call(f"read distribution {found.name}", "get_distribution_config", Id=found.id)
        self.call(
            f"change distribution {found.name}",
            "update_distribution",
            Id=found.id,
            IfMatch=standing["ETag"],
            DistributionConfig=changed(standing["DistributionConfig"]),
        )

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        arn = found.outputs["arn"]
        if put:
            self.call(f"tag {found.id}", "tag_resource", Resource=arn, Tags={"Items": to_boto3(dict(put))})
        if remove:
            self.call(f"untag {found.id}", "untag_resource", Resource=arn, TagKeys={"Items": list(remove)})

    def delete(self, found: Found) -> None:
        # Only a distribution that every edge location knows to be disabled can be deleted; that takes minutes.
        if found.fields["enabled"]:
            self._update(found, lambda config: {**config, "Enabled": False})
        self._deployed(found, 3600)
        etag = self.call(f"read distribution {found.name}", "get_distribution", Id=found.id)["ETag"]
        self.call(f"delete distribution {found.name}", "delete_distribution", Id=found.id, IfMatch=etag)

    def wait(self, found: Found) -> None:
        if self.wait_seconds:
            self._deployed(found, self.wait_seconds)

    def _deployed(self, found: Found, timeout: float) -> None:
        def status() -> str:
            answer = self.call(f"look at distribution {found.name}", "get_distribution", Id=found.id)
            return str(answer["Distribution"]["Status"])

        until(f"distribution {found.name} to reach every edge location", status, good={"Deployed"}, timeout=timeout)

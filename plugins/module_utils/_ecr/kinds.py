# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes ECR repositories. Identity is the name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.tags import from_boto3, to_boto3
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import together
from .model import document, policy

_NO_REPOSITORY = ("RepositoryNotFoundException",)
_NO_POLICY = ("LifecyclePolicyNotFoundException", "RepositoryPolicyNotFoundException")


class Repository(Kind):
    kind = "ecr_repository"
    traits = Traits("ECR repository", immutable=frozenset({"encryption", "kms_key"}))

    def __init__(self, aws: Aws, names: Sequence[str], remove_images: bool = False) -> None:
        """remove_images: whether `delete` may remove images with the repository."""
        self.aws = aws
        self.names = list(names)
        self.remove_images = remove_images

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(attempt, "ecr", operation, **parameters)

    def observe(self) -> Iterable[Found]:
        # Asked for by name, a single missing one would be an error for all.
        listed = self.aws.pages("list ECR repositories", "ecr", "describe_repositories", "repositories")
        for repository in listed:
            if repository["repositoryName"] in self.names:
                yield self._found(repository)

    def _found(self, repository: Mapping[str, Any]) -> Found:
        name, arn = repository["repositoryName"], repository["repositoryArn"]
        encryption = repository.get("encryptionConfiguration", {})
        lifecycle, access, answer = together(
            lambda: self._policy(name, "get_lifecycle_policy", "lifecyclePolicyText"),
            lambda: self._policy(name, "get_repository_policy", "policyText"),
            lambda: self.call(f"read tags of ECR repository {name}", "list_tags_for_resource", resourceArn=arn),
        )
        fields = {
            "image_tag_mutability": repository["imageTagMutability"],
            "scan_on_push": repository.get("imageScanningConfiguration", {}).get("scanOnPush", False),
            "encryption": encryption.get("encryptionType", "AES256"),
            "kms_key": encryption.get("kmsKey"),
            "lifecycle_policy": lifecycle,
            "repository_policy": policy(access),
        }
        outputs = {"arn": arn, "uri": repository["repositoryUri"]}
        return Found(self.kind, name, name, fields, from_boto3(answer.get("tags", [])), outputs)

    def _policy(self, name: str, operation: str, key: str) -> Any:
        attempt = f"read the policy of ECR repository {name}"
        answer = self.aws.call_unless(_NO_POLICY, attempt, "ecr", operation, repositoryName=name)
        return document(answer[key]) if answer else None

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        key = {"kmsKey": fields["kms_key"]} if fields.get("kms_key") else {}
        answer = self.call(
            f"create ECR repository {wanted.name}",
            "create_repository",
            repositoryName=wanted.name,
            imageTagMutability=fields["image_tag_mutability"],
            imageScanningConfiguration={"scanOnPush": fields["scan_on_push"]},
            encryptionConfiguration={"encryptionType": fields["encryption"], **key},
            tags=to_boto3(dict(wanted.tags or {})),
        )
        repository = answer["repository"]
        outputs = {"arn": repository["repositoryArn"], "uri": repository["repositoryUri"]}
        made = Found(self.kind, wanted.name, wanted.name, fields, wanted.tags, outputs)
        policies = [name for name in ("lifecycle_policy", "repository_policy") if fields[name]]
        self.change(made, wanted, policies)
        return made

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        name = {"repositoryName": found.name}
        if "image_tag_mutability" in fields:
            attempt = f"set the tag mutability of ECR repository {found.name}"
            value = wanted.fields["image_tag_mutability"]
            self.call(attempt, "put_image_tag_mutability", imageTagMutability=value, **name)
        if "scan_on_push" in fields:
            attempt = f"set scanning of ECR repository {found.name}"
            value = {"scanOnPush": wanted.fields["scan_on_push"]}
            self.call(attempt, "put_image_scanning_configuration", imageScanningConfiguration=value, **name)
        if "lifecycle_policy" in fields:
            attempt = f"set the lifecycle policy of ECR repository {found.name}"
            text = json.dumps(wanted.fields["lifecycle_policy"])
            self.call(attempt, "put_lifecycle_policy", lifecyclePolicyText=text, **name)
        if "repository_policy" in fields:
            self._change_policy(found, wanted.fields["repository_policy"])

    def _change_policy(self, found: Found, wanted: Mapping[str, Any] | None) -> None:
        attempt = f"set the policy of ECR repository {found.name}"
        if wanted is None:
            self.call(attempt, "delete_repository_policy", repositoryName=found.name)
        else:
            text = json.dumps(wanted)
            self.call(attempt, "set_repository_policy", repositoryName=found.name, policyText=text)

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        arn = {"resourceArn": found.outputs["arn"]}
        if put:
            self.call(f"tag ECR repository {found.name}", "tag_resource", tags=to_boto3(dict(put)), **arn)
        if remove:
            attempt = f"remove tags from ECR repository {found.name}"
            self.call(attempt, "untag_resource", tagKeys=list(remove), **arn)

    def delete(self, found: Found) -> None:
        attempt = f"delete ECR repository {found.name}"
        self.call(attempt, "delete_repository", repositoryName=found.name, force=self.remove_images)

    def with_images(self) -> list[str]:
        """A sentence for each repository that AWS would not delete because it holds images."""
        held = []
        for name in self.names:
            attempt = f"list images of ECR repository {name}"
            images = self.aws.pages(
                attempt, "ecr", "list_images", "imageIds", missing=_NO_REPOSITORY, repositoryName=name
            )
            if images:
                held.append(
                    f"Wanted to delete ECR repository {name} and found {len(images)} images in it. Tell the removal "
                    "to remove images too, or delete them yourself."
                )
        return held

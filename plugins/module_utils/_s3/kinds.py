# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes buckets.

One list call finds ours by their names; S3 tells everything else one bucket and one question at a time, each
with an error code of its own for "nothing set".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.consistency import Expectations
from .._aws.policies import canonical, text
from .._aws.tags import belongs, from_boto3, to_boto3
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import side_by_side
from .._engine.steps import PlanRefused, StepFailed
from .model import BLOCKS, cors, lifecycle

_EMPTYINGS = 5  # log services may still be writing into a bucket that is being emptied
_NO_CHOICE = "us-east-1"  # the one region that CreateBucket refuses to hear named


class Bucket(Kind):
    """Buckets with everything that decides who may read them and how long they keep what.

    Found are those that are named in this call, and those of our prefix that carry our tags.
    """

    kind = "s3_bucket"
    traits = Traits("bucket")

    def __init__(
        self,
        aws: Aws,
        tags: Mapping[str, str],
        prefix: str,
        names: Collection[str] = (),
        *,
        delete_objects: bool = False,
    ) -> None:
        self._aws = aws
        self._wanted_tags = tags
        self._prefix = prefix
        self._names = frozenset(names)
        self._delete_objects = delete_objects
        self._left: frozenset[str] = frozenset()
        self._expectations = Expectations(self.traits.title, self.observe)

    def _call(self, attempt: str, operation: str, bucket: str, **parameters: Any) -> Any:
        return self._aws.call(attempt, "s3", operation, Bucket=bucket, **parameters)

    def _ask(self, what: str, bucket: str, operation: str, nothing: str) -> dict[str, Any]:
        """The answer to one question; empty when S3 says that nothing is set."""
        answer = self._aws.call_unless({nothing}, f"read {what} of bucket {bucket}", "s3", operation, Bucket=bucket)
        return dict(answer or {})

    def observe(self) -> Iterable[Found]:
        attempt, prefix = f"list buckets of {self._prefix}", f"{self._prefix}-"
        buckets = self._aws.pages(attempt, "s3", "list_buckets", "Buckets", Prefix=prefix)
        names = [bucket["Name"] for bucket in buckets if bucket["Name"].startswith(prefix)]
        found = side_by_side(self._read, [name for name in names if name not in self._left])
        return [one for one in found if one]

    def _read(self, name: str) -> Found | None:
        """The bucket, if it is ours."""
        tags = self._tags(name)
        if name in self._names or belongs(tags, self._wanted_tags):
            return Found(self.kind, name, name, self._fields(name), tags)
        return None

    def _tags(self, name: str) -> dict[str, str]:
        answer = self._ask("the tags", name, "get_bucket_tagging", "NoSuchTagSet")
        return dict(from_boto3(answer.get("TagSet", [])))

    def _fields(self, name: str) -> dict[str, Any]:
        blocks, owner, policy, rules, cors_rules, events, logs, versions, encrypted = side_by_side(
            lambda question: self._ask(question[0], name, *question[1:]), _QUESTIONS
        )
        logging = logs.get("LoggingEnabled")
        configuration = blocks.get("PublicAccessBlockConfiguration", {})
        ownership = owner.get("OwnershipControls", {}).get("Rules", [{}])[0].get("ObjectOwnership")
        return {
            "cors": cors(cors_rules.get("CORSRules", [])),
            "encryption": _encryption(encrypted),
            "event_bridge": "EventBridgeConfiguration" in events,
            "lifecycle": lifecycle(rules.get("Rules", [])),
            "logging": {"bucket": logging["TargetBucket"], "prefix": logging["TargetPrefix"]} if logging else None,
            "ownership": ownership,
            "policy": canonical(policy.get("Policy")),
            "public_access_block": {block: configuration.get(block, False) for block in BLOCKS},
            "versioning": versions.get("Status", "Suspended"),
        }

    def create(self, wanted: Resource) -> Found:
        region = self._aws.region
        place: dict[str, Any] = {}
        if region != _NO_CHOICE:
            place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        ownership = wanted.fields["ownership"]
        self._call(f"create bucket {wanted.name}", "create_bucket", wanted.name, ObjectOwnership=ownership, **place)
        made = Found(self.kind, wanted.name, wanted.name, {}, wanted.tags)
        self.retag(made, wanted.tags or {}, ())
        # A new bucket has nothing set; what is wanted empty needs no call.
        self.change(made, wanted, [field for field, value in wanted.fields.items() if value])
        return made

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self._expectations.expect(wanted)
        # Ownership first: S3 refuses some policies and log targets as long as ACLs count.
        for field in sorted(fields, key=_ORDER.index):
            getattr(self, f"_put_{field}")(found.name, wanted.fields[field])

    def wait(self, found: Found) -> None:
        self._expectations.wait(found.name)

    def _put(self, name: str, what: str, operation: str, **parameters: Any) -> None:
        self._call(f"set {what} of bucket {name}", operation, name, **parameters)

    def _put_ownership(self, name: str, value: str) -> None:
        rules = {"Rules": [{"ObjectOwnership": value}]}
        self._put(name, "object ownership", "put_bucket_ownership_controls", OwnershipControls=rules)

    def _put_public_access_block(self, name: str, value: Mapping[str, bool]) -> None:
        block = dict(value)
        what, operation = "the public access block", "put_public_access_block"
        self._put(name, what, operation, PublicAccessBlockConfiguration=block)

    def _put_encryption(self, name: str, value: Mapping[str, Any]) -> None:
        default = {"SSEAlgorithm": value["algorithm"]}
        if value["kms_key"]:
            default["KMSMasterKeyID"] = value["kms_key"]
        rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": value["bucket_key"]}
        rules = {"Rules": [rule]}
        self._put(name, "encryption", "put_bucket_encryption", ServerSideEncryptionConfiguration=rules)

    def _put_versioning(self, name: str, value: str) -> None:
        self._put(name, "versioning", "put_bucket_versioning", VersioningConfiguration={"Status": value})

    def _put_policy(self, name: str, value: Mapping[str, Any] | None) -> None:
        if value is None:
            self._call(f"delete the policy of bucket {name}", "delete_bucket_policy", name)
        else:
            self._put(name, "the policy", "put_bucket_policy", Policy=text(value))

    def _put_lifecycle(self, name: str, value: Mapping[str, Mapping[str, Any]]) -> None:
        if not value:
            self._call(f"delete the lifecycle rules of bucket {name}", "delete_bucket_lifecycle", name)
            return
        rules = {"Rules": [{"ID": ident, **rule} for ident, rule in value.items()]}
        what, operation = "lifecycle rules", "put_bucket_lifecycle_configuration"
        self._put(name, what, operation, LifecycleConfiguration=rules)

    def _put_cors(self, name: str, value: Sequence[Mapping[str, Any]]) -> None:
        if value:
            self._put(name, "CORS rules", "put_bucket_cors", CORSConfiguration={"CORSRules": list(value)})
        else:
            self._call(f"delete the CORS rules of bucket {name}", "delete_bucket_cors", name)

    def _put_logging(self, name: str, value: Mapping[str, str] | None) -> None:
        target = {"TargetBucket": value["bucket"], "TargetPrefix": value["prefix"]} if value else None
        status = {"LoggingEnabled": target} if target else {}
        self._put(name, "logging", "put_bucket_logging", BucketLoggingStatus=status)

    def _put_event_bridge(self, name: str, value: bool) -> None:
        # One call sets all notifications; those that lead to queues and functions belong to their own roles.
        have = self._ask("notifications", name, "get_bucket_notification_configuration", "")
        kept = {key: have[key] for key in have if key.endswith("Configurations")}
        configuration = {**kept, "EventBridgeConfiguration": {}} if value else kept
        what, operation = "notifications", "put_bucket_notification_configuration"
        self._put(name, what, operation, NotificationConfiguration=configuration)

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        # S3 sets all tags of a bucket at once.
        tags = {name: value for name, value in self._tags(found.name).items() if name not in remove}
        self._put(found.name, "tags", "put_bucket_tagging", Tagging={"TagSet": to_boto3({**tags, **put})})

    def full(self) -> list[str]:
        """Names of our buckets that hold anything."""
        return [found.name for found in self.observe() if self._page(found.name)]

    def leave(self, names: Iterable[str]) -> None:
        """See nothing of these buckets from now on."""
        self._left = frozenset(names)

    def refuse_full(self) -> None:
        """Raise PlanRefused for each bucket that holds anything, unless objects may go too."""
        problems = [
            f"Wanted bucket {name} away and found objects in it. Move them, or set delete_objects: true to lose them."
            for name in ([] if self._delete_objects else self.full())
        ]
        if problems:
            raise PlanRefused(problems)

    def delete(self, found: Found) -> None:
        for _time in range(_EMPTYINGS):
            if self._delete_objects:
                self._empty(found.name)
            attempt = f"delete bucket {found.name}"
            codes = {"BucketNotEmpty"} if self._delete_objects else set()
            if self._aws.call_unless(codes, attempt, "s3", "delete_bucket", Bucket=found.name) is not None:
                return
        raise StepFailed(
            f"Emptied bucket {found.name} {_EMPTYINGS} times and found new objects each time. End what writes into "
            "it, such as access logs, and run again."
        )

    def _page(self, name: str) -> list[dict[str, str]]:
        """Keys and versions of up to a thousand objects."""
        answer = self._call(f"list what is in bucket {name}", "list_object_versions", name)
        listed = [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
        return [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in listed]

    def _empty(self, name: str) -> None:
        while objects := self._page(name):
            delete = {"Objects": objects, "Quiet": True}
            answer = self._call(f"delete what is in bucket {name}", "delete_objects", name, Delete=delete)
            if errors := answer.get("Errors"):
                raise StepFailed(
                    f"Tried to delete {errors[0]['Key']} from bucket {name}; S3 answered {errors[0]['Code']}. "
                    "Delete it by hand and run again."
                )


_ORDER = (
    "ownership",
    "public_access_block",
    "encryption",
    "versioning",
    "policy",
    "lifecycle",
    "cors",
    "logging",
    "event_bridge",
)
# What is asked of a bucket, by which operation, and S3's code for "nothing is set"; `_fields` unpacks them in order.
_QUESTIONS = (
    ("the public access block", "get_public_access_block", "NoSuchPublicAccessBlockConfiguration"),
    ("object ownership", "get_bucket_ownership_controls", "OwnershipControlsNotFoundError"),
    ("the policy", "get_bucket_policy", "NoSuchBucketPolicy"),
    ("lifecycle rules", "get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
    ("CORS rules", "get_bucket_cors", "NoSuchCORSConfiguration"),
    ("notifications", "get_bucket_notification_configuration", ""),
    ("logging", "get_bucket_logging", ""),
    ("versioning", "get_bucket_versioning", ""),
    ("encryption", "get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError"),
)


def _encryption(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    if not rules:
        return None
    default = rules[0]["ApplyServerSideEncryptionByDefault"]
    return {
        "algorithm": default["SSEAlgorithm"],
        "bucket_key": rules[0].get("BucketKeyEnabled", False),
        "kms_key": default.get("KMSMasterKeyID"),
    }

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The replication of one bucket into another: what is wanted, and how S3 keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits, is_planned
from .._engine.steps import PlanRefused

RULE = "everything"  # id of the one rule
_NOTHING = ("ReplicationConfigurationNotFoundError", "NoSuchBucket")


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resource of an `s3_replication` call. Raises PlanRefused."""
    wrong = []
    if params["destination_bucket"] == params["bucket"]:
        wrong.append(f"Read bucket {params['bucket']} as its own destination. Name another bucket.")
    if bool(params["source_kms_key_arn"]) != bool(params["replica_kms_key_arn"]):
        wrong.append(
            f"Read one of source_kms_key_arn and replica_kms_key_arn for bucket {params['bucket']}; objects that a "
            "key encrypts need one on each side. Give both or none."
        )
    if wrong:
        raise PlanRefused(wrong)
    rule = {
        "destination": f"arn:{params['partition']}:s3:::{params['destination_bucket']}",
        "storage_class": params["storage_class"],
        "delete_markers": params["delete_markers"],
        "metrics": params["metrics"],
        "replica_kms_key": params["replica_kms_key_arn"] or None,
        "enabled": True,
        "prefix": "",
    }
    return [Resource("bucket_replication", params["bucket"], {"role": params["role_arn"], "rules": {RULE: rule}})]


class BucketReplication(Kind):
    """The replication of one bucket. Fields: role, and rules by id."""

    kind = "bucket_replication"
    traits = Traits("replication of bucket")

    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws = aws
        self._bucket = bucket

    def observe(self) -> Iterable[Found]:
        if is_planned(self._bucket):
            return
        answer = self._aws.call_unless(
            _NOTHING,
            f"read the replication of bucket {self._bucket}",
            "s3",
            "get_bucket_replication",
            Bucket=self._bucket,
        )
        if answer is None:
            return
        shown = answer["ReplicationConfiguration"]
        rules = {rule["ID"]: _shown(rule) for rule in shown["Rules"]}
        yield Found(self.kind, self._bucket, self._bucket, {"role": shown["Role"], "rules": rules})

    def create(self, wanted: Resource) -> Found:
        self._put(wanted)
        return Found(self.kind, wanted.name, wanted.name, wanted.fields)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self._put(wanted)

    def delete(self, found: Found) -> None:
        attempt = f"end the replication of bucket {found.name}"
        self._aws.call_unless(_NOTHING, attempt, "s3", "delete_bucket_replication", Bucket=found.name)

    def _put(self, wanted: Resource) -> None:
        rules = [_written(ident, rule) for ident, rule in wanted.fields["rules"].items()]
        self._aws.call(
            f"set the replication of bucket {wanted.name}",
            "s3",
            "put_bucket_replication",
            Bucket=wanted.name,
            ReplicationConfiguration={"Role": wanted.fields["role"], "Rules": rules},
        )


def _shown(rule: Mapping[str, Any]) -> dict[str, Any]:
    place = rule["Destination"]
    chosen = rule.get("Filter") or {}
    return {
        "destination": place["Bucket"],
        "storage_class": place.get("StorageClass"),
        "delete_markers": (rule.get("DeleteMarkerReplication") or {}).get("Status") == "Enabled",
        "metrics": (place.get("Metrics") or {}).get("Status") == "Enabled",
        "replica_kms_key": (place.get("EncryptionConfiguration") or {}).get("ReplicaKmsKeyID"),
        "enabled": rule["Status"] == "Enabled",
        "prefix": chosen.get("Prefix") or "" if not chosen.keys() - {"Prefix"} else chosen,
    }


def _written(ident: str, rule: Mapping[str, Any]) -> dict[str, Any]:
    place: dict[str, Any] = {"Bucket": rule["destination"]}
    if rule["storage_class"]:
        place["StorageClass"] = rule["storage_class"]
    if rule["metrics"]:
        place["Metrics"] = {"Status": "Enabled"}
    told: dict[str, Any] = {
        "ID": ident,
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Enabled" if rule["delete_markers"] else "Disabled"},
        "Destination": place,
    }
    if rule["replica_kms_key"]:
        place["EncryptionConfiguration"] = {"ReplicaKmsKeyID": rule["replica_kms_key"]}
        told["SourceSelectionCriteria"] = {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    return told

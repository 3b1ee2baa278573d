# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The buckets that are wanted, as resources, and the canonical form of what S3 shows of them; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._aws.policies import canonical
from .._aws.tags import named
from .._engine.resources import Resource, after_named
from .._engine.steps import PlanRefused

# S3 user guide, "General purpose buckets naming rules"; without dots, which break TLS.
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_TAKEN_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_TAKEN_ENDS = ("-s3alias", "--ol-s3", "--x-s3", "--table-s3")
_INFREQUENT = ("STANDARD_IA", "ONEZONE_IA")
BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of an `s3_buckets` call. Raises PlanRefused."""
    if wrong := [*problems(params["name"], params["buckets"])]:
        raise PlanRefused(wrong)
    # S3 takes no log target that does not exist.
    return after_named((_bucket(bucket, params["tags"]) for bucket in params["buckets"]), "logging", "'{}'")


def _bucket(bucket: Mapping[str, Any], tags: Mapping[str, str]) -> Resource:
    logging = bucket["logging"]
    fields = {
        "cors": cors(_given(rule, _CORS) for rule in bucket["cors_rules"]),
        "encryption": {
            "algorithm": "aws:kms" if bucket["kms_key_arn"] else "AES256",
            "bucket_key": bool(bucket["kms_key_arn"]),
            "kms_key": bucket["kms_key_arn"],
        },
        "lifecycle": lifecycle(_lifecycle_rule(rule) for rule in bucket["lifecycle_rules"]),
        "logging": {"bucket": logging["bucket"], "prefix": logging["prefix"]} if logging else None,
        "ownership": bucket["object_ownership"],
        "policy": canonical(bucket["policy"]),
        "public_access_block": dict.fromkeys(BLOCKS, True),
        "versioning": versioning(bucket["versioning"]),
    }
    if bucket["event_bridge"] is not None:
        fields["event_bridge"] = bucket["event_bridge"]
    return Resource("s3_bucket", bucket["name"], fields, tags=named(tags, bucket["name"]))


def versioning(wanted: bool) -> str:
    """S3's Status; a bucket that never had versions says nothing, which is the same as ``Suspended``."""
    return "Enabled" if wanted else "Suspended"


_CORS = {
    "allowed_headers": "AllowedHeaders",
    "allowed_methods": "AllowedMethods",
    "allowed_origins": "AllowedOrigins",
    "expose_headers": "ExposeHeaders",
    "max_age_seconds": "MaxAgeSeconds",
}


def _given(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {name: values[key] for key, name in names.items() if values[key] not in (None, [])}


def cors(rules: Any) -> list[dict[str, Any]]:
    """CORS rules in S3's words; their order counts, that of the values does not."""
    return [
        {name: sorted(value) if isinstance(value, list) else value for name, value in sorted(rule.items())}
        for rule in rules
    ]


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"ID": rule["id"], "Status": "Enabled", "Filter": {"Prefix": rule["prefix"]}}
    if rule["expiration_days"] is not None:
        told["Expiration"] = {"Days": rule["expiration_days"]}
    if rule["noncurrent_expiration_days"] is not None:
        told["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule["noncurrent_expiration_days"]}
    if rule["abort_multipart_days"] is not None:
        told["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": rule["abort_multipart_days"]}
    if rule["transitions"]:
        told["Transitions"] = [
            {"Days": one["days"], "StorageClass": one["storage_class"]} for one in rule["transitions"]
        ]
    if rule["noncurrent_transitions"]:
        told["NoncurrentVersionTransitions"] = [
            {"NoncurrentDays": one["days"], "StorageClass": one["storage_class"]}
            for one in rule["noncurrent_transitions"]
        ]
    return told


def lifecycle(rules: Any) -> dict[str, dict[str, Any]]:
    """Lifecycle rules by their ID, in S3's words; what S3 adds by itself is left out."""
    told = {}
    for rule in rules:
        kept = {name: value for name, value in rule.items() if name not in ("ID", "Prefix") and value not in ([], {})}
        kept["Filter"] = rule.get("Filter") or {"Prefix": rule.get("Prefix", "")}
        for name in ("Transitions", "NoncurrentVersionTransitions"):
            if name in kept:
                kept[name] = sorted(kept[name], key=lambda one: one.get("Days", one.get("NoncurrentDays", 0)))
        told[rule["ID"]] = kept
    return told


def problems(prefix: str, buckets: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Everything wrong with the buckets, one sentence each."""
    names = [bucket["name"] for bucket in buckets]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Read bucket {name} twice. Name each bucket once."
    for bucket in buckets:
        name = bucket["name"]
        if not _NAME.fullmatch(name) or name.startswith(_TAKEN_STARTS) or name.endswith(_TAKEN_ENDS):
            yield (
                f"Read the bucket name {name!r}; S3 takes 3 to 63 lower-case letters, digits and hyphens, without the "
                "beginnings and ends that it keeps for itself. Choose such a name."
            )
        if not name.startswith(f"{prefix}-"):
            yield f"Read the bucket name {name!r}; it does not begin with {prefix}-, by which it is found. Rename it."
        if bucket["kms_key_arn"] is not None and not bucket["kms_key_arn"].startswith(("arn:", "planned:")):
            yield f"Read kms_key_arn {bucket['kms_key_arn']!r} for bucket {name}; S3 shows ARNs. Give the key's ARN."
        try:
            canonical(bucket["policy"])
        except ValueError as error:
            yield f"Read the policy of bucket {name}: {error}. Give a JSON policy document."
        yield from _lifecycle_problems(name, bucket["lifecycle_rules"])


def _lifecycle_problems(bucket: str, rules: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    ids = [rule["id"] for rule in rules]
    for ident in sorted({ident for ident in ids if ids.count(ident) > 1}):
        yield f"Read lifecycle rule {ident} of bucket {bucket} twice. Give each rule an id of its own."
    for rule in rules:
        what = f"lifecycle rule {rule['id']} of bucket {bucket}"
        if all(rule[name] in (None, []) for name in _ACTIONS):
            yield f"Read the {what} and found nothing that it does. Give it {', '.join(_ACTIONS)}."
        days = [one["days"] for one in rule["transitions"]]
        if rule["expiration_days"] is not None and days and max(days) >= rule["expiration_days"]:
            yield f"Read the {what}; objects would expire before their last transition. Let them expire later."
        for one in [*rule["transitions"], *rule["noncurrent_transitions"]]:
            if one["storage_class"] in _INFREQUENT and one["days"] < 30:
                yield f"Read the {what}; {one['storage_class']} takes objects of 30 days and older. Wait longer."


_ACTIONS = (
    "expiration_days",
    "noncurrent_expiration_days",
    "abort_multipart_days",
    "transitions",
    "noncurrent_transitions",
)

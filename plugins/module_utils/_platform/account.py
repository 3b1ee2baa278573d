# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who is calling, and whether the region is one: the two things that every phase wants to know first."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from .._aws.api import Aws


def caller(aws: Aws) -> dict[str, str]:
    """``account_id`` and ``partition`` of the credentials in use. Raises StepFailed without any."""
    answer = aws.call("ask AWS whose credentials these are", "sts", "get_caller_identity")
    return {"account_id": answer["Account"], "partition": answer["Arn"].split(":")[1]}


def region_problems(aws: Aws) -> list[str]:
    """A sentence for a region that AWS does not have. Asks nobody: botocore knows them."""
    import boto3  # AnsibleAWSModule has reported it by now when it is missing

    session = boto3.session.Session()
    known = [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition_name=partition)
    ]
    if aws.region not in known:
        near = difflib.get_close_matches(str(aws.region), known, n=2)
        hint = f"Did you mean {' or '.join(near)}?" if near else "Set platform_region, such as us-east-1."
        return [f"Read the region {aws.region!r}; AWS has no such region. {hint}"]
    return []


def zone_problems(aws: Aws, zones: Sequence[str]) -> list[str]:
    """A sentence for each zone that the region does not have."""
    if not zones:
        return []
    answer = aws.call(f"list the zones of {aws.region}", "ec2", "describe_availability_zones")
    there = sorted(zone["ZoneName"] for zone in answer["AvailabilityZones"])
    return [
        f"Read zone {zone} in platform_availability_zones; {aws.region} has {', '.join(there)} for this account. "
        "Choose among these."
        for zone in zones
        if zone not in there
    ]

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates: issued when their DNS record exists, kept while a listener uses them.

A validated domain is one whose CNAME is in a hosted zone of this account. A name under `.local`, `.test` or `.internal`
has no public zone at all; such a certificate is issued at once.
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import now_iso
from ministack.services import acm

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.services.elbv2 import state as elbv2

_LOCAL = (".local", ".test", ".internal", ".localhost")


def _users(arn: str) -> list[str]:
    return [
        elbv2.listeners[listener]["LoadBalancerArn"]
        for listener, certificates in elbv2.certificates.items()
        if arn in certificates and listener in elbv2.listeners
    ]


async def _has_record(call: Call, record: dict[str, str]) -> bool:
    """True if a hosted zone of the account has the validation record."""
    name = record["Name"].rstrip(".") + "."
    for zone in (await call.invoke("route53", "ListHostedZones", {}))["HostedZones"]:
        if not name.endswith("." + zone["Name"]):
            continue
        listed = {"HostedZoneId": zone["Id"].rpartition("/")[2], "StartRecordName": name, "StartRecordType": "CNAME"}
        found = (await call.invoke("route53", "ListResourceRecordSets", listed))["ResourceRecordSets"]
        values = [
            item["Value"].rstrip(".")
            for record_set in found
            if record_set["Name"].rstrip(".") + "." == name and record_set["Type"] == "CNAME"
            for item in record_set.get("ResourceRecords", [])
        ]
        if record["Value"].rstrip(".") in values:
            return True
    return False


@registry.handles("acm", "RequestCertificate")
async def request_certificate(call: Call) -> Params:
    answer = await call.forward()
    record = acm._certificates[answer["CertificateArn"]]
    if record.get("Type", "AMAZON_ISSUED") == "AMAZON_ISSUED" and record["Status"] == "ISSUED":
        record["Status"] = "PENDING_VALIDATION"
        record["IssuedAt"] = None
        for option in record.get("DomainValidationOptions", []):
            option["ValidationStatus"] = "PENDING_VALIDATION"
    return answer


@registry.handles("acm", "DescribeCertificate")
async def describe_certificate(call: Call) -> Params:
    answer = await call.forward()
    certificate = answer["Certificate"]
    if certificate["Status"] == "PENDING_VALIDATION":
        await _validate(call, acm._certificates[certificate["CertificateArn"]])
        certificate = (await call.forward())["Certificate"]
    return {"Certificate": {**certificate, "InUseBy": _users(certificate["CertificateArn"])}}


async def _validate(call: Call, record: dict[str, Any]) -> None:
    options = record.get("DomainValidationOptions", [])
    for option in options:
        local = option["DomainName"].endswith(_LOCAL)
        if local or ("ResourceRecord" in option and await _has_record(call, option["ResourceRecord"])):
            option["ValidationStatus"] = "SUCCESS"
    if all(option.get("ValidationStatus") == "SUCCESS" for option in options):
        record["Status"] = "ISSUED"
        record["IssuedAt"] = now_iso()


@registry.handles("acm", "DeleteCertificate")
async def delete_certificate(call: Call) -> Params:
    arn = call.params["CertificateArn"]
    if users := _users(arn):
        raise AwsError(
            "ResourceInUseException", f"Certificate {arn} in account {call.account} is in use by {users[0]}."
        )
    return await call.forward()

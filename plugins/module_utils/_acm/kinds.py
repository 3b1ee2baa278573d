# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How ACM lists, makes, changes and removes certificates that DNS validates.

Identity is the platform's tags and all names of the certificate. Where a Route 53 zone is given, the
validation records are kept in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from .._aws.api import Aws
from .._aws.tags import belongs, from_boto3, to_boto3
from .._aws.waiters import until
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import together
from .._engine.steps import StepFailed
from .model import certificate_name

# ListCertificates shows RSA keys of 2048 bits only, unless told.
_KEY_TYPES = ["RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]
_ALIVE = frozenset({"PENDING_VALIDATION", "ISSUED"})
_RECORD_TTL = 300
_OUT_OF_USE = 600  # seconds

Record = dict[str, str]


class Certificate(Kind):
    kind = "certificate"
    traits = Traits("certificate", immutable=frozenset({"key_algorithm"}))

    def __init__(
        self, aws: Aws, tags: Mapping[str, str], domain: str, zone_id: str | None = None, wait_seconds: int = 0
    ) -> None:
        """zone_id: Route 53 zone for the validation records. wait_seconds: for ACM to issue; 0 does not wait."""
        self.aws = aws
        self.tags = tags
        self.domain = domain
        self.zone_id = zone_id
        self.wait_seconds = wait_seconds

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(attempt, "acm", operation, **parameters)

    def observe(self) -> Iterable[Found]:
        listed = self.aws.pages(
            "list certificates",
            "acm",
            "list_certificates",
            "CertificateSummaryList",
            CertificateStatuses=sorted(_ALIVE),
            Includes={"keyTypes": _KEY_TYPES},
        )
        for summary in listed:
            if summary["DomainName"] != self.domain:
                continue
            arn = summary["CertificateArn"]
            tags, described = together(partial(self._tags_of, arn), partial(self._described, arn))
            if belongs(tags, self.tags):
                yield self._found(described, tags)

    def _tags_of(self, arn: str) -> dict[str, str]:
        answer = self.call(f"read tags of {arn}", "list_tags_for_certificate", CertificateArn=arn)
        return dict(from_boto3(answer.get("Tags", [])))

    def _described(self, arn: str) -> dict[str, Any]:
        answer = self.call(f"read certificate {arn}", "describe_certificate", CertificateArn=arn)
        return dict(answer["Certificate"])

    def _found(self, certificate: Mapping[str, Any], tags: Mapping[str, str]) -> Found:
        records = records_of(certificate)
        present = bool(records) and all(self._is_in_zone(record) for record in records)
        fields = {
            "key_algorithm": certificate.get("KeyAlgorithm", "RSA_2048").replace("-", "_"),
            "transparency_logging": _logging(certificate) == "ENABLED",
            **({"records_in_zone": present} if self.zone_id else {}),
        }
        name = certificate_name(certificate["DomainName"], certificate.get("SubjectAlternativeNames", []))
        issued = certificate["Status"] == "ISSUED"
        outputs = {"arn": certificate["CertificateArn"], "status": certificate["Status"], "validation_records": records}
        # Without its records it would wait for ever; they are a field, and mended first.
        settled = issued or not self.wait_seconds or not present
        return Found(self.kind, name, certificate["CertificateArn"], fields, dict(tags), outputs, settled)

    def _is_in_zone(self, record: Record) -> bool:
        if not self.zone_id:
            return False
        answer = self.aws.call(
            f"look for {record['name']} in zone {self.zone_id}",
            "route53",
            "list_resource_record_sets",
            HostedZoneId=self.zone_id,
            StartRecordName=record["name"],
            StartRecordType=record["type"],
            MaxItems="1",
        )
        for there in answer["ResourceRecordSets"]:
            values = [value["Value"].rstrip(".") for value in there.get("ResourceRecords", [])]
            same = there["Name"].rstrip(".") == record["name"].rstrip(".") and there["Type"] == record["type"]
            if same and record["value"].rstrip(".") in values:
                return True
        return False

    def create(self, wanted: Resource) -> Found:
        names = wanted.name.split(",")
        alternatives = {"SubjectAlternativeNames": names} if len(names) > 1 else {}
        answer = self.call(
            f"request a certificate for {wanted.name}",
            "request_certificate",
            DomainName=self.domain,
            ValidationMethod="DNS",
            KeyAlgorithm=wanted.fields["key_algorithm"],
            # For an hour, AWS answers the same request with the same certificate.
            IdempotencyToken=_token(wanted),
            Options={"CertificateTransparencyLoggingPreference": _switch(wanted.fields["transparency_logging"])},
            Tags=to_boto3(dict(wanted.tags or {})),
            **alternatives,
        )
        made = Found(self.kind, wanted.name, answer["CertificateArn"], wanted.fields, wanted.tags)
        if self.zone_id:
            self._put_records(made)
        return made

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        if "transparency_logging" in fields:
            self.call(
                f"change certificate {found.name}",
                "update_certificate_options",
                CertificateArn=found.id,
                Options={"CertificateTransparencyLoggingPreference": _switch(wanted.fields["transparency_logging"])},
            )
        if "records_in_zone" in fields:
            self._put_records(found)

    def _put_records(self, found: Found) -> None:
        records: list[Record] = []

        def read() -> str:
            # ACM thinks of the records some seconds after the request.
            records[:] = records_of(self._described(found.id))
            return "known" if records else "not yet known"

        until(f"the validation records of certificate {found.name} to be known", read, good={"known"}, timeout=120)
        self._change_records("UPSERT", found, records)

    def _change_records(self, action: str, found: Found, records: Sequence[Record]) -> None:
        changes = [
            {
                "Action": action,
                "ResourceRecordSet": {
                    "Name": record["name"],
                    "Type": record["type"],
                    "TTL": _RECORD_TTL,
                    "ResourceRecords": [{"Value": record["value"]}],
                },
            }
            for record in records
        ]
        self.aws.call(
            f"change the validation records of certificate {found.name} in zone {self.zone_id}",
            "route53",
            "change_resource_record_sets",
            HostedZoneId=self.zone_id,
            ChangeBatch={"Comment": f"Validation of {self.domain}", "Changes": changes},
        )

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        arn = {"CertificateArn": found.id}
        if put:
            attempt = f"tag certificate {found.name}"
            self.call(attempt, "add_tags_to_certificate", Tags=to_boto3(dict(put)), **arn)
        if remove:
            attempt = f"remove tags from certificate {found.name}"
            self.call(attempt, "remove_tags_from_certificate", Tags=[{"Key": name} for name in remove], **arn)

    def delete(self, found: Found) -> None:
        def users() -> str:
            using = self._described(found.id).get("InUseBy", [])
            return f"used by {', '.join(using)}" if using else "free"

        # ACM learns of the end of a load balancer or a distribution some minutes later.
        until(f"certificate {found.name} to be out of use", users, good={"free"}, timeout=_OUT_OF_USE)
        self.call(f"delete certificate {found.name}", "delete_certificate", CertificateArn=found.id)
        there = [record for record in found.outputs["validation_records"] if self._is_in_zone(record)]
        if there:
            self._change_records("DELETE", found, there)

    def wait(self, found: Found) -> None:
        if not self.wait_seconds:
            return

        def read() -> str:
            certificate = self._described(found.id)
            if certificate["Status"] == "FAILED":
                reason = certificate.get("FailureReason", "no reason given")
                raise StepFailed(
                    f"Waited for certificate {found.name} to be issued and found it failed: {reason}. Delete it, mend "
                    "the cause and run again."
                )
            return str(certificate["Status"])

        what = f"certificate {found.name} to be issued"
        until(what, read, good={"ISSUED"}, bad={"VALIDATION_TIMED_OUT", "REVOKED"}, timeout=self.wait_seconds)


def records_of(certificate: Mapping[str, Any]) -> list[Record]:
    """``name``, ``type`` and ``value`` of the DNS records that validate a certificate, each once."""
    records = {
        (record["Name"], record["Type"], record["Value"])
        for option in certificate.get("DomainValidationOptions", [])
        if (record := option.get("ResourceRecord"))
    }
    return [{"name": name, "type": kind, "value": value} for name, kind, value in sorted(records)]


def _logging(certificate: Mapping[str, Any]) -> str:
    return str(certificate.get("Options", {}).get("CertificateTransparencyLoggingPreference", "ENABLED"))


def _switch(on: bool) -> str:
    return "ENABLED" if on else "DISABLED"


def _token(wanted: Resource) -> str:
    """32 characters that depend on the names and on whose certificate it is."""
    told = f"{wanted.name} {sorted((wanted.tags or {}).items())}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]

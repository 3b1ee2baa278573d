"""ecr_repository, service_discovery and acm_certificate_request on the embedded cloud."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.containers import wishes
from tests.integration.containers.wishes import NAME, NAMESPACE, TAGS, ByHand, run
from tests.support.ansible import run_module
from tests.support.cloud import Cloud

REPOSITORY = f"{NAME}-app"
PULL = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Pull",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": ["ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
        }
    ],
}


def repository(**options: Any) -> dict[str, Any]:
    return {"names": [REPOSITORY], "tags": TAGS, "policy": PULL, **options}


def ecr(operation: str, **parameters: Any) -> ByHand:
    def change(cloud: Cloud) -> None:
        getattr(cloud.client("ecr"), operation)(repositoryName=REPOSITORY, **parameters)

    return change


def repository_tag(cloud: Cloud) -> None:
    client = cloud.client("ecr")
    arn = client.describe_repositories(repositoryNames=[REPOSITORY])["repositories"][0]["repositoryArn"]
    client.tag_resource(resourceArn=arn, tags=[{"Key": "Owner", "Value": "somebody"}])


SHORT_LIFE = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
            "action": {"type": "expire"},
        }
    ]
}


def test_a_repository_is_planned_made_and_found_again(cloud: Cloud) -> None:
    made = wishes.assert_plan_run_again(cloud, "ecr_repository", repository())
    assert made["uris"][REPOSITORY].endswith(f"/{REPOSITORY}")


@pytest.mark.parametrize(
    ("by_hand", "field"),
    [
        (ecr("put_image_tag_mutability", imageTagMutability="MUTABLE"), "image_tag_mutability"),
        (ecr("put_image_scanning_configuration", imageScanningConfiguration={"scanOnPush": False}), "scan_on_push"),
        (ecr("put_lifecycle_policy", lifecyclePolicyText=json.dumps(SHORT_LIFE)), "lifecycle_policy"),
        (ecr("delete_lifecycle_policy"), "lifecycle_policy"),
        (ecr("delete_repository_policy"), "repository_policy"),
        (repository_tag, "Owner"),
    ],
)
def test_a_repository_that_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, by_hand: ByHand, field: str
) -> None:
    wishes.assert_drift_is_named_and_mended(cloud, "ecr_repository", repository(), by_hand, field)


def test_a_policy_that_says_the_same_in_another_order_is_no_drift(cloud: Cloud) -> None:
    run(cloud, "ecr_repository", repository())
    (statement,) = PULL["Statement"]
    other = {**PULL, "Statement": {**statement, "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}}  # type: ignore[dict-item]
    assert run(cloud, "ecr_repository", repository(policy=other))["changed"] is False


def test_a_repository_with_images_is_removed_only_when_told_so(cloud: Cloud) -> None:
    run(cloud, "ecr_repository", repository())
    manifest = json.dumps({"schemaVersion": 2, "config": {"digest": "sha256:" + "0" * 64}, "layers": []})
    cloud.client("ecr").put_image(repositoryName=REPOSITORY, imageManifest=manifest, imageTag="1.0.0")
    gone = {"names": [REPOSITORY], "tags": TAGS, "state": "absent"}
    assert "1 images in it" in run_module(cloud, "ecr_repository", gone)["msg"]
    assert run(cloud, "ecr_repository", {**gone, "remove_images": True})["changed"] is True
    assert run(cloud, "ecr_repository", gone)["changed"] is False


def namespace(cloud: Cloud, **options: Any) -> dict[str, Any]:
    wish = {"namespace": NAMESPACE, "tags": TAGS, "services": ["app-blue", "app-green"], "description": "The app"}
    vpcs = cloud.client("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.9.0.0/16"]}])["Vpcs"]
    vpc = vpcs[0] if vpcs else cloud.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]
    return {**wish, "vpc_id": vpc["VpcId"], **options}


def discovery_service(cloud: Cloud, name: str) -> dict[str, Any]:
    listed = cloud.client("servicediscovery").list_services()["Services"]
    found: dict[str, Any] = next(one for one in listed if one["Name"] == name)
    return found


def slow_to_forget(cloud: Cloud) -> None:
    change = {"Description": "The app", "DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 300}]}}
    ident = discovery_service(cloud, "app-blue")["Id"]
    cloud.client("servicediscovery").update_service(Id=ident, Service=change)


def described_otherwise(cloud: Cloud) -> None:
    client = cloud.client("servicediscovery")
    ident = next(one["Id"] for one in client.list_namespaces()["Namespaces"] if one["Name"] == NAMESPACE)
    client.update_private_dns_namespace(Id=ident, Namespace={"Description": "Something else"})


def forgotten_late(cloud: Cloud) -> None:
    client = cloud.client("servicediscovery")
    ident = next(one["Id"] for one in client.list_namespaces()["Namespaces"] if one["Name"] == NAMESPACE)
    client.update_private_dns_namespace(Id=ident, Namespace={"Properties": {"DnsProperties": {"SOA": {"TTL": 900}}}})


def service_described_otherwise(cloud: Cloud) -> None:
    found = discovery_service(cloud, "app-blue")
    change = {"Description": "Something else", "DnsConfig": {"DnsRecords": found["DnsConfig"]["DnsRecords"]}}
    cloud.client("servicediscovery").update_service(Id=found["Id"], Service=change)


def namespace_tag(cloud: Cloud) -> None:
    client = cloud.client("servicediscovery")
    arn = next(one["Arn"] for one in client.list_namespaces()["Namespaces"] if one["Name"] == NAMESPACE)
    client.tag_resource(ResourceARN=arn, Tags=[{"Key": "Owner", "Value": "somebody"}])


def discovery_tag(cloud: Cloud) -> None:
    arn = discovery_service(cloud, "app-green")["Arn"]
    cloud.client("servicediscovery").tag_resource(ResourceARN=arn, Tags=[{"Key": "Owner", "Value": "somebody"}])


def lost_service(cloud: Cloud) -> None:
    cloud.client("servicediscovery").delete_service(Id=discovery_service(cloud, "app-green")["Id"])


def test_a_namespace_is_planned_made_and_found_again(cloud: Cloud) -> None:
    made = wishes.assert_plan_run_again(cloud, "service_discovery", namespace(cloud))
    assert sorted(made["service_arns"]) == ["app-blue", "app-green"]


@pytest.mark.parametrize(
    ("by_hand", "field"),
    [
        (slow_to_forget, "records"),
        (described_otherwise, "description"),
        (forgotten_late, "soa_ttl"),
        (service_described_otherwise, "Something else"),
        (namespace_tag, "Owner"),
        (discovery_tag, "Owner"),
        (lost_service, "routing_policy"),
    ],
)
def test_a_namespace_that_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, by_hand: ByHand, field: str
) -> None:
    wishes.assert_drift_is_named_and_mended(cloud, "service_discovery", namespace(cloud), by_hand, field)


def test_a_namespace_is_removed_with_its_services(cloud: Cloud) -> None:
    run(cloud, "service_discovery", namespace(cloud))
    gone = {"namespace": NAMESPACE, "tags": TAGS, "state": "absent"}
    assert len(wishes.steps(run(cloud, "service_discovery", gone))) == 3
    assert run(cloud, "service_discovery", gone)["changed"] is False


def zone(cloud: Cloud) -> str:
    made = cloud.client("route53").create_hosted_zone(Name="stories.example", CallerReference="test")
    return str(made["HostedZone"]["Id"]).rsplit("/", 1)[1]


def certificate(zone_id: str | None, **options: Any) -> dict[str, Any]:
    names = {"domain_name": "www.stories.example", "subject_alternative_names": ["origin.stories.example"]}
    return {**names, "tags": TAGS, "hosted_zone_id": zone_id, "wait_seconds": 60, **options}


def records(cloud: Cloud, zone_id: str) -> list[dict[str, Any]]:
    listed = cloud.client("route53").list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    return [record for record in listed if record["Type"] == "CNAME"]


def test_a_certificate_gets_its_records_into_the_zone_and_is_issued(cloud: Cloud) -> None:
    zone_id = zone(cloud)
    wishes.assert_plan_run_again(cloud, "acm_certificate_request", certificate(zone_id))
    again = run(cloud, "acm_certificate_request", certificate(zone_id))
    assert again["status"] == "ISSUED"
    assert len(records(cloud, zone_id)) == len(again["validation_records"]) == 2


def acm(operation: str, **parameters: Any) -> ByHand:
    def change(cloud: Cloud) -> None:
        client = cloud.client("acm")
        (one,) = client.list_certificates()["CertificateSummaryList"]
        getattr(client, operation)(CertificateArn=one["CertificateArn"], **parameters)

    return change


@pytest.mark.parametrize(
    ("by_hand", "field"),
    [
        (
            acm("update_certificate_options", Options={"CertificateTransparencyLoggingPreference": "DISABLED"}),
            "transparency_logging",
        ),
        (acm("add_tags_to_certificate", Tags=[{"Key": "Owner", "Value": "somebody"}]), "Owner"),
    ],
)
def test_a_certificate_that_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, by_hand: ByHand, field: str
) -> None:
    wishes.assert_drift_is_named_and_mended(cloud, "acm_certificate_request", certificate(zone(cloud)), by_hand, field)


def test_without_a_zone_the_records_are_told_and_nobody_waits(cloud: Cloud) -> None:
    run(cloud, "acm_certificate_request", certificate(None))
    again = run(cloud, "acm_certificate_request", certificate(None))
    assert again["changed"] is False
    assert again["status"] == "PENDING_VALIDATION"
    assert {record["type"] for record in again["validation_records"]} == {"CNAME"}


def test_validation_records_that_were_lost_come_back(cloud: Cloud) -> None:
    zone_id = zone(cloud)
    run(cloud, "acm_certificate_request", certificate(zone_id))
    for record in records(cloud, zone_id):
        change = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": record}]}
        cloud.client("route53").change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=change)
    assert "records_in_zone" in run(cloud, "acm_certificate_request", certificate(zone_id))["diff"][0]["after"]
    assert len(records(cloud, zone_id)) == 2


def test_a_request_that_was_killed_before_its_records_is_finished_with_the_same_certificate(cloud: Cloud) -> None:
    zone_id = zone(cloud)
    first = run(cloud, "acm_certificate_request", certificate(None))["certificate_arn"]
    assert run(cloud, "acm_certificate_request", certificate(zone_id))["certificate_arn"] == first
    assert len(cloud.client("acm").list_certificates()["CertificateSummaryList"]) == 1


def test_other_names_are_another_certificate_and_both_are_removed(cloud: Cloud) -> None:
    zone_id = zone(cloud)
    run(cloud, "acm_certificate_request", certificate(zone_id))
    run(cloud, "acm_certificate_request", certificate(zone_id, subject_alternative_names=[]))
    assert len(cloud.client("acm").list_certificates()["CertificateSummaryList"]) == 2
    gone = {**certificate(zone_id), "state": "absent"}
    assert len(wishes.steps(run(cloud, "acm_certificate_request", gone))) == 2
    assert records(cloud, zone_id) == []
    assert run(cloud, "acm_certificate_request", gone)["changed"] is False

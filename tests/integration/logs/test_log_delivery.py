"""log_delivery on the embedded cloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

NAME = "stories-test-cdn"
TAGS = {"Project": "1001-stories", "Environment": "test"}
SITE = "arn:aws:cloudfront::123456789012:distribution/E0123456789ABC"
WISH = {
    "name": NAME,
    "tags": TAGS,
    "resource_arn": SITE,
    "destination_arn": "arn:aws:s3:::stories-test-logs/cloudfront",
    "record_fields": ["date", "time", "sc-status"],
}
MADE = [f"{kind}/{NAME}:create" for kind in ("log_delivery_source", "log_delivery_destination", "log_delivery")]
GONE = {"name": NAME, "tags": TAGS, "state": "absent"}


def run(cloud: Cloud, wish: dict[str, Any] = WISH, **flags: bool) -> dict[str, Any]:
    result = run_module(cloud, "log_delivery", wish, **flags)
    assert not result.get("failed"), result["msg"]
    return result


def steps(result: dict[str, Any]) -> list[str]:
    return [step["id"] for step in result["steps"]]


def delivery(cloud: Cloud) -> Any:
    (found,) = cloud.client("logs").describe_deliveries()["deliveries"]
    return found


def test_the_plan_lists_what_the_run_makes_and_a_removal_leaves_nothing(cloud: Cloud) -> None:
    with cloud.recorded() as calls:
        planned = run(cloud, check=True)
    assert not [call for call in calls if call["writes"]]
    assert steps(planned) == steps(run(cloud)) == MADE
    assert run(cloud)["changed"] is False
    assert delivery(cloud)["s3DeliveryConfiguration"]["suffixPath"] == "{DistributionId}/{yyyy}/{MM}/{dd}"
    assert len(steps(run(cloud, GONE))) == 3
    assert run(cloud, GONE)["changed"] is False
    assert cloud.client("logs").describe_delivery_sources()["deliverySources"] == []


def test_it_is_planned_for_a_distribution_and_a_bucket_that_do_not_exist_yet(cloud: Cloud) -> None:
    bucket = {"destination_arn": "arn:aws:s3:::planned:s3_bucket/stories-test-logs/cloudfront"}
    assert steps(run(cloud, {**WISH, **bucket, "resource_arn": "planned:distribution/x"}, check=True)) == MADE


def other_fields(cloud: Cloud) -> None:
    cloud.client("logs").update_delivery_configuration(id=delivery(cloud)["id"], recordFields=["cs(Cookie)"])


def other_path(cloud: Cloud) -> None:
    where = {"suffixPath": "elsewhere"}
    cloud.client("logs").update_delivery_configuration(id=delivery(cloud)["id"], s3DeliveryConfiguration=where)


def other_bucket(cloud: Cloud) -> None:
    where = {"destinationResourceArn": "arn:aws:s3:::somebody-elses"}
    cloud.client("logs").put_delivery_destination(
        name=NAME, outputFormat="json", deliveryDestinationConfiguration=where
    )


def no_tag(cloud: Cloud) -> None:
    cloud.client("logs").untag_resource(resourceArn=delivery(cloud)["arn"], tagKeys=["Name"])


@pytest.mark.parametrize(
    ("by_hand", "kind", "named"),
    [
        (other_fields, "log_delivery", "record_fields"),
        (other_path, "log_delivery", "suffix_path"),
        (other_bucket, "log_delivery_destination", "target"),
        (no_tag, "log_delivery", "Name"),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, by_hand: Callable[[Cloud], None], kind: str, named: str
) -> None:
    run(cloud)
    by_hand(cloud)
    drift = run(cloud, check=True)
    assert [step.rpartition(":")[0] for step in steps(drift)] == [f"{kind}/{NAME}"]
    assert named in drift["diff"][0]["before"] + drift["diff"][0]["after"]
    assert run(cloud)["changed"] is True
    assert run(cloud)["changed"] is False


def test_what_a_killed_run_left_is_finished(cloud: Cloud) -> None:
    cloud.client("logs").put_delivery_source(
        name=NAME, resourceArn=SITE, logType="ACCESS_LOGS", tags={**TAGS, "Name": NAME}
    )
    assert steps(run(cloud)) == MADE[1:]
    assert run(cloud)["changed"] is False


def test_one_of_that_name_that_is_not_ours_is_refused_before_any_write(cloud: Cloud) -> None:
    cloud.client("logs").put_delivery_source(name=NAME, resourceArn=SITE, logType="ACCESS_LOGS")
    with cloud.recorded() as calls:
        result = run_module(cloud, "log_delivery", WISH)
    assert "without our tags" in result["msg"]
    assert not [call for call in calls if call["writes"]]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": "a b"}, "letters, digits"),
        ({"resource_arn": ""}, "without resource_arn"),
        ({"destination_arn": "stories-test-logs"}, "it is no bucket's"),
        ({"suffix_path": ""}, "AWS takes 1 to 256"),
        ({"record_fields": ["date", "date"]}, "each once"),
    ],
)
def test_a_bad_wish_is_one_clear_error_before_the_first_call(cloud: Cloud, wrong: dict[str, Any], told: str) -> None:
    with cloud.recorded() as calls:
        result = run_module(cloud, "log_delivery", {**WISH, **wrong})
    assert told in result["msg"]
    assert calls == []

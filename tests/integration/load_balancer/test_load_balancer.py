"""load_balancer on the embedded cloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

NAME = "stories-test"
TAGS = {"Project": "1001-stories", "Environment": "test"}
HEADER_VALUE = "a-value-that-nobody-guesses"


@pytest.fixture
def wish(cloud: Cloud) -> dict[str, Any]:
    """A full set of parameters, with the network, the bucket and the certificate that they name."""
    ec2, s3 = cloud.client("ec2"), cloud.client("s3")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for number, zone in enumerate("abc")
    ]
    group = ec2.create_security_group(VpcId=vpc, GroupName="alb", Description="Load balancer")["GroupId"]
    s3.create_bucket(Bucket="stories-test-logs")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::stories-test-logs/alb/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket="stories-test-logs", Policy=policy)
    return {
        "name": NAME,
        "tags": TAGS,
        "vpc_id": vpc,
        "subnet_ids": [subnet["SubnetId"] for subnet in subnets],
        "security_group_ids": [group],
        "certificate_arn": certificate(cloud, "www.stories.test"),
        "additional_certificate_arns": [certificate(cloud, "old.stories.test")],
        "access_logs": {"bucket": "stories-test-logs"},
    }


def certificate(cloud: Cloud, domain: str) -> str:
    acm = cloud.client("acm")
    return str(acm.request_certificate(DomainName=domain, ValidationMethod="DNS")["CertificateArn"])


def secret(cloud: Cloud, value: str = HEADER_VALUE) -> str:
    return str(cloud.client("secretsmanager").create_secret(Name="origin", SecretString=value)["ARN"])


def steps(result: dict[str, Any]) -> list[str]:
    assert not result.get("failed"), result["msg"]
    return [step["id"] for step in result["steps"]]


def balancer(cloud: Cloud) -> str:
    return str(cloud.client("elbv2").describe_load_balancers(Names=[NAME])["LoadBalancers"][0]["LoadBalancerArn"])


def group(cloud: Cloud, slot: str) -> str:
    found = cloud.client("elbv2").describe_target_groups(Names=[f"{NAME}-app-{slot}"])["TargetGroups"][0]
    return str(found["TargetGroupArn"])


def listener(cloud: Cloud, port: int) -> dict[str, Any]:
    listed = cloud.client("elbv2").describe_listeners(LoadBalancerArn=balancer(cloud))["Listeners"]
    found: dict[str, Any] = next(one for one in listed if one["Port"] == port)
    return found


def rules(cloud: Cloud, port: int) -> list[dict[str, Any]]:
    answer = cloud.client("elbv2").describe_rules(ListenerArn=listener(cloud, port)["ListenerArn"])
    return [rule for rule in answer["Rules"] if not rule["IsDefault"]]


def forward(cloud: Cloud, blue: int, green: int) -> dict[str, Any]:
    split = [
        {"TargetGroupArn": group(cloud, "blue"), "Weight": blue},
        {"TargetGroupArn": group(cloud, "green"), "Weight": green},
    ]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": split}}


def weights(action: dict[str, Any]) -> dict[str, int]:
    groups = action["ForwardConfig"]["TargetGroups"]
    return {one["TargetGroupArn"].split("/")[1].rsplit("-", 1)[1]: one["Weight"] for one in groups}


def shift(cloud: Cloud, port: int, blue: int, green: int) -> None:
    """What a release does."""
    arn = listener(cloud, port)["ListenerArn"]
    cloud.client("elbv2").modify_listener(ListenerArn=arn, DefaultActions=[forward(cloud, blue, green)])


def test_the_plan_on_an_empty_account_lists_what_the_run_then_makes_and_writes_nothing(
    cloud: Cloud, wish: dict[str, Any]
) -> None:
    with cloud.recorded() as calls:
        planned = run_module(cloud, "load_balancer", wish, check=True)
    assert [call["action"] for call in calls if call["writes"]] == []
    made = run_module(cloud, "load_balancer", wish)
    assert steps(planned) == steps(made)
    assert len(steps(made)) == 2 + 1 + 3
    assert made["live_slot"] == "blue"
    assert run_module(cloud, "load_balancer", wish)["changed"] is False


def test_without_waiting_it_is_begun_before_there_is_a_certificate_and_finished_once_there_is(
    cloud: Cloud, wish: dict[str, Any]
) -> None:
    planned = steps(run_module(cloud, "load_balancer", wish, check=True))
    cloud.admin("POST", "/creation-times", {"scale": 0.05})
    bare = {key: value for key, value in wish.items() if key != "certificate_arn"}
    begun = run_module(cloud, "load_balancer", {**bare, "wait": False})
    cloud.admin("POST", "/creation-times", {"scale": 0})  # what is made from now on is there at once
    assert steps(begun) == planned[:3]
    assert begun["unfinished"] == [f"load balancer {NAME}"]
    assert begun["live_slot"] is None
    waiting = run_module(cloud, "load_balancer", {**wish, "wait": False})
    assert steps(waiting) == []
    assert waiting["unfinished"][1:] == [f"Create listener {NAME}-{port}" for port in (80, 443, 8443)]
    finished = run_module(cloud, "load_balancer", wish)
    assert steps(finished) == planned[3:]
    assert (finished["unfinished"], finished["live_slot"]) == ([], "blue")
    assert run_module(cloud, "load_balancer", {**wish, "wait": False})["changed"] is False


def test_without_a_certificate_its_listeners_stay_as_they_are(cloud: Cloud, wish: dict[str, Any]) -> None:
    run_module(cloud, "load_balancer", wish)
    shift(cloud, 443, 90, 10)
    bare = {key: value for key, value in wish.items() if key != "certificate_arn"}
    again = run_module(cloud, "load_balancer", {**bare, "wait": False})
    assert (again["changed"], again["live_slot"]) == (False, None)
    refused = run_module(cloud, "load_balancer", bare)
    assert "found certificate_arn empty. Give one, or let wait=false begin the load balancer" in refused["msg"]


def test_a_plan_can_be_made_with_placeholders_for_everything_that_other_phases_make(cloud: Cloud) -> None:
    wish = {
        "name": NAME,
        "tags": TAGS,
        "vpc_id": "planned:vpc/stories-test",
        "subnet_ids": ["planned:subnet/1", "planned:subnet/2"],
        "security_group_ids": ["planned:security_group/alb"],
        "certificate_arn": "planned:certificate/www.stories.test",
        "origin_header": {"secret_arn": "planned:secret/origin"},
    }
    planned = run_module(cloud, "load_balancer", wish, check=True)
    assert len(steps(planned)) == 2 + 1 + 3
    assert planned["load_balancer_arn"] == f"planned:load_balancer/{NAME}"


def test_the_listeners_redirect_lead_to_the_live_slot_and_lead_tests_to_the_other(
    cloud: Cloud, wish: dict[str, Any]
) -> None:
    run_module(cloud, "load_balancer", {**wish, "active_slot": "green"})
    redirect = listener(cloud, 80)["DefaultActions"][0]["RedirectConfig"]
    assert (redirect["Protocol"], redirect["Port"], redirect["StatusCode"]) == ("HTTPS", "443", "HTTP_301")
    assert weights(listener(cloud, 443)["DefaultActions"][0]) == {"blue": 0, "green": 100}
    assert weights(listener(cloud, 8443)["DefaultActions"][0]) == {"blue": 100, "green": 0}
    assert listener(cloud, 443)["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"


@pytest.mark.parametrize("split", [(0, 100), (90, 10), (100, 0)])
def test_a_run_leaves_the_weights_and_the_active_slot_to_the_release(
    cloud: Cloud, wish: dict[str, Any], split: tuple[int, int]
) -> None:
    run_module(cloud, "load_balancer", wish)
    shift(cloud, 443, *split)
    shift(cloud, 8443, *reversed(split))
    arn = listener(cloud, 443)["ListenerArn"]
    cloud.client("elbv2").add_tags(ResourceArns=[arn], Tags=[{"Key": "ActiveSlot", "Value": "green"}])
    with cloud.recorded() as calls:
        again = run_module(cloud, "load_balancer", wish)
    assert again["changed"] is False
    assert not [call for call in calls if call["writes"]]
    assert again["live_slot"] == {(0, 100): "green", (90, 10): None, (100, 0): "blue"}[split]


def test_a_change_of_the_certificate_names_no_actions_so_that_it_cannot_move_the_weights(
    cloud: Cloud, wish: dict[str, Any]
) -> None:
    run_module(cloud, "load_balancer", wish)
    shift(cloud, 443, 0, 100)
    new = {**wish, "certificate_arn": certificate(cloud, "new.stories.test")}
    with cloud.recorded() as calls:
        run_module(cloud, "load_balancer", new)
    modified = [call["parameters"] for call in calls if call["action"] == "ModifyListener"]
    assert len(modified) == 2
    assert not any("DefaultActions" in parameters for parameters in modified)
    assert weights(listener(cloud, 443)["DefaultActions"][0]) == {"blue": 0, "green": 100}


def test_a_slot_that_was_taken_out_of_the_listener_comes_back_without_traffic(
    cloud: Cloud, wish: dict[str, Any]
) -> None:
    run_module(cloud, "load_balancer", wish)
    only_green = {"Type": "forward", "TargetGroupArn": group(cloud, "green")}
    arn = listener(cloud, 443)["ListenerArn"]
    cloud.client("elbv2").modify_listener(ListenerArn=arn, DefaultActions=[only_green])
    assert run_module(cloud, "load_balancer", wish)["live_slot"] == "green"
    having = {slot for slot, weight in weights(listener(cloud, 443)["DefaultActions"][0]).items() if weight}
    assert having == {"green"}


def attribute(key: str, value: str) -> Callable[[Cloud], None]:
    def change(cloud: Cloud) -> None:
        cloud.client("elbv2").modify_load_balancer_attributes(
            LoadBalancerArn=balancer(cloud), Attributes=[{"Key": key, "Value": value}]
        )

    return change


def group_attribute(key: str, value: str) -> Callable[[Cloud], None]:
    def change(cloud: Cloud) -> None:
        cloud.client("elbv2").modify_target_group_attributes(
            TargetGroupArn=group(cloud, "green"), Attributes=[{"Key": key, "Value": value}]
        )

    return change


def health_check(**parameters: Any) -> Callable[[Cloud], None]:
    def change(cloud: Cloud) -> None:
        cloud.client("elbv2").modify_target_group(TargetGroupArn=group(cloud, "blue"), **parameters)

    return change


def modified(port: int, **parameters: Any) -> Callable[[Cloud], None]:
    def change(cloud: Cloud) -> None:
        cloud.client("elbv2").modify_listener(ListenerArn=listener(cloud, port)["ListenerArn"], **parameters)

    return change


def two_zones_only(cloud: Cloud) -> None:
    elb = cloud.client("elbv2")
    zones = elb.describe_load_balancers(Names=[NAME])["LoadBalancers"][0]["AvailabilityZones"]
    elb.set_subnets(LoadBalancerArn=balancer(cloud), Subnets=[zone["SubnetId"] for zone in zones[:2]])


def another_security_group(cloud: Cloud) -> None:
    vpc = cloud.client("elbv2").describe_load_balancers(Names=[NAME])["LoadBalancers"][0]["VpcId"]
    made = cloud.client("ec2").create_security_group(VpcId=vpc, GroupName="open", Description="Too open")
    cloud.client("elbv2").set_security_groups(LoadBalancerArn=balancer(cloud), SecurityGroups=[made["GroupId"]])


def dual_stack(cloud: Cloud) -> None:
    cloud.client("elbv2").set_ip_address_type(LoadBalancerArn=balancer(cloud), IpAddressType="dualstack")


def another_certificate(cloud: Cloud) -> None:
    arn = certificate(cloud, "wrong.stories.test")
    modified(443, Certificates=[{"CertificateArn": arn}])(cloud)


def no_additional_certificate(cloud: Cloud) -> None:
    elb, arn = cloud.client("elbv2"), listener(cloud, 443)["ListenerArn"]
    listed = elb.describe_listener_certificates(ListenerArn=arn)["Certificates"]
    extra = [{"CertificateArn": one["CertificateArn"]} for one in listed if not one["IsDefault"]]
    elb.remove_listener_certificates(ListenerArn=arn, Certificates=extra)


def to_another_port(cloud: Cloud) -> None:
    config = {"Protocol": "HTTPS", "Port": "8443", "StatusCode": "HTTP_302"}
    modified(80, DefaultActions=[{"Type": "redirect", "RedirectConfig": config}])(cloud)


def sticky_forward(cloud: Cloud) -> None:
    action = forward(cloud, 100, 0)
    action["ForwardConfig"]["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": 600}
    modified(443, DefaultActions=[action])(cloud)


def closed(cloud: Cloud) -> None:
    config = {"StatusCode": "503", "ContentType": "text/plain", "MessageBody": "Closed"}
    modified(443, DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": config}])(cloud)


def foreign_tag(cloud: Cloud) -> None:
    cloud.client("elbv2").add_tags(ResourceArns=[balancer(cloud)], Tags=[{"Key": "Owner", "Value": "somebody"}])


def foreign_tag_on_a_listener(cloud: Cloud) -> None:
    arn = listener(cloud, 443)["ListenerArn"]
    cloud.client("elbv2").add_tags(ResourceArns=[arn], Tags=[{"Key": "Owner", "Value": "somebody"}])


def without_tls(cloud: Cloud) -> None:
    modified(8443, Protocol="HTTP")(cloud)


def lost_identity(cloud: Cloud) -> None:
    cloud.client("elbv2").remove_tags(ResourceArns=[group(cloud, "blue")], TagKeys=["Project"])


def lost_test_listener(cloud: Cloud) -> None:
    cloud.client("elbv2").delete_listener(ListenerArn=listener(cloud, 8443)["ListenerArn"])


THE_BALANCER = f"load balancer {NAME}"
BLUE, GREEN = f"target group {NAME}-app-blue", f"target group {NAME}-app-green"


@pytest.mark.parametrize(
    ("by_hand", "resource", "field"),
    [
        (two_zones_only, THE_BALANCER, "subnets"),
        (another_security_group, THE_BALANCER, "security_groups"),
        (dual_stack, THE_BALANCER, "ip_address_type"),
        (attribute("deletion_protection.enabled", "false"), THE_BALANCER, "deletion_protection.enabled"),
        (attribute("idle_timeout.timeout_seconds", "30"), THE_BALANCER, "idle_timeout.timeout_seconds"),
        (attribute("client_keep_alive.seconds", "60"), THE_BALANCER, "client_keep_alive.seconds"),
        (attribute("routing.http2.enabled", "false"), THE_BALANCER, "routing.http2.enabled"),
        (
            attribute("routing.http.drop_invalid_header_fields.enabled", "false"),
            THE_BALANCER,
            "routing.http.drop_invalid_header_fields.enabled",
        ),
        (
            attribute("routing.http.desync_mitigation_mode", "monitor"),
            THE_BALANCER,
            "routing.http.desync_mitigation_mode",
        ),
        (attribute("access_logs.s3.enabled", "false"), THE_BALANCER, "access_logs.s3.enabled"),
        (attribute("access_logs.s3.bucket", "elsewhere"), THE_BALANCER, "access_logs.s3.bucket"),
        (attribute("access_logs.s3.prefix", "elsewhere"), THE_BALANCER, "access_logs.s3.prefix"),
        (health_check(HealthCheckProtocol="HTTPS"), BLUE, "health_check.protocol"),
        (health_check(HealthCheckPath="/"), BLUE, "health_check.path"),
        (health_check(HealthCheckIntervalSeconds=60), BLUE, "health_check.interval"),
        (health_check(HealthCheckTimeoutSeconds=10), BLUE, "health_check.timeout"),
        (health_check(HealthyThresholdCount=5), BLUE, "health_check.healthy_threshold"),
        (health_check(UnhealthyThresholdCount=5), BLUE, "health_check.unhealthy_threshold"),
        (health_check(Matcher={"HttpCode": "200-499"}), BLUE, "health_check.matcher"),
        (health_check(HealthCheckPort="8080"), BLUE, "health_check.port"),
        (
            group_attribute("deregistration_delay.timeout_seconds", "0"),
            GREEN,
            "deregistration_delay.timeout_seconds",
        ),
        (group_attribute("slow_start.duration_seconds", "30"), GREEN, "slow_start.duration_seconds"),
        (group_attribute("stickiness.enabled", "true"), GREEN, "stickiness.enabled"),
        (
            group_attribute("load_balancing.algorithm.type", "round_robin"),
            GREEN,
            "load_balancing.algorithm.type",
        ),
        (modified(443, SslPolicy="ELBSecurityPolicy-2016-08"), f"listener {NAME}-443", "ssl_policy"),
        (another_certificate, f"listener {NAME}-443", "certificate"),
        (no_additional_certificate, f"listener {NAME}-443", "additional_certificates"),
        (sticky_forward, f"listener {NAME}-443", "stickiness_seconds"),
        (closed, f"listener {NAME}-443", "action"),
        (to_another_port, f"listener {NAME}-80", "action"),
        (without_tls, f"listener {NAME}-8443", "protocol"),
        (foreign_tag, THE_BALANCER, "Owner"),
        (foreign_tag_on_a_listener, f"listener {NAME}-443", "Owner"),
        (lost_identity, BLUE, "Project"),
        (lost_test_listener, f"listener {NAME}-8443", "protocol"),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, wish: dict[str, Any], by_hand: Callable[[Cloud], None], resource: str, field: str
) -> None:
    run_module(cloud, "load_balancer", wish)
    by_hand(cloud)
    drift = run_module(cloud, "load_balancer", wish, check=True)
    assert drift["changed"] is True
    shown = drift["diff"][0]["before"] + drift["diff"][0]["after"]
    assert resource in shown
    assert field in shown
    mended = run_module(cloud, "load_balancer", wish)
    assert mended["changed"] is True, mended
    assert run_module(cloud, "load_balancer", wish)["changed"] is False
    assert weights(listener(cloud, 443)["DefaultActions"][0]) == {"blue": 100, "green": 0}


def test_an_origin_header_moves_the_weights_as_they_are_into_a_rule_and_back(
    cloud: Cloud, wish: dict[str, Any]
) -> None:
    run_module(cloud, "load_balancer", wish)
    shift(cloud, 443, 0, 100)
    guarded = {**wish, "origin_header": {"secret_arn": secret(cloud)}}
    result = run_module(cloud, "load_balancer", guarded)
    assert result["live_slot"] == "green"
    (rule,) = rules(cloud, 443)
    assert rule["Conditions"][0]["HttpHeaderConfig"] == {"HttpHeaderName": "X-Origin-Verify", "Values": [HEADER_VALUE]}
    assert weights(rule["Actions"][0]) == {"blue": 0, "green": 100}
    assert listener(cloud, 443)["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"] == "403"
    assert rules(cloud, 8443) == []
    assert run_module(cloud, "load_balancer", guarded)["changed"] is False

    assert run_module(cloud, "load_balancer", wish)["live_slot"] == "green"
    assert rules(cloud, 443) == []
    assert weights(listener(cloud, 443)["DefaultActions"][0]) == {"blue": 0, "green": 100}


def test_a_rotated_origin_header_lets_the_old_and_the_new_value_through(cloud: Cloud, wish: dict[str, Any]) -> None:
    arn = secret(cloud)
    guarded = {**wish, "origin_header": {"secret_arn": arn}}
    run_module(cloud, "load_balancer", guarded)
    cloud.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="the-next-value-nobody-guesses")
    assert run_module(cloud, "load_balancer", guarded)["changed"] is True
    (rule,) = rules(cloud, 443)
    assert len(rule["Conditions"][0]["HttpHeaderConfig"]["Values"]) == 2


def test_the_value_of_the_origin_header_appears_in_no_output_and_in_no_call_log(
    cloud: Cloud, wish: dict[str, Any]
) -> None:
    guarded = {**wish, "origin_header": {"secret_arn": secret(cloud)}}
    run_module(cloud, "load_balancer", wish)
    with cloud.recorded() as calls:
        shown = [run_module(cloud, "load_balancer", guarded, check=check) for check in (True, False, False)]
    assert HEADER_VALUE not in json.dumps(shown)
    assert HEADER_VALUE not in json.dumps(calls)


def test_a_missing_origin_secret_is_one_error_before_the_first_write(cloud: Cloud, wish: dict[str, Any]) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:none-AbCdEf"
    with cloud.recorded() as calls:
        refused = run_module(cloud, "load_balancer", {**wish, "origin_header": {"secret_arn": arn}})
    assert "found none" in refused["msg"]
    assert not [call for call in calls if call["writes"]]


@pytest.mark.parametrize("made", ["target_group", "load_balancer", "listener"])
def test_a_creation_that_was_killed_is_finished_without_a_second_of_anything(
    cloud: Cloud, wish: dict[str, Any], made: str
) -> None:
    run_module(cloud, "load_balancer", wish)
    elb = cloud.client("elbv2")
    # As if killed right after the first creating call of that kind.
    if made == "listener":
        elb.delete_listener(ListenerArn=listener(cloud, 8443)["ListenerArn"])
        no_additional_certificate(cloud)
    else:
        elb.modify_load_balancer_attributes(
            LoadBalancerArn=balancer(cloud), Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}]
        )
        attribute("idle_timeout.timeout_seconds", "60")(cloud)
        for port in (80, 443, 8443):
            elb.delete_listener(ListenerArn=listener(cloud, port)["ListenerArn"])
    if made == "target_group":
        elb.delete_load_balancer(LoadBalancerArn=balancer(cloud))
        elb.delete_target_group(TargetGroupArn=group(cloud, "green"))
        group_attribute_of_blue = [{"Key": "deregistration_delay.timeout_seconds", "Value": "300"}]
        elb.modify_target_group_attributes(TargetGroupArn=group(cloud, "blue"), Attributes=group_attribute_of_blue)
    assert run_module(cloud, "load_balancer", wish)["changed"] is True
    assert run_module(cloud, "load_balancer", wish)["changed"] is False
    assert len(elb.describe_target_groups()["TargetGroups"]) == 2
    assert len(elb.describe_load_balancers()["LoadBalancers"]) == 1
    assert len(elb.describe_listeners(LoadBalancerArn=balancer(cloud))["Listeners"]) == 3


def test_a_protected_load_balancer_is_removed_only_when_told_so(cloud: Cloud, wish: dict[str, Any]) -> None:
    run_module(cloud, "load_balancer", wish)
    gone = {"name": NAME, "tags": TAGS, "state": "absent"}
    with cloud.recorded() as calls:
        refused = run_module(cloud, "load_balancer", gone)
    assert "deletion protection is on" in refused["msg"]
    assert not [call for call in calls if call["writes"]]
    assert len(steps(run_module(cloud, "load_balancer", {**gone, "remove_protected": True}))) == 6
    assert run_module(cloud, "load_balancer", gone)["changed"] is False
    assert cloud.client("elbv2").describe_target_groups()["TargetGroups"] == []


def test_a_vpc_that_differs_is_refused_since_aws_cannot_change_it(cloud: Cloud, wish: dict[str, Any]) -> None:
    run_module(cloud, "load_balancer", wish)
    with cloud.recorded() as calls:
        refused = run_module(cloud, "load_balancer", {**wish, "vpc_id": "vpc-0a1b2c3d"})
    assert "AWS cannot change it" in refused["msg"]
    assert not [call for call in calls if call["writes"]]


def test_closing_is_planned_with_placeholders_and_changes_nothing_else_of_the_listener(
    cloud: Cloud, wish: dict[str, Any]
) -> None:
    closing = {"name": NAME, "listener_arn": "planned:listener/x", "secret_arn": "planned:secret/origin"}
    assert steps(run_module(cloud, "load_balancer_origin", closing, check=True)) == [f"listener/{NAME}-443:change"]
    run_module(cloud, "load_balancer", wish)
    shift(cloud, 443, 30, 70)
    before = listener(cloud, 443)
    closing = {"name": NAME, "listener_arn": before["ListenerArn"], "secret_arn": secret(cloud)}
    closed = run_module(cloud, "load_balancer_origin", closing)
    assert steps(closed) == [f"listener/{NAME}-443:change"]
    assert HEADER_VALUE not in json.dumps(closed)
    after = listener(cloud, 443)
    assert {**before, "DefaultActions": []} == {**after, "DefaultActions": []}
    (rule,) = rules(cloud, 443)
    assert weights(rule["Actions"][0]) == {"blue": 30, "green": 70}
    assert run_module(cloud, "load_balancer_origin", closing)["changed"] is False
    # The declaration of the whole listener agrees.
    guarded = {**wish, "origin_header": {"secret_arn": closing["secret_arn"]}}
    assert run_module(cloud, "load_balancer", guarded)["changed"] is False


def test_a_closing_that_was_killed_or_opened_by_hand_is_finished(cloud: Cloud, wish: dict[str, Any]) -> None:
    run_module(cloud, "load_balancer", wish)
    arn = listener(cloud, 443)["ListenerArn"]
    closing = {"name": NAME, "listener_arn": arn, "secret_arn": secret(cloud)}
    cloud.admin("POST", "/faults", {"kind": "error", "code": "X", "status": 400, "action": "ModifyListener"})
    assert run_module(cloud, "load_balancer_origin", closing)["failed"] is True
    cloud.admin("DELETE", "/faults")
    assert len(rules(cloud, 443)) == 1
    assert steps(run_module(cloud, "load_balancer_origin", closing)) == [f"listener/{NAME}-443:change"]
    shift(cloud, 443, 100, 0)  # by hand: everyone is let in again
    shown = run_module(cloud, "load_balancer_origin", closing, check=True)
    assert "Change action of listener" in shown["steps"][0]["sentence"]
    run_module(cloud, "load_balancer_origin", closing)
    assert listener(cloud, 443)["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"] == "403"
    assert run_module(cloud, "load_balancer_origin", closing)["changed"] is False


def test_closing_a_listener_that_is_gone_names_it(cloud: Cloud, wish: dict[str, Any]) -> None:
    run_module(cloud, "load_balancer", wish)
    arn = listener(cloud, 443)["ListenerArn"]
    cloud.client("elbv2").delete_listener(ListenerArn=arn)
    refused = run_module(
        cloud, "load_balancer_origin", {"name": NAME, "listener_arn": arn, "secret_arn": secret(cloud)}
    )
    assert f"Looked for listener {arn}" in refused["msg"]

"""vpc_network on the embedded cloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

TAGS = {"Project": "1001-stories", "Environment": "test"}
WISH: dict[str, Any] = {
    "name": "stories-test",
    "tags": TAGS,
    "cidr_block": "10.0.0.0/16",
    "availability_zones": ["us-east-1a", "us-east-1b", "us-east-1c"],
    "public_subnets": ["10.0.101.0/24", "10.0.102.0/24", "10.0.103.0/24"],
    "app_subnets": ["10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"],
    "data_subnets": ["10.0.11.0/24", "10.0.12.0/24", "10.0.13.0/24"],
    "nat_gateways": "per_zone",
    "flow_logs": {"destination": "arn:aws:s3:::stories-test-logs/flow/"},
}


def steps(result: dict[str, Any]) -> list[str]:
    assert not result.get("failed"), result["msg"]
    return [step["id"] for step in result["steps"]]


def test_the_plan_on_an_empty_account_lists_what_the_run_then_makes_and_writes_nothing(cloud: Cloud) -> None:
    with cloud.recorded() as calls:
        planned = run_module(cloud, "vpc_network", WISH, check=True)
    assert [call["action"] for call in calls if call["writes"]] == []
    made = run_module(cloud, "vpc_network", WISH)
    assert steps(planned) == steps(made)
    assert len(steps(made)) == 1 + 1 + 9 + 3 + 3 + 5 + 1


def test_the_second_run_changes_nothing_and_reads_each_kind_once(cloud: Cloud) -> None:
    run_module(cloud, "vpc_network", WISH)
    with cloud.recorded() as calls:
        again = run_module(cloud, "vpc_network", WISH)
    assert again["changed"] is False
    assert not [call for call in calls if call["writes"]]
    # One list a kind, and the two DNS attributes, which AWS tells only one at a time.
    assert len(calls) == 7 + 2


def first(cloud: Cloud, operation: str, key: str, name: str) -> dict[str, Any]:
    """The resource of that Name; EC2 calls the parameter Filter in two of its operations."""
    parameter = "Filter" if operation in ("describe_nat_gateways", "describe_flow_logs") else "Filters"
    filters = [{"Name": "tag:Name", "Values": [name]}]
    found: dict[str, Any] = getattr(cloud.client("ec2"), operation)(**{parameter: filters})[key][0]
    return found


def vpc(cloud: Cloud) -> str:
    return str(first(cloud, "describe_vpcs", "Vpcs", "stories-test")["VpcId"])


def subnet(cloud: Cloud, name: str) -> str:
    return str(first(cloud, "describe_subnets", "Subnets", name)["SubnetId"])


def route_table(cloud: Cloud, name: str) -> dict[str, Any]:
    return first(cloud, "describe_route_tables", "RouteTables", name)


def no_host_names(cloud: Cloud) -> None:
    cloud.client("ec2").modify_vpc_attribute(VpcId=vpc(cloud), EnableDnsHostnames={"Value": False})


def no_dns(cloud: Cloud) -> None:
    cloud.client("ec2").modify_vpc_attribute(VpcId=vpc(cloud), EnableDnsSupport={"Value": False})


def public_data_subnet(cloud: Cloud) -> None:
    ident = subnet(cloud, "stories-test-data-2")
    cloud.client("ec2").modify_subnet_attribute(SubnetId=ident, MapPublicIpOnLaunch={"Value": True})


def detached_gateway(cloud: Cloud) -> None:
    # AWS lets nobody detach it while NAT gateways hold public addresses.
    for nat in cloud.client("ec2").describe_nat_gateways()["NatGateways"]:
        cloud.client("ec2").delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
    gateway = first(cloud, "describe_internet_gateways", "InternetGateways", "stories-test")
    cloud.client("ec2").detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc(cloud))


def lost_route(cloud: Cloud) -> None:
    table = route_table(cloud, "stories-test-app-2")["RouteTableId"]
    cloud.client("ec2").delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")


def way_out_of_the_data_tier(cloud: Cloud) -> None:
    table = route_table(cloud, "stories-test-data")["RouteTableId"]
    gateway = first(cloud, "describe_internet_gateways", "InternetGateways", "stories-test")["InternetGatewayId"]
    cloud.client("ec2").create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)


def subnet_without_route_table(cloud: Cloud) -> None:
    table = route_table(cloud, "stories-test-public")
    association = next(one for one in table["Associations"] if one.get("SubnetId"))
    cloud.client("ec2").disassociate_route_table(AssociationId=association["RouteTableAssociationId"])


def foreign_tag(operation: str, key: str, ident: str, name: str) -> Callable[[Cloud], None]:
    """What puts a tag of somebody else on the resource of that Name."""

    def put(cloud: Cloud) -> None:
        found = first(cloud, operation, key, name)[ident]
        cloud.client("ec2").create_tags(Resources=[found], Tags=[{"Key": "Owner", "Value": "somebody"}])

    return put


def lost_nat_gateway(cloud: Cloud) -> None:
    gateway = first(cloud, "describe_nat_gateways", "NatGateways", "stories-test-nat-3")
    cloud.client("ec2").delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])


def lost_flow_log(cloud: Cloud) -> None:
    log = first(cloud, "describe_flow_logs", "FlowLogs", "stories-test")
    cloud.client("ec2").delete_flow_logs(FlowLogIds=[log["FlowLogId"]])


def other_flow_log(**other: Any) -> Callable[[Cloud], None]:
    """What puts another flow log in the place of ours: AWS lets nobody change one."""

    def put(cloud: Cloud) -> None:
        ec2 = cloud.client("ec2")
        log = first(cloud, "describe_flow_logs", "FlowLogs", "stories-test")
        ec2.delete_flow_logs(FlowLogIds=[log["FlowLogId"]])
        same = {name: log[name] for name in ("TrafficType", "LogDestinationType", "LogDestination")}
        same |= {"ResourceIds": [log["ResourceId"]], "MaxAggregationInterval": log["MaxAggregationInterval"]}
        ours = {"TagSpecifications": [{"ResourceType": "vpc-flow-log", "Tags": log["Tags"]}]}
        ec2.create_flow_logs(ResourceType="VPC", **{**same, **ours, **other})

    return put


def flow_log_of_another_vpc(cloud: Cloud) -> None:
    other = cloud.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    other_flow_log(ResourceIds=[other])(cloud)


TO_CLOUDWATCH = {
    "LogDestinationType": "cloud-watch-logs",
    "LogDestination": "arn:aws:logs:us-east-1:000000000000:log-group:flow",
    "DeliverLogsPermissionArn": "arn:aws:iam::000000000000:role/flow",
}


@pytest.mark.parametrize(
    ("by_hand", "resource", "field"),
    [
        (no_host_names, "VPC stories-test", "dns_hostnames"),
        (no_dns, "VPC stories-test", "dns_support"),
        (public_data_subnet, "subnet stories-test-data-2", "public_ips"),
        (detached_gateway, "internet gateway stories-test", "vpc"),
        (lost_route, "route table stories-test-app-2", "routes"),
        (way_out_of_the_data_tier, "route table stories-test-data", "routes"),
        (subnet_without_route_table, "route table stories-test-public", "subnets"),
        (foreign_tag("describe_vpcs", "Vpcs", "VpcId", "stories-test"), "VPC stories-test", "Owner"),
        (
            foreign_tag("describe_internet_gateways", "InternetGateways", "InternetGatewayId", "stories-test"),
            "internet gateway stories-test",
            "Owner",
        ),
        (
            foreign_tag("describe_subnets", "Subnets", "SubnetId", "stories-test-app-1"),
            "subnet stories-test-app-1",
            "Owner",
        ),
        (
            foreign_tag("describe_addresses", "Addresses", "AllocationId", "stories-test-nat-1"),
            "Elastic IP address stories-test-nat-1",
            "Owner",
        ),
        (
            foreign_tag("describe_nat_gateways", "NatGateways", "NatGatewayId", "stories-test-nat-1"),
            "NAT gateway stories-test-nat-1",
            "Owner",
        ),
        (
            foreign_tag("describe_route_tables", "RouteTables", "RouteTableId", "stories-test-data"),
            "route table stories-test-data",
            "Owner",
        ),
        (
            foreign_tag("describe_flow_logs", "FlowLogs", "FlowLogId", "stories-test"),
            "flow log stories-test",
            "Owner",
        ),
        (lost_nat_gateway, "NAT gateway stories-test-nat-3", "subnet"),
        (lost_flow_log, "flow log stories-test", "destination"),
        (other_flow_log(LogDestination="arn:aws:s3:::elsewhere"), "flow log stories-test", "destination"),
        (flow_log_of_another_vpc, "flow log stories-test", "resource"),
        (other_flow_log(TrafficType="REJECT"), "flow log stories-test", "traffic_type"),
        (other_flow_log(MaxAggregationInterval=60), "flow log stories-test", "interval"),
        (other_flow_log(**TO_CLOUDWATCH), "flow log stories-test", "destination_type"),
        (other_flow_log(**TO_CLOUDWATCH), "flow log stories-test", "role"),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, by_hand: Callable[[Cloud], None], resource: str, field: str
) -> None:
    run_module(cloud, "vpc_network", WISH)
    by_hand(cloud)
    drift = run_module(cloud, "vpc_network", WISH, check=True)
    shown = drift["diff"][0]["before"] + drift["diff"][0]["after"]
    assert drift["changed"] is True
    assert resource in shown
    assert field in shown
    assert run_module(cloud, "vpc_network", WISH)["changed"] is True
    assert run_module(cloud, "vpc_network", WISH)["changed"] is False


def test_a_network_that_was_left_half_built_is_finished_without_a_second_of_anything(cloud: Cloud) -> None:
    made = steps(run_module(cloud, "vpc_network", WISH))
    cloud.reset()
    for stop in range(1, len(made), 4):
        refusal = {"kind": "error", "code": "UnauthorizedOperation", "status": 403}
        cloud.admin("POST", "/faults", {"service": "ec2", "writes_only": True, "skip": stop, **refusal})
        run_module(cloud, "vpc_network", WISH)
        cloud.admin("DELETE", "/faults")
    run_module(cloud, "vpc_network", WISH)
    assert run_module(cloud, "vpc_network", WISH)["changed"] is False
    assert len(cloud.client("ec2").describe_nat_gateways()["NatGateways"]) == 3
    assert len(cloud.client("ec2").describe_addresses()["Addresses"]) == 3


def test_without_waiting_all_but_the_way_out_stands_and_a_call_that_waits_makes_that(cloud: Cloud) -> None:
    planned = steps(run_module(cloud, "vpc_network", WISH, check=True))
    cloud.admin("POST", "/creation-times", {"scale": 0.06})
    begun = run_module(cloud, "vpc_network", {**WISH, "wait": False})
    cloud.admin("POST", "/creation-times", {"scale": 0})  # what is made from now on is there at once
    ways_out = [f"route_table/stories-test-app-{zone}:create" for zone in (1, 2, 3)]
    assert steps(begun) == [step for step in planned if step not in ways_out]
    # AWS lists the gateways in no order: they were made side by side.
    assert set(begun["unfinished"][:3]) == {f"NAT gateway stories-test-nat-{zone}" for zone in (1, 2, 3)}
    assert begun["unfinished"][3:] == [f"Create route table stories-test-app-{zone}" for zone in (1, 2, 3)]
    assert (len(begun["data_subnet_ids"]), begun["app_route_table_ids"]) == (3, [])
    assert steps(run_module(cloud, "vpc_network", {**WISH, "wait": False})) == []
    finished = run_module(cloud, "vpc_network", WISH)
    assert steps(finished) == ways_out
    assert (finished["unfinished"], len(finished["app_route_table_ids"])) == ([], 3)
    assert run_module(cloud, "vpc_network", {**WISH, "wait": False})["changed"] is False


@pytest.mark.parametrize(("fewer", "left"), [("single", 1), ("none", 0)])
def test_gateways_that_are_no_longer_wanted_go_once_no_route_leads_to_them(cloud: Cloud, fewer: str, left: int) -> None:
    run_module(cloud, "vpc_network", WISH)
    wish = {**WISH, "nat_gateways": fewer}
    planned = steps(run_module(cloud, "vpc_network", wish, check=True))
    assert steps(run_module(cloud, "vpc_network", wish)) == planned
    kinds = [step.split("/")[0] for step in planned]
    assert kinds.count("nat_gateway") == kinds.count("elastic_ip") == 3 - left
    assert max(place for place, kind in enumerate(kinds) if kind == "route_table") < kinds.index("nat_gateway")
    assert run_module(cloud, "vpc_network", wish)["changed"] is False
    assert len(cloud.client("ec2").describe_addresses()["Addresses"]) == left


def test_absent_removes_everything_and_a_second_time_nothing(cloud: Cloud) -> None:
    run_module(cloud, "vpc_network", WISH)
    gone = {"name": WISH["name"], "tags": TAGS, "state": "absent"}
    assert len(steps(run_module(cloud, "vpc_network", gone, check=True))) == 23
    assert len(steps(run_module(cloud, "vpc_network", gone))) == 23
    assert run_module(cloud, "vpc_network", gone)["changed"] is False


def test_the_network_of_another_environment_is_neither_seen_nor_removed(cloud: Cloud) -> None:
    other = {**WISH, "name": "stories-test-2", "tags": {**TAGS, "Environment": "test-2"}}
    run_module(cloud, "vpc_network", WISH)
    made = steps(run_module(cloud, "vpc_network", other))
    assert len(made) == 23
    assert run_module(cloud, "vpc_network", WISH)["changed"] is False
    gone = {"name": WISH["name"], "tags": TAGS, "state": "absent"}
    assert len(steps(run_module(cloud, "vpc_network", gone))) == 23
    assert run_module(cloud, "vpc_network", other)["changed"] is False


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"cidr_block": "10.0.0.0/33"}, "Write it like 10.0.0.0/16"),
        ({"cidr_block": "10.0.0.0/8"}, "from /16 to /28"),
        ({"data_subnets": ["10.0.11.0/24", "10.0.11.128/25", "10.0.13.0/24"]}, "overlaps 10.0.11.0/24"),
        ({"app_subnets": ["10.1.1.0/24", "10.0.2.0/24", "10.0.3.0/24"]}, "outside the VPC's 10.0.0.0/16"),
        ({"app_subnets": ["10.0.1.0/24"]}, "Give one CIDR a zone"),
        ({"availability_zones": ["us-east-1a", "us-east-1a", "us-east-1b"]}, "Name each zone once"),
    ],
)
def test_a_bad_address_is_one_clear_error_before_the_first_write(
    cloud: Cloud, wrong: dict[str, Any], sentence: str
) -> None:
    with cloud.recorded() as calls:
        result = run_module(cloud, "vpc_network", {**WISH, **wrong})
    assert result["failed"] is True
    assert sentence in result["msg"]
    assert not [call for call in calls if call["writes"]]

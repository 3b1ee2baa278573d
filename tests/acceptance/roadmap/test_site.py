"""The roadmap on a whole embedded cloud: plan, run, use, again, secrets, what a site run leaves alone, teardown.

The tests of this file share one cloud and build on each other, in the order in which they stand.
"""

from __future__ import annotations

import io
import json
import urllib.request
from typing import Any

import pytest
import yaml
from PIL import Image

from tests.support.ansible import PlayResult, run_module, run_playbook
from tests.support.cloud import ROOT, Cloud
from tests.support.inventory import contents
from tests.support.media import book, photograph
from tests.support.viewer import Viewer

# A run of the whole roadmap may take minutes on a busy machine.
pytestmark = pytest.mark.timeout(900)

SITE = "playbooks/site.yml"
PREFIX = "stories-local"
TAGS = {"Project": "1001-stories", "Environment": "local"}


def run(cloud: Cloud, *options: str, **variables: Any) -> PlayResult:
    result = run_playbook(cloud, SITE, *options, variables=variables)
    assert result.returncode == 0, result.errors or result.output[-3000:]
    return result


@pytest.fixture(scope="module")
def planned(whole_cloud: Cloud) -> dict[str, Any]:
    """The check on the empty account."""
    with whole_cloud.recorded() as calls:
        result = run(whole_cloud, "--check", "--diff")
    return {"result": result, "calls": calls}


@pytest.fixture(scope="module")
def made(whole_cloud: Cloud, planned: dict[str, Any]) -> PlayResult:
    """The first run, with everything it can print."""
    return run(whole_cloud, "-vvvv")


@pytest.fixture(scope="module")
def parts(whole_cloud: Cloud, made: PlayResult) -> dict[str, Any]:
    """What `platform_info` tells of the load balancer and of CloudFront."""
    wanted = {"name_prefix": PREFIX, "tags": TAGS, "requires": ["load_balancer", "content_delivery"]}
    return run_module(whole_cloud, "platform_info", wanted)


@pytest.fixture(scope="module")
def viewer(whole_cloud: Cloud, parts: dict[str, Any]) -> Viewer:
    return Viewer(whole_cloud, parts["content_delivery"]["domain_name"])


def test_the_check_on_an_empty_account_writes_nothing(planned: dict[str, Any]) -> None:
    assert [call["action"] for call in planned["calls"] if call["writes"]] == []


def test_the_check_lists_exactly_what_the_run_then_makes(planned: dict[str, Any], made: PlayResult) -> None:
    # Not in the same order: a run begins early what takes long, and finishes it late.
    assert sorted(planned["result"].steps) == sorted(made.steps)
    assert len(made.steps) > 120


def test_what_takes_aws_minutes_is_begun_before_anything_is_awaited(made: PlayResult) -> None:
    begun, finished = f"nat_gateway/{PREFIX}-nat-1:create", f"route_table/{PREFIX}-app-1:create"
    order = [begun, f"load_balancer/{PREFIX}:create", f"db_instance/{PREFIX}-1:create", finished]
    assert sorted(order, key=made.steps.index) == order


def test_the_site_answers_through_cloudfront_with_a_row_and_a_counter(whole_cloud: Cloud, made: PlayResult) -> None:
    visit = run_playbook(whole_cloud, "playbooks/visit.yml")
    assert visit.returncode == 0, visit.errors
    health = next(result["json"] for name, result in visit.tasks if name == "Ask for its health")
    assert health["status"] == "ok"
    assert health["checks"] == {"postgresql": "ok", "redis": "ok"}


def test_the_load_balancer_refuses_whoever_comes_past_cloudfront(
    whole_cloud: Cloud, parts: dict[str, Any], viewer: Viewer
) -> None:
    past = Viewer(whole_cloud, parts["load_balancer"]["dns_name"])
    assert past.ask("/library").status == 403
    assert past.ask("/library", X_Origin_Verify="guessed").status == 403
    through = viewer.ask("/library")
    assert through.status == 200
    assert through.headers["strict-transport-security"].startswith("max-age=31536000")


def signed(cloud: Cloud, parts: dict[str, Any], path: str) -> str:
    delivery = parts["content_delivery"]
    wanted = {
        "url": f"https://{delivery['domain_name']}{path}",
        "secret_id": delivery["signing_key_secret_arn"],
        "key_pair_id": delivery["key_pair_id"],
    }
    return str(run_module(cloud, "cloudfront_signed_url", wanted)["signed_url"])


def test_a_picture_that_is_uploaded_through_cloudfront_is_served_smaller_by_signed_url_only(
    whole_cloud: Cloud, parts: dict[str, Any], viewer: Viewer
) -> None:
    picture = photograph(1000, 500)
    stored = viewer.ask("/api/upload/images/well.jpg", method="PUT", body=picture, Content_Type="image/jpeg")
    assert stored.status == 201, stored.body
    path = "/content/images/well/640.webp"
    answer = viewer.once_there(signed(whole_cloud, parts, path))
    assert answer.headers["content-type"] == "image/webp"
    with Image.open(io.BytesIO(answer.body)) as image:
        assert (image.format, image.size) == ("WEBP", (640, 320))
    assert viewer.ask(path).status == 403
    assert viewer.ask(signed(whole_cloud, parts, path).replace("/640.", "/320.")).status == 403


def test_a_book_that_is_uploaded_through_cloudfront_gets_a_cover_and_its_text_is_found(
    whole_cloud: Cloud, parts: dict[str, Any], viewer: Viewer
) -> None:
    pdf = book("Once upon a time", "The end")
    stored = viewer.ask("/api/upload/documents/tale.pdf", method="PUT", body=pdf, Content_Type="application/pdf")
    assert stored.status == 201, stored.body
    assert viewer.once_there(signed(whole_cloud, parts, "/content/books/tale/book.pdf")).body == pdf
    cover = viewer.ask(signed(whole_cloud, parts, "/content/books/tale/cover.webp"))
    assert (cover.status, cover.headers["content-type"]) == (200, "image/webp")
    bucket = f"{PREFIX}-media-{parts['account_id']}"
    found = json.load(whole_cloud.client("s3").get_object(Bucket=bucket, Key="search/tale.json")["Body"])
    assert (found["pages"], found["text"]) == (2, ["Once upon a time", "The end"])


def test_an_order_to_forget_paths_is_given_to_cloudfront_once(whole_cloud: Cloud, parts: dict[str, Any]) -> None:
    order = {"cloudfront_waf_invalidate_paths": ["/content/images/well/*"]}
    told = {**order, "cloudfront_waf_invalidate_reference": "well-2"}
    for changes in (1, 0):
        result = run_playbook(whole_cloud, "playbooks/invalidate.yml", variables=told)
        assert (result.returncode, result.changed) == (0, changes), result.errors
    where = {"DistributionId": parts["content_delivery"]["distribution_id"]}
    (item,) = whole_cloud.client("cloudfront").list_invalidations(**where)["InvalidationList"]["Items"]
    assert item["Status"] == "Completed"


def test_the_access_log_goes_into_the_bucket_of_logs_without_cookies_and_queries(
    whole_cloud: Cloud, parts: dict[str, Any]
) -> None:
    logs = whole_cloud.client("logs")
    (source,) = logs.describe_delivery_sources()["deliverySources"]
    assert source["resourceArns"] == [parts["content_delivery"]["distribution_arn"]]
    (destination,) = logs.describe_delivery_destinations()["deliveryDestinations"]
    bucket = f"arn:aws:s3:::{PREFIX}-logs-{parts['account_id']}/cloudfront"
    assert destination["deliveryDestinationConfiguration"] == {"destinationResourceArn": bucket}
    (delivery,) = logs.describe_deliveries()["deliveries"]
    assert "sc-status" in delivery["recordFields"]
    assert not {"cs(Cookie)", "cs-uri-query"} & set(delivery["recordFields"])


def test_no_secret_value_appears_in_output_at_the_highest_verbosity_nor_in_the_call_log(
    whole_cloud: Cloud, planned: dict[str, Any], made: PlayResult
) -> None:
    secrets = whole_cloud.client("secretsmanager")
    values: set[str] = set()
    for entry in secrets.list_secrets()["SecretList"]:
        text = secrets.get_secret_value(SecretId=entry["ARN"]).get("SecretString", "")
        # A user's name and a public key are told in the open; everything else in a secret is one.
        open_names = {"username", "public_key", "public_keys", "generation"}
        parts = json.loads(text) if text.startswith("{") else {"value": text}
        values |= {str(value) for key, value in parts.items() if key not in open_names and len(str(value)) >= 12}
    assert len(values) >= 4
    told = made.output + planned["result"].output + json.dumps(whole_cloud.calls())
    assert [value for value in values if value in told] == []


def test_the_second_run_changes_nothing_and_moves_neither_weights_nor_counts_nor_the_slot(
    whole_cloud: Cloud, made: PlayResult, parts: dict[str, Any]
) -> None:
    elbv2, scaling = whole_cloud.client("elbv2"), whole_cloud.client("application-autoscaling")
    ecs = whole_cloud.client("ecs")
    # Behind CloudFront, the weights stand in the rule that wants its header.
    listener = parts["load_balancer"]["production_listener_arn"]
    rule = next(one for one in elbv2.describe_rules(ListenerArn=listener)["Rules"] if one["Priority"] == "1")
    forward = rule["Actions"][0]["ForwardConfig"]
    groups = forward["TargetGroups"]

    def shift(*weights: int) -> None:
        split = [{**group, "Weight": weight} for group, weight in zip(groups, weights, strict=True)]
        action = {"Type": "forward", "ForwardConfig": {**forward, "TargetGroups": split}}
        elbv2.modify_rule(RuleArn=rule["RuleArn"], Actions=[action])

    shift(37, 63)
    ecs.update_service(cluster=PREFIX, service=f"{PREFIX}-app-blue", desiredCount=3)
    dimension = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
    suspended = {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": True,
    }
    blue = {**dimension, "ResourceId": f"service/{PREFIX}/{PREFIX}-app-blue"}
    scaling.register_scalable_target(**blue, SuspendedState=suspended)

    with whole_cloud.recorded() as calls:
        again = run(whole_cloud)
    assert again.changed == 0
    assert [call["action"] for call in calls if call["writes"]] == []
    # What week 1 tells week 2 is what AWS would tell it, which is not asked a second time.
    told = next(result for name, result in again.tasks if name == "Find what phase 1 made")
    sections = ["network", "routes", "security_groups", "kms_keys", "roles"]
    asked = run_module(whole_cloud, "platform_info", {"name_prefix": PREFIX, "tags": TAGS, "requires": sections})
    for name in sections:
        assert {key: told[name].get(key) for key in asked[name]} == asked[name]
    actions = [call["action"] for call in calls]
    assert [actions.count(f"Describe{kind}") for kind in ("Vpcs", "Subnets", "RouteTables")] == [1, 1, 1]

    after = elbv2.describe_rules(RuleArns=[rule["RuleArn"]])["Rules"][0]
    assert [group["Weight"] for group in after["Actions"][0]["ForwardConfig"]["TargetGroups"]] == [37, 63]
    service = ecs.describe_services(cluster=PREFIX, services=[f"{PREFIX}-app-blue"])["services"][0]
    assert service["desiredCount"] == 3
    target = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[blue["ResourceId"]])
    assert target["ScalableTargets"][0]["SuspendedState"] == suspended
    shift(*(group["Weight"] for group in groups))


@pytest.mark.long
def test_the_check_on_the_standing_platform_finds_nothing(whole_cloud: Cloud, made: PlayResult) -> None:
    assert run(whole_cloud, "--check", "--diff").changed == 0


def test_a_rule_that_blocks_stops_what_it_let_through_while_it_counted(whole_cloud: Cloud, viewer: Viewer) -> None:
    injection = "/library?author=x%27%20or%201%3D1"
    # The weights that the last test put back reach the load balancer's nodes a moment later.
    assert viewer.once_there(injection).status == 200
    rules = {"managed_rules": [{"name": "AWSManagedRulesSQLiRuleSet", "action": "block"}]}
    run_module(whole_cloud, "waf_web_acl", {"name": PREFIX, "tags": TAGS, **rules})
    assert viewer.ask(injection).status == 403
    assert viewer.ask("/library?author=x").status == 200


def test_the_cloud_rests_in_less_than_a_gibibyte(whole_cloud: Cloud, made: PlayResult) -> None:
    with urllib.request.urlopen(f"{whole_cloud.endpoint}/_cloud/ready", timeout=10) as answer:
        assert json.load(answer)["ready"] is True
    assert whole_cloud.memory_mib() < 1024


def test_the_load_test_visits_the_gate_judges_and_a_page_shows_it(whole_cloud: Cloud, made: PlayResult) -> None:
    kpis = yaml.safe_load((ROOT / "inventories/profiles/kpis.yml").read_text())["platform_kpis"]
    # How fast a machine under test answers is no property of the code; that every request is answered is.
    patient = {**kpis, "page_p95_ms": 20000, "api_p95_ms": 15000}
    short = {"load_test_steps": [100], "load_test_ramp_seconds": 2, "load_test_hold_seconds": 5}
    variables = {"platform_kpis": patient, **short, "kpi_check_connections": False}
    result = run_playbook(whole_cloud, "playbooks/phase8.yml", variables=variables)
    assert result.returncode == 0, result.errors
    assert result.changed == 0
    rows = {row["name"]: row for row in result.tasks[-1][1]["kpis"]}
    judged = ("page_p95_ms", "api_p95_ms", "error_percent", "query_average_ms")
    assert {rows[name]["verdict"] for name in judged} == {"met"}
    assert rows["concurrent_users"]["verdict"] == "not measured"
    page = (whole_cloud.state_dir / "reports" / PREFIX / "report.html").read_text()
    for words in ("8 · Load test and verdict", "CloudFront, behind WAF", "Requests that failed", "Cost of a month"):
        assert words in page, words


@pytest.mark.parametrize(
    ("named", "told"),
    [("stories", [PREFIX]), (PREFIX, ["protection", "teardown_remove_protection"])],
    ids=["without the platform's name", "while protection is on"],
)
def test_teardown_refuses(whole_cloud: Cloud, made: PlayResult, named: str, told: list[str]) -> None:
    with whole_cloud.recorded() as calls:
        result = run_playbook(whole_cloud, "playbooks/teardown.yml", variables={"teardown_platform": named})
    (error,) = result.errors
    assert all(word in error for word in told)
    assert not [call for call in calls if call["writes"]]


def test_teardown_leaves_nothing_behind(whole_cloud: Cloud, made: PlayResult) -> None:
    sure = {"teardown_platform": PREFIX, "teardown_remove_protection": True, "teardown_delete_data": True}
    result = run_playbook(whole_cloud, "playbooks/teardown.yml", variables=sure)
    assert result.returncode == 0, result.errors
    assert contents(whole_cloud, PREFIX) == []
    assert run_playbook(whole_cloud, "playbooks/teardown.yml", variables=sure).changed == 0

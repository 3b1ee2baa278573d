"""docs/runbooks/leaked-secret.md and lost-zone.md walked on a standing platform.

What leaked opens nothing any more, and the site serves on.

The tests share one platform (phases 1 to 4, and 7 for the state of releases) and stand in the order of the pages.
"""

from __future__ import annotations

import json
import time
from typing import Any

import psycopg
import pytest

from tests.support.ansible import PlayResult, run_module, run_playbook
from tests.support.aurora import sql
from tests.support.cloud import Cloud
from tests.support.viewer import Viewer

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

PREFIX = "stories-local"
TAGS = {"Project": "1001-stories", "Environment": "local"}
ONE_GATEWAY = {"networking_nat_gateways": "single"}


def play(cloud: Cloud, playbook: str, **variables: Any) -> PlayResult:
    result = run_playbook(cloud, f"playbooks/{playbook}.yml", variables={**ONE_GATEWAY, **variables})
    assert result.returncode == 0, result.errors or result.output[-3000:]
    return result


@pytest.fixture(scope="module")
def site(whole_cloud: Cloud) -> Viewer:
    for phase in ("phase1", "phase2", "phase3", "phase4", "phase7"):
        play(whole_cloud, phase)
    viewer = Viewer(whole_cloud, delivery(whole_cloud)["domain_name"])
    viewer.once_there("/library")
    return viewer


def delivery(cloud: Cloud) -> dict[str, Any]:
    """What `platform_info` tells of CloudFront and the load balancer."""
    wanted = {"name_prefix": PREFIX, "tags": TAGS, "requires": ["content_delivery", "load_balancer"]}
    told = run_module(cloud, "platform_info", wanted)
    return {**told["content_delivery"], "balancer": told["load_balancer"]["dns_name"]}


def secret(cloud: Cloud, name: str) -> Any:
    told = cloud.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    return json.loads(told) if told.startswith("{") else told


def start_tasks_anew(cloud: Cloud) -> None:
    """The page's command for the live slot, and its way of finding that."""
    shown = json.dumps([result for _name, result in play(cloud, "release_status").tasks])
    assert "blue" in shown
    ecs, service = cloud.client("ecs"), f"{PREFIX}-app-blue"
    ecs.update_service(cluster=PREFIX, service=service, forceNewDeployment=True)
    deadline = time.monotonic() + 120
    while len(ecs.describe_services(cluster=PREFIX, services=[service])["services"][0]["deployments"]) > 1:
        assert time.monotonic() < deadline
        time.sleep(0.5)


def serves(site: Viewer) -> None:
    health = json.loads(site.once_there("/api/health").body)
    assert health["checks"] == {"postgresql": "ok", "redis": "ok"}


def logs_in(cloud: Cloud, user: str, password: str) -> bool:
    found = cloud.client("rds").describe_db_clusters(DBClusterIdentifier=PREFIX)["DBClusters"][0]
    where = {"host": found["Endpoint"], "port": found["Port"], "dbname": "stories_db", "sslmode": "require"}
    try:
        psycopg.connect(user=user, password=password, connect_timeout=5, **where).close()
    except psycopg.OperationalError:
        return False
    return True


def test_the_application_s_password_is_changed_in_one_run(whole_cloud: Cloud, site: Viewer) -> None:
    leaked = secret(whole_cloud, f"{PREFIX}-app-user")
    assert logs_in(whole_cloud, leaked["username"], leaked["password"])
    play(whole_cloud, "phase2", app_secrets_rotate=["app-user"])
    start_tasks_anew(whole_cloud)
    assert not logs_in(whole_cloud, leaked["username"], leaked["password"])
    serves(site)


def test_the_master_password_is_changed_by_rds(whole_cloud: Cloud, site: Viewer) -> None:
    rds = whole_cloud.client("rds")
    arn = rds.describe_db_clusters()["DBClusters"][0]["MasterUserSecret"]["SecretArn"]
    leaked = secret(whole_cloud, arn)
    rds.modify_db_cluster(DBClusterIdentifier=PREFIX, RotateMasterUserPassword=True, ApplyImmediately=True)
    deadline = time.monotonic() + 30
    while logs_in(whole_cloud, "stories_admin", leaked["password"]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert sql(whole_cloud, "SELECT 1") == 1
    assert play(whole_cloud, "phase2").changed == 0
    serves(site)


def test_the_token_of_redis_is_changed_and_the_old_one_ended(whole_cloud: Cloud, site: Viewer) -> None:
    leaked = secret(whole_cloud, f"{PREFIX}-redis-auth-token")
    play(whole_cloud, "phase2", app_secrets_rotate=["redis-auth-token"])
    assert secret(whole_cloud, f"{PREFIX}-redis-auth-token") != leaked
    start_tasks_anew(whole_cloud)
    serves(site)
    play(whole_cloud, "phase2", elasticache_auth_token_update_strategy="set")
    serves(site)
    assert play(whole_cloud, "phase2", elasticache_auth_token_update_strategy="set").changed == 0


def test_the_secret_of_sessions_is_another_afterwards(whole_cloud: Cloud, site: Viewer) -> None:
    leaked = secret(whole_cloud, f"{PREFIX}-nextauth")
    play(whole_cloud, "phase2", app_secrets_rotate=["nextauth"])
    assert secret(whole_cloud, f"{PREFIX}-nextauth") != leaked


def test_urls_are_signed_with_another_key_and_those_signed_before_end_with_their_time(
    whole_cloud: Cloud, site: Viewer
) -> None:
    account = whole_cloud.client("sts").get_caller_identity()["Account"]
    media = {"Bucket": f"{PREFIX}-media-{account}", "Key": "content/books/well.pdf"}
    whole_cloud.client("s3").put_object(**media, Body=b"%PDF-1.4")

    def signed() -> tuple[str, str]:
        parts = delivery(whole_cloud)
        url = f"https://{parts['domain_name']}/content/books/well.pdf"
        wanted = {"url": url, "secret_id": parts["signing_key_secret_arn"], "key_pair_id": parts["key_pair_id"]}
        return parts["key_pair_id"], run_module(whole_cloud, "cloudfront_signed_url", wanted)["signed_url"]

    before, old = signed()
    play(whole_cloud, "phase4", cloudfront_waf_rotate_signing_key=True)
    after, new = signed()
    assert before != after
    assert [site.ask(url).status for url in (old, new)] == [200, 200]


def test_the_header_that_opens_the_load_balancer_is_made_anew(whole_cloud: Cloud, site: Viewer) -> None:
    leaked = secret(whole_cloud, f"{PREFIX}-origin-header-value")
    past = Viewer(whole_cloud, delivery(whole_cloud)["balancer"])
    assert past.ask("/library", X_Origin_Verify=leaked).status == 200
    whole_cloud.client("secretsmanager").delete_secret(
        SecretId=f"{PREFIX}-origin-header-value", ForceDeleteWithoutRecovery=True
    )
    play(whole_cloud, "phase4")
    site.once_there("/library")
    deadline = time.monotonic() + 30
    while past.ask("/library", X_Origin_Verify=leaked).status != 403:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert play(whole_cloud, "phase4").changed == 0


def test_a_lost_zone_costs_a_failover_and_each_other_zone_gets_its_gateway(whole_cloud: Cloud, site: Viewer) -> None:
    rds = whole_cloud.client("rds")

    def writer() -> str:
        members = rds.describe_db_clusters(DBClusterIdentifier=PREFIX)["DBClusters"][0]["DBClusterMembers"]
        return str(next(one["DBInstanceIdentifier"] for one in members if one["IsClusterWriter"]))

    before = writer()
    rds.failover_db_cluster(DBClusterIdentifier=PREFIX)
    assert writer() != before
    play(whole_cloud, "visit")
    assert play(whole_cloud, "phase1", networking_nat_gateways="per_zone").changed > 0
    alive = [{"Name": "state", "Values": ["available"]}]
    assert len(whole_cloud.client("ec2").describe_nat_gateways(Filter=alive)["NatGateways"]) == 3
    assert play(whole_cloud, "phase1", networking_nat_gateways="per_zone").changed == 0

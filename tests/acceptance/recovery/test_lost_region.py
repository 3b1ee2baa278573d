"""docs/runbooks/lost-region.md walked from its first step to its last: rows, pictures and the site's names move.

The platform lies in a region that answers no call any more; it is brought up in another with the inventory
`recovery` and the playbooks and calls of the page, in its order. The tests build on each other.
"""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.ansible import PlayResult, run_module, run_playbook
from tests.support.aurora import sql
from tests.support.cloud import ROOT, Cloud
from tests.support.media import photograph
from tests.support.viewer import Viewer

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

LOST, REGION = "eu-west-1", "us-west-2"  # the second is that of the inventory `recovery`
BEFORE, PREFIX = "stories-local", "stories-recovery"
SITE = "stories.test"
PICTURE = "/content/images/well/640.webp"
HERE = {
    "platform_region": LOST,
    "platform_availability_zones": [f"{LOST}{zone}" for zone in "abc"],
    "platform_dr_region": REGION,
}


@dataclass(frozen=True)
class Lost:
    """What is known of the platform that is gone. fault: gives its region back. snapshot: the copy that was found."""

    distribution: dict[str, Any]
    snapshot: str


def play(cloud: Cloud, playbook: str, inventory: Path, **variables: Any) -> PlayResult:
    result = run_playbook(cloud, f"playbooks/{playbook}.yml", variables=variables, inventory=str(inventory))
    assert result.returncode == 0, result.errors or result.output[-3000:]
    return result


def delivery(cloud: Cloud, prefix: str, environment: str, region: str) -> dict[str, Any]:
    """What `platform_info` tells of CloudFront."""
    tags = {"Project": "1001-stories", "Environment": environment}
    wanted = {"region": region, "name_prefix": prefix, "tags": tags, "requires": ["content_delivery"]}
    told = run_module(cloud, "platform_info", wanted)
    return {**told["content_delivery"], "account_id": told["account_id"]}


def signed(cloud: Cloud, parts: dict[str, Any], region: str) -> str:
    wanted = {
        "region": region,
        "url": f"https://{parts['domain_name']}{PICTURE}",
        "secret_id": parts["signing_key_secret_arn"],
        "key_pair_id": parts["key_pair_id"],
    }
    return str(run_module(cloud, "cloudfront_signed_url", wanted)["signed_url"])


def until(done: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := done()):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    return found


@pytest.fixture(scope="module")
def inventories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those of the checkout, but what `recovery` takes from production it takes from `local`."""
    folder = tmp_path_factory.mktemp("checkout") / "inventories"
    shutil.copytree(ROOT / "inventories", folder, symlinks=True)
    lean = folder / "local/group_vars/all/00-profile.yml"
    lean.unlink()
    lean.symlink_to("../../../profiles/lean.yml")
    with (folder / "local/group_vars/all/platform.yml").open("a", encoding="utf-8") as local:
        # As production has it.
        local.write("load_balancer_alternative_domain_names: []\n")
        local.write('cloudfront_waf_alternative_domain_names: "{{ load_balancer_alternative_domain_names }}"\n')
    described = folder / "recovery/group_vars/all"
    (described / "10-production.yml").unlink()
    (described / "10-production.yml").symlink_to("../../../local/group_vars/all/platform.yml")
    own = described / "platform.yml"
    text = own.read_text(encoding="utf-8").replace("1001stories.seedsofempowerment.org", SITE)
    own.write_text(text.replace("www.1001stories.org", f"www.{SITE}"), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def lost(whole_cloud: Cloud, inventories: Path) -> Lost:
    """A platform that served, was backed up at night, and whose region is then gone."""
    for phase in ("phase1", "phase2", "phase3", "phase4", "phase6"):
        play(whole_cloud, phase, inventories / "local", **HERE)
    parts = delivery(whole_cloud, BEFORE, "local", LOST)
    site = Viewer(whole_cloud, parts["domain_name"])
    site.once_there("/library")
    picture = photograph(1000, 500)
    stored = site.ask("/api/upload/images/well.jpg", method="PUT", body=picture, Content_Type="image/jpeg")
    assert stored.status == 201, stored.body
    site.once_there(signed(whole_cloud, parts, LOST))
    statement = "CREATE TABLE letters AS SELECT n AS id, md5(n::text) AS body FROM generate_series(1, 5000) n"
    sql(whole_cloud, statement, BEFORE, LOST)
    snapshot = nightly_backup(whole_cloud)

    ecs = whole_cloud.client("ecs", LOST)
    for slot in ("blue", "green"):
        ecs.update_service(cluster=BEFORE, service=f"{BEFORE}-app-{slot}", desiredCount=0)
    whole_cloud.admin("POST", "/faults", {"kind": "error", "service": "*", "region": LOST, "status": 503})
    until(lambda: site.ask("/library").status >= 500)
    return Lost(parts, snapshot)


def nightly_backup(cloud: Cloud) -> str:
    """What the plan does at 04:00: a backup and its copy. Returns the copy's ARN."""
    backup, account = cloud.client("backup", LOST), "123456789012"
    cluster = cloud.client("rds", LOST).describe_db_clusters(DBClusterIdentifier=BEFORE)["DBClusters"][0]
    role = f"arn:aws:iam::{account}:role/{BEFORE}-backup"
    job = backup.start_backup_job(BackupVaultName=BEFORE, ResourceArn=cluster["DBClusterArn"], IamRoleArn=role)
    copy = backup.start_copy_job(
        RecoveryPointArn=job["RecoveryPointArn"],
        SourceBackupVaultName=BEFORE,
        DestinationBackupVaultArn=f"arn:aws:backup:{REGION}:{account}:backup-vault:{BEFORE}-dr",
        IamRoleArn=role,
    )
    told = backup.describe_copy_job(CopyJobId=copy["CopyJobId"])["CopyJob"]
    return str(told["DestinationRecoveryPointArn"])


@pytest.fixture(scope="module")
def recovered(whole_cloud: Cloud, inventories: Path, lost: Lost) -> dict[str, Any]:
    """Steps 1 to 6 of the page; what `platform_info` tells of the new CloudFront."""
    backup = whole_cloud.client("backup", REGION)
    points = backup.list_recovery_points_by_backup_vault(BackupVaultName=f"{BEFORE}-dr", ByResourceType="Aurora")[
        "RecoveryPoints"
    ]
    newest = max(points, key=lambda point: point["CreationDate"])["RecoveryPointArn"]
    assert newest == lost.snapshot
    described = inventories / "recovery/group_vars/all/platform.yml"
    text = described.read_text(encoding="utf-8")
    described.write_text(text.replace('rds_aurora_snapshot: ""', f"rds_aurora_snapshot: {newest}"), encoding="utf-8")

    inventory = inventories / "recovery"
    play(whole_cloud, "phase1", inventory)
    play(whole_cloud, "phase2", inventory)
    play(whole_cloud, "image_repository", inventory)
    pushed = {"repository": f"{PREFIX}-app", "tag": "initial", "region": REGION}
    whole_cloud.admin("POST", "/data-plane/images", pushed)
    play(whole_cloud, "phase3", inventory)
    play(whole_cloud, "phase4", inventory)
    parts = delivery(whole_cloud, PREFIX, "recovery", REGION)
    sync(whole_cloud, f"{BEFORE}-dr-media-{parts['account_id']}", f"{PREFIX}-media-{parts['account_id']}")
    return parts


def sync(cloud: Cloud, source: str, target: str) -> None:
    """`aws s3 sync`."""
    s3 = cloud.client("s3", REGION)
    for item in s3.list_objects_v2(Bucket=source)["Contents"]:
        s3.copy({"Bucket": source, "Key": item["Key"]}, target, item["Key"])


def test_every_row_of_the_newest_copy_is_back_and_the_application_reads_it(
    whole_cloud: Cloud, recovered: dict[str, Any]
) -> None:
    assert sql(whole_cloud, "SELECT count(*) FROM letters", PREFIX, REGION) == 5000
    checked = "SELECT count(*) FROM letters WHERE body = md5(id::text)"
    assert sql(whole_cloud, checked, PREFIX, REGION) == 5000
    site = Viewer(whole_cloud, recovered["domain_name"])
    health = site.once_there("/api/health")
    assert b'"postgresql": "ok"' in health.body.replace(b'":"', b'": "')


def test_a_picture_of_the_lost_platform_is_served_by_a_url_signed_with_the_new_key(
    whole_cloud: Cloud, recovered: dict[str, Any]
) -> None:
    site = Viewer(whole_cloud, recovered["domain_name"])
    answer = site.once_there(signed(whole_cloud, recovered, REGION))
    with Image.open(io.BytesIO(answer.body)) as image:
        assert (image.format, image.size) == ("WEBP", (640, 320))
    assert site.ask(PICTURE).status == 403


def test_a_person_looks_at_it_before_readers_do(whole_cloud: Cloud, inventories: Path, recovered: Any) -> None:
    assert recovered["aliases"] == [f"recovery.{SITE}"]
    play(whole_cloud, "visit", inventories / "recovery")


def test_the_site_s_names_move_and_the_rest_of_the_roadmap_follows_with_nothing_left_to_do(
    whole_cloud: Cloud, inventories: Path, lost: Lost, recovered: dict[str, Any]
) -> None:
    described = inventories / "recovery/group_vars/all/platform.yml"
    text = described.read_text(encoding="utf-8")
    line = 'cloudfront_waf_aliases: ["{{ cloudfront_waf_domain_name }}"]\n'
    assert line in text
    described.write_text(text.replace(line, ""), encoding="utf-8")
    early = run_playbook(whole_cloud, "playbooks/phase4.yml", inventory=str(inventories / "recovery"))
    assert "associate-alias" in early.errors[0]

    front = whole_cloud.client("cloudfront")
    for name in (SITE, f"www.{SITE}"):
        front.associate_alias(TargetDistributionId=recovered["distribution_id"], Alias=name)
    play(whole_cloud, "site", inventories / "recovery")
    assert play(whole_cloud, "site", inventories / "recovery").changed == 0
    now = delivery(whole_cloud, PREFIX, "recovery", REGION)
    assert sorted(now["aliases"]) == [f"recovery.{SITE}", SITE, f"www.{SITE}"]

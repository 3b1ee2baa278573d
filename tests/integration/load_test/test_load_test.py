"""The load test for real: k6 visits a site of this process, or runs as a task of the embedded cloud."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.ansible import run_module, run_playbook
from tests.support.cloud import ROOT, Cloud, free_port, running

KPIS = yaml.safe_load((ROOT / "inventories/profiles/kpis.yml").read_text())["platform_kpis"]
SCRIPT = (ROOT / "roles/load_test/files/users.js").read_text()


class Site:
    """Counts visits; `/broken` fails under load, `/missing` always, and `/api/…` is an API."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.paths: list[str] = []


@contextmanager
def site() -> Iterator[Site]:
    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.paths.append(self.path)
            # `/broken` answers the one who looks first, and breaks under load.
            breaks = self.path == "/missing" or (self.path == "/broken" and seen.paths.count("/broken") > 1)
            self.send_response(500 if breaks else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", free_port()), Answer)
    seen = Site(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()


def wish(address: str, folder: Path, *, broken: bool = False, **changes: Any) -> dict[str, Any]:
    page = {"name": "page", "paths": ["/broken" if broken else "/"]}
    return {
        "platform": "stories-test",
        "base_url": address,
        "kpis": KPIS,
        "users": 4,
        "steps": [100],
        "ramp_seconds": 0.5,
        "hold_seconds": 2,
        "think_seconds": [0.05, 0.1],
        "check_path": "/",
        "script": SCRIPT,
        "scenarios": [
            {"name": "readers", "share": 75, "steps": [page]},
            {"name": "programs", "share": 25, "steps": [{"name": "api", "kind": "api", "paths": ["/api/books"]}]},
        ],
        "results_path": str(folder / "load_test" / "one.json"),
        **changes,
    }


def test_the_check_plans_and_visits_nothing(cloud: Cloud, tmp_path: Path) -> None:
    with site() as seen:
        planned = run_module(cloud, "load_test", wish(seen.address, tmp_path), check=True)
    assert (planned["users"], planned["seconds"], planned["changed"]) == (4, 3.0, False)
    assert seen.paths == []
    assert list(tmp_path.iterdir()) == []


def test_users_of_each_kind_visit_and_the_figures_are_kept(cloud: Cloud, tmp_path: Path) -> None:
    with site() as seen:
        told = run_module(cloud, "load_test", wish(seen.address, tmp_path))
    assert told["passed"] is True
    assert told["users"] == 4
    assert set(told["p95_ms"]) == {"page", "api"}
    assert (
        told["requests"] == len(seen.paths) - 3
    )  # visits before the test, to see that the site and its paths are there
    kept = json.loads(Path(told["results_path"]).read_text())
    assert kept["requests"] == told["requests"]


def test_a_site_that_fails_under_load_does_not_pass(cloud: Cloud, tmp_path: Path) -> None:
    with site() as seen:
        told = run_module(cloud, "load_test", wish(seen.address, tmp_path, broken=True))
    assert told["passed"] is False
    assert told["error_percent"] > 50
    assert not told.get("failed")  # the verdict is the gate's business


MISSING = [{"name": "readers", "share": 100, "steps": [{"name": "page", "paths": ["/missing"]}]}]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"k6": "no-such-k6"}, "Looked for the program no-such-k6"),
        ({"base_url": "http://127.0.0.1:9"}, "got no answer"),
        ({"kpis": {}}, "found no page_p95_ms"),
        ({"scenarios": MISSING}, "did not answer as they should: /missing (500). Nothing was tested."),
    ],
)
def test_bad_input_is_one_clear_error(cloud: Cloud, tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    with site() as seen:
        told = run_module(cloud, "load_test", {**wish(seen.address, tmp_path), **changes})
    assert told["failed"]
    assert sentence in told["msg"]
    assert told["msg"].count("\n") == 0


@pytest.mark.long
def test_a_fargate_task_makes_the_load_and_its_figures_come_back(tmp_path: Path) -> None:
    with running(tmp_path / "cloud", data_plane=True) as cloud, site() as seen:
        cloud.client("s3").create_bucket(Bucket="figures")
        cloud.client("ecs").create_cluster(clusterName="stories-test")
        ec2 = cloud.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(VpcId=vpc, GroupName="g", Description="g")["GroupId"]
        play = tmp_path / "play.yml"
        scenarios = wish(seen.address, tmp_path)["scenarios"]
        role = {
            "load_test_name_prefix": "stories-test",
            "load_test_tags": {"Project": "p", "Environment": "test"},
            "load_test_kpis": KPIS,
            "load_test_base_url": seen.address,
            "load_test_runner": "fargate",
            "load_test_users": 4,
            "load_test_scale_percent": 100,
            "load_test_steps": [100],
            "load_test_ramp_seconds": 0.5,
            "load_test_hold_seconds": 12,  # long enough for the log to tell twice
            "load_test_think_seconds": [0.05, 0.1],
            "load_test_scenarios": scenarios,
            "load_test_subnet_ids": [subnet],
            "load_test_security_group_ids": [group],
            "load_test_execution_role_arn": "arn:aws:iam::123456789012:role/x",
            "load_test_bucket": "figures",
            "load_test_region": "us-east-1",
            "load_test_results_folder": str(tmp_path),
        }
        tasks = {"ansible.builtin.import_role": {"name": "stories1001.platform.load_test"}, "vars": role}
        play.write_text(
            yaml.safe_dump(
                [
                    {
                        "hosts": "platform",
                        "gather_facts": False,
                        "vars_files": [str(ROOT / "playbooks/vars/platform.yml")],
                        "module_defaults": {"group/stories1001.platform.aws": "{{ platform_aws }}"},
                        "tasks": [tasks],
                    }
                ]
            )
        )
        made = run_playbook(cloud, str(play))
        assert made.returncode == 0, made.errors
        told = next(result for name, result in made.tasks if name.endswith("Visit the site as many users"))
        assert told["runner"] == "fargate"
        assert told["passed"] is True
        assert told["requests"] == len(seen.paths)
        # While it ran, out of the task's log.
        assert max(sample["users"] for sample in told["samples"]) == 4
        assert told["samples"][-1]["requests"] > 0
        assert run_playbook(cloud, str(play), "--check").changed == 0

"""playbooks/awx.yml: its data against this repository, and, in the long run, against a fake of AWX's API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.pipeline import fake_awx

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
DATA: dict[str, Any] = yaml.safe_load((ROOT / "playbooks" / "vars" / "awx.yml").read_text())
# A playbook that another part of the platform brings; without its file its template is left out.
_MAY_BE_MISSING = {"capacity"}


def play(*options: str, **variables: Any) -> dict[str, Any]:
    """Stats of the one host."""
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "PATH": f"{BIN}:{os.environ['PATH']}"}
    environment["ANSIBLE_STDOUT_CALLBACK"] = "ansible.posix.json"
    command = ["ansible-playbook", "-i", "localhost,", "playbooks/awx.yml", "-e", json.dumps(variables), *options]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    told = json.JSONDecoder().raw_decode(done.stdout[done.stdout.find("{\n") :])[0]
    stats: dict[str, Any] = told["stats"]["localhost"]
    return stats


def test_each_template_has_a_playbook_that_awx_offers() -> None:
    for template in DATA["awx_templates"]:
        file = ROOT / "playbooks" / f"{template['playbook']}.yml"
        if template["playbook"] in _MAY_BE_MISSING and not file.exists():
            continue
        lines = file.read_text().splitlines()
        offered = [
            line for line in lines if line.lstrip(" -").startswith(("hosts:", "ansible.builtin.import_playbook:"))
        ]
        assert offered, file.name


def test_each_question_of_a_survey_is_known_and_its_answer_is_a_variable_of_the_playbook() -> None:
    known = set(yaml.safe_load((ROOT / "roles" / "release" / "defaults" / "main.yml").read_text()))
    known |= {"restore_to_time", "restore_snapshot", "restore_switch", "data_migration_state"}
    known |= {"teardown_platform", "teardown_remove_protection", "teardown_delete_data"}
    for one in [*DATA["awx_templates"], *DATA["awx_workflows"]]:
        for name in one.get("survey", []):
            question = DATA["awx_questions"][name]
            assert question.get("variable", name) in known
            assert question["type"] in ("text", "multiplechoice")


def test_each_step_of_a_workflow_is_a_template_or_an_approval_between_two() -> None:
    names = {one["name"] for one in DATA["awx_templates"]}
    for workflow in DATA["awx_workflows"]:
        assert set(workflow["steps"]) - {"approve"} <= names
        assert workflow["steps"][0] != "approve"
        assert workflow["steps"][-1] != "approve"


def test_the_playbook_can_be_read() -> None:
    command = [BIN / "ansible-playbook", "--syntax-check", "-i", "localhost,", "playbooks/awx.yml"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0


@pytest.mark.long
def test_everything_is_made_once_and_a_second_run_changes_nothing() -> None:
    with fake_awx.running() as (address, awx):
        for name in DATA["awx_aws_credential_names"].values():
            awx.make("credentials", {"name": name, "organization": None})
        first = play(awx_host=address, awx_token="opens-nothing-but-loopback")
        assert first["changed"] > 0
        templates = {one["name"]: one for one in awx.all("job_templates")}
        assert templates["production site drift"]["job_type"] == "check"
        assert templates["staging phase3"]["playbook"] == "playbooks/phase3.yml"
        survey = awx.surveys[templates["production teardown"]["id"]]["spec"]
        assert [one["variable"] for one in survey] == [
            "teardown_platform",
            "teardown_remove_protection",
            "teardown_delete_data",
        ]
        assert chain(awx, "production release") == ["build", "approve", "deploy"]
        written = len(awx.writes)
        assert play(awx_host=address, awx_token="opens-nothing-but-loopback")["changed"] == 0
        assert awx.writes[written:] == []


def chain(awx: fake_awx.Awx, name: str) -> list[str]:
    """Identifiers of a workflow's nodes, along their links."""
    (workflow,) = awx.find("workflow_job_templates", {"name": name})
    nodes = {
        one["id"]: one
        for one in awx.all("workflow_job_template_nodes")
        if one["workflow_job_template"] == workflow["id"]
    }
    after = {number: awx.lists.get((number, "success_nodes"), []) for number in nodes}
    (current,) = set(nodes) - {one for links in after.values() for one in links}
    order = [nodes[current]["identifier"]]
    while after[current]:
        (current,) = after[current]
        order.append(nodes[current]["identifier"])
    return order

"""What a run shows and leaves: few lines, failures in full, a page, and Ansible's own output one setting away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.cloud import ROOT

PLAY = """
- name: "Phase 1: a trial"
  hosts: platform
  gather_facts: false
  vars_files: [{root}/playbooks/vars/platform.yml]
  tasks:
    - name: Change something
      ansible.builtin.copy: {{content: "{content}", dest: "{folder}/made"}}
    - name: Skip something
      ansible.builtin.command: /bin/true
      when: false
    - name: Tell something
      ansible.builtin.debug: {{msg: [a word to the reader, another]}}
    - name: Tell one by one
      ansible.builtin.debug: {{msg: "told {{{{ item }}}}"}}
      loop: [once, twice]
    - name: Use a secret
      ansible.builtin.command: "echo {secret}"
      changed_when: false
      no_log: true
    - name: Break something
      ansible.builtin.fail: {{msg: it broke on purpose}}
      when: {broken}
"""
GUARD = """
- name: A trial of the budget guard
  hosts: platform
  gather_facts: false
  vars_files: [{root}/playbooks/vars/platform.yml]
  tasks:
    - name: Stop before the first write
      stories1001.platform.platform_cost: {{enforce: true}}
"""
SLOW = """
- name: "Phase 1: a trial"
  hosts: platform
  gather_facts: false
  vars_files: [{root}/playbooks/vars/platform.yml]
  tasks:
    - name: Begin
      ansible.builtin.copy: {{content: x, dest: "{folder}/begun"}}
    - name: Take long
      ansible.builtin.command: sleep 30
"""
SECRET = "correct-horse-battery"


def run(folder: Path, *options: str, broken: bool = False, **environment: str) -> subprocess.CompletedProcess[str]:
    play = folder / "trial.yml"
    play.write_text(PLAY.format(root=ROOT, folder=folder, content="x", secret=SECRET, broken=str(broken).lower()))
    variables = json.dumps({"platform_reports_folder": str(folder / "reports")})
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", ROOT / "inventories/local", play]
    whole = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "STORIES1001_"))}
    return subprocess.run(
        [*command, "-e", variables, *options],
        cwd=folder,
        env={**whole, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def record(folder: Path) -> dict[str, Any]:
    (file,) = (folder / "reports" / "stories-local" / "runs").glob("*.json")
    told: dict[str, Any] = json.loads(file.read_text())
    return told


def test_a_run_shows_few_lines_and_leaves_a_page(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (
        "── Phase 1: a trial",
        "~ Change something",
        "   a word to the reader",
        "   told twice",
        "changed=1",
        "failed=0",
    ):
        assert words in done.stdout, words
    assert "Skip something" not in done.stdout
    assert len(done.stdout.splitlines()) < 16
    page = tmp_path / "reports" / "stories-local" / "report.html"
    assert f"Report: {page.relative_to(tmp_path)}" in done.stderr
    assert "1 change" in page.read_text()
    assert (record(tmp_path)["changed"], record(tmp_path)["failed"], record(tmp_path)["check"]) == (1, 0, False)
    assert SECRET not in done.stdout + page.read_text() + json.dumps(record(tmp_path))


def test_a_failure_is_shown_in_full_and_once_more_at_the_end(tmp_path: Path) -> None:
    done = run(tmp_path, broken=True)
    assert done.returncode == 2
    output = done.stdout + done.stderr
    assert output.count("it broke on purpose") >= 2
    assert "FAILED: Break something" in done.stdout.splitlines()[-3]
    assert "failed=1" in done.stdout
    assert "as told above" in output  # its own words are not drowned in a dump of what the module returned
    assert "it broke on purpose" in (tmp_path / "reports/stories-local/report.html").read_text()


@pytest.mark.parametrize("how", [("-v", {}), (None, {"ANSIBLE_STDOUT_CALLBACK": "default"})], ids=["-v", "default"])
def test_plain_output_is_one_setting_away(tmp_path: Path, how: tuple[str | None, dict[str, str]]) -> None:
    option, environment = how
    done = run(tmp_path, *([option] if option else []), **environment)
    assert "PLAY RECAP" in done.stdout
    assert "TASK [Skip something]" in done.stdout


def test_a_json_reader_is_not_disturbed_by_the_report(tmp_path: Path) -> None:
    done = run(tmp_path, ANSIBLE_STDOUT_CALLBACK="ansible.posix.json")
    told = json.loads(done.stdout)
    assert told["stats"]["platform"]["changed"] == 1
    assert (tmp_path / "reports/stories-local/report.html").exists()


def test_a_check_is_recorded_as_one_and_reports_can_be_turned_off(tmp_path: Path) -> None:
    run(tmp_path, "--check", STORIES1001_REPORT="false")
    assert not (tmp_path / "reports").exists()
    run(tmp_path, "--check")
    assert record(tmp_path)["check"] is True


def test_a_folder_that_cannot_be_written_is_a_warning_and_no_failure(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file is in the way")
    done = run(tmp_path)
    assert done.returncode == 0
    assert "Tried to write the report" in " ".join((done.stdout + done.stderr).split())


def test_a_refusal_is_a_sentence_and_not_a_dump_of_figures(tmp_path: Path) -> None:
    play = tmp_path / "guard.yml"
    play.write_text(GUARD.format(root=ROOT))
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", ROOT / "inventories/local", play]
    done = subprocess.run(
        [*command, "-e", "platform_accept_cost_usd=3"],
        cwd=tmp_path,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "STORIES1001_REPORT": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 2
    assert "against platform_monthly_budget_usd 500 and platform_accept_cost_usd 3. Nothing was written." in output
    assert "nat_gateway" not in output
    assert len(output) < 3000


def test_a_run_that_is_broken_off_leaves_its_page_too(tmp_path: Path) -> None:
    play = tmp_path / "slow.yml"
    play.write_text(SLOW.format(root=ROOT, folder=tmp_path))
    variables = json.dumps({"platform_reports_folder": str(tmp_path / "reports")})
    command = [
        Path(sys.executable).parent / "ansible-playbook",
        "-i",
        ROOT / "inventories/local",
        play,
        "-e",
        variables,
    ]
    whole = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "STORIES1001_"))}
    process = subprocess.Popen(
        command, cwd=tmp_path, env={**whole, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)  # the task's end comes after its file
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    told = record(tmp_path)
    assert (told["interrupted"], told["changed"]) == (True, 1)
    assert "<b>Broken off</b>" in (tmp_path / "reports/stories-local/report.html").read_text()

"""Tasks that ansible-playbook does itself: told, failed, skipped and included as by a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.ansible import _parsed as parsed
from tests.support.ansible import callback_environment

# ignore_errors: the failures themselves are what is compared.
PLAYBOOK = """
- hosts: all
  gather_facts: false
  vars: {greeting: "hello {{ inventory_hostname }}", wanted: "{{ inventory_hostname == 'one' }}"}
  tasks:
    - name: A message of each host
      ansible.builtin.debug: {msg: "{{ greeting }}"}
      register: told
    - name: A variable
      ansible.builtin.debug: {var: told.msg}
    - name: One host is skipped
      ansible.builtin.debug: {msg: mine}
      when: wanted
    - name: An include with variables
      ansible.builtin.include_tasks: part.yml
      vars: {number: "{{ inventory_hostname | length }}"}
      when: wanted
    - name: A loop
      ansible.builtin.debug: {msg: "{{ item }}"}
      loop: [1, 2]
    - name: An assertion that holds
      ansible.builtin.assert: {that: [number is not defined, greeting is match('hello')], quiet: true}
    - name: A word that nobody knows
      ansible.builtin.debug: {msg: "{{ nobody_knows }}"}
      ignore_errors: true
    - name: A condition that cannot be told
      ansible.builtin.include_tasks: part.yml
      when: nobody_knows | length > 1
      ignore_errors: true
    - name: A secret
      ansible.builtin.debug: {msg: "{{ greeting }}"}
      no_log: true
    - name: What fails by its own words
      ansible.builtin.debug: {msg: odd}
      failed_when: wanted
      ignore_errors: true
    - name: An assertion that does not hold
      ansible.builtin.assert: {that: not wanted, fail_msg: "{{ greeting }} is not wanted"}
    - name: Only the other host is left
      ansible.builtin.debug: {msg: "{{ ansible_play_hosts | join(' ') }}"}
"""
PART = """
- name: A part of {{ number }}
  ansible.builtin.debug: {msg: "{{ number }} of {{ greeting }}"}
- name: A part that takes a process
  ansible.builtin.command: {argv: [echo, "{{ number }}"]}
  changed_when: false
"""


def run(folder: Path, warm: bool) -> tuple[int, dict[str, Any]]:
    """Exit status and JSON of the play on two hosts. warm: whether the callback is at work."""
    (folder / "play.yml").write_text(PLAYBOOK)
    (folder / "part.yml").write_text(PART)
    variables = {"ansible_python_interpreter": sys.executable, "ansible_connection": "local"}
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "-i",
            "one,two",
            "-e",
            json.dumps(variables),
            "play.yml",
        ],
        cwd=folder,
        env={**callback_environment(), "PLATFORM_WARM_WORKER": str(warm)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    parsed(done)  # or say what was printed instead
    told, _end = json.JSONDecoder().raw_decode(done.stdout[done.stdout.find("{\n") :])
    return done.returncode, told


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[int, dict[str, Any]], tuple[int, dict[str, Any]]]:
    return run(tmp_path_factory.mktemp("inline"), True), run(tmp_path_factory.mktemp("forked"), False)


def test_every_result_of_every_host_is_the_same(both: Any) -> None:
    def results(told: dict[str, Any]) -> list[Any]:
        ignored = {"start", "end", "delta"}
        return [
            (task["task"]["name"], host, {key: value for key, value in result.items() if key not in ignored})
            for play in told["plays"]
            for task in play["tasks"]
            for host, result in sorted(task["hosts"].items())
        ]

    (status, inline), (its_status, forked) = both
    assert results(inline) == results(forked)
    assert (status, inline["stats"]) == (its_status, forked["stats"])
    assert status == 2


def test_no_process_is_begun_for_them_and_nothing_of_one_host_is_left_for_the_other(both: Any) -> None:
    (_status, told), _forked = both
    tasks = {task["task"]["name"]: task["hosts"] for play in told["plays"] for task in play["tasks"]}
    assert tasks["A message of each host"]["one"]["msg"] == "hello one"
    assert tasks["A message of each host"]["two"]["msg"] == "hello two"
    assert tasks["A part of 3"]["one"]["msg"] == "3 of hello one"
    assert "hello" not in json.dumps(tasks["A secret"])
    assert list(tasks["Only the other host is left"]) == ["two"]

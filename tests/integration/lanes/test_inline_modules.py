"""Modules that ansible-playbook hands to the warm worker itself, told from outside by its processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.ansible import callback_environment
from tests.support.cloud import ROOT

_PLAYBOOK = str(Path(sys.executable).with_name("ansible-playbook"))
SILENT = {"name": "Silent", "stories1001.platform.postgres_connection_check": {"connections": 1}}
FIRST = {"name": "The callback is at work from the second task on", "ansible.builtin.debug": {"msg": "begun"}}
_TIMEOUT = 30


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Listens like a PostgreSQL server that never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(_TIMEOUT)
        yield listening


@pytest.fixture
def begin(tmp_path: Path, server: socket.socket) -> Iterator[Any]:
    """Begin a play whose silent task connects to the server."""
    begun: list[subprocess.Popen[bytes]] = []

    def run(
        *hosts: str,
        lanes: Mapping[str, Any] | None = None,
        tasks: Sequence[Any] = (SILENT,),
        actions: Path = ROOT / "playbooks/action_plugins",
        **variables: Any,
    ) -> Any:
        connection = {
            "host": "127.0.0.1",
            "port": server.getsockname()[1],
            "database": "none",
            "username": "nobody",
            "password": "of-nobody",
            "sslmode": "disable",
            "connect_timeout": 10 * _TIMEOUT,
        }
        variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "platform_lanes": lanes or {},
            **variables,
        }
        play = {
            "hosts": "all",
            "gather_facts": False,
            "strategy": "ansible.builtin.linear",
            "vars": variables,
            "module_defaults": {"stories1001.platform.postgres_connection_check": {"connection": connection}},
            "tasks": [FIRST, *tasks],
        }
        (tmp_path / "play.yml").write_text(json.dumps([play]))
        begun.append(
            subprocess.Popen(
                [_PLAYBOOK, "-i", ",".join(hosts) + ",", "play.yml"],
                cwd=tmp_path,
                env={**callback_environment(), "ANSIBLE_ACTION_PLUGINS": str(actions)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )
        return begun[-1]

    yield run
    for process in begun:
        process.kill()
        process.wait()


def tasks_of(playbook: int) -> list[int]:
    """The processes that ansible-playbook has forked for tasks; they carry its command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == playbook and b"ansible-playbook" in command and b"warm_worker" not in command:
            found.append(int(folder.name))
    return found


def ends(connection: socket.socket) -> bool:
    """Whether the module's side of the connection is closed within the time."""
    connection.settimeout(_TIMEOUT)
    while connection.recv(4096):
        continue
    return True


def test_a_module_on_one_host_takes_no_process_of_ansible_playbook(begin: Any, server: socket.socket) -> None:
    playbook = begin("one")
    with server.accept()[0]:
        assert tasks_of(playbook.pid) == []


def test_a_module_that_does_not_go_to_the_worker_takes_a_process(
    begin: Any, server: socket.socket, tmp_path: Path
) -> None:
    elsewhere = begin("one", actions=tmp_path)  # a playbook of one's own, without our action `normal`
    with server.accept()[0]:
        assert len(tasks_of(elsewhere.pid)) == 1
    switched_off = begin("one", tasks=[{**SILENT, "vars": {"platform_warm_worker": False}}])
    with server.accept()[0]:
        assert len(tasks_of(switched_off.pid)) == 1


def test_modules_of_two_hosts_run_side_by_side_in_processes(begin: Any, server: socket.socket) -> None:
    playbook = begin("one", "two")
    with server.accept()[0], server.accept()[0]:
        assert len(tasks_of(playbook.pid)) == 2


def test_a_module_beside_a_lane_takes_a_process_so_that_the_lane_is_heard(begin: Any, server: socket.socket) -> None:
    lane = {"name": "Lane", "ansible.builtin.command": {"argv": ["sleep", "60"]}}
    playbook = begin("one", lanes={"lane": {"tasks": ["command"]}}, tasks=[lane, SILENT])
    with server.accept()[0]:
        assert len(tasks_of(playbook.pid)) == 2


def test_a_module_in_a_lane_takes_a_process_so_that_the_play_goes_on(begin: Any, server: socket.socket) -> None:
    lane = {"lane": {"tasks": ["postgres_connection_check"]}}
    playbook = begin("one", lanes=lane, tasks=[SILENT, {"ansible.builtin.command": {"argv": ["sleep", "60"]}}])
    with server.accept()[0]:
        deadline = time.monotonic() + _TIMEOUT
        while len(tasks_of(playbook.pid)) < 2:
            assert time.monotonic() < deadline, "the task after the lane's was not begun"
            time.sleep(0.1)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_module_ends_with_an_ansible_playbook_that_is_stopped(
    begin: Any, server: socket.socket, how: signal.Signals
) -> None:
    playbook = begin("one")
    with server.accept()[0] as connection:
        begun = time.monotonic()
        os.kill(playbook.pid, how)
        assert ends(connection)
        assert playbook.wait(_TIMEOUT) != 0
        assert time.monotonic() - begun < _TIMEOUT, "the module went on to its own time limit"

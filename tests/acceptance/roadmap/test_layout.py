"""The collection runs in place, from anywhere, under its full names, and installed from the built artifact."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ansible import playbook_command, playbook_environment, run_playbook
from tests.support.cloud import ROOT, Cloud, running

_GALAXY = Path(sys.executable).parent / "ansible-galaxy"
_PARTS = (
    "collections",
    "galaxy.yml",
    "inventories",
    "meta",
    "playbooks",
    "plugins",
    "roles",
    "ansible.cfg",
    "README.md",
)


@pytest.fixture(scope="module")
def empty_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


def test_a_playbook_runs_from_another_working_directory(empty_cloud: Cloud, tmp_path: Path) -> None:
    result = run_playbook(empty_cloud, "playbooks/phase1.yml", "--check", cwd=tmp_path)
    assert result.returncode == 0, result.errors
    assert result.steps


def test_a_playbook_runs_by_its_full_name(empty_cloud: Cloud) -> None:
    result = run_playbook(empty_cloud, "stories1001.platform.phase1", "--check")
    assert result.returncode == 0, result.errors
    assert result.steps


def test_a_checkout_in_a_folder_of_any_name_runs(empty_cloud: Cloud, tmp_path: Path) -> None:
    copy = tmp_path / "a folder of another name"
    copy.mkdir()
    for part in _PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, copy / part, symlinks=True)
        else:
            shutil.copy(source, copy / part)
    command = playbook_command(empty_cloud, "playbooks/phase1.yml", "--check")
    here = [word.replace(str(ROOT), str(copy)) if "bin/ansible" not in word else word for word in command]
    environment = {**playbook_environment(empty_cloud), "ANSIBLE_CONFIG": str(copy / "ansible.cfg")}
    done = subprocess.run(here, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_the_built_artifact_installs_and_runs(empty_cloud: Cloud, tmp_path: Path) -> None:
    build = [_GALAXY, "collection", "build", "--output-path", tmp_path]
    subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    artifact = next(tmp_path.glob("stories1001-platform-*.tar.gz"))
    # Its dependencies come with the ansible package; the Galaxy server is nothing a test may need.
    install = [
        _GALAXY,
        "collection",
        "install",
        "--no-deps",
        "--offline",
        "--force",
        "-p",
        tmp_path / "installed",
        artifact,
    ]
    subprocess.run(
        install, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "HOME": str(tmp_path)}
    )
    environment = {**playbook_environment(empty_cloud), "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "installed")}
    del environment["ANSIBLE_CONFIG"]
    command = playbook_command(empty_cloud, "stories1001.platform.phase1", "--check")
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

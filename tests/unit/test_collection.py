"""The collection as a whole: what a new module, role or playbook must not forget."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.support.cloud import ROOT

MODULES = sorted(path for path in (ROOT / "plugins" / "modules").glob("*.py"))
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
LINKS = ROOT / "collections" / "ansible_collections" / "stories1001" / "platform"


def named(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_a_module_that_talks_to_aws_is_in_the_action_group(module: Path) -> None:
    group = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]["platform"]
    talks = "amazon.aws.common.modules" in module.read_text()
    assert (module.stem in group) is talks


def test_modules_of_other_collections_that_roles_and_playbooks_run_are_in_the_action_group() -> None:
    group = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]["platform"]
    files = [*(ROOT / "roles").glob("*/tasks/*.yml"), *(ROOT / "playbooks").glob("*.yml")]
    used = {name for file in files for name in re.findall(r"\b(?:amazon|community)\.aws\.\w+(?=:)", file.read_text())}
    assert used == {name for name in group if ".aws." in name}


@pytest.mark.parametrize("role", ROLES, ids=named)
def test_a_role_has_an_interface_a_readme_and_a_scenario(role: Path) -> None:
    options = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text()) or {}
    assert set(defaults) <= set(options)
    assert all(name.startswith(f"{role.name}_") for name in options)
    assert (role / "README.md").exists()
    assert (ROOT / "molecule" / role.name / "converge.yml").exists()


@pytest.mark.parametrize("role", ROLES, ids=named)
def test_a_default_is_told_as_it_is(role: Path) -> None:
    options = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text()) or {}
    told = {name: option["default"] for name, option in options.items() if "default" in option}
    assert told == {name: value for name, value in defaults.items() if name in told}


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=named)
def test_a_playbook_runs_by_its_full_name(playbook: Path) -> None:
    assert (LINKS / "playbooks" / playbook.name).resolve() == playbook.resolve()


def test_nothing_of_a_machine_stands_in_the_code() -> None:
    sources = [path for folder in ("plugins", "roles", "playbooks") for path in (ROOT / folder).rglob("*.*")]
    texts = {path: path.read_text() for path in sources if path.suffix in (".py", ".yml", ".j2", ".md")}
    assert [path for path, text in texts.items() if "/work/" in text or "/root/" in text] == []

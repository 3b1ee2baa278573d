"""Every command of the runbooks exists as it is written: AWS's operations and options, playbooks, variables, pages."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore import xform_name

from tests.support.cloud import ROOT

PAGES = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
# Options of the AWS CLI itself.
_GLOBAL = {"region", "query", "output", "profile"}
# What the CLI adds to S3's API.
_S3 = {"sync": {"exclude"}}
_ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())


def commands(page: Path, program: str) -> Iterator[str]:
    """Commands of a program: in indented blocks, over as many lines as their quotes are open; and inside a sentence."""
    text = page.read_text(encoding="utf-8")
    begun = ""
    for line in re.sub(r" *\\\n\s*", " ", text).splitlines():
        if begun or (line.startswith("    ") and line.strip().startswith(f"{program} ")):
            begun = f"{begun} {line.split('  # ')[0].strip()}".strip()
            if begun.count("'") % 2 == 0:
                yield begun
                begun = ""
    for inside in re.findall(r"`([^`]+)`", re.sub(r"\s+", " ", text)):
        if inside.startswith(f"{program} "):
            yield inside


def every(program: str) -> list[Any]:
    found = [(page, command) for page in PAGES for command in commands(page, program)]
    return [pytest.param(command, id=f"{page.stem}: {command[:60]}") for page, command in found]


def words(command: str) -> list[str]:
    """As a shell sees them, once a person has filled in what stands in angle brackets."""
    return shlex.split(re.sub(r"<[^>]+>", "X", command))


@cache
def model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def options(command: str) -> set[str]:
    return {word.removeprefix("--").partition("=")[0] for word in words(command) if word.startswith("--")}


@pytest.mark.parametrize("command", every("aws"))
def test_a_call_of_the_aws_cli_exists_with_its_options(command: str) -> None:
    _aws, service, operation, *_rest = words(command)
    if service == "s3":
        assert options(command) <= _GLOBAL | _S3[operation]
        return
    api = model("s3" if service == "s3api" else service)
    (name,) = [name for name in api.operation_names if xform_name(name, "-") == operation]
    shape = api.operation_model(name).input_shape
    members = {xform_name(member, "-"): shape.members[member].type_name for member in shape.members}
    flags = {f"no-{member}" for member, sort in members.items() if sort == "boolean"}
    assert options(command) <= members.keys() | flags | _GLOBAL
    if options(command) and "…" not in command:
        needed = {xform_name(member, "-") for member in shape.required_members} - {"client-request-token"}
        assert needed - options(command) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_playbook_that_is_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:playbooks/)?([a-z_0-9]+\.yml)\b", text)) - {"platform.yml"}
    assert named
    assert [name for name in named if not (ROOT / "playbooks" / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_variable_that_is_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = {name for role in _ROLES for name in _options(role)} | set(re.findall(r"platform_[a-z_]+", _inventory()))
    named = {
        name
        for name in re.findall(r"[\s`\"'{(]((?:[a-z]+_)+[a-z]+)(?=[=:`\"'\s,;)])", text)
        if name.startswith(("platform_", *(f"{role}_" for role in _ROLES)))
    }
    assert named - known - set(_ROLES) == set()


@cache
def _options(role: str) -> frozenset[str]:
    entries = yaml.safe_load((ROOT / "roles" / role / "meta/argument_specs.yml").read_text(encoding="utf-8"))
    return frozenset(name for entry in entries["argument_specs"].values() for name in entry.get("options", {}))


def _inventory() -> str:
    return (ROOT / "inventories/production/group_vars/all/platform.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_that_is_linked_exists(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+\.md)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []

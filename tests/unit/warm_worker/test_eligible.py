"""Which tasks go to the warm worker, and which take Ansible's own path."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.release import __version__ as core_version
from ansible_collections.stories1001.platform.plugins.plugin_utils.warm_worker import eligible

MODULES = sorted((Path(__file__).resolve().parents[3] / "plugins" / "modules").glob("*.py"))


def test_the_installed_core_is_verified_and_an_unknown_one_is_named_with_the_known() -> None:
    assert eligible.unsupported(core_version) is None
    reason = eligible.unsupported("99.1.0")
    assert reason
    assert "99.1.0" in reason
    assert core_version in reason


def test_every_module_of_ours_can_go() -> None:
    assert [path.name for path in MODULES if not eligible.ordinary(path.read_bytes())] == []


@pytest.mark.parametrize("source", [b"#!/bin/sh\n", b"#!/usr/bin/python3\n", b"#!/usr/bin/python\nrespawn_module()\n"])
def test_other_interpreters_and_modules_that_start_themselves_again_cannot(source: bytes) -> None:
    assert not eligible.ordinary(source)


@pytest.mark.parametrize(
    ("module", "collection"),
    [
        ("amazon.aws.route53", "amazon.aws"),
        ("stories1001.platform.vpc_network", "stories1001.platform"),
        ("community.general.ini_file", None),
        ("ansible.builtin.ping", None),
    ],
)
def test_modules_of_three_collections_can_go(module: str, collection: str | None) -> None:
    assert eligible.collection_of(module) == collection


@pytest.mark.parametrize("name", ["PYTHONPATH", "LD_PRELOAD", "LC_ALL", "LANG", "TZ", "SSL_CERT_FILE"])
def test_what_only_a_starting_process_reads_needs_a_fresh_one(name: str) -> None:
    assert eligible.needs_a_fresh_process([name])
    assert not eligible.needs_a_fresh_process(["AWS_REGION", "HOME", f"MY_{name}"])


@pytest.mark.parametrize(
    ("variables", "environment", "on"),
    [
        ({}, {}, True),
        ({"platform_warm_worker": False}, {}, False),
        ({"platform_warm_worker": "no"}, {}, False),
        ({"platform_warm_worker": False}, {"PLATFORM_WARM_WORKER": "true"}, True),
        ({}, {"PLATFORM_WARM_WORKER": "0"}, False),
    ],
)
def test_the_switch(variables: dict[str, object], environment: dict[str, str], on: bool) -> None:
    assert eligible.switched_on(variables, environment) is on

"""From source to a scanned image by digest: playbooks/build.yml on the embedded cloud, with a stand-in for docker.

A test machine has no container builder and no scanner: stand_in_builder.py pushes a manifest without layers, and
what a scan finds is what the test says. Everything else is as in production: the tests' commands, the credentials of
the registry, the digest, the gate.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.ansible import PlayResult, run_module, run_playbook
from tests.support.cloud import Cloud

_REPOSITORY = "stories-local-app"
_BUILDER = [sys.executable, str(Path(__file__).with_name("stand_in_builder.py"))]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "page.js").write_text("export default () => 'stories'")
    return tmp_path


def build(cloud: Cloud, source: Path, *options: str, **variables: Any) -> PlayResult:
    told = {
        "release_version": "2.4.0",
        "release_source": str(source),
        "release_test_commands": [["test", "-s", "page.js"]],
        "release_build_commands": [_BUILDER],
        **variables,
    }
    return run_playbook(cloud, "playbooks/build.yml", *options, variables=told)


def repository(cloud: Cloud) -> str:
    made = cloud.client("ecr").create_repository(repositoryName=_REPOSITORY)
    return str(made["repository"]["repositoryUri"])


def images(cloud: Cloud) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.client("ecr").describe_images(repositoryName=_REPOSITORY)["imageDetails"]
    return found


def test_a_version_is_tested_built_scanned_and_named_by_digest_and_a_second_run_builds_nothing(
    cloud: Cloud, source: Path
) -> None:
    uri = repository(cloud)
    planned = build(cloud, source, "--check")
    assert planned.returncode == 0, planned.output
    assert images(cloud) == []
    first = build(cloud, source)
    assert first.returncode == 0, first.output
    (pushed,) = images(cloud)
    (built,) = [result for name, result in first.tasks if name.endswith("refuse what it found")]
    assert built["image"] == f"{uri}@{pushed['imageDigest']}"
    assert build(cloud, source).changed == 0
    # The registry's token is nowhere, and its file is gone.
    token = cloud.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    assert token not in first.output
    assert not list(Path(os.environ.get("TMPDIR", "/tmp")).glob("ansible.*.push"))


def test_an_image_with_critical_findings_is_refused_by_name_unless_they_are_allowed(cloud: Cloud, source: Path) -> None:
    repository(cloud)
    assert build(cloud, source).returncode == 0
    findings = [{"name": "CVE-2026-1", "severity": "CRITICAL", "package": "openssl"}]
    cloud.admin("POST", "/ecr/findings", {"digest": images(cloud)[0]["imageDigest"], "findings": findings})
    wish = {"repository": _REPOSITORY, "reference": "2.4.0"}
    refused = run_module(cloud, "ecr_image_scan", wish)
    assert "1 findings of severity CRITICAL, allowed are 0: CVE-2026-1 in openssl" in refused["msg"]
    allowed = run_module(cloud, "ecr_image_scan", {**wish, "maximum_findings": {"CRITICAL": 1}})
    assert allowed["counts"] == {"CRITICAL": 1}
    stopped = build(cloud, source)
    assert "CVE-2026-1" in " ".join(stopped.errors)


def test_a_machine_without_builder_or_source_is_told_both_at_once_and_runs_nothing(cloud: Cloud) -> None:
    repository(cloud)
    commands = {"release_test_commands": [["no-such-tests"]], "release_build_commands": [["no-such-builder", "build"]]}
    refused = build(cloud, Path("/nonexistent"), **commands)
    (message,) = refused.errors
    for words in ("the program no-such-tests", "the program no-such-builder", "source in /nonexistent"):
        assert words in message
    assert images(cloud) == []


def test_tests_that_fail_stop_the_build(cloud: Cloud, source: Path) -> None:
    repository(cloud)
    assert build(cloud, source, release_test_commands=[["false"]]).returncode != 0
    assert images(cloud) == []


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"repository": "nowhere"}, "Looked for ECR repository nowhere and found none. Run playbooks/phase3.yml"),
        ({"reference": "9.9.9"}, "Looked for image stories-local-app:9.9.9 in ECR and found none. Push it first"),
        ({"reference": ""}, "Read an empty reference"),
        ({"maximum_findings": {"SEVERE": 0}}, "Read severity SEVERE"),
    ],
)
def test_what_is_wrong_with_an_image_is_one_sentence(cloud: Cloud, wish: dict[str, Any], sentence: str) -> None:
    repository(cloud)
    told = {"repository": _REPOSITORY, "reference": "2.4.0", **wish}
    assert sentence in run_module(cloud, "ecr_image_scan", told)["msg"]


def test_the_token_of_the_registry_is_for_the_owners_eyes_and_is_removed(cloud: Cloud, tmp_path: Path) -> None:
    wish = {"path": str(tmp_path)}
    assert run_module(cloud, "ecr_login", wish, check=True)["changed"] is True
    assert not (tmp_path / "config.json").exists()
    result = run_module(cloud, "ecr_login", wish)
    file = tmp_path / "config.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "auths" in file.read_text()
    assert "authorizationToken" not in str(result)
    gone = {**wish, "state": "absent"}
    assert run_module(cloud, "ecr_login", gone)["changed"] is True
    assert run_module(cloud, "ecr_login", gone)["changed"] is False
    assert "found none. Make it first" in run_module(cloud, "ecr_login", {"path": str(tmp_path / "no")})["msg"]

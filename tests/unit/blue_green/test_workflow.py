"""The workflow that is shipped for the application's repository."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

WORKFLOW = Path(__file__).resolve().parents[3] / "roles" / "release" / "files" / "deploy.yml"


def jobs() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    return found


def test_it_is_valid_by_the_schema_of_github() -> None:
    schema = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run([sys.executable, *schema, str(WORKFLOW)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_it_holds_no_key_and_asks_for_a_token_only_where_it_talks_to_aws() -> None:
    assert "secrets." not in WORKFLOW.read_text()
    for name, job in jobs().items():
        uses = [step.get("uses", "") for step in job["steps"]]
        talks = any(one.startswith("aws-actions/configure-aws-credentials") for one in uses)
        assert talks == (job.get("permissions", {}).get("id-token") == "write"), name


def test_what_people_type_never_becomes_part_of_a_script() -> None:
    for job in jobs().values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), step


def test_nothing_is_released_that_was_not_tested_built_and_scanned() -> None:
    assert jobs()["release"]["needs"] == "build"
    assert jobs()["build"]["needs"] == "test"
    scripts = [step.get("run", "") for step in jobs()["build"]["steps"]]
    assert any("describe-image-scan-findings" in script for script in scripts)

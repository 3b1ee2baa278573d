# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plays the API rows in rows/*.yml with boto3 and compares every answer with botocore's model of the real API.

A file is a list of stories; a story runs on an empty account:

    - story: a sentence
      calls:
        - ec2.CreateVpc: {CidrBlock: 10.0.0.0/16}
          keep: {vpc: Vpc.VpcId}            # name: JMESPath into the answer; ${vpc} in what follows
          expect: {Vpc.CidrBlock: 10.0.0.0/16}  # JMESPath: value
        - ec2.DeleteVpc: {VpcId: ${vpc}}
          error: DependencyViolation        # the code that AWS answers
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jmespath
import pytest
import yaml
from botocore import xform_name
from botocore.exceptions import ClientError

from .conformance import deviations
from .conftest import RunningCloud

ROWS = Path(__file__).parent / "rows"
STORIES = [
    pytest.param(story, id=f"{file.stem}: {story['story']}")
    for file in sorted(ROWS.glob("*.yml"))
    for story in yaml.safe_load(file.read_text())
]


def _filled(value: Any, kept: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, kept) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, kept) for item in value]
    if isinstance(value, str):
        whole = re.fullmatch(r"\$\{(\w+)\}", value)
        if whole:
            return kept[whole[1]]
        return re.sub(r"\$\{(\w+)\}", lambda match: str(kept[match[1]]), value)
    return value


class Player:
    """Makes a story's calls and collects what is wrong with their answers."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.cloud = cloud
        self.clients: dict[str, Any] = {}
        self.kept: dict[str, Any] = {"endpoint": cloud.endpoint}
        self.faults: list[str] = []
        self.body = b""

    def client(self, service: str) -> Any:
        if service not in self.clients:
            client = self.cloud.client(service)
            client.meta.events.register("before-parse", self._keep_body)
            self.clients[service] = client
        return self.clients[service]

    def _keep_body(self, response_dict: dict[str, Any], **_: Any) -> None:
        self.body = response_dict["body"] if isinstance(response_dict["body"], bytes) else b""

    def play(self, row: dict[str, Any]) -> None:
        (call, params), *_ = row.items()
        service, operation = call.split(".")
        client = self.client(service)
        wanted = _filled(params or {}, self.kept)
        code = None
        answer: dict[str, Any] = {}
        try:
            answer = getattr(client, xform_name(operation))(**wanted)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code != row.get("error"):
                self.faults.append(f"{call} answered {error}, expected {row.get('error', 'success')}")
                return
        if row.get("error"):
            if code is None:
                self.faults.append(f"{call} succeeded, expected {row['error']}")
            return
        answer.pop("ResponseMetadata", None)
        self.faults += deviations(client.meta.service_model.operation_model(operation), self.body, answer)
        for path, value in row.get("expect", {}).items():
            found = jmespath.search(path, answer)
            if found != _filled(value, self.kept):
                self.faults.append(f"{call}: {path} is {found!r}, expected {_filled(value, self.kept)!r}")
        for name, path in row.get("keep", {}).items():
            self.kept[name] = jmespath.search(path, answer)
            if self.kept[name] is None:
                self.faults.append(f"{call}: nothing at {path}")


@pytest.mark.parametrize("story", STORIES)
def test_the_answers_are_those_of_aws(cloud: RunningCloud, story: dict[str, Any]) -> None:
    player = Player(cloud)
    for row in story["calls"]:
        try:
            player.play(row)
        except KeyError as missing:
            player.faults.append(f"the story ends at {next(iter(row))}: nothing was kept as {missing}")
            break
    assert not player.faults, "\n".join(player.faults)

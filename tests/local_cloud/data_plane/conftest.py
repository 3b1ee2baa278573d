# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A cloud with its data plane, on a port of its own, and a stage on it: network, load balancer, cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local_cloud.data_plane.stage import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A running cloud whose clock is five times as fast as AWS's, with an empty stage."""
    stage = Stage.start(tmp_path_factory.mktemp("cloud"), watch_pid=os.getpid())
    yield stage
    stage.command("down")


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """For a test that starts and ends its own cloud."""
    return tmp_path / "state"

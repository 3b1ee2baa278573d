"""A whole embedded cloud, data plane included: tasks, load balancer, PostgreSQL and Redis are real processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cloud import Cloud, running


@pytest.fixture(scope="module")
def whole_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One for a file of tests, which share what they build on it."""
    with running(tmp_path_factory.mktemp("cloud"), data_plane=True) as cloud:
        yield cloud

"""One embedded cloud (APIs only) for a test session; each test that asks for it finds it empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cloud import Cloud, running


@pytest.fixture(scope="session")
def _cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture
def cloud(_cloud: Cloud) -> Cloud:
    _cloud.reset()
    return _cloud

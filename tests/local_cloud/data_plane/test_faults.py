# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The reference application misbehaves as it is told."""

from __future__ import annotations

import pytest

from local_cloud.app.faults import Faults, Load
from local_cloud.app.settings import Settings, SettingsError


def test_faults_are_read_from_one_variable() -> None:
    faults = Faults.parse("start_slowly=2, never_healthy,errors_above_rps=40:0.5,slow=0.8:0.05,wrong_version=9.9")
    assert faults == Faults(
        start_slowly=2.0, never_healthy=True, errors_above_rps=(40.0, 0.5), slow=(0.8, 0.05), wrong_version="9.9"
    )


@pytest.mark.parametrize(("variable", "value"), [("APP_FAULT", "sulk"), ("PORT", "http"), ("REDIS_URL", "http://a")])
def test_a_variable_that_cannot_be_used_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        Settings.from_environment({variable: value})


@pytest.mark.parametrize(("concurrent", "fails"), [(5, False), (6, True)])
def test_errors_above_a_concurrency_show_only_above_it(concurrent: int, fails: bool) -> None:
    load = Load(Faults(errors_above_concurrency=(5, 1.0)))
    for _ in range(concurrent):
        load.begin()
    assert load.fails() is fails
    load.end()
    assert load.fails() is False


@pytest.mark.parametrize(("requests", "fails"), [(10, False), (11, True)])
def test_errors_above_a_rate_show_only_above_it(requests: int, fails: bool) -> None:
    load = Load(Faults(errors_above_rps=(10, 1.0)))
    for _ in range(requests):
        load.begin()
        load.end()
    assert load.fails() is fails


def test_split_variables_and_urls_name_the_same_servers() -> None:
    split = Settings.from_environment(
        {
            "DATABASE_HOST": "db",
            "DATABASE_NAME": "library",
            "DATABASE_USERNAME": "app",
            "DATABASE_PASSWORD": "p@ss",
            "REDIS_HOST": "cache",
            "REDIS_TLS": "true",
            "REDIS_AUTH_TOKEN": "token",
        }
    )
    whole = Settings.from_environment(
        {"DATABASE_URL": "postgresql://app:p%40ss@db/library", "REDIS_URL": "rediss://:token@cache"}
    )
    assert (split.database, split.redis) == (whole.database, whole.redis)
    assert "p@ss" not in repr(split)
    assert "token" not in repr(split)

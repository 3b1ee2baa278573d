"""Two environments in one account, the name of one beginning with that of the other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.ansible import PlayResult, run_playbook
from tests.support.cloud import Cloud

# AWS Config has one recorder in a region; the first environment's records.
OTHER = {
    "platform_environment": "local-2",
    "load_balancer_domain_name": "two.stories.test",
    "monitoring_config": False,
}


def run(cloud: Cloud, playbook: str, **variables: Any) -> PlayResult:
    result = run_playbook(cloud, f"playbooks/{playbook}.yml", variables=variables)
    assert result.returncode == 0, result.errors or result.output[-3000:]
    return result


@pytest.mark.long
def test_environments_in_one_account_neither_see_nor_remove_one_another(whole_cloud: Cloud) -> None:
    run(whole_cloud, "site")
    assert run(whole_cloud, "site", **OTHER).changed > 0
    assert run(whole_cloud, "site").changed == 0
    told = {"teardown_remove_protection": True, "teardown_delete_data": True}
    run(whole_cloud, "teardown", teardown_platform="stories-local", **told)
    assert run(whole_cloud, "site", **OTHER).changed == 0

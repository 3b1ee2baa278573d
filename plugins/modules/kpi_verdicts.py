#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: kpi_verdicts
short_description: Judge the platform against its promises, and fail when one is not kept
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Gives each KPI of the table one verdict, C(met), C(missed) or C(not measured), with the figure and its source.
  - Reads the newest load test and recovery drill from O(reports_folder), the rest from AWS. It writes nothing.
  - What cannot be measured is never met. The module fails when a promise is missed, or when one of O(required) was not
    measured, and says what to change. The verdicts are returned in either case.
options:
  name_prefix:
    description: Prefix of every name, such as C(stories-production).
    type: str
    required: true
  tags:
    description: Tags C(Project) and C(Environment) that identify the platform, also on its bill.
    type: dict
    required: true
  kpis:
    description: The table of KPIs, by name; see C(inventories/profiles/kpis.yml).
    type: dict
    required: true
  reports_folder:
    description: Folder in which load tests and drills are kept, in a folder of the platform's prefix.
    type: path
    required: true
  required:
    description: KPIs that must be measured.
    type: list
    elements: str
    default: []
  enforce:
    description: Whether a missed promise fails the module.
    type: bool
    default: true
  days:
    description: How many days back to look.
    type: int
    default: 30
  load_balancer_full_name:
    description: The part of the load balancer's ARN that CloudWatch uses, C(app/name/id).
    type: str
  target_group_full_names:
    description: The same of the target groups, C(targetgroup/name/id).
    type: list
    elements: str
    default: []
  live_slot:
    description: Slot that gets the traffic.
    type: str
  releases_table:
    description: DynamoDB table of release records.
    type: str
  connections:
    description: What M(stories1001.platform.postgres_connection_check) returned.
    type: dict
  query_times:
    description: What M(stories1001.platform.postgres_query_times) returned.
    type: dict
  database_reason:
    description: Why O(connections) and O(query_times) are missing.
    type: str
    default: nobody asked the database
  active_users:
    description: Readers who were active in the last whole month.
    type: float
  active_users_before:
    description: Readers who were active in the month before.
    type: float
  planned_monthly_usd:
    description: Cost of a month by the plan; told beside the verdict while there is no bill.
    type: float
  capacity_months:
    description: Months of the capacity plan, with C(users) and C(monthly_usd); told while there are no bills.
    type: list
    elements: dict
    default: []
attributes:
  check_mode:
    description: Reads only.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Judge the platform
  stories1001.platform.kpi_verdicts:
    name_prefix: stories-production
    tags: {Project: 1001-stories, Environment: production}
    kpis: "{{ platform_kpis }}"
    reports_folder: reports
    required: [page_p95_ms, api_p95_ms, error_percent]
"""

RETURN = r"""
kpis:
  description: One row for each KPI.
  returned: when the table is sound
  type: list
  elements: dict
  sample:
    - name: page_p95_ms
      title: Page load, 95th percentile
      limit: 2000
      unit: ms
      at_least: false
      value: 412.5
      verdict: met
      source: load test
      note: 1000 users
      advice: ""
met:
  description: How many promises are kept.
  returned: when the table is sound
  type: int
  sample: 9
missed:
  description: How many are not.
  returned: when the table is sound
  type: int
  sample: 0
not_measured:
  description: How many could not be measured here.
  returned: when the table is sound
  type: int
  sample: 6
swaps:
  description: Audit records of releases, newest first.
  returned: when the table is sound
  type: list
  elements: dict
  sample: []
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.runner import refusing
from ..module_utils._engine.steps import PlanRefused, StepFailed
from ..module_utils._kpis import judge
from ..module_utils._kpis.measure import Account, asked, newest, utc_now
from ..module_utils._kpis.table import KPIS, checked

ARGUMENTS: dict[str, Any] = {
    "name_prefix": {"type": "str", "required": True},
    "tags": {"type": "dict", "required": True},
    "kpis": {"type": "dict", "required": True},
    "reports_folder": {"type": "path", "required": True},
    "required": {"type": "list", "elements": "str", "default": []},
    "enforce": {"type": "bool", "default": True},
    "days": {"type": "int", "default": 30},
    "load_balancer_full_name": {"type": "str"},
    "target_group_full_names": {"type": "list", "elements": "str", "default": []},
    "live_slot": {"type": "str"},
    "releases_table": {"type": "str"},
    "connections": {"type": "dict"},
    "query_times": {"type": "dict"},
    "database_reason": {"type": "str", "default": "nobody asked the database"},
    "active_users": {"type": "float"},
    "active_users_before": {"type": "float"},
    "planned_monthly_usd": {"type": "float"},
    "capacity_months": {"type": "list", "elements": "dict", "default": []},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    with refusing(module):
        limits = checked(params["kpis"])
        if unknown := sorted(set(params["required"]) - set(KPIS)):
            raise PlanRefused([f"Read {', '.join(unknown)} in kpi_required; no KPI is called so. Mend the list."])
        account = Account(Aws(module), params["name_prefix"], params["tags"], params["days"], utc_now())
        swaps = _swaps(account, params)
        rows = judge.verdicts(limits, _measured(account, params, swaps))
        counts = Counter(row["verdict"] for row in rows)
        told = {
            "platform": params["name_prefix"],
            "kpis": rows,
            "met": counts[judge.MET],
            "missed": counts[judge.MISSED],
            "not_measured": counts[judge.NOT_MEASURED],
            "swaps": swaps,
        }
        if params["enforce"] and (wrong := judge.complaints(rows, params["required"])):
            raise PlanRefused(wrong, told)
        module.exit_json(changed=False, **told)


def _swaps(account: Account, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not params["releases_table"]:
        return []
    try:
        return account.swaps(params["releases_table"])
    except StepFailed:
        return []  # whoever may not read the audit still gets the other verdicts


def _measured(account: Account, params: Mapping[str, Any], swaps: list[dict[str, Any]]) -> dict[str, judge.Measured]:
    folder = Path(params["reports_folder"]) / params["name_prefix"]
    load_test = newest(folder, "load_test/*.json", ("p95_ms", "scale_percent", "requests", "started"))
    drill = newest(folder, "**/*.json", ("rto_seconds", "rpo_seconds"))
    why = params["database_reason"]
    spent = _bills(account)
    balancer, groups = params["load_balancer_full_name"], params["target_group_full_names"]
    return {
        **judge.from_load_test(load_test, str(folder)),
        **judge.from_drill(drill, str(folder)),
        "query_average_ms": judge.query_time(params["query_times"], why),
        "database_connections": judge.connections(params["connections"], why),
        "uptime_percent": asked(lambda: account.uptime(balancer, groups))
        if balancer
        else judge.not_measured("there is no load balancer"),
        "scaling_seconds": asked(account.scaling),
        "mttr_minutes": asked(lambda: account.recoveries(swaps)),
        "utilisation_percent": asked(lambda: account.utilisation(params["live_slot"], load_test)),
        "global_latency_ms": asked(account.latency),
        "cost_per_active_user_usd": judge.cost_per_user(
            spent[-1] if spent else None, params["active_users"], params["planned_monthly_usd"]
        ),
        "cost_growth_percent": judge.cost_growth(
            params["capacity_months"],
            spent,
            [users for users in (params["active_users_before"], params["active_users"]) if users],
        ),
    }


def _bills(account: Account) -> list[float]:
    try:
        return account.bills()
    except StepFailed:
        return []  # without a bill the two cost promises are told as not measured


if __name__ == "__main__":
    main()

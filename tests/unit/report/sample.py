"""Records as runs leave them, for the tests of the report."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.stories1001.platform.plugins.module_utils._kpis import judge
from ansible_collections.stories1001.platform.plugins.module_utils._kpis.judge import Measured
from ansible_collections.stories1001.platform.plugins.module_utils._kpis.table import KPIS
from ansible_collections.stories1001.platform.plugins.module_utils._report.run import Run

BEGUN = 1_769_860_800.0  # 2026-01-31 12:00 UTC
HOSTILE = "<script>alert('&\"')</script>"

STATE: dict[str, Any] = {
    "network": {
        "vpc_id": "vpc-1",
        "cidr_block": "10.0.0.0/16",
        "zones": [
            {"name": f"us-east-1{zone}", "subnets": {"public": "10.0.101.0/24", "app": "10.0.1.0/24"}} for zone in "abc"
        ],
        "nat_zones": ["us-east-1a"],
    },
    "load_balancer": {
        "ports": [80, 443, 8443],
        "weights": {"blue": 100, "green": 0},
        "healthy": {"blue": 2, "green": 0},
    },
    "services": [{"slot": "blue", "running": 2, "desired": 2}, {"slot": "green", "running": 0, "desired": 0}],
    "database": {
        "instances": [
            {"name": "one", "writer": True, "class": "db.t4g.medium", "zone": "us-east-1a"},
            {"name": "two", "writer": False, "class": "db.t4g.medium", "zone": "us-east-1b"},
        ]
    },
    "proxy": {"endpoint": "x"},
    "cache": {"node_type": "cache.t4g.micro", "nodes": [{"name": "n", "zone": "us-east-1c", "primary": True}]},
    "distribution": {"domain_name": "d1.cloudfront.net", "aliases": ["stories.test"], "web_acl": True},
    "buckets": ["media", "static", "logs"],
    "functions": ["image", "book"],
    "alarms": {"total": 30, "alarming": ["stories-local-5xx"]},
}
MONTHS = [
    {
        "month": month,
        "users": round(100 * 1.15**month),
        "requests_per_s": 50,
        "tasks": 2 + month // 2,
        "instances": 2,
        "readers": 1 + month // 6,
        "connections": 20 * month,
        "monthly_usd": 400.0 + 20 * month,
    }
    for month in range(1, 13)
]
COST = {
    "currency": "USD",
    "region": "us-east-1",
    "price_list": {"date": "2026-01-01", "source": "AWS"},
    "resources": [
        {"phase": 1, "kind": "nat_gateway", "name": "nat", "action": "create", "monthly_usd": 32.85, "how": "730 h"},
        {"phase": 2, "kind": "db_instance", "name": HOSTILE, "action": "none", "monthly_usd": 100.25, "how": "730 h"},
    ],
    "monthly_usd": 133.1,
    "budget_usd": 500,
    "over_budget": False,
}
SWAP = {
    "swap_id": "1",
    "outcome": "deployed",
    "source": "blue",
    "target": "green",
    "version": "2.0.0",
    "started": BEGUN,
    "seconds": 75.0,
    "reason": HOSTILE,
}
DRILL = {
    "file": "drill.json",
    "date": "2026-01-30",
    "rto_seconds": 95,
    "rpo_seconds": 2,
    "tables": [{}],
    "verdict": "met",
}
LOAD_TEST = {
    "started": "2026-01-31T12:30:00Z",
    "users": 30,
    "target_users": 1000,
    "scale_percent": 3,
    "seconds": 45.0,
    "runner": "controller",
    "requests": 900,
    "requests_per_s": 20.0,
    "error_percent": 0.0,
    "p95_ms": {"page": 14.0},
    "by_step": [
        {
            "scenario": "home",
            "step": "home",
            "requests": 900,
            "average_ms": 6.0,
            "p95_ms": 14.0,
            "slowest_ms": 60.0,
            "error_percent": 0.0,
        }
    ],
    "samples": [
        {"second": 3.0 * at, "users": 2 * at, "requests_per_s": 3.0 * at, "p95_ms": 30.0 - at, "error_percent": 0.0}
        for at in range(1, 15)
    ],
}


def site_run() -> dict[str, Any]:
    """A run of three phases that made things."""
    run = Run("site", BEGUN)
    run.platform = {"prefix": "stories-local", "region": "us-east-1", "endpoint": ""}
    at = BEGUN
    for number, role in ((1, "networking"), (2, "rds_aurora"), (3, "ecs_service")):
        run.play(f"Phase {number}: {role}", at)
        for task in range(4):
            steps = [{"id": f"thing/{task}:create", "sentence": f"Create {HOSTILE} {task}"}] if task % 2 else []
            answer = {"changed": bool(steps), "steps": steps}
            run.task(f"Make {task}", role, "stories1001.platform.vpc_network", at, at + 4, answer)
            at += 4
    return run.document(at)


def last_run() -> dict[str, Any]:
    """A run that judged, with every kind of fact, and failed."""
    run = Run("phase8", BEGUN + 600)
    run.platform = {"prefix": "stories-local", "region": "us-east-1", "endpoint": ""}
    run.play("Phase 8: load test and verdict", BEGUN + 600)
    figures = {"page_p95_ms": Measured(14.0, HOSTILE), "api_p95_ms": Measured(900.0, "30 users")}
    rows = judge.verdicts(dict.fromkeys(KPIS, 100.0), figures)
    verdicts = {"kpis": rows, "met": 1, "missed": 1, "not_measured": 13, "swaps": [SWAP], "msg": f"missed {HOSTILE}"}
    answers: list[tuple[str, dict[str, Any]]] = [
        ("platform_state", {"state": STATE, "region": "us-east-1", "unread": []}),
        ("platform_cost", COST),
        (
            "capacity_plan",
            {
                "months": MONTHS,
                "baseline": {"users": 100, "monthly_percent": 15.0, "source": "inventory"},
                "limits": [
                    {
                        "limit": "tasks",
                        "reached_in_month": None,
                        "what_to_do": "nothing",
                        "of": "tasks",
                        "value": 12,
                    }
                ],
                "recommendations": [{"quarter": "Q1", "text": "Wait."}],
            },
        ),
        ("kpi_verdicts", verdicts),
    ]
    for at, (module, answer) in enumerate(answers):
        failed = module == "kpi_verdicts"
        begun = BEGUN + 600 + at
        run.task(module, "kpi", f"stories1001.platform.{module}", begun, begun + 1, answer, failed=failed)
    return run.document(BEGUN + 650)


def empty_run() -> dict[str, Any]:
    """A run that failed before it knew anything."""
    run = Run("site", time.time())
    return run.document(run.started)

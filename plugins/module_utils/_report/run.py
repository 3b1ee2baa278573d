# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The record of one playbook run: plays, tasks, what each changed, how long it took; pure.

Times are seconds since 1970 or plain seconds. A record is JSON: it is what the report is drawn from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Modules whose answer is a fact about the platform that the report shows, by the answer's keys that are kept.
FACTS: Mapping[str, tuple[str, ...]] = {
    "platform_state": ("state", "region", "unread"),
    "platform_cost": (
        "currency",
        "region",
        "price_list",
        "resources",
        "monthly_usd",
        "budget_usd",
        "over_budget",
        "accepted_usd",
        "recommendations",
    ),
    "capacity_plan": ("baseline", "months", "limits", "recommendations"),
    "kpi_verdicts": ("kpis", "met", "missed", "not_measured", "swaps"),
    "ecs_blue_green": ("releases",),
}
_LONGEST_ERROR = 2000  # characters


class Run:
    """Collects a run while it goes on. playbook: name without path and ending."""

    def __init__(self, playbook: str, started: float, check: bool = False) -> None:
        self.playbook, self.started, self.check = playbook, started, check
        self.platform: dict[str, str] = {}
        self.plays: list[dict[str, Any]] = []
        self.facts: dict[str, dict[str, Any]] = {}

    @property
    def changed(self) -> int:
        return sum(play["changed"] for play in self.plays)

    @property
    def failures(self) -> list[dict[str, Any]]:
        return [task for play in self.plays for task in play["tasks"] if task["failed"]]

    def play(self, name: str, at: float) -> None:
        """A play begins."""
        if self.plays:
            self.plays[-1]["ended"] = at
        self.plays.append(
            {"name": name, "started": at, "ended": at, "count": 0, "changed": 0, "failed": 0, "tasks": []}
        )

    def task(
        self, name: str, role: str, action: str, begun: float, ended: float, answer: Mapping[str, Any], **how: bool
    ) -> dict[str, Any]:
        """A task ended on one host. how: failed, ignored. Its entry; kept if it tells something."""
        looped = [one for one in answer.get("results") or () if isinstance(one, Mapping)]
        steps = [step for one in (answer, *looped) for step in one.get("steps") or ()]
        failed = how.get("failed", False) and not how.get("ignored", False)
        entry: dict[str, Any] = {
            "name": name,
            "role": role,
            "action": action.rpartition(".")[2],
            "started": begun,
            "seconds": round(ended - begun, 3),
            "changed": bool(answer.get("changed")) and not failed,
            "failed": failed,
            "steps": [str(step["sentence"]) for step in steps if isinstance(step, Mapping) and "sentence" in step],
        }
        if failed:
            # Of a loop, what its items say; Ansible's own word is only that some failed.
            items = [str(one["msg"]) for one in looped if one.get("failed") and one.get("msg")]
            entry["error"] = ("\n".join(items) or str(answer.get("msg") or "it gave no reason"))[:_LONGEST_ERROR]
        if not self.plays:
            self.play("", begun)
        play = self.plays[-1]
        play["ended"] = ended
        play["count"] += 1
        play["changed"] += entry["changed"]
        play["failed"] += failed
        play["tasks"].append(entry)
        self._keep_facts(entry["action"], ended, answer)
        return entry

    def _keep_facts(self, action: str, at: float, answer: Mapping[str, Any]) -> None:
        told = {key: answer[key] for key in FACTS.get(action, ()) if key in answer}
        if told:
            self.facts[action] = {"at": at, **told}

    def document(self, ended: float, interrupted: bool = False) -> dict[str, Any]:
        """The record to keep. interrupted: the run was broken off in its last play."""
        if self.plays:
            self.plays[-1]["interrupted"] = interrupted
            self.plays[-1]["ended"] = max(self.plays[-1]["ended"], self.plays[-1]["started"])
        return {
            "version": 1,
            "playbook": self.playbook,
            "platform": self.platform,
            "check": self.check,
            "started": self.started,
            "ended": ended,
            "changed": self.changed,
            "failed": len(self.failures),
            "interrupted": interrupted,
            "plays": self.plays,
            "facts": self.facts,
        }


def roles_of(play: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The play's tasks summed up by role, in the order in which the roles began; tasks of the play itself have ''."""
    found: dict[str, dict[str, Any]] = {}
    for task in play["tasks"]:
        role = found.setdefault(
            task["role"],
            {"role": task["role"], "started": task["started"], "ended": 0.0, "count": 0, "changed": 0, "failed": 0},
        )
        role["ended"] = max(role["ended"], task["started"] + task["seconds"])
        role["count"] += 1
        role["changed"] += task["changed"]
        role["failed"] += task["failed"]
    return list(found.values())

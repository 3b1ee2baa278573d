# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The record of the swap under way and of those before it, in one DynamoDB table.

Key: ``Application`` (hash) and ``Record`` (range). The record ``intent`` is the lock: it is created when it is
absent, changed only by its owner in its epoch, and taken over only when its lease has run out. A record
``swap#<start>#<id>`` is kept for each swap that ended.

Every conditional write is read back when its condition fails: the reply to an earlier attempt of our own may
have been lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .._aws.api import Aws
from .._engine.steps import PlanRefused, StepFailed
from .clock import Clock
from .model import Intent, Record

_FAILED = ("ConditionalCheckFailedException",)
_INTENT = "intent"
_MISSING = ("ResourceNotFoundException",)


class LostLease(StepFailed):
    """Another run owns the swap now; this one must not write any more."""


class Store:
    """Reads and writes the records of one application."""

    def __init__(self, aws: Aws, clock: Clock, table: str, application: str, owner: str, lease: float) -> None:
        self._aws, self._clock = aws, clock
        self._table, self._application = table, application
        self.owner, self.lease = owner, lease

    def read(self) -> Intent | None:
        """The swap under way, or None."""
        answer = self._aws.call_unless(
            _MISSING,
            f"read the release record of {self._application} in table {self._table}",
            "dynamodb",
            "get_item",
            TableName=self._table,
            Key=self._key(_INTENT),
            ConsistentRead=True,
        )
        if answer is None:
            raise PlanRefused(
                [f"Looked for the table {self._table} of release records and found none. Run playbooks/phase7.yml."]
            )
        return _intent(answer["Item"]) if answer.get("Item") else None

    def create(self, intent: Intent) -> Intent:
        """Take the lock. Raises StepFailed when another run has it."""
        mine = replace(intent, owner=self.owner, epoch=1, lease_until=self._clock.now() + self.lease)
        taken = self._put(mine, "attribute_not_exists(#r)", {"#r": "Record"}, {})
        if not taken:
            there = self.read()
            if there is None or there.owner != self.owner:
                raise StepFailed(self.busy(there))
        return mine

    def take_over(self, seen: Intent) -> Intent:
        """Become the owner of a swap whose lease has run out, or that is paused: its owner has ended."""
        now = self._clock.now()
        if seen.lease_until > now and not seen.paused:
            raise StepFailed(self.busy(seen))
        mine = replace(seen, owner=self.owner, epoch=seen.epoch + 1, lease_until=now + self.lease, paused=False)
        condition = "Epoch = :seen AND LeaseUntil < :now"
        values = {":seen": _number(seen.epoch), ":now": _number(max(now, seen.lease_until + 1) if seen.paused else now)}
        if not self._put(mine, condition, {}, values):
            there = self.read()
            if there is None or there.owner != self.owner or there.epoch != mine.epoch:
                raise StepFailed(self.busy(there))
        return mine

    def save(self, intent: Intent, progress: Mapping[str, Any] | None = None, lease: float | None = None) -> Intent:
        """Write what the owner knows and extend the lease. Raises LostLease.

        lease: seconds from now, 0 to end it; default is the store's. The answer's ``abort`` says who asked for a
        rollback meanwhile.
        """
        until = 0.0 if lease == 0 else self._clock.now() + (self.lease if lease is None else lease)
        names = {"#o": "Owner", "#d": "Document", "#p": "Progress"}
        values = {
            ":owner": {"S": self.owner},
            ":epoch": _number(intent.epoch),
            ":until": _number(until),
            ":document": {"S": json.dumps(intent.document())},
            ":progress": {"S": json.dumps(progress or {})},
        }
        answer = self._aws.call_unless(
            _FAILED,
            f"write the release record of {self._application}",
            "dynamodb",
            "update_item",
            TableName=self._table,
            Key=self._key(_INTENT),
            UpdateExpression="SET LeaseUntil = :until, #d = :document, #p = :progress",
            ConditionExpression="#o = :owner AND Epoch = :epoch",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
        )
        if answer is None:
            raise LostLease(
                f"Tried to go on with swap {intent.swap_id} and found that another run has taken it over. This run "
                "writes nothing more; look at that one (playbooks/release_status.yml)."
            )
        abort = answer.get("Attributes", {}).get("Abort", {}).get("S", "")
        return replace(intent, lease_until=until, abort=abort)

    def ask_to_abort(self, intent: Intent, who: str) -> None:
        """Tell the run that owns the swap to undo it; it looks at every poll."""
        self._aws.call_unless(
            _FAILED,
            f"ask for a rollback of swap {intent.swap_id}",
            "dynamodb",
            "update_item",
            TableName=self._table,
            Key=self._key(_INTENT),
            UpdateExpression="SET #a = :who",
            ConditionExpression="SwapId = :swap",
            ExpressionAttributeNames={"#a": "Abort"},  # a word that DynamoDB keeps for itself
            ExpressionAttributeValues={":who": {"S": who}, ":swap": {"S": intent.swap_id}},
        )

    def close(self, intent: Intent, record: Mapping[str, Any]) -> None:
        """Keep the swap's record and give the lock back; doing it twice changes nothing."""
        item = {
            **self._key(_record_key(intent)),
            "SwapId": {"S": intent.swap_id},
            "Document": {"S": json.dumps(record)},
        }
        self._aws.call(
            f"keep the record of swap {intent.swap_id}", "dynamodb", "put_item", TableName=self._table, Item=item
        )
        gone = self._aws.call_unless(
            _FAILED,
            f"give the lock of {self._application} back",
            "dynamodb",
            "delete_item",
            TableName=self._table,
            Key=self._key(_INTENT),
            ConditionExpression="#o = :owner AND Epoch = :epoch",
            ExpressionAttributeNames={"#o": "Owner"},
            ExpressionAttributeValues={":owner": {"S": self.owner}, ":epoch": _number(intent.epoch)},
        )
        if gone is None and (there := self.read()) is not None and there.swap_id == intent.swap_id:
            raise LostLease(
                f"Tried to end swap {intent.swap_id} and found that another run has taken it over. Look at that one "
                "(playbooks/release_status.yml)."
            )

    def history(self, limit: int) -> list[dict[str, Any]]:
        """Records of ended swaps, newest first."""
        answer = self._aws.call(
            f"read earlier releases of {self._application}",
            "dynamodb",
            "query",
            TableName=self._table,
            KeyConditionExpression="Application = :a AND begins_with(#r, :p)",
            ExpressionAttributeNames={"#r": "Record"},
            ExpressionAttributeValues={":a": {"S": self._application}, ":p": {"S": "swap#"}},
            ScanIndexForward=False,
            Limit=limit,
            ConsistentRead=True,
        )
        return [json.loads(item["Document"]["S"]) for item in answer.get("Items", [])]

    def progress(self) -> dict[str, Any]:
        """What the owner said last: phase, weights, healthy targets, error rate, seconds left."""
        answer = self._aws.call(
            f"read the progress of {self._application}",
            "dynamodb",
            "get_item",
            TableName=self._table,
            Key=self._key(_INTENT),
            ConsistentRead=True,
        )
        text = answer.get("Item", {}).get("Progress", {}).get("S", "{}")
        told: dict[str, Any] = json.loads(text)
        return told

    def _put(self, intent: Intent, condition: str, names: dict[str, str], values: dict[str, Any]) -> bool:
        item = {
            **self._key(_INTENT),
            "SwapId": {"S": intent.swap_id},
            "Owner": {"S": intent.owner},
            "Epoch": _number(intent.epoch),
            "LeaseUntil": _number(intent.lease_until),
            "Document": {"S": json.dumps(intent.document())},
        }
        if intent.abort:
            item["Abort"] = {"S": intent.abort}
        extra = {key: value for key, value in _expressions(names, values).items() if value}
        answer = self._aws.call_unless(
            _FAILED,
            f"take the lock of {self._application}",
            "dynamodb",
            "put_item",
            TableName=self._table,
            Item=item,
            ConditionExpression=condition,
            **extra,
        )
        return answer is not None

    def _key(self, record: str) -> dict[str, Any]:
        return {"Application": {"S": self._application}, "Record": {"S": record}}

    def busy(self, there: Intent | None) -> str:
        if there is None:
            return f"Tried to take the lock of {self._application}; another run took and gave it back. Run again."
        left = max(0.0, there.lease_until - self._clock.now())
        return (
            f"Tried to release {self._application} and found swap {there.swap_id} to {there.swap.version} under way, "
            f"owned by {there.owner} for {left:.0f} s more unless it renews. Wait for it, or undo it with "
            "playbooks/rollback.yml."
        )


def last_record(history: list[dict[str, Any]]) -> Record | None:
    """The newest outcome, as the plan needs it."""
    if not history:
        return None
    names = ("swap_id", "outcome", "source", "target", "image", "started")
    return Record(**{name: history[0][name] for name in names})


def _record_key(intent: Intent) -> str:
    return f"swap#{intent.started:017.6f}#{intent.swap_id}"


def _intent(item: Mapping[str, Any]) -> Intent:
    return Intent.of(
        json.loads(item["Document"]["S"]),
        owner=item["Owner"]["S"],
        epoch=int(item["Epoch"]["N"]),
        lease_until=float(item["LeaseUntil"]["N"]),
        abort=item.get("Abort", {}).get("S", ""),
    )


def _number(value: float) -> dict[str, str]:
    return {"N": repr(value)}


def _expressions(names: dict[str, str], values: dict[str, Any]) -> dict[str, Any]:
    return {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}

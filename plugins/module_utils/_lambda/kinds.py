# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How Lambda, SQS and S3 list, make, change and remove functions, their dead letters and what calls them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .._aws.api import Aws
from .._aws.tags import belongs
from .._aws.waiters import until
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import side_by_side, together
from .._engine.steps import StepFailed

_CALLER = "s3.amazonaws.com"
_STATEMENT = "bucket"


class Queue(Kind):
    """The queue for events that no attempt could work on."""

    kind = "queue"
    traits = Traits("queue")

    def __init__(self, aws: Aws, prefix: str) -> None:
        self.aws = aws
        self.name = f"{prefix}-dead-letters"

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(attempt, "sqs", operation, **parameters)

    def observe(self) -> Iterable[Found]:
        urls = self.aws.pages("list the queues", "sqs", "list_queues", "QueueUrls", QueueNamePrefix=self.name)
        return [self._found(url) for url in urls if url.rsplit("/", 1)[-1] == self.name]

    def _found(self, url: str) -> Found:
        attempt = f"read queue {self.name}"
        answer, tagged = together(
            lambda: self.call(attempt, "get_queue_attributes", QueueUrl=url, AttributeNames=["All"]),
            lambda: self.call(f"read the tags of queue {self.name}", "list_queue_tags", QueueUrl=url),
        )
        shown = answer["Attributes"]
        fields = {
            "retention_seconds": int(shown["MessageRetentionPeriod"]),
            "encrypted": shown.get("SqsManagedSseEnabled") == "true",
        }
        return Found(self.kind, self.name, url, fields, tagged.get("Tags", {}), {"arn": shown["QueueArn"]})

    def _attributes(self, wanted: Resource) -> dict[str, str]:
        return {
            "MessageRetentionPeriod": str(wanted.fields["retention_seconds"]),
            "SqsManagedSseEnabled": "true" if wanted.fields["encrypted"] else "false",
        }

    def create(self, wanted: Resource) -> Found:
        def make() -> str:
            # A queue that was deleted less than a minute ago keeps its name.
            answer = self.aws.call_unless(
                ("AWS.SimpleQueueService.QueueDeletedRecently", "QueueDeletedRecently"),
                f"create queue {wanted.name}",
                "sqs",
                "create_queue",
                QueueName=wanted.name,
                Attributes=self._attributes(wanted),
                tags=dict(wanted.tags or {}),
            )
            return str(answer["QueueUrl"]) if answer else ""

        until(
            f"the name of queue {wanted.name} to be free", lambda: "free" if make() else "", good={"free"}, timeout=90
        )
        made = next(iter(self.observe()))
        return Found(self.kind, wanted.name, made.id, wanted.fields, wanted.tags, made.outputs)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        attempt = f"change queue {found.name}"
        self.call(attempt, "set_queue_attributes", QueueUrl=found.id, Attributes=self._attributes(wanted))

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        if put:
            self.call(f"tag queue {found.name}", "tag_queue", QueueUrl=found.id, Tags=dict(put))
        if remove:
            self.call(f"untag queue {found.name}", "untag_queue", QueueUrl=found.id, TagKeys=list(remove))

    def delete(self, found: Found) -> None:
        self.call(f"delete queue {found.name}", "delete_queue", QueueUrl=found.id)


class Function(Kind):
    """Functions of our prefix that carry our tags. package: the zip that they shall run."""

    kind = "function"
    traits = Traits("function", immutable=frozenset({"architecture"}))

    def __init__(self, aws: Aws, tags: Mapping[str, str], prefix: str, package: Path | None = None) -> None:
        self.aws = aws
        self.tags = tags
        self.prefix = prefix
        self.package = package

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(attempt, "lambda", operation, **parameters)

    def observe(self) -> Iterable[Found]:
        listed = self.aws.pages("list every function", "lambda", "list_functions", "Functions")
        names = [item["FunctionName"] for item in listed if item["FunctionName"].startswith(f"{self.prefix}-")]
        return [found for found in side_by_side(self._read, names) if found]

    def _read(self, name: str) -> Found | None:
        """The function, if it is ours."""
        answer = self.call(f"read function {name}", "get_function", FunctionName=name)
        if not belongs(answer.get("Tags"), self.tags):
            return None
        shown = answer["Configuration"]
        settled = shown.get("State") == "Active" and shown.get("LastUpdateStatus") == "Successful"
        outputs = {"arn": shown["FunctionArn"]}
        return Found(self.kind, name, name, _fields(answer), answer["Tags"], outputs, settled=settled)

    def _code(self) -> bytes:
        if self.package is None:
            raise StepFailed("Looked for the package of the functions and found none. This is a defect of the module.")
        return self.package.read_bytes()

    def create(self, wanted: Resource) -> Found:
        arns: list[str] = []

        def attempt() -> str:
            try:
                answer = self.call(
                    f"create function {wanted.name}",
                    "create_function",
                    FunctionName=wanted.name,
                    PackageType="Zip",
                    Code={"ZipFile": self._code()},
                    Architectures=[wanted.fields["architecture"]],
                    Publish=False,
                    Tags=dict(wanted.tags or {}),
                    **_configuration(wanted),
                )
            except StepFailed as failure:
                # A role that was made a moment ago is not known everywhere; Lambda then refuses to take it.
                if any(sign in str(failure) for sign in ("cannot be assumed", "SendMessage")):
                    return f"refused ({failure})"
                raise
            arns.append(answer["FunctionArn"])
            return "made"

        until(f"function {wanted.name} to be taken by Lambda", attempt, good={"made"}, timeout=60)
        made = Found(self.kind, wanted.name, wanted.name, wanted.fields, wanted.tags, {"arn": arns[0]})
        if wanted.fields["concurrency"] is not None:
            self.wait(made)
            self._reserve(made, wanted.fields["concurrency"])
        return made

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        if set(fields) - {"code_sha256", "concurrency"}:
            attempt = f"change function {found.name}"
            self.call(attempt, "update_function_configuration", FunctionName=found.id, **_configuration(wanted))
            self.wait(found)
        if "code_sha256" in fields:
            attempt = f"put new code into function {found.name}"
            self.call(attempt, "update_function_code", FunctionName=found.id, ZipFile=self._code())
            self.wait(found)
        if "concurrency" in fields:
            self._reserve(found, wanted.fields["concurrency"])

    def _reserve(self, found: Found, executions: int | None) -> None:
        attempt = f"set the concurrency of function {found.name}"
        if executions is None:
            self.call(attempt, "delete_function_concurrency", FunctionName=found.id)
        else:
            reserved = {"ReservedConcurrentExecutions": executions}
            self.call(attempt, "put_function_concurrency", FunctionName=found.id, **reserved)

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        arn = found.outputs["arn"]
        if put:
            self.call(f"tag function {found.name}", "tag_resource", Resource=arn, Tags=dict(put))
        if remove:
            self.call(f"untag function {found.name}", "untag_resource", Resource=arn, TagKeys=list(remove))

    def delete(self, found: Found) -> None:
        self.call(f"delete function {found.name}", "delete_function", FunctionName=found.id)

    def wait(self, found: Found) -> None:
        def state() -> str:
            attempt = f"look at function {found.name}"
            shown = self.call(attempt, "get_function_configuration", FunctionName=found.id)
            return f"{shown.get('State')} {shown.get('LastUpdateStatus')}"

        bad = {"Failed Failed", "Active Failed", "Failed Successful"}
        until(f"function {found.name} to be active", state, good={"Active Successful"}, bad=bad, timeout=300)


def _fields(answer: Mapping[str, Any]) -> dict[str, Any]:
    shown = answer["Configuration"]
    return {
        "code_sha256": shown["CodeSha256"],
        "dead_letters": (shown.get("DeadLetterConfig") or {}).get("TargetArn"),
        "role": shown["Role"],
        "runtime": shown.get("Runtime"),
        "architecture": (shown.get("Architectures") or ["x86_64"])[0],
        "handler": shown.get("Handler"),
        "description": shown.get("Description", ""),
        "memory_size": shown["MemorySize"],
        "timeout": shown["Timeout"],
        "ephemeral_storage": (shown.get("EphemeralStorage") or {}).get("Size", 512),
        "environment": (shown.get("Environment") or {}).get("Variables", {}),
        "concurrency": (answer.get("Concurrency") or {}).get("ReservedConcurrentExecutions"),
        "tracing": (shown.get("TracingConfig") or {}).get("Mode", "PassThrough"),
    }


def _configuration(wanted: Resource) -> dict[str, Any]:
    fields = wanted.fields
    return {
        "DeadLetterConfig": {"TargetArn": fields["dead_letters"]},
        "Role": fields["role"],
        "Runtime": fields["runtime"],
        "Handler": fields["handler"],
        "Description": fields["description"],
        "MemorySize": fields["memory_size"],
        "Timeout": fields["timeout"],
        "EphemeralStorage": {"Size": fields["ephemeral_storage"]},
        "Environment": {"Variables": fields["environment"]},
        "TracingConfig": {"Mode": fields["tracing"]},
    }


class Permission(Kind):
    """The bucket's right to call a function: one statement of the function's policy."""

    kind = "permission"
    traits = Traits("permission of the bucket to call function")

    def __init__(self, aws: Aws, functions: Function) -> None:
        self.aws = aws
        self.functions = functions

    def observe(self) -> Iterable[Found]:
        names = [function.name for function in self.functions.observe()]
        return [found for found in side_by_side(self._read, names) if found]

    def _read(self, name: str) -> Found | None:
        """The bucket's statement in the function's policy, if there is one."""
        missing, attempt = ("ResourceNotFoundException",), f"read the policy of function {name}"
        answer = self.aws.call_unless(missing, attempt, "lambda", "get_policy", FunctionName=name)
        for statement in json.loads(answer["Policy"])["Statement"] if answer else ():
            if statement.get("Sid") == _STATEMENT:
                condition = statement.get("Condition", {})
                fields = {
                    "bucket": condition.get("ArnLike", {}).get("AWS:SourceArn"),
                    "account": condition.get("StringEquals", {}).get("AWS:SourceAccount"),
                }
                return Found(self.kind, name, name, fields)
        return None

    def create(self, wanted: Resource) -> Found:
        self.aws.call(
            f"let {wanted.fields['bucket']} call function {wanted.name}",
            "lambda",
            "add_permission",
            FunctionName=wanted.name,
            StatementId=_STATEMENT,
            Action="lambda:InvokeFunction",
            Principal=_CALLER,
            SourceArn=wanted.fields["bucket"],
            SourceAccount=wanted.fields["account"],
        )
        return Found(self.kind, wanted.name, wanted.name, wanted.fields)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self.delete(found)  # a statement cannot be changed; killed here, the next run adds it
        self.create(wanted)

    def delete(self, found: Found) -> None:
        self.aws.call_unless(
            ("ResourceNotFoundException",),
            f"take the permission to call function {found.name} from the bucket",
            "lambda",
            "remove_permission",
            FunctionName=found.name,
            StatementId=_STATEMENT,
        )


class Notifications(Kind):
    """The notifications of a bucket whose ids have our prefix; those of others are carried over."""

    kind = "notifications"
    traits = Traits("notifications of the media bucket for")

    def __init__(self, aws: Aws, prefix: str, bucket: str) -> None:
        self.aws = aws
        self.prefix = prefix
        self.bucket = bucket

    def _read(self) -> dict[str, Any] | None:
        attempt = f"read the notifications of bucket {self.bucket}"
        answer = self.aws.call_unless(
            ("NoSuchBucket",), attempt, "s3", "get_bucket_notification_configuration", Bucket=self.bucket
        )
        return None if answer is None else {key: value for key, value in answer.items() if key != "ResponseMetadata"}

    def observe(self) -> Iterable[Found]:
        standing = self._read()
        ours = {
            item["Id"]: {
                "function": item["LambdaFunctionArn"],
                "events": sorted(item["Events"]),
                "prefix": _prefix(item),
            }
            for item in (standing or {}).get("LambdaFunctionConfigurations", [])
            if self._is_ours(item)
        }
        if ours:
            yield Found(self.kind, self.prefix, self.bucket, {"functions": ours})

    def _is_ours(self, item: Mapping[str, Any]) -> bool:
        return str(item.get("Id", "")).startswith(f"{self.prefix}-")

    def create(self, wanted: Resource) -> Found:
        self._put(wanted.fields["functions"])
        return Found(self.kind, wanted.name, self.bucket, wanted.fields)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self._put(wanted.fields["functions"])

    def delete(self, found: Found) -> None:
        self._put({})

    def _put(self, functions: Mapping[str, Any]) -> None:
        standing = self._read()
        if standing is None:
            raise StepFailed(
                f"Looked for bucket {self.bucket} and found none. Run role static_assets, which makes it, then again."
            )
        others = [item for item in standing.get("LambdaFunctionConfigurations", []) if not self._is_ours(item)]
        ours = [
            {
                "Id": name,
                "LambdaFunctionArn": one["function"],
                "Events": one["events"],
                "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": one["prefix"]}]}},
            }
            for name, one in functions.items()
        ]
        self.aws.call(
            f"put the notifications of bucket {self.bucket}",
            "s3",
            "put_bucket_notification_configuration",
            Bucket=self.bucket,
            NotificationConfiguration={**standing, "LambdaFunctionConfigurations": [*others, *ours]},
        )


def _prefix(item: Mapping[str, Any]) -> str:
    """The one prefix of a notification; anything more is shown, and so differs from what we write."""
    rules = item.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    told = {rule["Name"].lower(): rule["Value"] for rule in rules}
    return str(told["prefix"]) if list(told) == ["prefix"] else json.dumps(told, sort_keys=True)


def function_kinds(
    aws: Aws, tags: Mapping[str, str], prefix: str, bucket: str, package: Path | None = None
) -> list[Kind]:
    """All kinds, in the order of creation."""
    functions = Function(aws, tags, prefix, package)
    return [Queue(aws, prefix), functions, Permission(aws, functions), Notifications(aws, prefix, bucket)]

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""k6 as a Fargate task: near the readers' network instead of the operator's, for loads that one desk cannot make.

The script travels in the task's environment, packed; the summary comes back through an address of S3 that is signed
for this one object. While k6 runs, a loop beside it writes k6's own figures to the task's log, which is followed here.
"""

from __future__ import annotations

import base64
import gzip
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from .._aws.api import Aws
from .._engine.steps import PlanRefused, StepFailed
from .progress import Progress
from .task_log import METRICS, ROUND, TaskLog

_EVERY = 5.0  # seconds between two looks
_START = 300.0  # seconds that the task may take to begin
_SLACK = 180.0  # seconds beyond the test's length
_LONGEST_OVERRIDES = 8192  # characters, of RunTask
_GONE = ("NoSuchKey", "404")
# The task definition's entry point is a shell. k6 without --quiet would tell its progress in words that nobody counts.
_TELL = (
    f"while sleep 5; do for m in {' '.join(METRICS)}; do wget -qO- http://127.0.0.1:6565/v1/metrics/$m && echo; done; "
    f"echo {ROUND}; done"
)
_RUN = 'printf %s "$K6_SCRIPT" | base64 -d | gunzip -c | k6 run --quiet --no-usage-report --address 127.0.0.1:6565 -'
_COMMAND = [f"({_TELL}) 2>/dev/null & told=$!; {_RUN}; ended=$?; kill $told; exit $ended"]


def run(
    aws: Aws,
    where: Mapping[str, Any],
    script: Callable[[str], str],
    seconds: float,
    progress: Progress,
    pause: Callable[[float], None] = time.sleep,
) -> Mapping[str, Any]:
    """Start the task, wait for its end, fetch its summary.

    where: cluster, task_definition, container, subnet_ids, security_group_ids, assign_public_ip, bucket, key; log_group
    and log_stream_prefix, or an empty log_group for a test that nobody watches.
    script: makes the script when it is told where the summary goes. Raises PlanRefused, StepFailed.
    """
    place = {"Bucket": where["bucket"], "Key": where["key"]}
    lives = int(seconds + _START + _SLACK)
    signed = aws.signed_url(f"sign the address of s3://{where['bucket']}/{where['key']}", "put_object", lives, **place)
    task = _start(aws, where, _overrides(where["container"], script(signed)))
    ident = task.rpartition("/")[2]
    progress.say("fargate", f"started task {ident}")
    stream = f"{where['log_stream_prefix']}/{where['container']}/{ident}"
    log = TaskLog(aws, where["log_group"], stream, progress) if where["log_group"] else None
    stopped = _until_stopped(aws, where["cluster"], task, lives, progress, pause, log)
    answer = aws.call_unless(
        _GONE, f"read the summary s3://{place['Bucket']}/{place['Key']}", "s3", "get_object", **place
    )
    if answer is None:
        raise StepFailed(
            f"Tried to read the summary of load-test task {task} and found none; the task stopped with: {stopped}."
            f"{_said(log)} See its log, or run the test on the controller (load_test_runner: controller)."
        )
    told: Mapping[str, Any] = json.loads(answer["Body"].read())
    return told


def _said(log: TaskLog | None) -> str:
    return f" It said: {' / '.join(log.said)[-600:]}." if log and log.said else ""


def _overrides(container: str, script: str) -> dict[str, Any]:
    packed = base64.b64encode(gzip.compress(script.encode(), mtime=0)).decode()
    overrides = {
        "containerOverrides": [
            {"name": container, "command": _COMMAND, "environment": [{"name": "K6_SCRIPT", "value": packed}]}
        ]
    }
    if (size := len(json.dumps(overrides))) > _LONGEST_OVERRIDES:
        raise PlanRefused(
            [
                f"Packed the load test into {size} characters; RunTask takes {_LONGEST_OVERRIDES}. Name fewer paths in "
                "load_test_scenarios, or run it on the controller."
            ]
        )
    return overrides


def _start(aws: Aws, where: Mapping[str, Any], overrides: Mapping[str, Any]) -> str:
    network = {
        "subnets": where["subnet_ids"],
        "securityGroups": where["security_group_ids"],
        "assignPublicIp": "ENABLED" if where["assign_public_ip"] else "DISABLED",
    }
    answer = aws.call(
        f"start the load test in cluster {where['cluster']}",
        "ecs",
        "run_task",
        cluster=where["cluster"],
        taskDefinition=where["task_definition"],
        launchType="FARGATE",
        count=1,
        startedBy="load_test",
        networkConfiguration={"awsvpcConfiguration": network},
        overrides=overrides,
    )
    if answer.get("failures"):
        reasons = "; ".join(str(one.get("reason")) for one in answer["failures"])
        raise StepFailed(
            f"Tried to start the load test in cluster {where['cluster']}; ECS refused: {reasons}. Run again."
        )
    return str(answer["tasks"][0]["taskArn"])


def _until_stopped(
    aws: Aws,
    cluster: str,
    task: str,
    lives: float,
    progress: Progress,
    pause: Callable[[float], None],
    log: TaskLog | None,
) -> str:
    """Wait for the task's end and show its log meanwhile; why it ended."""
    begun, last = time.monotonic(), ""
    try:
        while True:
            answer = aws.call(f"look at task {task}", "ecs", "describe_tasks", cluster=cluster, tasks=[task])
            found = (answer.get("tasks") or [{}])[0]
            status, passed = str(found.get("lastStatus", "gone")), time.monotonic() - begun
            if log:
                log.look()
            if status in ("STOPPED", "gone"):
                codes = [one.get("exitCode") for one in found.get("containers", [])]
                return f"{found.get('stoppedReason', 'no reason')}, exit codes {codes}"
            if status != last:
                progress.say(f"{passed:.0f} s", f"task is {status}")
                last = status
            if passed > lives:
                raise StepFailed(
                    f"Waited {passed:.0f} s for load-test task {task} and it is still {status}. See its log and run "
                    "again."
                )
            pause(_EVERY)
    except BaseException:
        # Whatever ends the wait, no generator stays behind that nobody watches.
        aws.call_unless(
            ("InvalidParameterException",), f"stop task {task}", "ecs", "stop_task", cluster=cluster, task=task
        )
        raise

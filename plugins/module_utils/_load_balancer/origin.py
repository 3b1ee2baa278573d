# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The values that the origin header may hold, read from Secrets Manager."""

from __future__ import annotations

from .._aws.api import Aws
from .._engine.resources import is_planned
from .._engine.steps import StepFailed

_GONE = ("ResourceNotFoundException", "InvalidRequestException")


def accepted_values(aws: Aws, secret_arn: str) -> list[str]:
    """The current value and, while a rotation is under way, the previous one.

    A placeholder stands for itself. Raises StepFailed when there is no such secret or it has no value.
    """
    if is_planned(secret_arn):
        return [secret_arn]
    current = _value(aws, secret_arn, "AWSCURRENT")
    if not current:
        raise StepFailed(
            f"Looked for the origin header's value in secret {secret_arn} and found none. Run the phase that makes "
            "the secret, or set its value, then run again."
        )
    previous = _value(aws, secret_arn, "AWSPREVIOUS")
    return sorted({current, *([previous] if previous else [])})


def _value(aws: Aws, secret_arn: str, stage: str) -> str | None:
    answer = aws.call_unless(
        _GONE,
        f"read the {stage} version of secret {secret_arn}",
        "secretsmanager",
        "get_secret_value",
        SecretId=secret_arn,
        VersionStage=stage,
    )
    return answer.get("SecretString") if answer else None

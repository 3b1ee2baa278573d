# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS errors as sentences: tried what, on which name, found what, do what next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

try:
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, WaiterError
except ImportError:  # AnsibleAWSModule reports the missing library before any of this runs
    BotoCoreError = ClientError = NoCredentialsError = WaiterError = Exception

from .._engine.steps import StepFailed

_NEXT = {
    "AccessDenied": "Give the caller the permission named above, or use another profile.",
    "AccessDeniedException": "Give the caller the permission named above, or use another profile.",
    "UnauthorizedOperation": "Give the caller the permission named above, or use another profile.",
    "ExpiredToken": "Log in again and run the play again; it continues where it stopped.",
    "ExpiredTokenException": "Log in again and run the play again; it continues where it stopped.",
    "InvalidClientTokenId": "Check the access key, the session token and the profile.",
    "UnrecognizedClientException": "Check the access key, the session token and the profile.",
    "AuthFailure": "Check the access key, the session token and the profile.",
    "OptInRequired": "Enable the region or the service for this account.",
    "ThrottlingException": "Wait a minute and run the play again; it continues where it stopped.",
    "RequestLimitExceeded": "Wait a minute and run the play again; it continues where it stopped.",
}
_DEFAULT_NEXT = "Mend the cause and run the play again; it continues where it stopped."


def error_code(error: BaseException) -> str:
    """AWS's error code of a ClientError, else an empty string."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def sentence(attempt: str, error: BaseException) -> str:
    """``attempt`` is what was tried and on which name, such as ``create NAT gateway stories-a``."""
    if isinstance(error, NoCredentialsError):
        return (
            f"Tried to {attempt} and found no AWS credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or platform_aws_profile in the inventory."
        )
    if isinstance(error, ClientError):
        code = error_code(error)
        message = str(error.response.get("Error", {}).get("Message", "")).rstrip(".")
        return f"Tried to {attempt}; AWS answered {code}: {message}. {_NEXT.get(code, _DEFAULT_NEXT)}"
    return f"Tried to {attempt}; {type(error).__name__}: {str(error).rstrip('.')}. {_DEFAULT_NEXT}"


@contextmanager
def attempting(attempt: str) -> Iterator[None]:
    """Turn any error of boto3 inside the block into a StepFailed that says what was attempted."""
    try:
        yield
    except (BotoCoreError, ClientError, WaiterError) as error:
        raise StepFailed(sentence(attempt, error)) from error

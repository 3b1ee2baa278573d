# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets that are wanted, how their values are composed, and what is wrong with a wish; pure.

A value is either given, or a text or JSON object with ``{name}`` placeholders. Placeholders are filled
with generated characters, or with a value copied out of another secret. No value ever becomes a field.
"""

from __future__ import annotations

import json
import re
import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._aws.tags import named
from .._engine.resources import Resource
from .._engine.steps import PlanRefused

# What Secrets Manager encrypts with when no key is named.
DEFAULT_KEY = "alias/aws/secretsmanager"
# What the application cannot do without, by names below the prefix.
APPLICATION_SECRETS = ("app-user", "redis-auth-token", "nextauth")
ALPHANUMERIC = string.ascii_letters + string.digits

# Names of the field `value`: what can be said of it without saying it.
SET, DIFFERS, ROTATED = "set", "differs from what it is made of", "rotated"

_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
# AWS appends a hyphen and six characters to the name in the ARN; a name that ends so is taken for an ARN's.
_LIKE_AN_ARN = re.compile(r".*-[A-Za-z0-9]{6}")
_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_LEAST_LENGTH, _MOST_LENGTH = 16, 4096

Spec = Mapping[str, Any]
ReadPart = Callable[[str, str], str]


def problems(specs: Sequence[Spec], recovery_window: int) -> list[str]:
    """Everything wrong with the wished secrets, one sentence each.

    recovery_window: days, 7 to 30 (Secrets Manager API reference, DeleteSecret).
    """
    found = []
    if not 7 <= recovery_window <= 30:
        found.append(f"Read recovery_window_in_days {recovery_window}; Secrets Manager takes 7 to 30. Choose one.")
    names = [spec["name"] for spec in specs]
    for name in sorted({name for name in names if names.count(name) > 1}):
        found.append(f"Read secret {name} twice; each name is one secret. Describe it once.")
    for spec in specs:
        found += [f"Read secret {spec['name']}; {wrong}" for wrong in _wrong_with(spec)]
        found += [
            f"Read secret {spec['name']}; it copies from {source} of the same call, whose value may only be written by "
            "it. Make the copy with a call of its own."
            for source in sources(spec)
            if source in names
        ]
    return found


def _wrong_with(spec: Spec) -> list[str]:
    found = []
    if not _NAME.fullmatch(spec["name"]):
        found.append("a name has 1 to 512 letters, digits and /_+=.@- characters. Choose such a name.")
    elif _LIKE_AN_ARN.fullmatch(spec["name"]):
        found.append("a hyphen and six characters at the end look like the end of an ARN to AWS. Choose another name.")
    given = [key for key in ("value", "text", "json") if spec.get(key)]
    if len(given) != 1:
        found.append(f"it has {', '.join(given) or 'no value'}. Give exactly one of value, text and json.")
    parts = [part["name"] for key in ("generate", "copy") for part in spec.get(key) or ()]
    for name in sorted({name for name in parts if parts.count(name) > 1}):
        found.append(f"the part {name} is described twice. Describe it once.")
    used = placeholders(spec)
    for name in sorted(used - set(parts)):
        found.append(f"{{{name}}} stands in its value and is neither generated nor copied. Add it to generate or copy.")
    for name in sorted(set(parts) - used):
        found.append(f"the part {name} stands nowhere in its text or json. Use it as {{{name}}} or leave it out.")
    for part in spec.get("generate") or ():
        if not _LEAST_LENGTH <= part["length"] <= _MOST_LENGTH:
            found.append(
                f"the part {part['name']} shall have {part['length']} characters. "
                f"Choose {_LEAST_LENGTH} to {_MOST_LENGTH}."
            )
        if len(set(part["characters"])) < 10:
            found.append(f"the part {part['name']} is made of fewer than ten different characters. Allow more.")
    if spec.get("follow") and spec.get("generate"):
        found.append("follow and generate exclude each other: a generated part has nothing to follow. Drop one.")
    return found


def placeholders(spec: Spec) -> set[str]:
    """The names of all ``{name}`` in the text, or in the values of the JSON object."""
    texts = [spec.get("text") or "", *(str(value) for value in (spec.get("json") or {}).values())]
    return {name for text in texts for name in _PLACEHOLDER.findall(text)}


def generate(length: int, characters: str) -> str:
    """``length`` characters out of ``characters``, from the system's secure source."""
    return "".join(secrets.choice(characters) for _place in range(length))


def compose(spec: Spec, read_part: ReadPart) -> str:
    """The secret's whole value. ``read_part(secret_id, key)`` reads a part that is copied."""
    if spec.get("value"):
        return str(spec["value"])
    parts = {part["name"]: generate(part["length"], part["characters"]) for part in spec.get("generate") or ()}
    parts |= {part["name"]: read_part(part["secret_id"], part.get("key") or "") for part in spec.get("copy") or ()}

    def fill(text: str) -> str:
        return _PLACEHOLDER.sub(lambda match: parts[match[1]], text)

    if spec.get("text"):
        return fill(spec["text"])
    return json.dumps({key: fill(str(value)) for key, value in spec["json"].items()})


def sources(spec: Spec) -> list[str]:
    """Ids of the secrets that parts are copied from."""
    return [part["secret_id"] for part in spec.get("copy") or ()]


def canonical_key(key: str | None) -> str:
    """A KMS key as its id or alias, since AWS shows one key by ARN here and by id there."""
    if not key:
        return DEFAULT_KEY
    return key.partition(":key/")[2] or ("alias/" + key.partition(":alias/")[2] if ":alias/" in key else key)


def canonical_policy(policy: Any) -> Any:
    """A policy document as a dict, however it was written down."""
    return json.loads(policy) if isinstance(policy, str) and policy else policy or None


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of a `secretsmanager_secrets` call. Raises PlanRefused."""
    if wrong := problems(params["secrets"], params["recovery_window_in_days"]):
        raise PlanRefused(wrong)
    return [_resource(spec, params["tags"]) for spec in params["secrets"]]


def _resource(spec: Spec, tags: Mapping[str, str]) -> Resource:
    fields = {
        "description": spec.get("description") or "",
        "kms_key": canonical_key(spec.get("kms_key_id")),
        "scheduled_for_deletion": False,
        "value": ROTATED if spec.get("rotate") else SET,
    }
    if spec.get("policy") is not None:
        fields["policy"] = canonical_policy(spec["policy"])
    return Resource("secret", spec["name"], fields, tags=named(tags, spec["name"]))

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Signed URLs as CloudFront checks them: canned and custom policies, RSA with SHA-1, keys of trusted groups."""

from __future__ import annotations

import base64
import fnmatch
import ipaddress
import json
import re
import time
from typing import Any
from urllib.parse import parse_qsl

from ministack.services import cloudfront as ministack_cloudfront

_OWN = ("Expires", "Policy", "Signature", "Key-Pair-Id")


def trusted_key_groups(distribution: dict[str, Any], path: str) -> list[str]:
    """Ids of the key groups of the behavior that answers this path; none when it wants no signature."""
    config = ministack_cloudfront._dist_config_el(distribution)
    found = ministack_cloudfront._find
    behaviors = found(config, "CacheBehaviors")
    items = found(behaviors, "Items") if behaviors is not None else None
    for behavior in items if items is not None else ():
        pattern = ministack_cloudfront._text(behavior, "PathPattern")
        if ministack_cloudfront._glob_to_regex(pattern).match(path):
            return _groups(behavior)
    return _groups(found(config, "DefaultCacheBehavior"))


def _groups(behavior: Any) -> list[str]:
    groups = ministack_cloudfront._find(behavior, "TrustedKeyGroups")
    if groups is None or ministack_cloudfront._text(groups, "Enabled") != "true":
        return []
    return [element.text for element in groups.iter() if element.tag.split("}")[-1] == "KeyGroup" and element.text]


def check(url: str, raw_query: str, groups: list[str], client: str) -> tuple[str | None, str]:
    """What is wrong with the signature (None: nothing), and the query that the origin gets to see."""
    pairs = parse_qsl(raw_query, keep_blank_values=True)
    own = {name: value for name, value in pairs if name in _OWN}
    rest = "&".join(part for part in raw_query.split("&") if part and part.split("=")[0] not in _OWN)
    if "Key-Pair-Id" not in own or "Signature" not in own:
        return "Missing Key-Pair-Id query parameter or cookie value", rest
    key = _key(own["Key-Pair-Id"], groups)
    if key is None:
        return "Unknown Key-Pair-Id", rest
    signed = f"{url}?{rest}" if rest else url
    if "Policy" in own:
        text = _decoded(own["Policy"])
    else:
        condition = {"DateLessThan": {"AWS:EpochTime": int(own.get("Expires", "0"))}}
        document = {"Statement": [{"Resource": signed, "Condition": condition}]}
        text = json.dumps(document, separators=(",", ":")).encode()
    if not _verifies(key, text, _decoded(own["Signature"])):
        return "Access denied", rest
    return (None if _holds(json.loads(text), signed, client) else "Access denied"), rest


def _key(ident: str, groups: list[str]) -> str | None:
    trusted = [
        key
        for group in groups
        for key in ministack_cloudfront._key_groups.get(group, {}).get("Config", {}).get("Items", [])
    ]
    if ident not in trusted:
        return None
    return str(ministack_cloudfront._public_keys[ident]["Config"]["EncodedKey"])


def _decoded(value: str) -> bytes:
    return base64.b64decode(value.translate(str.maketrans("-_~", "+=/")))


def _verifies(public_key: str, text: bytes, signature: bytes) -> bool:
    # Loaded for the first signed request only: it would take a quarter of this server's memory.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = serialization.load_pem_public_key(public_key.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(signature, text, padding.PKCS1v15(), hashes.SHA1())
    except InvalidSignature:
        return False
    return True


def _holds(policy: dict[str, Any], url: str, client: str) -> bool:
    """Whether the policy's one statement allows this URL, now, to this viewer."""
    statement = policy["Statement"][0]
    condition, now = statement["Condition"], time.time()
    if not fnmatch.fnmatchcase(url, re.sub(r"\[", "[[]", statement["Resource"]).replace("?", "[?]")):
        return False
    if now >= condition["DateLessThan"]["AWS:EpochTime"]:
        return False
    if now < condition.get("DateGreaterThan", {}).get("AWS:EpochTime", 0):
        return False
    source = condition.get("IpAddress", {}).get("AWS:SourceIp", "0.0.0.0/0")
    return ipaddress.ip_address(client) in ipaddress.ip_network(source, strict=False)

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Signed URLs of CloudFront, with a canned or a custom policy; pure.

CloudFront verifies SHA-1 signatures of RSA keys (Developer Guide, "Create a signed URL"). The private key
stays inside these functions.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

try:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
except ImportError:  # the modules that need it say so before any of this runs
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

# What base64 has and a URL has not.
_URL_SAFE = str.maketrans("+=/", "-_~")
KEY_BITS = 2048


def new_private_key() -> str:
    """A fresh RSA key as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def public_key(private_key: str) -> str:
    """The public half of a private key, both PEM. Raises ValueError for what is no RSA key of 2048 bits."""
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return _loaded(private_key).public_key().public_bytes(encoding, form).decode()


def _loaded(private_key: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(private_key.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != KEY_BITS:
        raise ValueError(f"it is no RSA key of {KEY_BITS} bits")
    return key


def policy(resource: str, expires: int, *, starts: int | None = None, source: str | None = None) -> str:
    """Who may read what and when. resource: a URL, with * in a custom policy. expires, starts: seconds since 1970.

    source: range of addresses.
    """
    condition: dict[str, Mapping[str, Any]] = {"DateLessThan": {"AWS:EpochTime": expires}}
    if starts is not None:
        condition["DateGreaterThan"] = {"AWS:EpochTime": starts}
    if source is not None:
        condition["IpAddress"] = {"AWS:SourceIp": source}
    statement = {"Resource": resource, "Condition": condition}
    return json.dumps({"Statement": [statement]}, separators=(",", ":"))


def signed_url(
    url: str,
    expires: int,
    *,
    private_key: str,
    key_pair_id: str,
    starts: int | None = None,
    source: str | None = None,
    resource: str | None = None,
) -> str:
    """The URL with its signature. A custom policy is used when more than an end is asked for."""
    custom = starts is not None or source is not None or resource is not None
    text = policy(resource or url, expires, starts=starts, source=source)
    digest = hashes.SHA1()  # noqa: S303 - the one that CloudFront verifies
    signature = _loaded(private_key).sign(text.encode(), padding.PKCS1v15(), digest)
    what = f"Policy={encoded(text.encode())}" if custom else f"Expires={expires}"
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}{what}&Signature={encoded(signature)}&Key-Pair-Id={key_pair_id}"


def encoded(value: bytes) -> str:
    """CloudFront's own URL-safe base64."""
    return base64.b64encode(value).decode().translate(_URL_SAFE)

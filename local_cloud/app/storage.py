# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Puts uploads into the media bucket, with the credentials of the task's role.

One signed request, Signature Version 4, since AWS's library would take more memory than the whole application.
"""

from __future__ import annotations

import asyncio
import calendar
import hashlib
import hmac
import http.client
import json
import time
import urllib.request
from urllib.parse import quote, urlsplit

from local_cloud.app.settings import StorageSettings

_TIMEOUT = 20.0  # seconds
_EARLY = 300.0  # seconds before their end that credentials are asked for anew


class StorageError(Exception):
    """S3 did not take the object; the text says what it answered."""


class Storage:
    """The media bucket."""

    ERRORS = (StorageError, OSError, http.client.HTTPException)

    def __init__(self, settings: StorageSettings) -> None:
        self._settings = settings
        self._keys: dict[str, str] = {}
        self._keys_until = 0.0

    async def put(self, key: str, body: bytes, content_type: str) -> None:
        """Store an object. Raises one of `ERRORS`."""
        await asyncio.to_thread(self._put, key, body, content_type)

    def _put(self, key: str, body: bytes, content_type: str) -> None:
        where = urlsplit(self._settings.endpoint)
        path = f"/{self._settings.bucket}/{quote(key)}"
        headers = self._signed(where.netloc, path, body, content_type)
        secure = where.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(where.netloc, timeout=_TIMEOUT)
        try:
            connection.request("PUT", path, body, headers)
            answer = connection.getresponse()
            told = answer.read(2000).decode("utf-8", "replace")
            if answer.status != 200:
                raise StorageError(f"putting {key} into {self._settings.bucket}: S3 answered {answer.status}: {told}")
        finally:
            connection.close()

    def _signed(self, host: str, path: str, body: bytes, content_type: str) -> dict[str, str]:
        keys, region = self._credentials(), self._settings.region
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        digest = hashlib.sha256(body).hexdigest()
        headers = {"content-type": content_type, "host": host, "x-amz-content-sha256": digest, "x-amz-date": now}
        if token := keys.get("Token"):
            headers["x-amz-security-token"] = token
        names = ";".join(sorted(headers))
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        request = f"PUT\n{path}\n\n{lines}\n{names}\n{digest}"
        scope = f"{now[:8]}/{region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = f"AWS4{keys['SecretAccessKey']}".encode()
        for part in (now[:8], region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        credential = f"Credential={keys['AccessKeyId']}/{scope}"
        headers["authorization"] = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}"
        return headers

    def _credentials(self) -> dict[str, str]:
        """Those of the task's role, from the address that ECS gives to a container."""
        if time.time() > self._keys_until - _EARLY:
            with urllib.request.urlopen(self._settings.credentials, timeout=_TIMEOUT) as answer:
                self._keys = json.load(answer)
            until = time.strptime(self._keys["Expiration"][:19], "%Y-%m-%dT%H:%M:%S")
            self._keys_until = calendar.timegm(until)
        return self._keys

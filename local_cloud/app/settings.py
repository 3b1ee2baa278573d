# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The application's configuration, read from its environment once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from local_cloud.app.faults import Faults


class SettingsError(ValueError):
    """A variable has a value that the application cannot use."""


@dataclass(frozen=True)
class DatabaseSettings:
    """Where PostgreSQL is. `tls` is a libpq sslmode; `ca_file` is needed by verify-ca and verify-full."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    tls: str = "prefer"
    ca_file: str | None = None


@dataclass(frozen=True)
class RedisSettings:
    host: str
    port: int
    tls: bool
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None


@dataclass(frozen=True)
class StorageSettings:
    """The media bucket. `credentials`: URL at which a container finds the keys of its task's role."""

    bucket: str
    region: str
    endpoint: str
    credentials: str


@dataclass(frozen=True)
class Settings:
    """All that the application knows when it starts."""

    host: str
    port: int
    version: str
    slot: str
    database: DatabaseSettings | None
    redis: RedisSettings | None
    storage: StorageSettings | None
    faults: Faults
    keep_alive: float  # seconds; above the load balancer's idle timeout, or it would reuse a closed connection
    shutdown_grace: float  # seconds that requests in flight get after SIGTERM

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the variables. Raises SettingsError naming the variable that is wrong."""
        try:
            return cls(
                host=environment.get("HOST") or "127.0.0.1",
                port=_number(environment, "PORT", 3000),
                version=environment.get("APP_VERSION") or "unknown",
                slot=environment.get("APP_SLOT") or "none",
                database=_database(environment),
                redis=_redis(environment),
                storage=_storage(environment),
                faults=Faults.parse(environment.get("APP_FAULT") or ""),
                keep_alive=_number(environment, "KEEP_ALIVE_SECONDS", 75),
                shutdown_grace=_number(environment, "SHUTDOWN_GRACE_SECONDS", 25),
            )
        except ValueError as error:
            raise SettingsError(f"Reading the environment: {error}. Correct the variable and start again.") from error


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isdigit():
        raise ValueError(f"{name} is {text!r}, not a whole number")
    return int(text)


def _database(environment: Mapping[str, str]) -> DatabaseSettings | None:
    ca_file = environment.get("DATABASE_CA_FILE") or environment.get("PGSSLROOTCERT")
    tls = environment.get("DATABASE_SSLMODE") or environment.get("PGSSLMODE") or "prefer"
    if url := environment.get("DATABASE_URL"):
        parts = urlsplit(url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if not parts.hostname or not parts.path.strip("/"):
            raise ValueError("DATABASE_URL names no host or no database")
        return DatabaseSettings(
            host=parts.hostname,
            port=parts.port or 5432,
            name=unquote(parts.path.strip("/")),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls=query.get("sslmode", tls),
            ca_file=query.get("sslrootcert", ca_file),
        )
    if not environment.get("DATABASE_HOST"):
        return None
    return DatabaseSettings(
        host=environment["DATABASE_HOST"],
        port=_number(environment, "DATABASE_PORT", 5432),
        name=environment.get("DATABASE_NAME") or "postgres",
        user=environment.get("DATABASE_USERNAME") or "postgres",
        password=environment.get("DATABASE_PASSWORD") or "",
        tls=tls,
        ca_file=ca_file,
    )


def _redis(environment: Mapping[str, str]) -> RedisSettings | None:
    ca_file = environment.get("REDIS_CA_FILE")
    if url := environment.get("REDIS_URL"):
        parts = urlsplit(url)
        if parts.scheme not in ("redis", "rediss") or not parts.hostname:
            raise ValueError("REDIS_URL is not redis://host or rediss://host")
        return RedisSettings(
            host=parts.hostname,
            port=parts.port or 6379,
            tls=parts.scheme == "rediss",
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            ca_file=ca_file,
        )
    if not environment.get("REDIS_HOST"):
        return None
    return RedisSettings(
        host=environment["REDIS_HOST"],
        port=_number(environment, "REDIS_PORT", 6379),
        tls=(environment.get("REDIS_TLS") or "").lower() in ("1", "true", "yes", "on"),
        password=environment.get("REDIS_AUTH_TOKEN") or None,
        ca_file=ca_file,
    )


def _storage(environment: Mapping[str, str]) -> StorageSettings | None:
    bucket, credentials = environment.get("MEDIA_BUCKET"), environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if not bucket or not credentials:
        return None
    region = environment.get("AWS_REGION") or "us-east-1"
    endpoint = environment.get("AWS_ENDPOINT_URL") or f"https://s3.{region}.amazonaws.com"
    return StorageSettings(bucket, region, endpoint, credentials)

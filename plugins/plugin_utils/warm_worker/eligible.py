# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which tasks the warm worker takes. Whatever is not plainly the same on both paths takes Ansible's own."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping

# The equality test (tests/integration/warm_worker) has passed with these; it is the gate for every new one.
VERIFIED_CORES = frozenset({"2.19.14"})
ON_BY_DEFAULT = True
COLLECTIONS = ("stories1001.platform", "amazon.aws", "community.aws")

# Read by Python or the C library when a process starts, which a forked one does not do.
_READ_AT_START = re.compile(r"PYTHON|LD_|LC_|LANG|MALLOC_|GLIBC_|TZ$|OPENSSL_|SSL_")


def unsupported(core_version: str) -> str | None:
    """Why no task of this run can go to a warm worker; None if they can. Worth one warning."""
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return "it needs Linux 5.3 and a Python with pidfd_open"
    if core_version not in VERIFIED_CORES:
        verified = ", ".join(sorted(VERIFIED_CORES))
        return f"ansible-core {core_version} is not among the versions that it was verified with ({verified})"
    return None


def collection_of(module: str) -> str | None:
    """The supported collection that a module's full name, such as ``amazon.aws.route53``, belongs to."""
    name = module.rpartition(".")[0]
    return name if name in COLLECTIONS else None


def ordinary(source: bytes) -> bool:
    """Whether a module is Python for Ansible's usual interpreter and does not start itself again elsewhere."""
    return source.startswith(b"#!/usr/bin/python\n") and b"respawn" not in source


def needs_a_fresh_process(environment: Iterable[str]) -> bool:
    """Whether a task's own environment variables are among those that only a starting process reads."""
    return any(_READ_AT_START.match(name) for name in environment)


def switched_on(variables: Mapping[str, object], environment: Mapping[str, str]) -> bool:
    """The variable `platform_warm_worker`; the environment variable PLATFORM_WARM_WORKER goes before it."""
    told = environment.get("PLATFORM_WARM_WORKER", variables.get("platform_warm_worker", ON_BY_DEFAULT))
    return str(told).strip().lower() in {"1", "true", "yes", "on"}

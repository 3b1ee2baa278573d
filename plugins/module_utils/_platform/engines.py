# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the engine versions of the description can be had, asked before the first phase writes."""

from __future__ import annotations

from collections.abc import Mapping

from .._aws.api import Aws
from .._elasticache.kinds import ReplicationGroup
from .._elasticache.model import major_minor
from .._elasticache.versions import unknown_version
from .._engine.steps import PlanRefused
from .._rds.clusters import DbCluster
from .._rds.kinds import available_versions
from .._rds.model import ENGINE
from .._rds.versions import resolve

ENGINES = (ENGINE, "redis", "valkey")


def engine_problems(aws: Aws, tags: Mapping[str, str], name: str, versions: Mapping[str, str]) -> list[str]:
    """A sentence for each version that the region does not offer and that does not run already.

    name: of the database cluster and of the cache. versions: by engine; an empty one is not asked for.
    """
    found = []
    if unknown := sorted(set(versions) - set(ENGINES)):
        found.append(f"Read engines {', '.join(unknown)}; there are {', '.join(ENGINES)}. Mend the play.")
    if version := versions.get(ENGINE):
        found.append(_aurora(aws, tags, name, version))
    found += [_cache(aws, tags, name, one, versions[one]) for one in ENGINES[1:] if versions.get(one)]
    return [problem for problem in found if problem]


def _aurora(aws: Aws, tags: Mapping[str, str], name: str, version: str) -> str:
    available = available_versions(aws)
    if not (wrong := _refused(version, None, available)):
        return ""
    standing = DbCluster(aws, tags, name).described()
    return _refused(version, standing["EngineVersion"], available) if standing else wrong


def _refused(wanted: str, present: str | None, available: list[str]) -> str:
    try:
        resolve(wanted, present, available, major_upgrade=True)
    except PlanRefused as refusal:
        return " ".join(refusal.problems)
    return ""


def _cache(aws: Aws, tags: Mapping[str, str], name: str, engine: str, version: str) -> str:
    if not (wrong := unknown_version(aws, engine, version)):
        return ""
    standing = {found.fields["engine_version"] for found in ReplicationGroup(aws, tags, name).observe()}
    return "" if major_minor(version) in standing else wrong

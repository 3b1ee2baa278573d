# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which engine version a cluster shall have: available, never older than what stands; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .._engine.steps import PlanRefused

_VERSION = re.compile(r"(?P<major>\d+)(?:\.(?P<minor>\d+))?")


def family(version: str) -> str:
    """The parameter group family of a version: ``aurora-postgresql15`` of ``15.4``."""
    return f"aurora-postgresql{version.partition('.')[0]}"


def resolve(wanted: str, present: str | None, available: Sequence[str], *, major_upgrade: bool = False) -> str:
    """The version to declare.

    wanted: a major version (``15``: what stands, or the newest available) or an exact one (``15.8``).
    present: the version of the standing cluster, None without one.
    available: what AWS offers in this region.
    Raises PlanRefused with the offered versions when the wanted one cannot be had.
    """
    if not _VERSION.fullmatch(wanted):
        raise PlanRefused([f"Read engine version {wanted!r}. Write a major version such as 15, or an exact one."])
    if present and _satisfied(wanted, present):
        return present
    if present and _number(wanted) < _number(present):
        raise PlanRefused(
            [f"Wanted engine version {wanted} and found {present}; Aurora takes no step back. Set it to {present}."]
        )
    if present and _number(wanted)[0] != _number(present)[0] and not major_upgrade:
        raise PlanRefused(
            [
                f"Wanted engine version {wanted} and found {present}; that is an upgrade of the major version, "
                "with downtime. Set allow_major_version_upgrade to make it."
            ]
        )
    fitting = sorted((one for one in available if one == wanted or one.startswith(f"{wanted}.")), key=_number)
    if fitting:
        return fitting[-1]
    major = wanted.partition(".")[0]
    offered = sorted((one for one in available if _number(one)[0] == int(major)), key=_number)
    told = ", ".join(offered) or ", ".join(sorted(available, key=_number))
    raise PlanRefused([f"Wanted engine version {wanted}; AWS offers {told} in this region. Choose one of these."])


def _satisfied(wanted: str, present: str) -> bool:
    """A major version is satisfied by each of its minors; an exact one also by a newer minor, AWS's upgrade."""
    return _number(wanted)[0] == _number(present)[0] and _number(wanted) <= _number(present)


def _number(version: str) -> tuple[int, ...]:
    """For comparison; ``15.4-limitless`` and the like count as 15.4."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])

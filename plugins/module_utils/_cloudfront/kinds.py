# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kinds of a content delivery, in the order of creation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .._aws.api import Aws
from .._engine.kinds import Kind
from .._engine.resources import Resource
from .access import KeyGroup, OriginAccessControl, PublicKey
from .api import NamedKind
from .distribution import Distribution
from .policies import CachePolicy, OriginRequestPolicy, ResponseHeadersPolicy

_NAMED: tuple[type[NamedKind], ...] = (
    OriginAccessControl,
    PublicKey,
    KeyGroup,
    CachePolicy,
    OriginRequestPolicy,
    ResponseHeadersPolicy,
)


def delivery_kinds(
    aws: Aws,
    tags: Mapping[str, str],
    prefix: str,
    wanted: Iterable[Resource] = (),
    wait_seconds: int = 0,
) -> list[Kind]:
    """All kinds of a content delivery. wanted: the resources whose names are to be found, whatever they hold."""
    names: dict[str, set[str]] = {}
    aliases: list[str] = []
    for resource in wanted:
        names.setdefault(resource.kind, set()).add(resource.name)
        aliases += resource.fields.get("aliases", ())
    kinds: list[Kind] = [kind(aws, prefix, names.get(kind.kind, ())) for kind in _NAMED]
    return [*kinds, Distribution(aws, tags, prefix, wait_seconds, aliases)]

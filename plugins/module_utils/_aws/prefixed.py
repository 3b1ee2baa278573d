# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is found by a name that begins with the platform's prefix, and is kept from its neighbours by tags."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from .._engine.kinds import Kind
from .api import Aws
from .tags import belongs


class Prefixed(Kind):
    """Kinds whose resources AWS lists by name.

    The platform `stories-prod` must leave alone what `stories-prod-eu` made. So a name under the prefix is ours if this
    call describes it, which lets lost tags be found and mended, or if it carries our tags.
    """

    service: ClassVar[str]  # of boto3

    def __init__(self, aws: Aws, tags: Mapping[str, str], prefix: str, named: Collection[str] = ()) -> None:
        """named: the names that this call describes."""
        self._aws = aws
        self._identity = tags
        self._prefix = f"{prefix}-"
        self._named = frozenset(named)

    def _call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self._aws.call(attempt, self.service, operation, **parameters)

    def _is_ours(self, name: str, tags: Mapping[str, str]) -> bool:
        return name in self._named or belongs(tags, self._identity)

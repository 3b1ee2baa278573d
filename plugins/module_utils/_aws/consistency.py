# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Services that show a change only some seconds after they took it: IAM and S3 say so in their guides."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .._engine.resources import Found, Resource
from .waiters import until


class Expectations:
    """What was written and is not yet seen; one look serves all of them."""

    def __init__(self, title: str, observe: Callable[[], Iterable[Found]]) -> None:
        self._title = title
        self._observe = observe
        self._wanted: dict[str, Resource] = {}

    def expect(self, wanted: Resource) -> None:
        """Remember what the service took."""
        self._wanted[wanted.name] = wanted

    def wait(self, name: str) -> None:
        """Wait until the service shows what it took. Raises StepFailed after two minutes."""
        if name in self._wanted:
            until(
                f"{self._title} {name} to show its changes",
                lambda: self._look(name),
                good={"seen"},
                timeout=120,
                interval=3,
            )

    def _look(self, name: str) -> str:
        for found in self._observe():
            wanted = self._wanted.get(found.name)
            if wanted and all(found.fields.get(field) == value for field, value in wanted.fields.items()):
                del self._wanted[found.name]
        return "stale" if name in self._wanted else "seen"

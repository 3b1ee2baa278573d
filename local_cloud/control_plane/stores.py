# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""State of the overlay's own resources: one dict of JSON values for each account and region.

ministack saves and resets it together with its own services, because it takes the state object for one of them.
"""

from __future__ import annotations

from typing import Any

from ministack import app as ministack
from ministack.core.responses import AccountRegionScopedDict

_NAME = "local_cloud_overlay"


class _OverlayState:
    """What ministack expects of a service module that has state."""

    def __init__(self) -> None:
        self.stores: dict[str, AccountRegionScopedDict] = {}
        self._restored: dict[str, Any] = {}

    def store(self, name: str) -> AccountRegionScopedDict:
        if name in self.stores:
            raise ValueError(f"two stores are named {name}")
        self.stores[name] = AccountRegionScopedDict()
        return self.stores[name]

    def get_state(self) -> dict[str, Any]:
        return dict(self.stores)

    def load_persisted_state(self, saved: dict[str, Any]) -> None:
        for name, content in saved.items():
            if name in self.stores:
                self.stores[name]._data = content._data

    def reset(self) -> None:
        for store in self.stores.values():
            store._data.clear()


_state = _OverlayState()
ministack.SERVICE_REGISTRY[_NAME] = {"module": _NAME}
ministack._state_map[_NAME] = _NAME
ministack._loaded_modules[_NAME] = _state


def store(name: str) -> Any:
    """A dict-like store of JSON values, scoped to the account and region of the call that uses it."""
    return _state.store(name)

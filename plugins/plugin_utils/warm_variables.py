# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A task's variables wrapped once for all of its templates, and a play's `vars_files` parsed once.

Ansible parses each file of `vars_files` anew whenever it gathers variables, some 190 times in a site run, unless it is
a vault. Here a file is parsed again when it has changed.

Before Ansible evaluates a template it wraps each variable in scope, so that a variable is only worked out where the
template uses it. With some 280 variables in scope and 180 templates in a task these are 50,000 wrappers, each the same
as that of the template before. Here each template gets a copy of the wrappers made first, for as long as the variables
are still the same objects.
"""

from __future__ import annotations

import os
from typing import Any

from ansible.parsing.dataloader import DataLoader

# Of smaller mappings, such as those nested in variables, wrapping costs no more than looking.
_WORTH_KEEPING = 64
# A template sees the task's variables and Jinja's globals; a loop or a lookup adds its own.
_KEPT = 4


class WrappedOnce:
    """The wrappers of the mappings seen last."""

    def __init__(self, wrapper: type) -> None:
        self._wrapper = wrapper
        self._kept: dict[int, tuple[dict[Any, Any], list[int], dict[Any, Any]]] = {}

    def of(self, mapping: dict[Any, Any]) -> dict[Any, Any]:
        """Each value of the mapping in its wrapper, to copy from and not to change."""
        # The wrappers keep the values alive, so that an identity stands for the same object as before.
        identities = list(map(id, dict.values(mapping)))
        kept = self._kept.get(id(mapping))
        if kept and kept[0] is mapping and kept[1] == identities and list(mapping) == list(kept[2]):
            return kept[2]
        wrapper = self._wrapper
        wrapped = {name: wrapper(value) for name, value in dict.items(mapping)}
        self._kept.pop(id(mapping), None)
        while len(self._kept) >= _KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[id(mapping)] = (mapping, identities, wrapped)
        return wrapped


def wrap_once() -> None:
    """Make Ansible's templating wrap a task's variables once."""
    from ansible._internal._templating import _lazy_containers as lazy

    containers: Any = lazy._AnsibleLazyTemplateDict
    wrap_anew = containers._lazy_values
    wrapped = WrappedOnce(lazy._LazyValue)

    def wrap(values: Any, lazy_options: Any) -> Any:
        anew = wrap_anew(values, lazy_options)
        if len(values) < _WORTH_KEEPING or type(values) not in (dict, lazy._AnsibleTaggedDict):
            return anew
        return lazy._LazyValueSource(source=wrapped.of(values), templar=anew.templar, lazy_options=lazy_options)

    containers._lazy_values = staticmethod(wrap)


def parse_once() -> None:
    """Make Ansible parse a file of `vars_files` once for as long as it stays the same."""
    load: Any = DataLoader.load_from_file
    parsed: dict[tuple[Any, ...], Any] = {}

    def load_from_file(self: Any, file_name: str, cache: str = "all", unsafe: bool = False, **others: Any) -> Any:
        # So does Ansible ask for `vars_files`; it hands the result of a vault out again in the same way.
        if cache != "vaulted" or not unsafe:
            return load(self, file_name, cache=cache, unsafe=unsafe, **others)
        path = self.path_dwim(file_name)
        try:
            found = os.stat(path)
        except OSError:  # Ansible says it in its own words
            return load(self, file_name, cache=cache, unsafe=unsafe, **others)
        key = (path, found.st_ino, found.st_size, found.st_mtime_ns, id(self), *sorted(others.items()))
        if key not in parsed:
            parsed[key] = load(self, file_name, cache=cache, unsafe=unsafe, **others)
        return parsed[key]

    DataLoader.load_from_file = load_from_file

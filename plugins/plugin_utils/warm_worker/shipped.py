# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows a module the packages that Ansible would have sent to it in a zip: `ansible.module_utils` and collections.

They are read from where they are installed, with their compiled files. Nothing else of them can be imported, so that
this process stays what modules expect, a target: `ansible._internal`, whose presence makes code behave as on a
controller, does not exist here.
"""

from __future__ import annotations

import os
import pkgutil
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from types import ModuleType

_PARTS = ("module_utils", "modules")  # of a collection's plugins


class Shipped(MetaPathFinder):
    """Finds `ansible`, `ansible.module_utils` and the packages above the plugins of the given collections.

    core: the folder of the installed `ansible` package. version: ansible-core's.
    collections: the folder of each, by name, such as ``amazon.aws``.
    """

    def __init__(self, core: str, version: str, collections: Mapping[str, str]) -> None:
        self._folders = {"ansible.module_utils": os.path.join(core, "module_utils")}
        start = {"__version__": version, "__author__": "Ansible, Inc.", "__file__": os.path.join(core, "__init__.py")}
        self._empty: dict[str, dict[str, str]] = {"ansible": start, "ansible_collections": {}}
        for name, folder in collections.items():
            above = f"ansible_collections.{name.split('.')[0]}"
            for package in (above, f"ansible_collections.{name}", f"ansible_collections.{name}.plugins"):
                self._empty.setdefault(package, {})
            for part in _PARTS:
                self._folders[f"ansible_collections.{name}.plugins.{part}"] = os.path.join(folder, "plugins", part)

    def install(self) -> None:
        sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in self._empty:
            spec = ModuleSpec(fullname, _Empty(self._empty[fullname]), is_package=True)
            # The zip's own `ansible` admits another one that the interpreter may have, as Ansible's does.
            spec.submodule_search_locations = pkgutil.extend_path([], fullname) if fullname == "ansible" else []
            return spec
        if fullname in self._folders:
            folder = self._folders[fullname]
            start = os.path.join(folder, "__init__.py")
            if os.path.exists(start):
                return spec_from_file_location(fullname, start, submodule_search_locations=[folder])
            spec = ModuleSpec(fullname, _Empty({}), is_package=True)
            spec.submodule_search_locations = [folder]
            return spec
        return None  # what lies below these folders is found by Python itself


class _Empty(Loader):
    """A package without code of its own."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(self._names)

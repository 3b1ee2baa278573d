# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Definitions as data: one entry becomes one for each slot, node or gateway, with its names filled in."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: for_each
short_description: Make one definition for each part that it names
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - A definition with C(for_each) becomes one for each entry of that list of parts; without, it stays one.
  - C({word}) is replaced by the entry's value of that name, or by the common one. A text that is nothing but C({word})
    takes over the value as it is, be it a number or a list. A word that neither knows is left alone.
positional: parts, common, also
options:
  _input:
    description: The definitions.
    type: list
    elements: dict
    required: true
  parts:
    description: Lists of parts by their names.
    type: dict
    required: true
  common:
    description: Values for every definition. One that no definition names is not worked out.
    type: dict
    default: {}
  also:
    description: Entries that every definition is given.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show an alarm of each slot
  ansible.builtin.debug:
    msg: "{{ definitions | stories1001.platform.for_each({'slots': [{'slot': 'blue'}, {'slot': 'green'}]}) }}"
  vars:
    definitions:
      - for_each: slots
        name: stories-{slot}-cpu
"""

RETURN = r"""
_value:
  description: The definitions, filled in.
  type: list
  elements: dict
"""

_WORD = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def for_each(
    definitions: Sequence[Mapping[str, Any]],
    parts: Mapping[str, Any],
    common: Mapping[str, Any] | None = None,
    also: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """As the documentation above says. Raises AnsibleFilterError for parts that nobody described."""
    told = []
    given = dict((also or {}).items())
    for definition in definitions:
        name = definition.get("for_each")
        if name is not None and name not in parts:
            known = ", ".join(sorted(parts))
            raise AnsibleFilterError(f"Read for_each {name!r}; there are the parts {known}. Name one of these.")
        rest = {key: value for key, value in definition.items() if key != "for_each"} | given
        for number, entry in enumerate(parts[name] if name else [{}], start=1):
            words = entry if isinstance(entry, Mapping) else {"each": entry}
            # Looked up and not merged: Ansible works a variable out when it is taken.
            values = ChainMap(words, {"number": number}, common or {})  # type: ignore[arg-type] # nothing writes to it
            told.append(_filled(rest, values))
    return told


def _filled(value: Any, words: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {_filled(key, words): _filled(part, words) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(part, words) for part in value]
    if not isinstance(value, str):
        return value
    whole = _WORD.fullmatch(value)
    if whole and whole[1] in words:
        return words[whole[1]]
    return _WORD.sub(lambda match: str(words.get(match[1], match[0])), value)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"for_each": for_each}

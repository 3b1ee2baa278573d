# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many connections an Aurora PostgreSQL instance takes when nobody says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: aurora_max_connections
short_description: Tell the default of max_connections for an instance class
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Aurora PostgreSQL's default of C(max_connections) is the memory of the class in bytes divided by 9531392, 5000 at
    most; RDS keeps about a tenth of the memory for itself, so the result lies a tenth below.
  - A serverless instance has 2 GiB for each capacity unit, and its limit follows from the highest capacity.
positional: serverless_max_acu
options:
  _input:
    description: Instance class, such as V(db.r6g.large).
    type: str
    required: true
  serverless_max_acu:
    description: The highest capacity of V(db.serverless).
    type: float
    default: 0
"""

EXAMPLES = r"""
- name: Show the limit
  ansible.builtin.debug:
    msg: "{{ 'db.r6g.large' | stories1001.platform.aurora_max_connections }}"
"""

RETURN = r"""
_value:
  description: Connections.
  type: int
"""

# GiB of memory of the size ``large`` by the family's first letter (Amazon RDS user guide, "DB instance classes").
_LARGE_GIB = {"t": 8, "m": 8, "r": 16, "x": 32}
_OF_LARGE = {"micro": 1 / 8, "small": 1 / 4, "medium": 1 / 2, "large": 1, "xlarge": 2}
_BYTES_EACH = 9_531_392
_MOST = 5000
_KEPT = 0.9


def aurora_max_connections(instance_class: str, serverless_max_acu: float = 0) -> int:
    """As the documentation above says. Raises AnsibleFilterError for a class whose memory is not known."""
    gib = 2 * float(serverless_max_acu) if instance_class == "db.serverless" else _memory(instance_class)
    if gib <= 0:
        raise AnsibleFilterError(
            "Read db.serverless without its highest capacity. Give rds_aurora_serverless_v2_scaling."
        )
    return min(_MOST, int(_KEPT * gib * 2**30 / _BYTES_EACH))


def _memory(instance_class: str) -> float:
    """GiB of memory of an instance class."""
    prefix, _dot, rest = instance_class.partition(".")
    family, _dot, size = rest.partition(".")
    times = _OF_LARGE.get(size, 2 * int(size.removesuffix("xlarge")) if size.removesuffix("xlarge").isdigit() else 0)
    if prefix != "db" or not times or family[:1] not in _LARGE_GIB:
        raise AnsibleFilterError(
            f"Read instance class {instance_class!r}; its memory is not known. Set monitoring_database_max_connections."
        )
    return _LARGE_GIB[family[0]] * times


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"aurora_max_connections": aurora_max_connections}

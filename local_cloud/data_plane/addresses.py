# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which loopback addresses a cloud gives out: 127.N.x.y, where N follows from the control plane's port.

Two clouds on one machine differ in their ports, so in N. All of 127.0.0.0/8 is local on Linux without any set-up.

| range            | for                                                                            |
|------------------|--------------------------------------------------------------------------------|
| 127.N.0.1 - 199.254 | tasks, one each                                                             |
| 127.N.200 - 215.*   | load balancers, 8 each: the address of the DNSName, then the nodes'         |
| 127.N.216 - 231.*   | database clusters, 16 each: writer, reader, proxy, proxy reader, instances  |
| 127.N.232 - 247.*   | cache groups, 8 each: primary, reader, members                              |
| 127.N.248 - 254.*   | CloudFront distributions, 4 each, of which the first serves                 |
"""

from __future__ import annotations

UNPRIVILEGED_OFFSET = 20000  # added to a port below 1024 that this process may not bind

_TASKS = 200 * 256
_LEAST_RANGE = 7  # third octets; 255 stays free, with the broadcast address
_RANGES = {"load_balancer": (200, 8), "database": (216, 16), "cache": (232, 8), "edge": (248, 4)}


def network(control_plane_port: int) -> int:
    """The second octet, N."""
    return 64 + control_plane_port % 128


def _address(second_octet: int, number: int) -> str:
    return f"127.{second_octet}.{number // 256}.{number % 256}"


def task_address(second_octet: int, sequence: int) -> str:
    """The address of the sequence-th task, 0 first; reused after some 50,000 tasks."""
    return _address(second_octet, 1 + sequence % (_TASKS - 2))


def block(second_octet: int, kind: str, number: int) -> list[str]:
    """The addresses of the number-th load balancer, database, cache or edge, 0 first. ValueError: none is left."""
    start, size = _RANGES[kind]
    first = start * 256 + number * size
    if number >= _LEAST_RANGE * 256 // size:
        raise ValueError(f"no loopback addresses are left for another {kind.replace('_', ' ')}")
    return [_address(second_octet, first + offset) for offset in range(size)]

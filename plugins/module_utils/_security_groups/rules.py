# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One rule of a security group as a line that a person can read, and back; pure.

``tcp 3000 from group stories-production-app`` is the form in which rules are compared and shown. AWS keeps one
rule for each such line and a description beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_LINE = re.compile(r"(?P<protocol>\S+) (?P<ports>\S+) (?:from|to) (?P<sort>group |prefix list |)(?P<peer>\S.*)")
_PORTS = re.compile(r"(-?\d+)(?:-(-?\d+))?")
_NUMBERS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
_ICMP = ("icmp", "icmpv6")

INGRESS, EGRESS = "ingress", "egress"


@dataclass(frozen=True)
class Rule:
    """protocol: ``tcp``, ``udp``, ``icmp``, ``icmpv6``, a number, or ``all`` (AWS's -1).

    ports: first and last port (for ICMP type and code); None for all.
    sort, peer: ``cidr`` and a range, ``group`` and a group's name or id, ``prefix list`` and its name or id.
    """

    protocol: str
    ports: tuple[int, int] | None
    sort: str
    peer: str

    def line(self, direction: str) -> str:
        """Such as ``tcp 443 from 10.0.0.0/16``."""
        if self.ports is None:
            ports = "ports" if self.protocol == "all" else "all"
        else:
            first, last = self.ports
            ports = str(first) if first == last else f"{first}-{last}"
        sort = "" if self.sort == "cidr" else f"{self.sort} "
        return f"{self.protocol} {ports} {'from' if direction == INGRESS else 'to'} {sort}{self.peer}"

    @classmethod
    def parse(cls, line: str) -> Rule:
        """Inverse of `line`."""
        parts = _LINE.fullmatch(line)
        if not parts:
            raise ValueError(f"{line!r} is no line of a rule")
        numbers = _PORTS.fullmatch(parts["ports"])
        ports = (int(numbers[1]), int(numbers[2] or numbers[1])) if numbers else None
        return cls(parts["protocol"], ports, parts["sort"].strip() or "cidr", parts["peer"])

    def permission(self, description: str, group_id: Callable[[str], str], list_id: Callable[[str], str]) -> Any:
        """What Authorize and UpdateSecurityGroupRuleDescriptions take (EC2's IpPermission)."""
        told = {"Description": description} if description else {}
        match self.sort:
            case "group":
                peer: dict[str, Any] = {"UserIdGroupPairs": [{"GroupId": group_id(self.peer), **told}]}
            case "prefix list":
                peer = {"PrefixListIds": [{"PrefixListId": list_id(self.peer), **told}]}
            case _ if ":" in self.peer:
                peer = {"Ipv6Ranges": [{"CidrIpv6": self.peer, **told}]}
            case _:
                peer = {"IpRanges": [{"CidrIp": self.peer, **told}]}
        if self.protocol == "all":
            return {"IpProtocol": "-1", **peer}
        first, last = self.ports or ((-1, -1) if self.protocol in _ICMP else (0, 65535))
        return {"IpProtocol": self.protocol, "FromPort": first, "ToPort": last, **peer}


def observed(item: Mapping[str, Any], group_name: Callable[[str], str], list_name: Callable[[str], str]) -> Rule:
    """The rule of an item of DescribeSecurityGroupRules."""
    protocol = _NUMBERS.get(item["IpProtocol"], item["IpProtocol"])
    protocol = "all" if protocol == "-1" else protocol
    ports = (item.get("FromPort", -1), item.get("ToPort", -1))
    if reference := item.get("ReferencedGroupInfo", {}).get("GroupId"):
        sort, peer = "group", group_name(reference)
    elif prefix_list := item.get("PrefixListId"):
        sort, peer = "prefix list", list_name(prefix_list)
    else:
        sort, peer = "cidr", item.get("CidrIpv4") or item["CidrIpv6"]
    everything = protocol == "all" or ports in ((-1, -1), *([(0, 65535)] if protocol in ("tcp", "udp") else []))
    return Rule(protocol, None if everything else ports, sort, peer)

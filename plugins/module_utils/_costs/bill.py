# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a description to a bill: quantities with the name of their price, added up.

A `Rule` tells what one resource of a kind uses in a month. It knows the description only, so the price of a platform
that does not exist yet and of one that stands are the same sum. Rules stand in the files beside this one, by phase.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .prices import Prices

USAGE_KIND = "usage"  # what no single resource causes: logs, traffic between zones, requests to KMS


@dataclass(frozen=True)
class Part:
    """So many units of something, in a month. price: the way to its price in the list."""

    quantity: float
    unit: str
    price: str


class Description(Mapping[str, Any]):
    """The variables of the inventory, role defaults included, with the few questions that every rule asks."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def prefix(self) -> str:
        return f"{self['platform_name']}-{self['platform_environment']}"

    @property
    def zones(self) -> int:
        return len(self["platform_availability_zones"])

    def usage(self, name: str) -> float:
        return float(self[f"platform_usage_{name}"])

    def on(self, name: str) -> bool:
        """Whether a variable is there and says yes; ``-e name=false`` gives a text."""
        value = self.get(name)
        return value.lower() in ("true", "yes", "on", "1") if isinstance(value, str) else bool(value)


@dataclass(frozen=True)
class Rule:
    """What the resources of one kind cost.

    phase: the playbook that makes them. names: those that the description asks for.
    parts: what one of them, by its name, uses in a month; nothing for one that is free.
    """

    phase: int
    kind: str
    names: Callable[[Description], Sequence[str]]
    parts: Callable[[Description, str], Sequence[Part]]


@dataclass(frozen=True)
class Line:
    """One resource on the bill. action: create, change, destroy, keep; empty where nothing was planned."""

    phase: int
    kind: str
    name: str
    monthly_usd: float
    how: str
    action: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "phase": self.phase,
            "kind": self.kind,
            "name": self.name,
            "action": self.action,
            "monthly_usd": self.monthly_usd,
            "how": self.how,
        }


def bill(description: Description, prices: Prices, rules: Iterable[Rule]) -> list[Line]:
    """Everything billable that the description asks for, by phase."""
    lines = [line(rule, name, description, prices) for rule in rules for name in rule.names(description)]
    return sorted(lines, key=lambda one: (one.phase, -one.monthly_usd, one.kind, one.name))


def line(rule: Rule, name: str, description: Description, prices: Prices, action: str = "") -> Line:
    """The line of one resource, rounded to cents."""
    every = rule.parts(description, name)
    parts = [part for part in every if part.quantity > 0]
    usd = sum(part.quantity * prices.of(part.price) for part in parts)
    words = how(parts, prices) if parts else "within what AWS gives for nothing" if every else ""
    return Line(rule.phase, rule.kind, name, round(usd, 2), words, action)


def total(lines: Iterable[Line]) -> float:
    """The sum of the rounded lines, so that a reader who adds them up finds the same."""
    return round(sum(one.monthly_usd for one in lines), 2)


def how(parts: Sequence[Part], prices: Prices) -> str:
    """The sum in words, such as ``730 h x $0.045 + 40 GB x $0.045``."""
    return " + ".join(f"{_count(part.quantity)} {part.unit} x ${_price(prices.of(part.price))}" for part in parts)


def above(quantity: float, free: float) -> float:
    """What remains beyond a free amount."""
    return max(0.0, quantity - free)


def _count(number: float) -> str:
    return f"{number:,.3f}".rstrip("0").rstrip(".")


def _price(number: float) -> str:
    return f"{number:.10f}".rstrip("0").rstrip(".") or "0"

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The price list: what one unit of something costs in one region.

A list is a file of ``roles/cost_control/files/price_lists``: region, currency, date, source and services. A price is
named by the way to it, such as ``aurora/instance_hour/db.r6g.large``. A price that is asked for and is not there is
remembered, so that one error names everything that is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._engine.steps import PlanRefused

HOURS = 730  # of a month, as AWS's own calculator counts


class Prices:
    """Prices of one region, those that hold everywhere included. All in US dollars for the unit in the name."""

    def __init__(self, region: str, date: str, source: str, units: Mapping[str, float]) -> None:
        self.region = region
        self.date = date
        self.source = source
        self._units = units
        self.missing: list[str] = []

    def of(self, key: str) -> float:
        """The price; 0 and a note in ``missing`` when the list has none."""
        if key not in self._units:
            if key not in self.missing:
                self.missing.append(key)
            return 0.0
        return self._units[key]

    def has(self, key: str) -> bool:
        """Whether the list has this price; asking is no need for it."""
        return key in self._units

    def check(self) -> None:
        """Raises PlanRefused with every price that was asked for and is missing."""
        if self.missing:
            raise PlanRefused(
                [
                    f"Looked for the price of {', '.join(sorted(self.missing))} in the list of {self.region} "
                    f"({self.date}) and found none. Choose another size or region, or bring the list up to date: "
                    f"ansible-playbook playbooks/price_list.yml."
                ]
            )


def price_list(region: str, regional: Mapping[str, Any] | None, everywhere: Mapping[str, Any]) -> Prices:
    """The prices of a region from the content of its file (None: there is no such file) and of the global one."""
    if regional is None:
        raise PlanRefused(
            [
                f"Looked for the price list of region {region} and found none. Choose a region of "
                "roles/cost_control/files/price_lists, or make its list: ansible-playbook playbooks/price_list.yml."
            ]
        )
    wrong: list[str] = []
    units: dict[str, float] = {}
    for name, content in ((region, regional), ("global", everywhere)):
        if content.get("region") != name or content.get("currency") != "USD" or not content.get("date"):
            wrong.append(
                f"Read the price list of {name} and found region {content.get('region')!r}, currency "
                f"{content.get('currency')!r}, date {content.get('date')!r}. It needs its own region, USD and a date."
            )
        for key, price in flatten(content.get("services") or {}):
            if isinstance(price, bool) or not isinstance(price, int | float) or price < 0:
                wrong.append(f"Read the price {key} of {name} and found {price!r}. A price is a number of 0 or more.")
            else:
                units[key] = float(price)
    if wrong:
        raise PlanRefused(wrong)
    return Prices(region, str(regional["date"]), str(regional.get("source", "")), units)


def flatten(services: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """(``service/unit``, price) of each entry; ``source`` and other words are no prices."""
    for name, value in services.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{above}{name}/")
        elif name != "source":
            yield f"{above}{name}", value

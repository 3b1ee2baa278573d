# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an action plugin needs to reckon a price: the description of the inventory, and the price list's files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.common.yaml import yaml_load

from ..module_utils._costs.bill import Description
from ..module_utils._costs.prices import Prices, price_list
from .templates import templated

_ROLES = Path(__file__).resolve().parents[2] / "roles"
PRICE_LISTS = _ROLES / "cost_control" / "files" / "price_lists"

# Roles whose sizes decide what a platform costs.
_PRICED_ROLES = (
    "networking",
    "app_secrets",
    "elasticache",
    "rds_aurora",
    "load_balancer",
    "ecs_service",
    "cloudfront_waf",
    "static_assets",
    "media_processing",
    "release",
    "monitoring",
    "backup_plan",
    "cost_control",
)


def described(variables: Mapping[str, Any], templar: Any) -> Description:
    """The platform's variables and the inputs of the priced roles, defaults included, templated.

    A value that depends on what AWS will answer is left out.
    """
    defaults = [item for role in _PRICED_ROLES for item in _read(f"{role}/defaults/main.yml").items()]
    # A default that is a template is made of what the play hands over; no price depends on one.
    values = {name: value for name, value in defaults if "{{" not in str(value)}
    stems = ("platform_", *(f"{role}_" for role in _PRICED_ROLES))
    values.update({name: variables[name] for name in variables if name.startswith(stems)})
    told = templated(templar, {**variables, **values}, values)
    return Description(told)


def prices_of(region: str) -> Prices:
    """The price list of a region. Raises PlanRefused when there is none."""
    regional = PRICE_LISTS / f"{region}.yml"
    return price_list(region, _load(regional) if regional.exists() else None, _load(PRICE_LISTS / "global.yml"))


def _read(path: str) -> dict[str, Any]:
    file = _ROLES / path
    return _load(file) if file.exists() else {}


def _load(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml_load(path.read_text(encoding="utf-8")) or {}
    return content

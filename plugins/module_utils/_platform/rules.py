# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules of the platform description that reach across fields; pure.

Types, choices and nested keys are said once, in each role's argument_specs. Here stands only what these
cannot say. A rule takes the description's variables and yields a sentence for each thing wrong.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from .._backup.model import COLD_STAY
from .._engine.steps import PlanRefused
from .._kpis.table import checked
from .._network.model import TIERS
from .._network.model import problems as network_problems

Rule = Callable[[Mapping[str, Any]], Iterable[str]]

# Target groups and load balancers take 32 characters, the least of all names that we make.
_LONGEST_NAME = 32
_LONGEST_SUFFIX = "-app-green"
_NAME = re.compile(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9]))*")
_ZONE = re.compile(r"(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)[a-z]")


def names(values: Mapping[str, Any]) -> Iterator[str]:
    """RDS and ElastiCache demand a leading letter; load balancers allow 32 characters."""
    for key in ("platform_name", "platform_environment"):
        name = str(values.get(key, ""))
        if not _NAME.fullmatch(name):
            yield (
                f"Read {key} {name!r}; RDS and ElastiCache take lower-case letters, digits and single hyphens, "
                "beginning with a letter. Choose such a name."
            )
    prefix = f"{values.get('platform_name', '')}-{values.get('platform_environment', '')}"
    room = _LONGEST_NAME - len(_LONGEST_SUFFIX)
    if len(prefix) > room:
        yield (
            f"Read the prefix {prefix!r} of platform_name and platform_environment; it has {len(prefix)} characters "
            f"and target groups leave room for {room}. Shorten platform_name or platform_environment."
        )


def zones(values: Mapping[str, Any]) -> Iterator[str]:
    """Zones belong to the region, each once."""
    region, given = values.get("platform_region"), values.get("platform_availability_zones", [])
    for zone in sorted({zone for zone in given if given.count(zone) > 1}):
        yield (
            f"Read zone {zone} twice in platform_availability_zones; two subnets of a tier would share a zone and "
            "fall with it. Name each zone once."
        )
    for zone in given:
        match = _ZONE.fullmatch(str(zone))
        if not match or match["region"] != region:
            yield (
                f"Read zone {zone!r} in platform_availability_zones; it is none of platform_region {region}. "
                f"Name zones such as {region}a."
            )


def network(values: Mapping[str, Any]) -> Iterable[str]:
    """Subnets lie inside the VPC, apart from each other, one a zone."""
    tiers = {tier: values[f"networking_{tier}_subnets"] for tier in TIERS}
    given = values["platform_availability_zones"]
    if len(set(given)) < len(given):
        return []  # `zones` has told it; counting subnets against it would only confuse
    return network_problems(values["networking_cidr_block"], given, tiers)


def capacity(values: Mapping[str, Any]) -> Iterator[str]:
    """Every pair of bounds that the roles take, the lower one no higher than the upper."""
    for low in sorted(key for key in values if key.endswith("_min_capacity")):
        high = f"{low.removesuffix('_min_capacity')}_max_capacity"
        if high in values and values[low] is not None and values[high] is not None and values[low] > values[high]:
            yield (
                f"Read {low} {values[low]} and {high} {values[high]}; the minimum lies above the maximum. "
                "Lower the one or raise the other."
            )


def certificate(values: Mapping[str, Any]) -> Iterator[str]:
    """HTTPS needs a certificate: one that exists, or a name for which one is requested."""
    if not values["load_balancer_domain_name"] and not values["load_balancer_certificate_arn"]:
        yield (
            "Read neither load_balancer_domain_name nor load_balancer_certificate_arn; HTTPS needs a certificate. Set "
            "the first to have one requested, or the second to use one that exists."
        )
    if values["load_balancer_alternative_domain_names"] and not values["load_balancer_domain_name"]:
        yield (
            "Read load_balancer_alternative_domain_names without load_balancer_domain_name; they are further names of "
            "the certificate that is requested for the latter. Set it, or remove them."
        )


def zone_of_names(role: str) -> Rule:
    """The rule that all names of a role's certificate lie in its one hosted zone."""

    def rule(values: Mapping[str, Any]) -> Iterator[str]:
        names = [values[f"{role}_domain_name"], *values[f"{role}_alternative_domain_names"]]
        parents = [set(_parents(name)) for name in names if name]
        if values[f"{role}_hosted_zone_id"] and parents and not set.intersection(*parents):
            yield (
                f"Read {role}_hosted_zone_id and the names {', '.join(names)}, which no single zone can hold. Leave "
                "the zone empty and set the records that the run prints, or give names of one domain."
            )

    return rule


def _parents(name: str) -> Iterator[str]:
    """The name and every domain above it, down to two labels: what a hosted zone may be called."""
    labels = name.removeprefix("*.").split(".")
    return (".".join(labels[start:]) for start in range(max(1, len(labels) - 1)))


def content_delivery(values: Mapping[str, Any]) -> Iterator[str]:
    """CloudFront refuses an origin whose certificate covers neither its own name nor the one that viewers ask."""
    site, origin = values["cloudfront_waf_domain_name"], values.get("cloudfront_waf_origin_domain_name")
    if values["cloudfront_waf_alternative_domain_names"] and not site:
        yield (
            "Read cloudfront_waf_alternative_domain_names without cloudfront_waf_domain_name; the certificate is "
            "requested for the latter. Set it, or remove them."
        )
    if not values.get("cloudfront_waf_certificate_arn"):
        certified = [site, *values["cloudfront_waf_alternative_domain_names"]]
        if beyond := [name for name in values.get("cloudfront_waf_aliases", []) if not _covers(certified, name)]:
            yield (
                f"Read the names {', '.join(beyond)} in cloudfront_waf_aliases, which the certificate does not cover. "
                "Name them in cloudfront_waf_alternative_domain_names too, or take them out."
            )
    if origin or "load_balancer_domain_name" not in values or values["load_balancer_certificate_arn"]:
        return  # another name, or a certificate whose names only AWS knows
    covered = [values["load_balancer_domain_name"], *values["load_balancer_alternative_domain_names"]]
    missing = [
        name for name in (site, *values["cloudfront_waf_alternative_domain_names"]) if not _covers(covered, name)
    ]
    for name in missing:
        told = f"the name {name}" if name else "no cloudfront_waf_domain_name"
        yield (
            f"Read {told} and a load balancer whose certificate covers {', '.join(covered)}; CloudFront would refuse "
            "to ask it. Give both the same names, or set cloudfront_waf_origin_domain_name to a name that the "
            "certificate covers and that leads to the load balancer."
        )


def _covers(names: Collection[str], wanted: str) -> bool:
    """Whether a certificate for these names holds for the wanted one; a wildcard stands for one label."""
    parent = wanted.partition(".")[2]
    return wanted in names or bool(parent and f"*.{parent}" in names)


def backups(values: Mapping[str, Any]) -> Iterator[str]:
    """A copy lies in another region; what goes cold stays so for 90 days; a lock lets every backup live and die."""
    region, other = values.get("platform_region"), values.get("platform_dr_region")
    if other and other == region:
        yield (
            f"Read platform_dr_region {other}, which is the platform's own region; a copy there would be lost with it. "
            "Name another region, or leave it empty."
        )
    low, high = values["backup_plan_lock_min_retention_days"], values["backup_plan_lock_max_retention_days"]
    for rule in ("daily", "weekly"):
        cold, delete = values[f"backup_plan_{rule}_cold_days"], values[f"backup_plan_{rule}_delete_days"]
        if delete < cold + COLD_STAY:
            yield (
                f"Read backup_plan_{rule}_cold_days {cold} and backup_plan_{rule}_delete_days {delete}; what is cold "
                f"stays {COLD_STAY} days at least. Delete after {cold + COLD_STAY} days or later."
            )
        if values["backup_plan_lock"] != "none" and not low <= delete <= high:
            yield (
                f"Read backup_plan_{rule}_delete_days {delete} and a lock for {low} to {high} days; AWS Backup would "
                "fail every such job. Widen backup_plan_lock_min_retention_days and …_max_retention_days."
            )


def promises(values: Mapping[str, Any]) -> Iterable[str]:
    """The table of KPIs is whole and free of contradictions."""
    try:
        checked(values.get("platform_kpis") or {})
    except PlanRefused as refusal:
        return refusal.problems
    return []


def monitoring(values: Mapping[str, Any]) -> Iterator[str]:
    """An objective leaves something to fail, and someone is told."""
    objective = values["monitoring_availability_objective"]
    if not 90 <= objective < 100:
        yield (
            f"Read monitoring_availability_objective {objective}; an objective lies between 90 and 100 per cent and "
            "leaves some requests to fail. Choose one such as 99.9."
        )
    for name in ("monitoring_alert_emails", "monitoring_notice_emails"):
        for address in values[name]:
            if "@" not in address:
                yield f"Read {address!r} in {name}; it is no address such as ops@example.org. Mend the inventory."


# Which rules a phase checks follows from the roles that it runs; those of `None` hold for every run.
RULES: Mapping[str | None, tuple[Rule, ...]] = {
    None: (names, zones, capacity),
    "networking": (network,),
    "backup_plan": (backups,),
    "load_balancer": (certificate, zone_of_names("load_balancer")),
    "cloudfront_waf": (content_delivery, zone_of_names("cloudfront_waf")),
    "kpi": (promises,),
    "monitoring": (monitoring,),
}


def broken(values: Mapping[str, Any], roles: Collection[str]) -> list[str]:
    """The sentences of every broken rule, for the platform and for these roles."""
    asked = [rule for role, rules in RULES.items() if role is None or role in roles for rule in rules]
    return [sentence for rule in asked for sentence in rule(values)]


def unknown(variables: Iterable[str], role: str, known: Collection[str]) -> list[str]:
    """A sentence for each variable that bears the role's name and that its interface does not know."""
    found = []
    for name in sorted(set(variables) - set(known)):
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"See roles/{role}/README.md for what it takes."
        found.append(f"Read the variable {name}; role {role} has no such input. {hint}")
    return found


def owner(variable: str, roles: Iterable[str]) -> str | None:
    """The role that a variable belongs to: the longest role name that it begins with."""
    fitting = [role for role in roles if variable.startswith(f"{role}_")]
    return max(fitting, key=len) if fitting else None

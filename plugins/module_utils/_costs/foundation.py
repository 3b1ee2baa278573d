# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What phase 1 costs: keys, addresses, the ways out of the network, the log bucket."""

from __future__ import annotations

from .bill import USAGE_KIND, Description, Part, Rule
from .prices import HOURS

_KEYS = ("data", "secrets", "logs", "backup")
_FREE_KMS_REQUESTS = 20_000


def nat_names(description: Description) -> list[str]:
    ways_out = {"none": 0, "single": 1, "per_zone": description.zones}[description["networking_nat_gateways"]]
    return [f"{description.prefix}-nat-{number}" for number in range(1, ways_out + 1)]


def _nat_gateway(description: Description, name: str) -> list[Part]:
    names = nat_names(description)
    # One that stands and is no longer asked for has no traffic; its hours are billed all the same.
    share = description.usage("nat_gb") / len(names) if name in names else 0
    return [Part(HOURS, "h", "nat_gateway/hour"), Part(share, "GB", "nat_gateway/gb")]


def _endpoint_names(description: Description) -> list[str]:
    return [f"{description.prefix}-{service}" for service in description["networking_interface_endpoints"]]


def _endpoint(description: Description, name: str) -> list[Part]:
    names = _endpoint_names(description)
    if name not in names:
        return []  # a gateway endpoint, which costs nothing
    return [
        Part(HOURS * description.zones, "h", "interface_endpoint/hour"),
        Part(description.usage("endpoint_gb") / len(names), "GB", "interface_endpoint/gb"),
    ]


def bucket(description: Description, name: str) -> list[Part]:
    """A bucket of any phase; what it keeps follows from its name."""
    if "-dr-media-" in name:
        return [Part(description.usage("media_gb"), "GB", "s3/infrequent_access_gb_month")]
    kept = {"-media-": "media_gb", "-static-": "static_gb", "-logs-": "log_bucket_gb"}
    stored = next((usage for word, usage in kept.items() if word in name), None)
    return [Part(description.usage(stored), "GB", "s3/standard_gb_month")] if stored else []


def _usage(description: Description, name: str) -> list[Part]:
    if name == "requests to KMS":
        beyond = max(0.0, description.usage("kms_requests") - _FREE_KMS_REQUESTS)
        return [Part(beyond / 1e6, "M", "kms/million_requests")]
    return [Part(2 * description.usage("cross_zone_gb"), "GB", "data_transfer/between_zones_gb")]


RULES = (
    Rule(
        1,
        "kms_key",
        lambda description: [f"{description.prefix}-{name}" for name in _KEYS],
        lambda _description, _name: [Part(1, "key", "kms/key_month")],
    ),
    Rule(
        1,
        "elastic_ip",
        nat_names,
        lambda _description, _name: [Part(HOURS, "h", "public_ipv4/hour")],
    ),
    Rule(1, "nat_gateway", nat_names, _nat_gateway),
    Rule(1, "vpc_endpoint", _endpoint_names, _endpoint),
    Rule(
        1,
        "flow_log",
        lambda description: [description.prefix],
        lambda description, _name: [Part(description.usage("flow_log_gb"), "GB", "cloudwatch_logs/vended_to_s3_gb")],
    ),
    Rule(1, "s3_bucket", lambda description: [f"{description.prefix}-logs-<account>"], bucket),
    Rule(1, USAGE_KIND, lambda _description: ["requests to KMS", "traffic between zones"], _usage),
)

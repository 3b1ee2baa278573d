# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What phase 4 costs: CloudFront, WAF, the buckets of files and the functions that work on uploads."""

from __future__ import annotations

from .bill import Description, Part, Rule, above
from .data import secret
from .foundation import bucket

# Free for ever, each month. Source: the pages named in price_lists/global.yml.
_FREE_CDN_GB = 1024
_FREE_CDN_REQUESTS = 10_000_000
_FREE_FUNCTION_REQUESTS = 1_000_000
_FREE_FUNCTION_GB_SECONDS = 400_000
_BODY_RULE_GROUP = "AWSManagedRulesCommonRuleSet"


def _enabled(description: Description, *names: str) -> list[str]:
    return [f"{description.prefix}{name}" for name in names] if description.on("cloudfront_waf_enabled") else []


def _distribution(description: Description, _name: str) -> list[Part]:
    gb = above(description.usage("cdn_gb"), _FREE_CDN_GB)
    far = description.usage("cdn_far_percent") / 100
    return [
        Part(gb * (1 - far), "GB", "cloudfront/gb"),
        Part(gb * far, "GB far away", "cloudfront/gb_far"),
        Part(above(description.usage("requests"), _FREE_CDN_REQUESTS) / 1e6, "M", "cloudfront/million_requests"),
    ]


def _web_acl(description: Description, _name: str) -> list[Part]:
    groups = [group["name"] for group in description["cloudfront_waf_managed_rules"]]
    # One for the rate, one for addresses that are let through, one more where uploads are let past the body rule.
    rules = len(groups) + 1
    rules += bool(description["cloudfront_waf_allowed_addresses"])
    rules += bool(description["cloudfront_waf_upload_paths"] and _BODY_RULE_GROUP in groups)
    return [
        Part(1, "ACL", "waf/acl_month"),
        Part(rules, "rules", "waf/rule_month"),
        Part(description.usage("requests") / 1e6, "M", "waf/million_requests"),
    ]


def _function(description: Description, _name: str) -> list[Part]:
    """Both functions share the free amounts and the uploads."""
    calls = description.usage("uploads")
    memory = int(description["media_processing_memory_size"]) / 1024
    gb_seconds = calls * description.usage("upload_seconds") * memory
    architecture = description["media_processing_architecture"]
    return [
        Part(above(calls, _FREE_FUNCTION_REQUESTS) / 2e6, "M", "lambda/million_requests"),
        Part(above(gb_seconds, _FREE_FUNCTION_GB_SECONDS) / 2, "GB-s", f"lambda/gb_second/{architecture}"),
    ]


RULES = (
    Rule(4, "distribution", lambda description: _enabled(description, ""), _distribution),
    Rule(4, "secret", lambda description: _enabled(description, "-origin-header-value"), secret),
    Rule(4, "signing_key", lambda description: _enabled(description, "-url-signing-key"), secret),
    Rule(4, "web_acl", lambda description: _enabled(description, ""), _web_acl),
    Rule(
        4,
        "function",
        lambda description: [f"{description.prefix}-media-{name}" for name in ("images", "documents")],
        _function,
    ),
    Rule(
        4,
        "s3_bucket",
        lambda description: [f"{description.prefix}-{name}-<account>" for name in ("static", "media")],
        bucket,
    ),
)

"""Fields of a distribution go into AWS's shape and come back the same, and leave the rest of it alone."""

from __future__ import annotations

from typing import Any

from ansible_collections.stories1001.platform.plugins.module_utils._cloudfront.shapes import read, write

BEHAVIOR: dict[str, Any] = {
    "origin": "app",
    "viewer_protocol_policy": "redirect-to-https",
    "allowed_methods": ["GET", "HEAD"],
    "cached_methods": ["GET", "HEAD"],
    "compress": True,
    "cache_policy": "policy-1",
    "origin_request_policy": None,
    "response_headers_policy": None,
    "key_groups": [],
    "functions": [],
    "lambda_functions": [],
}
ORIGIN: dict[str, Any] = {
    "domain_name": "origin.example.org",
    "path": "",
    "access_control": None,
    "connection_attempts": 3,
    "connection_timeout": 10,
    "shield_region": None,
    "custom": {
        "protocol_policy": "https-only",
        "http_port": 80,
        "https_port": 443,
        "ssl_protocols": ["TLSv1.2"],
        "read_timeout": 60,
        "keepalive_timeout": 5,
    },
}
FIELDS: dict[str, Any] = {
    "comment": "stories-test",
    "enabled": True,
    "aliases": ["example.org", "www.example.org"],
    "http_version": "http2and3",
    "ipv6": True,
    "price_class": "PriceClass_All",
    "default_root_object": "",
    "web_acl": None,
    "certificate": {"arn": "arn:aws:acm:us-east-1:1:certificate/a", "minimum_protocol_version": "TLSv1.2_2021"},
    "geo_restriction": {"type": "blacklist", "locations": ["KP"]},
    "logging": {"bucket": "logs.s3.amazonaws.com", "prefix": "cloudfront/", "include_cookies": False},
    "custom_errors": {
        "404": {"page": "/404", "response_code": "404", "caching_min_ttl": 10},
        "502": {"page": None, "response_code": None, "caching_min_ttl": 0},
    },
    "origins": {
        "app": ORIGIN,
        "static": {**{key: value for key, value in ORIGIN.items() if key != "custom"}, "access_control": "E1"},
    },
    "origin_headers": {"app": {"X-Origin-Verify": "secret"}},
    "behaviors": {"default": BEHAVIOR, "/content/*": {**BEHAVIOR, "origin": "static", "key_groups": ["group-1"]}},
    "behavior_order": ["/content/*"],
}


def test_what_is_written_is_read_back_the_same() -> None:
    assert read(write(FIELDS, {"CallerReference": "stories-test"})) == FIELDS


def test_what_we_do_not_speak_of_stays() -> None:
    standing = write(FIELDS, {"CallerReference": "stories-test", "Staging": False})
    standing["ContinuousDeploymentPolicyId"] = "theirs"
    standing["Origins"]["Items"][0]["CustomOriginConfig"]["OriginMtlsConfig"] = {"ClientCertificateArn": "theirs"}
    standing["DefaultCacheBehavior"]["RealtimeLogConfigArn"] = "theirs"
    changed = write({**FIELDS, "price_class": "PriceClass_100"}, standing)
    assert changed["ContinuousDeploymentPolicyId"] == "theirs"
    assert changed["Origins"]["Items"][0]["CustomOriginConfig"]["OriginMtlsConfig"]
    assert changed["DefaultCacheBehavior"]["RealtimeLogConfigArn"] == "theirs"


def test_a_behavior_with_the_legacy_settings_gets_a_cache_policy_instead() -> None:
    standing = write(FIELDS, {"CallerReference": "stories-test"})
    standing["DefaultCacheBehavior"].update(MinTTL=0, DefaultTTL=5, MaxTTL=5, ForwardedValues={"QueryString": True})
    behavior = write(FIELDS, standing)["DefaultCacheBehavior"]
    assert not {"MinTTL", "DefaultTTL", "MaxTTL", "ForwardedValues"} & set(behavior)


def test_an_origin_that_becomes_a_bucket_keeps_nothing_of_the_server() -> None:
    standing = write(FIELDS, {"CallerReference": "stories-test"})
    bucket = {**FIELDS["origins"]["static"], "domain_name": "app.s3.us-east-1.amazonaws.com"}
    changed = write({**FIELDS, "origins": {**FIELDS["origins"], "app": bucket}}, standing)
    (app,) = [origin for origin in changed["Origins"]["Items"] if origin["Id"] == "app"]
    assert "CustomOriginConfig" not in app
    assert app["S3OriginConfig"] == {"OriginAccessIdentity": ""}

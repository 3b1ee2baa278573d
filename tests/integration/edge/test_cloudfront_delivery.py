"""cloudfront_delivery and cloudfront_signing_key on the embedded cloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

NAME = "stories-test"
TAGS = {"Project": "1001-stories", "Environment": "test"}
KEY = {"name": f"{NAME}/url-signing-key", "tags": TAGS}
HEADER_VALUE = "the-origin-alone-knows-this"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-4000-8000-000000000000"
ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/stories-test/0a1b2c3d-0000-4000-8000-000000000000"


def wish(cloud: Cloud, **changed: Any) -> dict[str, Any]:
    """A delivery with everything in it; makes the secrets that it needs."""
    secrets = cloud.client("secretsmanager")
    if "origin" not in [secret["Name"] for secret in secrets.list_secrets()["SecretList"]]:
        secrets.create_secret(Name="origin", SecretString=HEADER_VALUE)
    key = run_module(cloud, "cloudfront_signing_key", KEY)
    return {
        "name": NAME,
        "tags": TAGS,
        "comment": "the site",
        "aliases": ["www.example.org", "example.org"],
        "certificate_arn": CERTIFICATE,
        "web_acl_arn": ACL,
        "geo_restriction": {"type": "blacklist", "locations": ["KP"]},
        "logging": {"bucket": "stories-test-logs.s3.amazonaws.com", "prefix": "cloudfront/"},
        "custom_errors": [{"code": 502, "caching_min_ttl": 0}],
        "public_keys": key["public_keys"],
        "origins": [
            {
                "id": "app",
                "domain_name": "origin.example.org",
                "header": {"secret_arn": secrets.describe_secret(SecretId="origin")["ARN"]},
            },
            {"id": "static", "type": "s3", "domain_name": "stories-test-static.s3.us-east-1.amazonaws.com"},
        ],
        "cache_policies": [
            {"name": "none", "default_ttl": 0, "max_ttl": 0, "gzip": False, "brotli": False},
            {"name": "year", "default_ttl": 31536000, "query_strings": {"behavior": "whitelist", "names": ["v"]}},
        ],
        "origin_request_policies": [
            {"name": "all", "headers": {"behavior": "allViewer"}, "cookies": {"behavior": "all"}},
        ],
        "response_headers_policies": [
            {
                "name": "secure",
                "strict_transport_security": {"max_age_seconds": 63072000},
                "frame_option": "SAMEORIGIN",
                "referrer_policy": "strict-origin-when-cross-origin",
                "cors": {"origins": ["https://example.org"]},
                "custom_headers": [{"name": "X-Served-By", "value": "stories"}],
                "remove_headers": ["Server"],
            },
        ],
        "behaviors": [
            {
                "path": "default",
                "origin": "app",
                "cache_policy": "none",
                "origin_request_policy": "all",
                "response_headers_policy": "secure",
                "methods": "all",
            },
            {"path": "/_next/static/*", "origin": "app", "cache_policy": "year"},
            {"path": "/static/*", "origin": "static", "cache_policy": "year", "methods": "read_and_options"},
            {"path": "/content/*", "origin": "static", "cache_policy": "year", "signed": True},
        ],
        **changed,
    }


MADE = [
    "origin_access_control/stories-test:create",
    "public_key/stories-test-signing-1:create",
    "key_group/stories-test:create",
    "cache_policy/stories-test-none:create",
    "cache_policy/stories-test-year:create",
    "origin_request_policy/stories-test-all:create",
    "response_headers_policy/stories-test-secure:create",
    "distribution/stories-test:create",
]


def steps(result: dict[str, Any]) -> list[str]:
    assert not result.get("failed"), result["msg"]
    return [step["id"] for step in result["steps"]]


def deliver(cloud: Cloud, wished: dict[str, Any], **flags: bool) -> dict[str, Any]:
    return run_module(cloud, "cloudfront_delivery", wished, **flags)


def front(cloud: Cloud) -> Any:
    return cloud.client("cloudfront", "us-east-1")


def distribution(cloud: Cloud) -> dict[str, Any]:
    found: dict[str, Any] = front(cloud).list_distributions()["DistributionList"]["Items"][0]
    return found


def test_the_plan_on_an_empty_account_lists_what_the_run_then_makes_and_writes_nothing(cloud: Cloud) -> None:
    wished = wish(cloud)
    with cloud.recorded() as calls:
        planned = deliver(cloud, wished, check=True)
    assert [call["action"] for call in calls if call["writes"]] == []
    assert steps(planned) == MADE
    assert steps(deliver(cloud, wished)) == MADE


def test_the_plan_can_be_made_before_the_key_and_the_secret_exist(cloud: Cloud) -> None:
    key = run_module(cloud, "cloudfront_signing_key", KEY, check=True)
    assert steps(key) == ["signing_key/stories-test/url-signing-key:create"]
    wished = wish(cloud)
    wished["origins"][0]["header"]["secret_arn"] = "planned:secret/origin"
    assert steps(deliver(cloud, {**wished, "public_keys": key["public_keys"]}, check=True)) == MADE


def test_the_second_run_changes_nothing_and_lists_each_kind_once(cloud: Cloud) -> None:
    wished = wish(cloud)
    deliver(cloud, wished)
    with cloud.recorded() as calls:
        assert steps(deliver(cloud, wished)) == []
    assert not [call for call in calls if call["writes"]]
    # Seven lists, the tags and the configuration of the one distribution, one secret.
    assert len(calls) == 7 + 2 + 1


def test_neither_header_value_nor_private_key_is_ever_shown(cloud: Cloud) -> None:
    key = run_module(cloud, "cloudfront_signing_key", KEY)
    wished = wish(cloud)
    made = deliver(cloud, wished)
    cloud.client("secretsmanager").put_secret_value(SecretId="origin", SecretString="a-newer-header-value")
    changed = deliver(cloud, wished, check=True)
    assert steps(changed) == ["distribution/stories-test:change"]
    assert "origin_headers" in str(changed["diff"])
    log = str(cloud.calls())
    for secret in (HEADER_VALUE, "a-newer-header-value", "PRIVATE KEY"):
        assert secret not in str((key, made, changed))
        assert secret not in log


Config = dict[str, Any]


def set_config(change: Callable[[Config], Any]) -> Callable[[Cloud], None]:
    """By hand: the distribution's configuration as somebody saves it in the console."""

    def by_hand(cloud: Cloud) -> None:
        ident = distribution(cloud)["Id"]
        shown = front(cloud).get_distribution_config(Id=ident)
        config = shown["DistributionConfig"]
        change(config)
        front(cloud).update_distribution(Id=ident, IfMatch=shown["ETag"], DistributionConfig=config)

    return by_hand


def default(**changed: Any) -> Callable[[Cloud], None]:
    return set_config(lambda config: config["DefaultCacheBehavior"].update(changed))


def origin(ident: str, **changed: Any) -> Callable[[Cloud], None]:
    return set_config(lambda config: next(o for o in config["Origins"]["Items"] if o["Id"] == ident).update(changed))


def custom(**changed: Any) -> Callable[[Cloud], None]:
    def change(config: Config) -> None:
        config["Origins"]["Items"][0]["CustomOriginConfig"].update(changed)

    return set_config(change)


def unsigned(config: Config) -> None:
    config["CacheBehaviors"]["Items"][2]["TrustedKeyGroups"] = {"Enabled": False, "Quantity": 0}


def in_another_order(config: Config) -> None:
    config["CacheBehaviors"]["Items"].reverse()


def without_a_behavior(config: Config) -> None:
    config["CacheBehaviors"] = {"Quantity": 2, "Items": config["CacheBehaviors"]["Items"][:2]}


def foreign_tag(cloud: Cloud) -> None:
    tags = {"Items": [{"Key": "Owner", "Value": "somebody"}]}
    front(cloud).tag_resource(Resource=distribution(cloud)["ARN"], Tags=tags)


def set_named(thing: str, snake: str, name: str, change: Callable[[Config], Any]) -> Callable[[Cloud], None]:
    """By hand: a policy, access control or key of that name."""

    def by_hand(cloud: Cloud) -> None:
        plural = f"{snake[:-1]}ies" if snake.endswith("y") and not snake.endswith("key") else f"{snake}s"
        kind = {"Type": "custom"} if snake.endswith("policy") else {}
        listed = getattr(front(cloud), f"list_{plural}")(**kind)[f"{thing}List"]["Items"]
        configs = [(one.get(thing, one), one.get(thing, one).get(f"{thing}Config", one)) for one in listed]
        ident = next(one["Id"] for one, config in configs if config["Name"] == name)
        shown = getattr(front(cloud), f"get_{snake}")(Id=ident)
        config = shown[thing][f"{thing}Config"]
        change(config)
        getattr(front(cloud), f"update_{snake}")(Id=ident, IfMatch=shown["ETag"], **{f"{thing}Config": config})

    return by_hand


def cache(change: Callable[[Config], Any]) -> Callable[[Cloud], None]:
    return set_named("CachePolicy", "cache_policy", f"{NAME}-year", change)


def cache_key(**changed: Any) -> Callable[[Cloud], None]:
    return cache(lambda config: config["ParametersInCacheKeyAndForwardedToOrigin"].update(changed))


def request(**changed: Any) -> Callable[[Cloud], None]:
    update = "OriginRequestPolicy", "origin_request_policy", f"{NAME}-all"
    return set_named(*update, lambda config: config.update(changed))


def response(**changed: Any) -> Callable[[Cloud], None]:
    update = "ResponseHeadersPolicy", "response_headers_policy", f"{NAME}-secure"
    return set_named(*update, lambda config: config.update(changed))


def security(**changed: Any) -> Callable[[Cloud], None]:
    update = "ResponseHeadersPolicy", "response_headers_policy", f"{NAME}-secure"
    return set_named(*update, lambda config: config["SecurityHeadersConfig"].update(changed))


SITE, YEAR = f"distribution {NAME}", f"cache policy {NAME}-year"
ALL, SECURE = f"origin request policy {NAME}-all", f"response headers policy {NAME}-secure"
NOTHING: dict[str, Any] = {"Quantity": 0}
FUNCTION = "arn:aws:cloudfront::123456789012:function/by-hand"


# Sixty-six rows of a minute and more in all: with the long tests.
@pytest.mark.long
@pytest.mark.parametrize(
    ("by_hand", "resource", "field"),
    [
        (set_config(lambda config: config.update(Enabled=False)), SITE, "enabled"),
        (set_config(lambda config: config.update(Comment="mine")), SITE, "comment"),
        (set_config(lambda config: config.update(Aliases=NOTHING)), SITE, "aliases"),
        (set_config(lambda config: config.update(HttpVersion="http2")), SITE, "http_version"),
        (set_config(lambda config: config.update(IsIPV6Enabled=False)), SITE, "ipv6"),
        (set_config(lambda config: config.update(PriceClass="PriceClass_100")), SITE, "price_class"),
        (set_config(lambda config: config.update(DefaultRootObject="index.html")), SITE, "default_root_object"),
        (set_config(lambda config: config.update(WebACLId="")), SITE, "web_acl"),
        (
            set_config(lambda config: config["ViewerCertificate"].update(MinimumProtocolVersion="TLSv1")),
            SITE,
            "minimum_protocol_version",
        ),
        (
            # CloudFront's own certificate serves no names of ours: they go with the other one.
            set_config(
                lambda config: config.update(ViewerCertificate={"CloudFrontDefaultCertificate": True}, Aliases=NOTHING)
            ),
            SITE,
            "certificate",
        ),
        (
            set_config(
                lambda config: config["Restrictions"].update(GeoRestriction={"RestrictionType": "none", **NOTHING})
            ),
            SITE,
            "geo_restriction",
        ),
        (set_config(lambda config: config["Logging"].update(Prefix="elsewhere/")), SITE, "prefix"),
        (set_config(lambda config: config["Logging"].update(IncludeCookies=True)), SITE, "include_cookies"),
        (
            set_config(
                lambda config: config.update(
                    Logging={"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""}
                )
            ),
            SITE,
            "logging",
        ),
        (set_config(lambda config: config.update(CustomErrorResponses=NOTHING)), SITE, "custom_errors"),
        (origin("app", DomainName="elsewhere.example.org"), SITE, "elsewhere.example.org"),
        (origin("app", OriginPath="/old"), SITE, "path: /old"),
        (origin("app", CustomHeaders=NOTHING), SITE, "origin_headers"),
        (origin("app", ConnectionAttempts=1), SITE, "connection_attempts"),
        (origin("app", ConnectionTimeout=2), SITE, "connection_timeout"),
        (origin("app", OriginShield={"Enabled": True, "OriginShieldRegion": "us-east-1"}), SITE, "shield_region"),
        (origin("static", OriginAccessControlId=""), SITE, "access_control"),
        (custom(OriginProtocolPolicy="http-only"), SITE, "protocol_policy"),
        (custom(HTTPPort=8080), SITE, "http_port"),
        (custom(HTTPSPort=8443), SITE, "https_port"),
        (custom(OriginReadTimeout=5), SITE, "read_timeout"),
        (custom(OriginKeepaliveTimeout=60), SITE, "keepalive_timeout"),
        (custom(OriginSslProtocols={"Quantity": 1, "Items": ["TLSv1"]}), SITE, "ssl_protocols"),
        (default(TargetOriginId="static"), SITE, "origin: static"),
        (default(ViewerProtocolPolicy="allow-all"), SITE, "viewer_protocol_policy"),
        (default(Compress=False), SITE, "compress"),
        (
            default(
                AllowedMethods={
                    "Quantity": 2,
                    "Items": ["GET", "HEAD"],
                    "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]},
                }
            ),
            SITE,
            "allowed_methods",
        ),
        (default(CachePolicyId="658327ea-f89d-4fab-a63d-7e88639e58f6"), SITE, "cache_policy"),
        (default(OriginRequestPolicyId="216adef6-5c7f-47e4-b989-5492eafa07d3"), SITE, "origin_request_policy"),
        (default(ResponseHeadersPolicyId="67f7725c-6f97-4210-82d7-5512b31e9d03"), SITE, "response_headers_policy"),
        (
            default(
                FunctionAssociations={
                    "Quantity": 1,
                    "Items": [{"EventType": "viewer-request", "FunctionARN": FUNCTION}],
                }
            ),
            SITE,
            "functions",
        ),
        (set_config(unsigned), SITE, "key_groups"),
        (set_config(in_another_order), SITE, "behavior_order"),
        (set_config(without_a_behavior), SITE, "/content/*"),
        (foreign_tag, SITE, "Owner"),
        (cache(lambda config: config.update(MinTTL=5)), YEAR, "min_ttl"),
        (cache(lambda config: config.update(DefaultTTL=5)), YEAR, "default_ttl"),
        (cache(lambda config: config.update(MaxTTL=31536001)), YEAR, "max_ttl"),
        (cache(lambda config: config.update(Comment="mine")), YEAR, "comment"),
        (cache_key(EnableAcceptEncodingGzip=False), YEAR, "gzip"),
        (cache_key(EnableAcceptEncodingBrotli=False), YEAR, "brotli"),
        (cache_key(CookiesConfig={"CookieBehavior": "all"}), YEAR, "cookies"),
        (
            cache_key(HeadersConfig={"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["Accept"]}}),
            YEAR,
            "headers",
        ),
        (cache_key(QueryStringsConfig={"QueryStringBehavior": "all"}), YEAR, "query_strings"),
        (request(Comment="mine"), ALL, "comment"),
        (request(HeadersConfig={"HeaderBehavior": "none"}), ALL, "headers"),
        (request(CookiesConfig={"CookieBehavior": "none"}), ALL, "cookies"),
        (request(QueryStringsConfig={"QueryStringBehavior": "all"}), ALL, "query_strings"),
        (response(Comment="mine"), SECURE, "comment"),
        (response(CustomHeadersConfig=NOTHING), SECURE, "custom_headers"),
        (response(RemoveHeadersConfig=NOTHING), SECURE, "remove_headers"),
        (response(ServerTimingHeadersConfig={"Enabled": True, "SamplingRate": 50.0}), SECURE, "server_timing"),
        (
            response(
                CorsConfig={
                    "AccessControlAllowOrigins": {"Quantity": 1, "Items": ["*"]},
                    "AccessControlAllowHeaders": {"Quantity": 1, "Items": ["*"]},
                    "AccessControlAllowMethods": {"Quantity": 1, "Items": ["ALL"]},
                    "AccessControlAllowCredentials": False,
                    "OriginOverride": True,
                }
            ),
            SECURE,
            "cors",
        ),
        (security(ContentTypeOptions={"Override": False}), SECURE, "content_type_options"),
        (security(FrameOptions={"Override": True, "FrameOption": "SAMEORIGIN"}), SECURE, "frame_option"),
        (security(ReferrerPolicy={"Override": False, "ReferrerPolicy": "unsafe-url"}), SECURE, "referrer_policy"),
        (
            security(ContentSecurityPolicy={"Override": False, "ContentSecurityPolicy": "default-src *"}),
            SECURE,
            "content_security_policy",
        ),
        (security(XSSProtection={"Override": True, "Protection": False}), SECURE, "xss_protection"),
        (
            security(
                StrictTransportSecurity={
                    "Override": True,
                    "IncludeSubdomains": True,
                    "Preload": False,
                    "AccessControlMaxAgeSec": 1,
                }
            ),
            SECURE,
            "strict_transport_security",
        ),
        (
            set_named(
                "OriginAccessControl",
                "origin_access_control",
                NAME,
                lambda config: config.update(SigningBehavior="never"),
            ),
            f"origin access control {NAME}",
            "signing",
        ),
        (
            set_named(
                "OriginAccessControl", "origin_access_control", NAME, lambda config: config.update(Description="mine")
            ),
            f"origin access control {NAME}",
            "comment",
        ),
        (
            set_named("PublicKey", "public_key", f"{NAME}-signing-1", lambda config: config.update(Comment="mine")),
            f"public key {NAME}-signing-1",
            "comment",
        ),
        (
            set_named("KeyGroup", "key_group", NAME, lambda config: config.update(Comment="mine")),
            f"key group {NAME}",
            "comment",
        ),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(
    delivered: tuple[Cloud, dict[str, Any]], by_hand: Callable[[Cloud], None], resource: str, field: str
) -> None:
    cloud, wished = delivered
    by_hand(cloud)
    drift = deliver(cloud, wished, check=True)
    assert len(steps(drift)) == 1
    shown = drift["diff"][0]["before"] + drift["diff"][0]["after"]
    assert resource in shown
    assert field in shown
    assert steps(deliver(cloud, wished)) == steps(drift)
    assert steps(deliver(cloud, wished, check=True)) == []


@pytest.fixture(scope="module")
def delivered(_cloud: Cloud) -> tuple[Cloud, dict[str, Any]]:
    """One delivery for the whole table: every row leaves it as it found it, and fails when it does not."""
    _cloud.reset()
    wished = wish(_cloud)
    deliver(_cloud, wished)
    return _cloud, wished


def test_a_delivery_that_was_left_half_built_is_finished(cloud: Cloud) -> None:
    wished = wish(cloud)
    refusal = {"kind": "error", "code": "AccessDenied", "status": 403}
    for place, step in enumerate(MADE):
        cloud.admin("POST", "/faults", {"service": "cloudfront", "writes_only": True, "skip": 1, **refusal})
        result = deliver(cloud, wished)
        cloud.admin("DELETE", "/faults")
        assert bool(result.get("failed")) is (place < len(MADE) - 1), step
    assert steps(deliver(cloud, wished)) == []
    assert front(cloud).list_distributions()["DistributionList"]["Quantity"] == 1


def test_a_rotated_key_is_trusted_beside_the_last_one_and_the_one_before_is_gone(cloud: Cloud) -> None:
    deliver(cloud, wish(cloud))
    for generation in (2, 3):
        rotated = run_module(cloud, "cloudfront_signing_key", {**KEY, "rotate": True})
        assert [key["generation"] for key in rotated["public_keys"]] == [generation, generation - 1]
        wished = wish(cloud, public_keys=rotated["public_keys"])
        assert steps(deliver(cloud, wished)) == [
            f"public_key/stories-test-signing-{generation}:create",
            "key_group/stories-test:change",
        ]
        assert steps(deliver(cloud, wished)) == []
    names = [key["Name"] for key in front(cloud).list_public_keys()["PublicKeyList"]["Items"]]
    assert sorted(names) == ["stories-test-signing-2", "stories-test-signing-3"]


def test_a_removed_signing_key_comes_back_as_it_was(cloud: Cloud) -> None:
    made = run_module(cloud, "cloudfront_signing_key", KEY)
    assert steps(run_module(cloud, "cloudfront_signing_key", KEY)) == []
    assert steps(run_module(cloud, "cloudfront_signing_key", {**KEY, "state": "absent"}))
    assert steps(run_module(cloud, "cloudfront_signing_key", {**KEY, "state": "absent"})) == []
    back = run_module(cloud, "cloudfront_signing_key", KEY)
    assert steps(back) == ["signing_key/stories-test/url-signing-key:change"]
    assert back["public_keys"] == made["public_keys"]


def test_absent_removes_everything_and_a_second_time_nothing(cloud: Cloud) -> None:
    deliver(cloud, wish(cloud))
    gone = {"name": NAME, "tags": TAGS, "state": "absent"}
    assert len(steps(deliver(cloud, gone, check=True))) == len(MADE)
    assert len(steps(deliver(cloud, gone))) == len(MADE)
    assert steps(deliver(cloud, gone)) == []


def test_another_platforms_policies_are_left_alone(cloud: Cloud) -> None:
    deliver(cloud, wish(cloud))
    gone = {"name": "stories", "tags": {"Project": "1001-stories", "Environment": "other"}, "state": "absent"}
    assert steps(deliver(cloud, gone)) == []


def test_a_name_that_another_distribution_bears_is_told_before_the_first_write_and_can_be_moved(cloud: Cloud) -> None:
    front = cloud.client("cloudfront")
    deliver(cloud, {**wish(cloud), "name": "stories-other", "tags": {**TAGS, "Environment": "other"}})
    wanted = wish(cloud)
    with cloud.recorded() as calls:
        refused = deliver(cloud, wanted)
    assert [call["action"] for call in calls if call["writes"]] == []
    assert "associate-alias --alias example.org" in refused["msg"]
    made = deliver(cloud, {**wanted, "aliases": ["recovery.example.org"]})
    for alias in wanted["aliases"]:
        front.associate_alias(TargetDistributionId=made["distribution_id"], Alias=alias)
    assert steps(deliver(cloud, wanted)) == [f"distribution/{NAME}:change"]
    names = [item["Aliases"].get("Items", []) for item in front.list_distributions()["DistributionList"]["Items"]]
    assert sorted(map(sorted, names)) == [[], sorted(wanted["aliases"])]


def behaviors(**changed: Any) -> dict[str, Any]:
    return {"behaviors": [{"path": "default", "origin": "app", "cache_policy": "none", **changed}]}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"certificate_arn": None}, "without certificate_arn"),
        ({"certificate_arn": CERTIFICATE.replace("us-east-1", "eu-west-1")}, "Request one there"),
        ({"web_acl_arn": ACL.replace("global", "regional")}, "Make one of that scope"),
        ({"geo_restriction": {"type": "whitelist"}}, "0 locations"),
        ({"geo_restriction": {"type": "whitelist", "locations": ["Germany"]}}, "Use ISO 3166"),
        ({"logging": {"bucket": "stories-logs"}}, "Write it like stories-logs.s3.amazonaws.com"),
        ({"custom_errors": [{"code": 418}]}, "Choose another code"),
        ({"custom_errors": [{"code": 404, "page": "/404"}]}, "page and response_code go together"),
        ({"behaviors": []}, "Read 0 behaviors with path default"),
        (behaviors(origin="nowhere"), "Read origin nowhere for path default; there is app, static"),
        (behaviors(cache_policy="month"), "Read cache_policy month"),
        ({**behaviors(signed=True), "public_keys": []}, "nobody could read it"),
        ({"cache_policies": [{"name": "none", "max_ttl": 0}]}, "order|go from least to most"),
        (
            {"cache_policies": [{"name": "none", "default_ttl": 0, "max_ttl": 0}], **behaviors()},
            "what is not cached has none",
        ),
        (
            {
                "origin_request_policies": [
                    {"name": "all", "headers": {"behavior": "whitelist", "names": ["Authorization"]}}
                ]
            },
            "AWS takes it only in a cache policy",
        ),
        ({"origin_request_policies": [{"name": "all", "headers": {"behavior": "whitelist"}}]}, "0 names"),
        (
            {"response_headers_policies": [{"name": "secure", "cors": {"origins": ["*"], "credentials": True}}]},
            "browsers refuse that",
        ),
        ({"origins": [{"id": "app", "type": "s3", "domain_name": "files.example.org"}]}, "it is no bucket's"),
        ({"origins": [{"id": "app", "domain_name": "o.example.org", "read_timeout": 500}]}, "AWS takes 1 to 120"),
    ],
)
def test_a_bad_wish_is_one_clear_error_before_the_first_call(
    delivered: tuple[Cloud, dict[str, Any]], wrong: dict[str, Any], sentence: str
) -> None:
    cloud, wished = delivered
    with cloud.recorded() as calls:
        result = deliver(cloud, {**wished, **wrong})
    assert result["failed"] is True
    assert any(part in result["msg"] for part in sentence.split("|")), result["msg"]
    assert calls == []

"""What a viewer gets: signed documents, blocked and counted requests, files of a bucket closed to all else."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

NAME = "stories-test"
TAGS = {"Project": "1001-stories", "Environment": "test"}
KEY = {"name": f"{NAME}/url-signing-key", "tags": TAGS}
BUCKET = f"{NAME}-media-123456789012"
BOOK = b"%PDF-1.4 a book"


def delivered(cloud: Cloud, **waf: Any) -> dict[str, Any]:
    """A delivery from one bucket, `/content/*` signed, behind a web ACL."""
    acl = run_module(cloud, "waf_web_acl", {"name": NAME, "tags": TAGS, **waf})
    key = run_module(cloud, "cloudfront_signing_key", KEY)
    made = run_module(
        cloud,
        "cloudfront_delivery",
        {
            "name": NAME,
            "tags": TAGS,
            "web_acl_arn": acl["web_acl_arn"],
            "public_keys": key["public_keys"],
            "origins": [{"id": "media", "type": "s3", "domain_name": f"{BUCKET}.s3.us-east-1.amazonaws.com"}],
            "cache_policies": [{"name": "year"}],
            "response_headers_policies": [{"name": "secure", "strict_transport_security": {}}],
            "behaviors": [
                {
                    "path": "default",
                    "origin": "media",
                    "cache_policy": "year",
                    "response_headers_policy": "secure",
                    "methods": "all",
                },
                {"path": "/content/*", "origin": "media", "cache_policy": "year", "signed": True},
            ],
        },
    )
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
        "Condition": {"StringEquals": {"AWS:SourceArn": made["distribution_arn"]}},
    }
    # As role static_assets writes it: nobody comes in the clear.
    plain = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    for name in ("content/books/1.pdf", "about.txt"):
        s3.put_object(Bucket=BUCKET, Key=name, Body=BOOK)
    policy = {"Version": "2012-10-17", "Statement": [statement, plain]}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    return made


def ask(cloud: Cloud, url: str, *, body: bytes | None = None, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Send a request as a viewer of this URL: the name goes into the header Host, the port is the cloud's."""
    parts = urllib.parse.urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    own = {"Host": parts.netloc, "X-Forwarded-Proto": parts.scheme, "User-Agent": "test"}
    request = urllib.request.Request(
        f"{cloud.endpoint}{parts.path}{query}",
        data=body,
        headers={**own, **{name.replace("_", "-"): value for name, value in headers.items()}},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)


def signed(cloud: Cloud, made: dict[str, Any], path: str, **options: Any) -> str:
    url = f"https://{made['domain_name']}{path}"
    parameters = {"url": url, "secret_id": KEY["name"], "key_pair_id": made["key_pair_id"], **options}
    result = run_module(cloud, "cloudfront_signed_url", parameters)
    assert not result.get("failed"), result["msg"]
    assert "PRIVATE" not in str(result)
    return str(result["signed_url"])


def test_a_book_is_read_by_its_signed_url_only(cloud: Cloud) -> None:
    made = delivered(cloud)
    site = f"https://{made['domain_name']}"
    assert ask(cloud, f"{site}/about.txt")[:2] == (200, BOOK)
    assert ask(cloud, f"{site}/content/books/1.pdf")[0] == 403
    url = signed(cloud, made, "/content/books/1.pdf")
    assert ask(cloud, url)[:2] == (200, BOOK)
    assert ask(cloud, url.replace("1.pdf", "2.pdf"))[0] == 403
    assert ask(cloud, url.replace("Signature=", "Signature=x"))[0] == 403


def test_a_signature_with_a_policy_holds_for_its_paths_addresses_and_times(cloud: Cloud) -> None:
    made = delivered(cloud)
    site = f"https://{made['domain_name']}"
    path = "/content/books/1.pdf"
    every = signed(cloud, made, path, resource=f"{site}/content/books/*")
    assert ask(cloud, every)[0] == 200
    assert ask(cloud, signed(cloud, made, path, starts_in_seconds=600))[0] == 403
    here = signed(cloud, made, path, source="203.0.113.0/24")
    assert ask(cloud, here, X_Local_Cloud_Viewer="203.0.113.9")[0] == 200
    assert ask(cloud, here, X_Local_Cloud_Viewer="198.51.100.9")[0] == 403


def test_urls_signed_before_a_rotation_go_on_working_and_those_of_the_generation_before_do_not(cloud: Cloud) -> None:
    made = delivered(cloud)
    url = signed(cloud, made, "/content/books/1.pdf")
    run_module(cloud, "cloudfront_signing_key", {**KEY, "rotate": True})
    delivered_again = delivered(cloud)
    assert delivered_again["key_pair_id"] != made["key_pair_id"]
    assert ask(cloud, url)[0] == 200
    assert ask(cloud, signed(cloud, delivered_again, "/content/books/1.pdf"))[0] == 200
    run_module(cloud, "cloudfront_signing_key", {**KEY, "rotate": True})
    delivered(cloud)
    assert ask(cloud, url)[0] == 403


def test_an_answer_carries_the_security_headers_and_http_is_sent_to_https(cloud: Cloud) -> None:
    made = delivered(cloud)
    _status, _body, headers = ask(cloud, f"https://{made['domain_name']}/about.txt")
    told = {name.lower(): value for name, value in headers.items()}
    assert told["strict-transport-security"].startswith("max-age=31536000")
    assert told["x-content-type-options"] == "nosniff"


INJECTION = "/about.txt?id=1%27%20or%201%3D1"
SQLI = "AWSManagedRulesSQLiRuleSet"
COMMON = "AWSManagedRulesCommonRuleSet"


@pytest.mark.parametrize(("action", "status"), [("count", 200), ("block", 403)])
def test_a_rule_that_blocks_stops_what_the_same_rule_lets_through_while_it_counts(
    cloud: Cloud, action: str, status: int
) -> None:
    made = delivered(cloud, managed_rules=[{"name": SQLI, "action": action}])
    site = f"https://{made['domain_name']}"
    assert ask(cloud, f"{site}{INJECTION}")[0] == status
    assert ask(cloud, f"{site}/about.txt?id=1")[0] == 200


def test_an_allowed_address_passes_every_rule(cloud: Cloud) -> None:
    made = delivered(
        cloud, managed_rules=[{"name": SQLI, "action": "block"}], allowed_addresses=["203.0.113.0/24", "2001:db8::/48"]
    )
    url = f"https://{made['domain_name']}{INJECTION}"
    for viewer, status in (("203.0.113.9", 200), ("2001:db8::9", 200), ("198.51.100.9", 403)):
        assert ask(cloud, url, X_Local_Cloud_Viewer=viewer)[0] == status, viewer


def test_the_limit_holds_for_each_address_of_its_own(cloud: Cloud) -> None:
    limit = {"requests": 10, "action": "block"}
    made = delivered(cloud, rate_limit=limit)
    url = f"https://{made['domain_name']}/about.txt"
    answers = [ask(cloud, url, X_Local_Cloud_Viewer="198.51.100.9")[0] for _request in range(12)]
    assert answers == [200] * 10 + [403] * 2
    assert ask(cloud, url, X_Local_Cloud_Viewer="198.51.100.10")[0] == 200


def test_large_bodies_pass_on_upload_paths_only(cloud: Cloud) -> None:
    made = delivered(
        cloud, managed_rules=[{"name": COMMON, "action": "block"}], upload_paths=["/upload", "/api/upload"]
    )
    site = f"https://{made['domain_name']}"
    large = b"x" * 9000
    assert ask(cloud, f"{site}/login", body=large)[1].count(b"Request blocked") == 1
    for path in ("/upload/book", "/api/upload"):
        assert b"Request blocked" not in ask(cloud, f"{site}{path}", body=large)[1]


def test_an_invalidation_is_started_once_for_each_reference(cloud: Cloud) -> None:
    made = delivered(cloud)
    order = {"distribution_id": made["distribution_id"], "paths": ["/", "/library/*"], "caller_reference": "release-2"}
    planned = run_module(cloud, "cloudfront_invalidation", order, check=True)
    started = run_module(cloud, "cloudfront_invalidation", order)
    assert planned["steps"] == started["steps"] != []
    assert run_module(cloud, "cloudfront_invalidation", order)["changed"] is False
    other = run_module(cloud, "cloudfront_invalidation", {**order, "paths": ["/static/*"]})
    assert "AWS cannot change it" in other["msg"]
    wrong = run_module(cloud, "cloudfront_invalidation", {**order, "paths": ["static"]})
    assert "begin with a slash" in wrong["msg"]

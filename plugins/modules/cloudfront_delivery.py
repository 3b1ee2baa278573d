#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: cloudfront_delivery
short_description: Make a CloudFront distribution with its policies, access control and keys
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes one distribution with everything that belongs to it alone. That is the cache, origin request and response
    headers policies, the origin access control for buckets, and the public keys and key group for signed URLs.
  - The distribution is found by its tags C(Project) and C(Environment), all else by its name. Every setting that a
    person could change in the console is compared and mended.
  - A secret header for an origin is read from Secrets Manager by this module and never shown.
  - The stock module C(community.aws.cloudfront_distribution) has no check mode, reports a change on every run and
    knows no policies.
options:
  name:
    description: >-
      Name of the delivery, such as C(stories-production), and prefix of the names of its policies and keys.
    type: str
    required: true
  state:
    description: Whether it shall exist. Removal disables the distribution first, which takes minutes.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of the distribution. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  enabled:
    description: Whether the distribution answers.
    type: bool
    default: true
  comment:
    description: What it is for.
    type: str
    default: ""
  aliases:
    description: Names under which viewers reach it; they need O(certificate_arn).
    type: list
    elements: str
    default: []
  certificate_arn:
    description: ARN of a certificate of us-east-1 that covers the aliases.
    type: str
  minimum_protocol_version:
    description: The least version of TLS for viewers; without O(certificate_arn) CloudFront takes any.
    type: str
    choices: [TLSv1.2_2021, TLSv1.2_2025, TLSv1.3_2025]
    default: TLSv1.2_2021
  http_version:
    description: The highest version of HTTP for viewers.
    type: str
    choices: [http1.1, http2, http3, http2and3]
    default: http2and3
  ipv6:
    description: Whether viewers may come over IPv6.
    type: bool
    default: true
  price_class:
    description: Which edge locations serve it; fewer cost less.
    type: str
    choices: [PriceClass_100, PriceClass_200, PriceClass_All]
    default: PriceClass_All
  default_root_object:
    description: Object for the path C(/). An application that serves its own root wants none.
    type: str
    default: ""
  web_acl_arn:
    description: ARN of a web ACL of the scope CLOUDFRONT.
    type: str
  geo_restriction:
    description: From which countries it may be read.
    type: dict
    default: {}
    suboptions:
      type:
        description: No list, a list of those that may, or of those that may not.
        type: str
        choices: [none, whitelist, blacklist]
        default: none
      locations:
        description: ISO 3166 codes of two letters.
        type: list
        elements: str
        default: []
  logging:
    description: Where to log every request; nowhere when left out. The bucket must allow ACLs.
    type: dict
    suboptions:
      bucket:
        description: Domain name of the bucket, such as C(stories-logs.s3.amazonaws.com).
        type: str
        required: true
      prefix:
        description: Prefix of the objects.
        type: str
        default: cloudfront/
      include_cookies:
        description: Whether cookies are logged.
        type: bool
        default: false
  custom_errors:
    description: Pages and caching of errors.
    type: list
    elements: dict
    default: []
    suboptions:
      code:
        description: Status of the origin.
        type: int
        required: true
      page:
        description: Path of the page to show.
        type: str
      response_code:
        description: Status to answer with.
        type: int
      caching_min_ttl:
        description: Seconds for which the error is kept.
        type: int
        default: 10
  public_keys:
    description: >-
      Public halves of the keys that sign URLs, as M(stories1001.platform.cloudfront_signing_key) returns them.
    type: list
    elements: dict
    default: []
    suboptions:
      generation:
        description: Number of the key; it names the key in CloudFront.
        type: int
        required: true
      public_key:
        description: The key as PEM.
        type: str
        required: true
  origins:
    description: Where answers come from.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: Name by which behaviors refer to it.
        type: str
        required: true
      type:
        description: A bucket, reached with an origin access control, or any server.
        type: str
        choices: [custom, s3]
        default: custom
      domain_name:
        description: Name of the server, or C(<bucket>.s3.<region>.amazonaws.com).
        type: str
        required: true
      path:
        description: What is put before every path.
        type: str
        default: ""
      header:
        description: A header with a secret value that shows the origin that CloudFront asks.
        type: dict
        suboptions:
          name:
            description: Name of the header.
            type: str
            default: X-Origin-Verify
          secret_arn:
            description: Secret in Secrets Manager whose value is sent.
            type: str
            required: true
      protocol_policy:
        description: How the server is asked; always with TLS 1.2.
        type: str
        choices: [https-only, http-only, match-viewer]
        default: https-only
      http_port:
        description: Port for HTTP.
        type: int
        default: 80
      https_port:
        description: Port for HTTPS.
        type: int
        default: 443
      read_timeout:
        description: Seconds to wait for an answer, 1 to 120.
        type: int
        default: 60
      keepalive_timeout:
        description: Seconds to keep an idle connection, 1 to 120.
        type: int
        default: 5
      connection_attempts:
        description: Attempts to connect, 1 to 3.
        type: int
        default: 3
      connection_timeout:
        description: Seconds for one attempt, 1 to 10.
        type: int
        default: 10
      shield_region:
        description: Region of an additional cache before the origin; none when left out.
        type: str
  cache_policies:
    description: What is kept how long, and what tells two answers apart.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Short name; the policy is called C(<name of the delivery>-<short name>).
        type: str
        required: true
      comment:
        description: What it is for.
        type: str
        default: ""
      min_ttl:
        description: Least number of seconds.
        type: int
        default: 0
      default_ttl:
        description: Seconds when the origin says nothing.
        type: int
        default: 86400
      max_ttl:
        description: Most seconds; V(0) keeps nothing.
        type: int
        default: 31536000
      gzip:
        description: Whether compressed answers are kept apart.
        type: bool
        default: true
      brotli:
        description: Whether Brotli answers are kept apart.
        type: bool
        default: true
      headers:
        description: Headers in the key.
        type: dict
        default: {}
        suboptions:
          behavior:
            description: How.
            type: str
            choices: [none, whitelist]
            default: none
          names:
            description: Names that the behavior speaks of.
            type: list
            elements: str
            default: []
      cookies:
        description: Cookies in the key.
        type: dict
        default: {}
        suboptions:
          behavior:
            description: How.
            type: str
            choices: [none, whitelist, allExcept, all]
            default: none
          names:
            description: Names that the behavior speaks of.
            type: list
            elements: str
            default: []
      query_strings:
        description: Query strings in the key.
        type: dict
        default: {}
        suboptions:
          behavior:
            description: How.
            type: str
            choices: [none, whitelist, allExcept, all]
            default: none
          names:
            description: Names that the behavior speaks of.
            type: list
            elements: str
            default: []
  origin_request_policies:
    description: What the origin gets to see beside the cache key.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Short name; the policy is called C(<name of the delivery>-<short name>).
        type: str
        required: true
      comment:
        description: What it is for.
        type: str
        default: ""
      headers:
        description: Headers.
        type: dict
        default: {}
        suboptions:
          behavior:
            description: How.
            type: str
            choices: [none, whitelist, allViewer, allViewerAndWhitelistCloudFront, allExcept]
            default: none
          names:
            description: Names that the behavior speaks of.
            type: list
            elements: str
            default: []
      cookies:
        description: Cookies.
        type: dict
        default: {}
        suboptions:
          behavior:
            description: How.
            type: str
            choices: [none, whitelist, allExcept, all]
            default: none
          names:
            description: Names that the behavior speaks of.
            type: list
            elements: str
            default: []
      query_strings:
        description: Query strings.
        type: dict
        default: {}
        suboptions:
          behavior:
            description: How.
            type: str
            choices: [none, whitelist, allExcept, all]
            default: none
          names:
            description: Names that the behavior speaks of.
            type: list
            elements: str
            default: []
  response_headers_policies:
    description: Headers that are added to answers.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Short name; the policy is called C(<name of the delivery>-<short name>).
        type: str
        required: true
      comment:
        description: What it is for.
        type: str
        default: ""
      cors:
        description: Which other sites may read answers.
        type: dict
        suboptions:
          origins:
            description: Sites, such as C(https://www.example.org).
            type: list
            elements: str
            default: []
          headers:
            description: Headers that a request may carry.
            type: list
            elements: str
            default: ["*"]
          methods:
            description: Methods.
            type: list
            elements: str
            default: [GET, HEAD]
          expose_headers:
            description: Headers that a script may read.
            type: list
            elements: str
            default: []
          credentials:
            description: Whether requests may carry cookies.
            type: bool
            default: false
          max_age_seconds:
            description: Seconds for which a browser may keep this.
            type: int
            default: 600
          override:
            description: Whether this replaces what the origin says.
            type: bool
            default: true
      strict_transport_security:
        description: Browsers use HTTPS only.
        type: dict
        suboptions:
          max_age_seconds:
            description: For how many seconds.
            type: int
            default: 31536000
          include_subdomains:
            description: For all names below, too.
            type: bool
            default: true
          preload:
            description: May go into the lists of browsers.
            type: bool
            default: false
      content_type_options:
        description: Browsers do not guess types.
        type: bool
        default: true
      frame_option:
        description: Who may show a page in a frame, unless the origin says it.
        type: str
        choices: [DENY, SAMEORIGIN]
      referrer_policy:
        description: What other sites learn of where a reader came from, unless the origin says it.
        type: str
      content_security_policy:
        description: What a page may load, unless the origin says it.
        type: str
      custom_headers:
        description: Further headers.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Name.
            type: str
            required: true
          value:
            description: Value.
            type: str
            required: true
          override:
            description: Whether it replaces what the origin says.
            type: bool
            default: true
      remove_headers:
        description: Headers of the origin that no viewer gets to see.
        type: list
        elements: str
        default: []
  behaviors:
    description: Which path is answered how; of several that fit the first decides. One of them is V(default).
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Pattern such as C(/static/*), or V(default) for all other paths.
        type: str
        required: true
      origin:
        description: Id of an origin.
        type: str
        required: true
      cache_policy:
        description: Short name of one of O(cache_policies).
        type: str
        required: true
      origin_request_policy:
        description: Short name of one of O(origin_request_policies).
        type: str
      response_headers_policy:
        description: Short name of one of O(response_headers_policies).
        type: str
      viewer_protocol_policy:
        description: What happens to HTTP.
        type: str
        choices: [redirect-to-https, https-only, allow-all]
        default: redirect-to-https
      methods:
        description: GET and HEAD, these and OPTIONS, or all.
        type: str
        choices: [read, read_and_options, all]
        default: read
      compress:
        description: Whether CloudFront compresses.
        type: bool
        default: true
      signed:
        description: Whether only signed URLs are answered.
        type: bool
        default: false
  wait_seconds:
    description: Seconds to wait until every edge location has a change; V(0) does not wait.
    type: int
    default: 0
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Deliver an application and its static files
  stories1001.platform.cloudfront_delivery:
    name: stories-production
    tags: {Project: 1001-stories, Environment: production}
    aliases: [www.example.org]
    certificate_arn: arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d
    origins:
      - id: app
        domain_name: origin.example.org
        header: {secret_arn: "arn:aws:secretsmanager:us-east-1:123456789012:secret:stories-production/origin-AbCdEf"}
      - {id: static, type: s3, domain_name: stories-static.s3.us-east-1.amazonaws.com}
    cache_policies:
      - {name: none, default_ttl: 0, max_ttl: 0, gzip: false, brotli: false}
      - {name: year, default_ttl: 31536000}
    origin_request_policies:
      - name: everything
        headers: {behavior: allViewer}
        cookies: {behavior: all}
        query_strings: {behavior: all}
    behaviors:
      - {path: default, origin: app, cache_policy: none, origin_request_policy: everything, methods: all}
      - {path: /static/*, origin: static, cache_policy: year}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "distribution/stories-production:create", sentence: "Create distribution stories-production"}]
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {distribution: {stories-production: {id: E0A1B2C3D4E5F6, domain_name: d111111abcdef8.cloudfront.net}}}
distribution_id:
  description: Id of the distribution.
  returned: success and O(state=present)
  type: str
  sample: E0A1B2C3D4E5F6
distribution_arn:
  description: ARN of the distribution, which bucket policies name.
  returned: success and O(state=present)
  type: str
  sample: arn:aws:cloudfront::123456789012:distribution/E0A1B2C3D4E5F6
domain_name:
  description: Name of the distribution, to which the aliases point.
  returned: success and O(state=present)
  type: str
  sample: d111111abcdef8.cloudfront.net
key_pair_id:
  description: Id of the newest public key, which a signed URL names; none without keys.
  returned: success and O(state=present)
  type: str
  sample: K0A1B2C3D4E5F6
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._cloudfront.kinds import delivery_kinds
from ..module_utils._cloudfront.model import desired, public_key_name
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import State, is_planned, planned
from ..module_utils._engine.runner import refusing
from ..module_utils._secrets.kinds import read_value

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "tags": {"type": "dict", "required": True},
    "enabled": {"type": "bool", "default": True},
    "comment": {"type": "str", "default": ""},
    "aliases": {"type": "list", "elements": "str", "default": []},
    "certificate_arn": {"type": "str"},
    "minimum_protocol_version": {
        "type": "str",
        "choices": ["TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"],
        "default": "TLSv1.2_2021",
    },
    "http_version": {"type": "str", "choices": ["http1.1", "http2", "http3", "http2and3"], "default": "http2and3"},
    "ipv6": {"type": "bool", "default": True},
    "price_class": {
        "type": "str",
        "choices": ["PriceClass_100", "PriceClass_200", "PriceClass_All"],
        "default": "PriceClass_All",
    },
    "default_root_object": {"type": "str", "default": ""},
    "web_acl_arn": {"type": "str"},
    "geo_restriction": {
        "type": "dict",
        "default": {},
        "options": {
            "type": {"type": "str", "choices": ["none", "whitelist", "blacklist"], "default": "none"},
            "locations": {"type": "list", "elements": "str", "default": []},
        },
    },
    "logging": {
        "type": "dict",
        "options": {
            "bucket": {"type": "str", "required": True},
            "prefix": {"type": "str", "default": "cloudfront/"},
            "include_cookies": {"type": "bool", "default": False},
        },
    },
    "custom_errors": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "code": {"type": "int", "required": True},
            "page": {"type": "str"},
            "response_code": {"type": "int"},
            "caching_min_ttl": {"type": "int", "default": 10},
        },
    },
    "public_keys": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "generation": {"type": "int", "required": True},
            "public_key": {"type": "str", "required": True, "no_log": False},
        },
        "no_log": False,
    },
    "origins": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "id": {"type": "str", "required": True},
            "type": {"type": "str", "choices": ["custom", "s3"], "default": "custom"},
            "domain_name": {"type": "str", "required": True},
            "path": {"type": "str", "default": ""},
            "header": {
                "type": "dict",
                "options": {
                    "name": {"type": "str", "default": "X-Origin-Verify"},
                    "secret_arn": {"type": "str", "required": True, "no_log": False},
                },
            },
            "protocol_policy": {
                "type": "str",
                "choices": ["https-only", "http-only", "match-viewer"],
                "default": "https-only",
            },
            "http_port": {"type": "int", "default": 80},
            "https_port": {"type": "int", "default": 443},
            "read_timeout": {"type": "int", "default": 60},
            "keepalive_timeout": {"type": "int", "default": 5},
            "connection_attempts": {"type": "int", "default": 3},
            "connection_timeout": {"type": "int", "default": 10},
            "shield_region": {"type": "str"},
        },
    },
    "cache_policies": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "comment": {"type": "str", "default": ""},
            "min_ttl": {"type": "int", "default": 0},
            "default_ttl": {"type": "int", "default": 86400},
            "max_ttl": {"type": "int", "default": 31536000},
            "gzip": {"type": "bool", "default": True},
            "brotli": {"type": "bool", "default": True},
            "headers": {
                "type": "dict",
                "default": {},
                "options": {
                    "behavior": {"type": "str", "choices": ["none", "whitelist"], "default": "none"},
                    "names": {"type": "list", "elements": "str", "default": []},
                },
            },
            "cookies": {
                "type": "dict",
                "default": {},
                "options": {
                    "behavior": {
                        "type": "str",
                        "choices": ["none", "whitelist", "allExcept", "all"],
                        "default": "none",
                    },
                    "names": {"type": "list", "elements": "str", "default": []},
                },
            },
            "query_strings": {
                "type": "dict",
                "default": {},
                "options": {
                    "behavior": {
                        "type": "str",
                        "choices": ["none", "whitelist", "allExcept", "all"],
                        "default": "none",
                    },
                    "names": {"type": "list", "elements": "str", "default": []},
                },
            },
        },
    },
    "origin_request_policies": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "comment": {"type": "str", "default": ""},
            "headers": {
                "type": "dict",
                "default": {},
                "options": {
                    "behavior": {
                        "type": "str",
                        "choices": ["none", "whitelist", "allViewer", "allViewerAndWhitelistCloudFront", "allExcept"],
                        "default": "none",
                    },
                    "names": {"type": "list", "elements": "str", "default": []},
                },
            },
            "cookies": {
                "type": "dict",
                "default": {},
                "options": {
                    "behavior": {
                        "type": "str",
                        "choices": ["none", "whitelist", "allExcept", "all"],
                        "default": "none",
                    },
                    "names": {"type": "list", "elements": "str", "default": []},
                },
            },
            "query_strings": {
                "type": "dict",
                "default": {},
                "options": {
                    "behavior": {
                        "type": "str",
                        "choices": ["none", "whitelist", "allExcept", "all"],
                        "default": "none",
                    },
                    "names": {"type": "list", "elements": "str", "default": []},
                },
            },
        },
    },
    "response_headers_policies": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "comment": {"type": "str", "default": ""},
            "cors": {
                "type": "dict",
                "options": {
                    "origins": {"type": "list", "elements": "str", "default": []},
                    "headers": {"type": "list", "elements": "str", "default": ["*"]},
                    "methods": {"type": "list", "elements": "str", "default": ["GET", "HEAD"]},
                    "expose_headers": {"type": "list", "elements": "str", "default": []},
                    "credentials": {"type": "bool", "default": False},
                    "max_age_seconds": {"type": "int", "default": 600},
                    "override": {"type": "bool", "default": True},
                },
            },
            "strict_transport_security": {
                "type": "dict",
                "options": {
                    "max_age_seconds": {"type": "int", "default": 31536000},
                    "include_subdomains": {"type": "bool", "default": True},
                    "preload": {"type": "bool", "default": False},
                },
            },
            "content_type_options": {"type": "bool", "default": True},
            "frame_option": {"type": "str", "choices": ["DENY", "SAMEORIGIN"]},
            "referrer_policy": {"type": "str"},
            "content_security_policy": {"type": "str"},
            "custom_headers": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "value": {"type": "str", "required": True},
                    "override": {"type": "bool", "default": True},
                },
            },
            "remove_headers": {"type": "list", "elements": "str", "default": []},
        },
    },
    "behaviors": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "str", "required": True},
            "origin": {"type": "str", "required": True},
            "cache_policy": {"type": "str", "required": True},
            "origin_request_policy": {"type": "str"},
            "response_headers_policy": {"type": "str"},
            "viewer_protocol_policy": {
                "type": "str",
                "choices": ["redirect-to-https", "https-only", "allow-all"],
                "default": "redirect-to-https",
            },
            "methods": {"type": "str", "choices": ["read", "read_and_options", "all"], "default": "read"},
            "compress": {"type": "bool", "default": True},
            "signed": {"type": "bool", "default": False},
        },
    },
    "wait_seconds": {"type": "int", "default": 0},
}


def origin_headers(aws: Aws, origins: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """{origin id: {header: value}}; a secret that is only planned stands for its value."""
    asked = {origin["id"]: origin["header"] for origin in origins if origin["header"]}
    return {ident: {header["name"]: _value(aws, header["secret_arn"])} for ident, header in asked.items()}


def _value(aws: Aws, secret_arn: str) -> str:
    return secret_arn if is_planned(secret_arn) else read_value(aws, secret_arn)


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params, aws = module.params, Aws(module)
    present = params["state"] == "present"
    with refusing(module):
        # What is wrong with the wish is told before the first secret is read.
        wanted = desired(params, {}) if present else None
        if present:
            wanted = desired(params, origin_headers(aws, params["origins"]))
    name = params["name"]

    def outputs(state: State) -> Mapping[str, Any]:
        if wanted is None:
            return {}
        found = state["distribution", name]
        newest = max((key["generation"] for key in params["public_keys"]), default=None)
        return {
            "distribution_id": found.id,
            "distribution_arn": found.outputs.get("arn", planned("distribution", name)),
            "domain_name": found.outputs.get("domain_name", planned("distribution", name)),
            "key_pair_id": state["public_key", public_key_name(name, newest)].id if newest is not None else None,
        }

    kinds = delivery_kinds(aws, params["tags"], name, wanted or (), params["wait_seconds"])
    converge_resources(module, kinds, wanted, outputs)


if __name__ == "__main__":
    main()

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which service, operation and protocol an HTTP request is, by botocore's models."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import parse_qsl

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape

_loader = botocore.session.get_session().get_component("data_loader")

# Signing names that are not the name of botocore's model. A tuple is tried in order until one has the operation.
_MODELS_OF_SIGNING_NAME = {
    "elasticloadbalancing": ("elbv2", "elb"),
    "monitoring": ("cloudwatch",),
    "states": ("stepfunctions",),
    "ses": ("sesv2", "ses"),
    "es": ("opensearch", "es"),
    "tagging": ("resourcegroupstaggingapi",),
    "elasticfilesystem": ("efs",),
    "elasticmapreduce": ("emr",),
    "apigateway": ("apigateway", "apigatewayv2"),
    "email": ("ses",),
    "s3": ("s3", "s3control"),
    "savingsplans": ("savingsplans",),
    "aoss": ("opensearchserverless",),
    "airflow": ("mwaa",),
    "bcm-data-exports": ("bcm-data-exports",),
    "wafv2": ("wafv2",),
}

_CREDENTIAL = re.compile(
    r"Credential=(?P<key>[^/,]+)/(?P<date>[^/]+)/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request"
)
_CBOR_PATH = re.compile(r"/service/(?P<service>[^/]+)/operation/(?P<operation>[^/?]+)$")

_READS = re.compile(
    r"^(Describe|Get|List|Batch(Get|Describe|Check)|Head|Search|Query|Scan|Filter|Lookup|Simulate|Validate|Check|"
    r"Preview|Estimate|Discover|Select|Test|Verify|Decrypt|Encrypt|Generate(DataKey|Random|Mac)|Sign$|AssumeRole|"
    r"Receive|Poll|View|Detect)"
)


@dataclass(frozen=True)
class HttpRequest:
    """A whole HTTP request. Header names are in lower case; `query` keeps empty values."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Signature:
    """The credential scope that a request was signed for."""

    access_key_id: str
    region: str
    signing_name: str


@dataclass(frozen=True)
class Classified:
    """An AWS call: botocore's service name ("elbv2"), the operation's model, the protocol the client chose."""

    service: str
    operation: OperationModel
    protocol: str
    signature: Signature

    @property
    def writes(self) -> bool:
        """True if the operation changes something."""
        return is_write(self.operation.name)


def is_write(operation: str) -> bool:
    """True if an operation of this name changes something."""
    return not _READS.match(operation)


@cache
def service_model(service: str) -> ServiceModel:
    """botocore's model of `service` ("rds", "elbv2"). Raises UnknownServiceError."""
    return ServiceModel(_loader.load_service_model(service, "service-2"), service)


@cache
def _known_services() -> frozenset[str]:
    return frozenset(_loader.list_available_services("service-2"))


def signature_of(request: HttpRequest) -> Signature | None:
    """The scope in the Authorization header or in a presigned URL; None for an unsigned request."""
    text = request.headers.get("authorization", "")
    if not text and "X-Amz-Credential" in request.query:
        text = f"Credential={request.query['X-Amz-Credential'][0]}"
    match = _CREDENTIAL.search(text)
    return Signature(match["key"], match["region"], match["service"]) if match else None


def classify(request: HttpRequest, signature: Signature) -> Classified | None:
    """The AWS call that `request` is, or None when botocore knows no such operation."""
    services = _MODELS_OF_SIGNING_NAME.get(signature.signing_name, (signature.signing_name,))
    for service in services:
        if service not in _known_services():
            continue
        model = service_model(service)
        found = _named_operation(model, request)
        if found:
            operation, protocol = found
            if operation in model.operation_names:
                return Classified(service, model.operation_model(operation), protocol, signature)
        elif model.protocol in ("rest-json", "rest-xml") and (route := _match_route(service, request)):
            return Classified(service, model.operation_model(route), model.protocol, signature)
    return None


def _named_operation(model: ServiceModel, request: HttpRequest) -> tuple[str, str] | None:
    """(operation, protocol) for the protocols whose requests carry the operation's name."""
    if match := _CBOR_PATH.search(request.path):
        return match["operation"], "smithy-rpc-v2-cbor"
    if target := request.headers.get("x-amz-target"):
        return target.rpartition(".")[2], "json"
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
    else:
        form = {name: values[0] for name, values in request.query.items()}
    if "Action" in form and "Version" in form:
        return form["Action"], "ec2" if model.protocol == "ec2" else "query"
    return None


@dataclass(frozen=True)
class _Route:
    operation: str
    method: str
    pattern: re.Pattern[str]
    fixed_query: dict[str, str]
    needed_query: frozenset[str]
    needed_headers: frozenset[str]
    weight: tuple[int, int, int] = field(compare=False)

    def fits(self, request: HttpRequest) -> bool:
        return (
            request.method == self.method
            and all(
                name in request.query and (not value or value in request.query[name])
                for name, value in self.fixed_query.items()
            )
            and self.needed_query <= request.query.keys()
            and self.needed_headers <= request.headers.keys()
            and self.pattern.fullmatch(request.path) is not None
        )


@cache
def _routes(service: str) -> list[_Route]:
    """The service's REST routes, most specific first."""
    routes = []
    model = service_model(service)
    for name in model.operation_names:
        operation = model.operation_model(name)
        path, _, query = operation.http["requestUri"].partition("?")
        inputs = operation.input_shape
        located = [
            (member.serialization.get("location"), member.serialization.get("name", ""))
            for required, member in (inputs.members.items() if inputs else ())
            if inputs and required in inputs.required_members
        ]
        fixed = dict(parse_qsl(query, keep_blank_values=True))
        needed_query = frozenset(place for location, place in located if location == "querystring")
        needed_headers = frozenset(place.lower() for location, place in located if location == "header")
        literal = len(re.sub(r"\{[^}]+\}", "", path))
        routes.append(
            _Route(
                name,
                operation.http["method"],
                path_pattern(path),
                fixed,
                needed_query,
                needed_headers,
                (len(fixed) + len(needed_query) + len(needed_headers), literal, -path.count("+")),
            )
        )
    return sorted(routes, key=lambda route: route.weight, reverse=True)


def path_pattern(template: str) -> re.Pattern[str]:
    """A pattern for botocore's `/{Bucket}/{Key+}`; groups are named a0, a1, … in the template's order."""
    pattern = ""
    for index, part in enumerate(re.split(r"(\{[^}]+\})", template)):
        if part.startswith("{"):
            pattern += f"(?P<a{index // 2}>{'.+' if part.endswith('+}') else '[^/]+'})"
        else:
            pattern += re.escape(part)
    return re.compile(pattern.rstrip("/") + "/?" if pattern != "/" else "/?")


def labels(template: str) -> list[str]:
    """The names in a template, in order: `/{Bucket}/{Key+}` gives ["Bucket", "Key"]."""
    return [name.rstrip("+") for name in re.findall(r"\{([^}]+)\}", template)]


def _match_route(service: str, request: HttpRequest) -> str | None:
    for route in _routes(service):
        if route.fits(request):
            return route.operation
    return None


def is_sensitive(shape: Shape) -> bool:
    """True if AWS's model marks the shape as secret."""
    return bool(shape.metadata.get("sensitive"))

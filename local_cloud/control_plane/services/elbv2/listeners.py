# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Listeners, their certificates and attributes."""

from __future__ import annotations

from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import only, page, random_hex
from local_cloud.control_plane.services.elbv2 import actions, state
from local_cloud.control_plane.services.elbv2.load_balancers import change_attributes, shown

_DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"

# Source: API reference, ListenerAttribute, those of HTTP and HTTPS listeners.
DEFAULT_ATTRIBUTES = {
    "routing.http.response.server.enabled": "true",
    "routing.http.response.strict_transport_security.header_value": "",
    "routing.http.response.access_control_allow_origin.header_value": "",
    "routing.http.response.access_control_allow_methods.header_value": "",
    "routing.http.response.access_control_allow_headers.header_value": "",
    "routing.http.response.access_control_allow_credentials.header_value": "",
    "routing.http.response.access_control_expose_headers.header_value": "",
    "routing.http.response.access_control_max_age.header_value": "",
    "routing.http.response.content_security_policy.header_value": "",
    "routing.http.response.x_content_type_options.header_value": "",
    "routing.http.response.x_frame_options.header_value": "",
    "routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name": "X-Amzn-Mtls-Clientcert-Serial-Number",
    "routing.http.request.x_amzn_mtls_clientcert_issuer.header_name": "X-Amzn-Mtls-Clientcert-Issuer",
    "routing.http.request.x_amzn_mtls_clientcert_subject.header_name": "X-Amzn-Mtls-Clientcert-Subject",
    "routing.http.request.x_amzn_mtls_clientcert_validity.header_name": "X-Amzn-Mtls-Clientcert-Validity",
    "routing.http.request.x_amzn_mtls_clientcert_leaf.header_name": "X-Amzn-Mtls-Clientcert-Leaf",
    "routing.http.request.x_amzn_mtls_clientcert.header_name": "X-Amzn-Mtls-Clientcert",
    "routing.http.request.x_amzn_tls_version.header_name": "X-Amzn-Tls-Version",
    "routing.http.request.x_amzn_tls_cipher_suite.header_name": "X-Amzn-Tls-Cipher-Suite",
}


@registry.handles("elbv2", "CreateListener")
async def create_listener(call: Call) -> Params:
    wanted = call.params
    load_balancer = state.get("loadbalancer", wanted["LoadBalancerArn"])
    protocol, port = wanted.get("Protocol", "HTTP"), wanted.get("Port")
    if port is None or not 1 <= port <= 65535:
        raise AwsError("ValidationError", f"The port '{port}' must be between 1 and 65535")
    arn = load_balancer["LoadBalancerArn"].replace(":loadbalancer/", ":listener/") + "/" + random_hex(16)
    listener: dict[str, Any] = {
        "ListenerArn": arn,
        "LoadBalancerArn": load_balancer["LoadBalancerArn"],
        "Port": port,
        "Protocol": protocol,
        "DefaultActions": actions.stored(wanted["DefaultActions"], load_balancer["LoadBalancerArn"]),
    }
    certificates = [item["CertificateArn"] for item in wanted.get("Certificates", [])]
    await _secure(call, listener, wanted, certificates)
    for existing in state.listeners_of(load_balancer["LoadBalancerArn"]):
        if existing["Port"] == port:
            if {**existing, "ListenerArn": arn} != listener or state.certificates[
                existing["ListenerArn"]
            ] != certificates:
                raise AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")
            return {"Listeners": [_shown(existing)]}
    state.listeners[arn] = listener
    state.certificates[arn] = certificates
    state.attributes[arn] = dict(DEFAULT_ATTRIBUTES)
    state.tags[arn] = wanted.get("Tags", [])
    return {"Listeners": [_shown(listener)]}


async def _secure(call: Call, listener: dict[str, Any], wanted: Params, certificates: list[str]) -> None:
    """Set or clear what only an HTTPS listener has."""
    if listener["Protocol"] != "HTTPS":
        for name in ("SslPolicy", "MutualAuthentication"):
            listener.pop(name, None)
        return
    if not certificates:
        raise AwsError("ValidationError", "A certificate must be specified for HTTPS listeners")
    if len(certificates) > 1:
        raise AwsError("ValidationError", "Only one certificate can be specified here; add others to the listener")
    await _check_certificates(call, certificates)
    listener["SslPolicy"] = wanted.get("SslPolicy") or listener.get("SslPolicy", _DEFAULT_POLICY)
    listener["MutualAuthentication"] = {"Mode": "off", **wanted.get("MutualAuthentication", {})}


async def _check_certificates(call: Call, arns: list[str]) -> None:
    for arn in arns:
        try:
            if ":iam:" in arn:
                await call.invoke("iam", "GetServerCertificate", {"ServerCertificateName": arn.rpartition("/")[2]})
            else:
                found = await call.invoke("acm", "DescribeCertificate", {"CertificateArn": arn})
                if found["Certificate"]["Status"] != "ISSUED":
                    raise AwsError(
                        "UnsupportedCertificate",
                        f"The certificate '{arn}' must have a fully-qualified domain name, a supported signature, "
                        "and a supported key size.",
                    )
        except AwsError as error:
            if error.code == "UnsupportedCertificate":
                raise
            raise AwsError("CertificateNotFound", f"Certificate '{arn}' not found") from error


def _shown(listener: dict[str, Any]) -> dict[str, Any]:
    certificates = state.certificates[listener["ListenerArn"]]
    if not certificates:
        return listener
    return {**listener, "Certificates": [{"CertificateArn": certificates[0]}]}


@registry.handles("elbv2", "DescribeListeners")
def describe_listeners(call: Call) -> Params:
    if arns := call.params.get("ListenerArns"):
        items = [state.get("listener", arn) for arn in arns]
    elif "LoadBalancerArn" in call.params:
        state.get("loadbalancer", call.params["LoadBalancerArn"])
        items = state.listeners_of(call.params["LoadBalancerArn"])
    else:
        raise AwsError("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
    some, marker = page([_shown(item) for item in items], call.params.get("Marker"), call.params.get("PageSize"))
    return {"Listeners": some, "NextMarker": marker}


@registry.handles("elbv2", "ModifyListener")
async def modify_listener(call: Call) -> Params:
    arn = call.params["ListenerArn"]
    listener = dict(state.get("listener", arn))
    listener.update(only(call.params, "Port", "Protocol", "SslPolicy"))
    siblings = state.listeners_of(listener["LoadBalancerArn"])
    if any(item["Port"] == listener["Port"] and item["ListenerArn"] != arn for item in siblings):
        raise AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")
    if "DefaultActions" in call.params:
        listener["DefaultActions"] = actions.stored(call.params["DefaultActions"], listener["LoadBalancerArn"])
    given = [item["CertificateArn"] for item in call.params.get("Certificates", [])]
    certificates = given or state.certificates[arn][:1]
    await _secure(call, listener, call.params, certificates)
    state.certificates[arn] = [
        *certificates,
        *(item for item in state.certificates[arn][1:] if item not in certificates),
    ]
    if listener["Protocol"] != "HTTPS":
        state.certificates[arn] = []
    state.listeners[arn] = listener
    return {"Listeners": [_shown(listener)]}


@registry.handles("elbv2", "DeleteListener")
def delete_listener(call: Call) -> Params:
    arn = call.params["ListenerArn"]
    state.get("listener", arn)
    for rule in state.rules_of(arn):
        state.rules.pop(rule["RuleArn"], None)
        state.forget(rule["RuleArn"])
    state.listeners.pop(arn, None)
    state.certificates.pop(arn, None)
    state.forget(arn)
    return {}


@registry.handles("elbv2", "DescribeListenerCertificates")
def describe_listener_certificates(call: Call) -> Params:
    state.get("listener", call.params["ListenerArn"])
    known = state.certificates[call.params["ListenerArn"]]
    items = [{"CertificateArn": arn, "IsDefault": number == 0} for number, arn in enumerate(known)]
    some, marker = page(items, call.params.get("Marker"), call.params.get("PageSize"))
    return {"Certificates": some, "NextMarker": marker}


@registry.handles("elbv2", "AddListenerCertificates")
async def add_listener_certificates(call: Call) -> Params:
    arn = call.params["ListenerArn"]
    state.get("listener", arn)
    wanted = [item["CertificateArn"] for item in call.params["Certificates"]]
    await _check_certificates(call, wanted)
    state.certificates[arn] = [
        *state.certificates[arn],
        *(item for item in wanted if item not in state.certificates[arn]),
    ]
    return {"Certificates": [{"CertificateArn": item, "IsDefault": False} for item in wanted]}


@registry.handles("elbv2", "RemoveListenerCertificates")
def remove_listener_certificates(call: Call) -> Params:
    arn = call.params["ListenerArn"]
    state.get("listener", arn)
    gone = {item["CertificateArn"] for item in call.params["Certificates"]}
    default, *others = state.certificates[arn] or [""]
    if default in gone:
        raise AwsError("OperationNotPermitted", "The default certificate of a listener cannot be removed")
    state.certificates[arn] = [default, *(item for item in others if item not in gone)]
    return {}


@registry.handles("elbv2", "DescribeListenerAttributes")
def describe_listener_attributes(call: Call) -> Params:
    state.get("listener", call.params["ListenerArn"])
    return {"Attributes": shown(state.attributes[call.params["ListenerArn"]])}


@registry.handles("elbv2", "ModifyListenerAttributes")
def modify_listener_attributes(call: Call) -> Params:
    arn = call.params["ListenerArn"]
    state.get("listener", arn)
    return {"Attributes": change_attributes(arn, DEFAULT_ATTRIBUTES, "Listener", call.params["Attributes"])}

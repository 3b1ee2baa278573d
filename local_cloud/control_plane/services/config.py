# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS Config: the order in which recorder and channel come and go, tags of rules, and verdicts that someone gives.

Nothing here evaluates a rule. `PutEvaluations` with the name of a rule as its token sets verdicts, as a rule of one's
own would, so that a summary has something to tell.
"""

from __future__ import annotations

from typing import Any

from ministack.services import config

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import drop_tags, merge_tags
from local_cloud.control_plane.stores import store

tags = store("config_tags")  # ARN -> [{"Key", "Value"}]
verdicts = store("config_verdicts")  # rule -> ComplianceType


def _bad(code: str, message: str) -> AwsError:
    return AwsError(code, message, 400)


def _recorder(name: str) -> dict[str, Any]:
    if name not in config._recorders:
        raise _bad(
            "NoSuchConfigurationRecorderException", f"Cannot find configuration recorder with the name '{name}'."
        )
    found: dict[str, Any] = config._recorders[name]
    return found


@registry.handles("config", "PutConfigurationRecorder")
async def put_configuration_recorder(call: Call) -> Params:
    wanted = call.params["ConfigurationRecorder"]
    name = wanted.get("name", "default")
    if set(config._recorders.keys()) - {name}:
        message = f"Failed to put configuration recorder '{name}' because the maximum number is reached."
        raise _bad("MaxNumberOfConfigurationRecordersExceededException", message)
    return await call.forward({**call.params, "ConfigurationRecorder": wanted})


@registry.handles("config", "PutDeliveryChannel")
async def put_delivery_channel(call: Call) -> Params:
    name = call.params["DeliveryChannel"].get("name", "default")
    if not list(config._recorders.keys()):
        message = "A configuration recorder is not available to put a delivery channel for."
        raise _bad("NoAvailableConfigurationRecorderException", message)
    if set(config._delivery_channels.keys()) - {name}:
        message = f"Failed to put delivery channel '{name}' because the maximum number is reached."
        raise _bad("MaxNumberOfDeliveryChannelsExceededException", message)
    return await call.forward()


@registry.handles("config", "StartConfigurationRecorder")
async def start_configuration_recorder(call: Call) -> Params:
    _recorder(call.params["ConfigurationRecorderName"])
    if not list(config._delivery_channels.keys()):
        message = "Delivery channel is not available to start configuration recorder."
        raise _bad("NoAvailableDeliveryChannelException", message)
    return await call.forward()


@registry.handles("config", "DeleteConfigurationRecorder")
def delete_configuration_recorder(call: Call) -> Params:
    name = call.params["ConfigurationRecorderName"]
    _recorder(name)
    del config._recorders[name]
    return {}


@registry.handles("config", "DeleteDeliveryChannel")
def delete_delivery_channel(call: Call) -> Params:
    name = call.params["DeliveryChannelName"]
    if name not in config._delivery_channels:
        raise _bad("NoSuchDeliveryChannelException", f"Cannot find delivery channel with specified name '{name}'.")
    if any(recorder["recording"] for recorder in config._recorders.values()):
        message = f"Failed to delete last specified delivery channel with name '{name}', because it is in use."
        raise _bad("LastDeliveryChannelDeleteFailedException", message)
    del config._delivery_channels[name]
    return {}


@registry.handles("config", "PutConfigRule")
async def put_config_rule(call: Call) -> Params:
    if not list(config._recorders.keys()):
        raise _bad("NoAvailableConfigurationRecorderException", "Configuration recorder is not available.")
    name = call.params["ConfigRule"]["ConfigRuleName"]
    is_new = name not in config._config_rules
    answer = await call.forward()
    if is_new and call.params.get("Tags"):
        tags[config._config_rules[name]["ConfigRuleArn"]] = call.params["Tags"]
    return answer


@registry.handles("config", "DeleteConfigRule")
async def delete_config_rule(call: Call) -> Params:
    name = call.params["ConfigRuleName"]
    arn = config._config_rules.get(name, {}).get("ConfigRuleArn")
    answer = await call.forward()
    tags.pop(arn, None)
    verdicts.pop(name, None)
    return answer


def _known(arn: str) -> str:
    if all(rule["ConfigRuleArn"] != arn for rule in config._config_rules.values()):
        raise _bad("ResourceNotFoundException", f"ResourceArn '{arn}' does not exist")
    return arn


@registry.handles("config", "ListTagsForResource")
def list_tags(call: Call) -> Params:
    return {"Tags": tags.get(_known(call.params["ResourceArn"]), [])}


@registry.handles("config", "TagResource")
def tag(call: Call) -> Params:
    arn = _known(call.params["ResourceArn"])
    tags[arn] = merge_tags(tags.get(arn, []), call.params["Tags"])
    return {}


@registry.handles("config", "UntagResource")
def untag(call: Call) -> Params:
    arn = _known(call.params["ResourceArn"])
    tags[arn] = drop_tags(tags.get(arn, []), call.params["TagKeys"])
    return {}


@registry.handles("config", "PutEvaluations")
def put_evaluations(call: Call) -> Params:
    name = call.params["ResultToken"]
    if name not in config._config_rules:
        raise _bad("InvalidResultTokenException", "The specified ResultToken is invalid.")
    found = {one["ComplianceType"] for one in call.params.get("Evaluations", [])}
    verdicts[name] = "NON_COMPLIANT" if "NON_COMPLIANT" in found else "COMPLIANT"
    return {"FailedEvaluations": []}


@registry.handles("config", "DescribeComplianceByConfigRule")
async def describe_compliance(call: Call) -> Params:
    answer = await call.forward()
    for one in answer["ComplianceByConfigRules"]:
        if verdict := verdicts.get(one["ConfigRuleName"]):
            one["Compliance"] = {"ComplianceType": verdict}
    return answer

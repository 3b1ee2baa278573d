# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes the listeners of the load balancer.

The weights of the two slots belong to the release. They are given at creation and carried over unchanged,
freshly read, whenever AWS wants the whole list of actions for another change.

With an origin header, the default action refuses and one rule forwards what carries the header: the
weights then stand in the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._aws.api import Aws
from .._aws.tags import to_boto3
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import side_by_side, together
from .actions import canonical_action, forward_action, origin_header, to_action, weights_of
from .kinds import ElbKind, LoadBalancer, TargetGroup
from .model import listener_name

ORIGIN_RULE_PRIORITY = 1


@dataclass(frozen=True)
class Seen:
    """One listener as AWS shows it now. rule: the one that demands the origin header, if there is one."""

    item: Mapping[str, Any]
    rule: Mapping[str, Any] | None

    @property
    def default(self) -> Mapping[str, Any]:
        actions = self.item.get("DefaultActions") or [{"Type": "none"}]
        return max(actions, key=lambda action: action.get("Order", 1))

    @property
    def forward(self) -> Mapping[str, Any]:
        """The action that leads to the slots: the rule's where there is one, else the default."""
        return self.rule["Actions"][-1] if self.rule else self.default

    @property
    def weights(self) -> dict[str, int]:
        return weights_of(self.forward)


class Listener(ElbKind):
    kind = "listener"
    traits = Traits("listener", immutable=frozenset({"load_balancer"}), hidden=frozenset({"origin_header"}))

    def __init__(self, aws: Aws, name: str, *, brief: bool = False) -> None:
        super().__init__(aws, name, brief=brief)
        self._balancer = LoadBalancer(aws, name)

    def observe(self) -> Iterable[Found]:
        listed = [
            item
            for balancer in self._balancer.listed()
            for item in self._listed(LoadBalancerArn=balancer["LoadBalancerArn"])
        ]
        seen, tags = together(
            lambda: side_by_side(self._seen, listed),
            lambda: self.tags_of([item["ListenerArn"] for item in listed]),
        )
        for one, fields in zip(seen, side_by_side(self._fields, seen), strict=True):
            arn = one.item["ListenerArn"]
            name = listener_name(self.name, one.item["Port"])
            outputs = {"weights": one.weights}
            yield Found(self.kind, name, arn, fields, tags.get(arn, {}), outputs)

    def _listed(self, **which: Any) -> list[dict[str, Any]]:
        attempt = f"list listeners of {self.name}"
        return self.aws.pages(attempt, "elbv2", "describe_listeners", "Listeners", **which)

    def _seen(self, item: Mapping[str, Any]) -> Seen:
        if self.brief and item["Protocol"] != "HTTPS":
            return Seen(item, None)  # it redirects
        attempt = f"list rules of {listener_name(self.name, item['Port'])}"
        rules = self.aws.pages(attempt, "elbv2", "describe_rules", "Rules", ListenerArn=item["ListenerArn"])
        ours = [rule for rule in rules if rule["Priority"] == str(ORIGIN_RULE_PRIORITY) and origin_header(rule)]
        return Seen(item, ours[0] if ours else None)

    def _fields(self, seen: Seen) -> dict[str, Any]:
        item = seen.item
        default = [one["CertificateArn"] for one in item.get("Certificates", [])]
        return {
            "load_balancer": item["LoadBalancerArn"],
            "protocol": item["Protocol"],
            "ssl_policy": item.get("SslPolicy"),
            "certificate": default[0] if default else None,
            "additional_certificates": [] if self.brief or item["Protocol"] != "HTTPS" else self._additional(item),
            "action": canonical_action(seen.default),
            "target_groups": sorted(seen.weights),
            "stickiness_seconds": stickiness_of(seen.forward),
            "origin_header": origin_header(seen.rule) if seen.rule else None,
        }

    def _additional(self, item: Mapping[str, Any]) -> list[str]:
        attempt = f"list certificates of {listener_name(self.name, item['Port'])}"
        arn = item["ListenerArn"]
        listed = self.aws.pages(attempt, "elbv2", "describe_listener_certificates", "Certificates", ListenerArn=arn)
        return sorted(one["CertificateArn"] for one in listed if not one.get("IsDefault"))

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        weights = initial_weights(wanted)
        answer = self.call(
            f"create listener {wanted.name}",
            "create_listener",
            LoadBalancerArn=fields["load_balancer"],
            Port=int(wanted.name.rsplit("-", 1)[1]),
            DefaultActions=[self._default_action(wanted, weights)],
            Tags=to_boto3(dict(wanted.tags or {})),
            **_tls(fields),
        )
        made = Found(self.kind, wanted.name, answer["Listeners"][0]["ListenerArn"], fields, wanted.tags)
        self._add_certificates(made, fields.get("additional_certificates", []))
        if header := fields.get("origin_header"):
            self._create_rule(made, wanted, header, weights)
        return made

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        if {"protocol", "ssl_policy", "certificate"} & set(fields):
            # Without DefaultActions, so that this change cannot touch the weights.
            attempt = f"change the TLS settings of listener {found.name}"
            self.call(attempt, "modify_listener", ListenerArn=found.id, **_tls(wanted.fields))
        if "additional_certificates" in fields:
            have, want = (set(one["additional_certificates"]) for one in (found.fields, wanted.fields))
            self._add_certificates(found, sorted(want - have))
            self._remove_certificates(found, sorted(have - want))
        if {"action", "target_groups", "stickiness_seconds", "origin_header"} & set(fields):
            self._change_actions(found, wanted)

    def _change_actions(self, found: Found, wanted: Resource) -> None:
        """Rule and default action in the order in which no request is refused that was let through before."""
        now = self._seen(self._listed(ListenerArns=[found.id])[0])
        weights = now.weights or initial_weights(wanted)
        header = wanted.fields.get("origin_header")
        if header and now.rule is None:
            self._create_rule(found, wanted, header, weights)
        elif header and now.rule is not None:
            self._modify_rule(found, wanted, now.rule, header, weights)
        attempt = f"change the default action of listener {found.name}"
        action = self._default_action(wanted, weights)
        self.call(attempt, "modify_listener", ListenerArn=found.id, DefaultActions=[action])
        if now.rule is not None and not header:
            attempt = f"delete the origin header rule of listener {found.name}"
            self.call(attempt, "delete_rule", RuleArn=now.rule["RuleArn"])

    def _default_action(self, wanted: Resource, weights: Mapping[str, int]) -> dict[str, Any]:
        action = wanted.fields["action"]
        return self._forward(wanted, weights) if action["type"] == "forward" else to_action(action)

    def _forward(self, wanted: Resource, weights: Mapping[str, int]) -> dict[str, Any]:
        """Every wanted target group with the weight that it has; 0 for one that is new to the listener."""
        split = {group: weights.get(group, 0) for group in wanted.fields["target_groups"]}
        if not any(split.values()):
            # Someone led the listener elsewhere and no slot had traffic any more.
            split = initial_weights(wanted)
        return forward_action(split, wanted.fields["stickiness_seconds"])

    def _create_rule(
        self, found: Found, wanted: Resource, header: Mapping[str, Any], weights: Mapping[str, int]
    ) -> None:
        self.call(
            f"create the origin header rule of listener {found.name}",
            "create_rule",
            ListenerArn=found.id,
            Priority=ORIGIN_RULE_PRIORITY,
            Conditions=_conditions(header),
            Actions=[self._forward(wanted, weights)],
            Tags=to_boto3(dict(wanted.tags or {})),
        )

    def _modify_rule(
        self,
        found: Found,
        wanted: Resource,
        rule: Mapping[str, Any],
        header: Mapping[str, Any],
        weights: Mapping[str, int],
    ) -> None:
        self.call(
            f"change the origin header rule of listener {found.name}",
            "modify_rule",
            RuleArn=rule["RuleArn"],
            Conditions=_conditions(header),
            Actions=[self._forward(wanted, weights)],
        )

    def _add_certificates(self, found: Found, arns: Sequence[str]) -> None:
        # AWS takes one certificate a call when it adds, though the parameter is a list.
        for arn in arns:
            attempt = f"add certificate {arn} to listener {found.name}"
            certificates = [{"CertificateArn": arn}]
            self.call(attempt, "add_listener_certificates", ListenerArn=found.id, Certificates=certificates)

    def _remove_certificates(self, found: Found, arns: Sequence[str]) -> None:
        for arn in arns:
            attempt = f"remove certificate {arn} from listener {found.name}"
            certificates = [{"CertificateArn": arn}]
            self.call(attempt, "remove_listener_certificates", ListenerArn=found.id, Certificates=certificates)

    def delete(self, found: Found) -> None:
        self.call(f"delete listener {found.name}", "delete_listener", ListenerArn=found.id)


def load_balancer_kinds(aws: Aws, name: str, *, brief: bool = False) -> list[Kind]:
    """All kinds of a load balancer, in the order of creation."""
    return [kind(aws, name, brief=brief) for kind in (TargetGroup, LoadBalancer, Listener)]


def initial_weights(wanted: Resource) -> dict[str, int]:
    """Weights by target group ARN that a new listener begins with."""
    return {one["target_group"]: one["weight"] for one in wanted.initial.get("weights", [])}


def stickiness_of(forward: Mapping[str, Any]) -> int:
    """Seconds for which a client stays with its slot; 0 without stickiness."""
    sticky = forward.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {})
    return int(sticky.get("DurationSeconds", 0)) if sticky.get("Enabled") else 0


def _tls(fields: Mapping[str, Any]) -> dict[str, Any]:
    if fields["protocol"] != "HTTPS":
        return {"Protocol": fields["protocol"]}
    return {
        "Protocol": "HTTPS",
        "SslPolicy": fields["ssl_policy"],
        "Certificates": [{"CertificateArn": fields["certificate"]}],
    }


def _conditions(header: Mapping[str, Any]) -> list[dict[str, Any]]:
    config = {"HttpHeaderName": header["name"], "Values": list(header["values"])}
    return [{"Field": "http-header", "HttpHeaderConfig": config}]

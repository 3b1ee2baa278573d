# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What AWS shows of the two slots, the routes to them and the wanted image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._engine.steps import PlanRefused
from . import actions, revision
from .api import Api
from .clock import Clock
from .model import CanaryHeader, Desired, Observed, Route, Slot, Template
from .store import Store, last_record

ACTIVE_SLOT_TAG = "ActiveSlot"


class Observer:
    """Reads everything that a plan is made of. What does not change during a swap is read once."""

    def __init__(self, api: Api, store: Store, clock: Clock, desired: Desired) -> None:
        self._api, self._store, self._clock, self.desired = api, store, clock, desired
        self.balancer_arn = ""
        self._groups: dict[str, str] = {}  # ARN by slot
        self._definitions: dict[str, Mapping[str, Any]] = {}

    def observe(self) -> Observed:
        """The present state. Raises PlanRefused for everything that is named and does not exist."""
        desired = self.desired
        intent = self._store.read()
        self.balancer_arn = self.balancer()["LoadBalancerArn"]
        groups = self.groups()
        production, test = self._routes(desired.production_ports), self._routes(desired.test_ports)
        slots = self.slots()
        image, version = self._wanted_image()
        return Observed(
            slots=slots,
            routes=self._checked(production, groups, "production"),
            test_routes=self._checked(test, groups, "test"),
            intent=intent,
            last=last_record(self._store.history(1)),
            templates={name: self.template(slot) for name, slot in slots.items()} if desired.image else {},
            image=image,
            version=version,
            alarms=self._api.alarms(desired.alarms),
            active_slot_tag=self._api.tags(self.tagged()).get(ACTIVE_SLOT_TAG, ""),
            taken=self._taken(),
            at=self._clock.now(),
        )

    def balancer(self) -> dict[str, Any]:
        """The load balancer as AWS shows it."""
        return self._api.load_balancer(self.desired.load_balancer)

    def groups(self) -> dict[str, str]:
        """Target group ARNs by slot."""
        if not self._groups:
            names = {self.desired.resource(slot): slot for slot in self.desired.slots}
            found = self._api.target_groups(sorted(names))
            if missing := sorted(set(names) - set(found)):
                raise PlanRefused(
                    [f"Looked for target group {name} and found none. Run playbooks/phase3.yml." for name in missing]
                )
            self._groups = {names[name]: arn for name, arn in found.items()}
        return self._groups

    def slots(self) -> dict[str, Slot]:
        """Both slots as they are now."""
        desired = self.desired
        names = {desired.resource(slot): slot for slot in desired.slots}
        services = self._api.services(desired.cluster, sorted(names))
        if missing := sorted(set(names) - set(services)):
            raise PlanRefused(
                [
                    f"Looked for ECS service {name} in cluster {desired.cluster} and found none that is active. Run "
                    "playbooks/phase3.yml."
                    for name in missing
                ]
            )
        scaling = self._api.scaling(desired.cluster, sorted(names))
        return {slot: self._slot(slot, services[name], scaling.get(name)) for name, slot in sorted(names.items())}

    def _slot(self, slot: str, service: Mapping[str, Any], scaling: Any) -> Slot:
        arn = service["taskDefinition"]
        if arn not in self._definitions:  # a revision never changes
            self._definitions[arn] = revision.fields_of(self._api.definition(arn)[0])
        fields = self._definitions[arn]
        container = self.desired.container
        if f"{container}.image" not in fields:
            raise PlanRefused(
                [
                    f"Looked for container {container} in {arn} and found {', '.join(fields['containers'])}. Name the "
                    "container that gets the traffic."
                ]
            )
        found = (one for one in service["deployments"] if one["status"] == "PRIMARY")
        primary: Mapping[str, Any] = next(found, {})
        return Slot(
            name=slot,
            service=service["serviceName"],
            target_group=self.groups()[slot],
            # A circuit breaker that rolled back leaves its choice here, whatever we asked for.
            task_definition=primary.get("taskDefinition", arn),
            image=revision.image_of(fields, container),
            version=revision.version_of(fields, container),
            desired=int(service["desiredCount"]),
            running=int(service["runningCount"]),
            healthy=self._api.healthy(self.groups()[slot]),
            rollout=primary.get("rolloutState", "COMPLETED"),
            deployments=len(service["deployments"]),
            scaling=scaling,
            fields=fields,
        )

    def routes(self) -> tuple[Route, ...]:
        """The production routes as they are now."""
        return self._routes(self.desired.production_ports)

    def test_routes(self) -> tuple[Route, ...]:
        return self._routes(self.desired.test_ports)

    def canary_rules(self) -> list[str]:
        """ARNs of the rules that lead testers to the new slot."""
        wanted = self.desired.canary
        rules = [rule for listener in self.listeners() for rule in self._api.rules(listener["ListenerArn"])]
        return [rule["RuleArn"] for rule in rules if wanted and is_canary(rule, wanted)]

    def _taken(self) -> tuple[str, ...]:
        """Rules of others on the priority that the rule for testers needs."""
        wanted = self.desired.canary
        if wanted is None:
            return ()
        return tuple(
            f"rule {rule['Priority']} of listener {listener['Port']}"
            for listener in self.listeners()
            for rule in self._api.rules(listener["ListenerArn"])
            if rule["Priority"] == str(wanted.priority) and not is_canary(rule, wanted)
        )

    def tagged(self) -> str:
        """ARN of the production listener that wears the tag of the active slot."""
        return str(self.listeners()[0]["ListenerArn"])

    def listeners(self) -> list[dict[str, Any]]:
        """The production listeners."""
        found = {one["Port"]: one for one in self._api.listeners(self.balancer_arn)}
        return [found[port] for port in self.desired.production_ports if port in found]

    def _routes(self, ports: tuple[int, ...]) -> tuple[Route, ...]:
        listeners = {one["Port"]: one for one in self._api.listeners(self.balancer_arn)}
        if missing := [port for port in ports if port not in listeners]:
            raise PlanRefused(
                [
                    f"Looked for a listener on port {port} of {self.desired.load_balancer} and found only "
                    f"{', '.join(map(str, sorted(listeners))) or 'none'}. Run playbooks/phase3.yml, or mend ports."
                    for port in missing
                ]
            )
        routes = []
        for port in ports:
            listener = listeners[port]
            found = [(listener["ListenerArn"], f"listener {port}", False, listener["DefaultActions"])]
            for rule in self._api.rules(listener["ListenerArn"]):
                if self.desired.canary and is_canary(rule, self.desired.canary):
                    continue
                found.append((rule["RuleArn"], f"rule {rule['Priority']} of listener {port}", True, rule["Actions"]))
            routes += [
                route
                for route in (self._route(*one) for one in found)
                # A redirect or a refusal leads to no slot and is no business of a release.
                if route.weights
            ]
        return tuple(routes)

    def _route(self, arn: str, title: str, is_rule: bool, found: list[Any]) -> Route:
        slots = {group: slot for slot, group in self.groups().items()}
        weights = {slots.get(group, ""): weight for group, weight in actions.weights(found).items()}
        if "" in weights and len(weights) == 1:
            weights = {}  # leads to something else altogether
        if "" in weights:
            others = sorted(group for group in actions.weights(found) if group not in slots)
            raise PlanRefused(
                [
                    f"Looked at {title} and found it forward to {', '.join(others)} beside the slots; setting weights "
                    "would take that away. Lead such traffic by a rule of its own."
                ]
            )
        return Route(arn, title, is_rule, weights, tuple(found), actions.stickiness(found))

    def _checked(self, routes: tuple[Route, ...], groups: Mapping[str, str], what: str) -> tuple[Route, ...]:
        if not routes:
            names = " and ".join(self.desired.resource(slot) for slot in groups)
            raise PlanRefused(
                [
                    f"Looked for a {what} listener or rule of {self.desired.load_balancer} that forwards to {names} "
                    "and found none. Run playbooks/phase3.yml."
                ]
            )
        return routes

    def template(self, slot: Slot) -> Template:
        """The newest revision of the slot's family; phase 3 keeps one for each slot."""
        family = slot.task_definition.rsplit("/", 1)[1].rsplit(":", 1)[0]
        found, tags = self._api.definition(self.desired.task_definition or family)
        return Template(family, revision.fields_of(found), tags)

    def _wanted_image(self) -> tuple[str, str]:
        """The image by digest, and its version: the caller's word for it, else the digest's first characters."""
        name = self.desired.image
        if not name:
            return "", ""
        pinned = self._pinned(name)
        digest = pinned.partition("@sha256:")[2]
        return pinned, self.desired.version or digest[:12]

    def _pinned(self, name: str) -> str:
        registry, slash, rest = name.partition("/")
        in_ecr = slash and ".dkr.ecr." in registry
        if not in_ecr:
            return name
        path, at, digest = rest.partition("@")
        repository, tag = path.split(":", 1) if ":" in path else (path, "latest")
        found = self._api.digest(repository, digest if at else tag, registry.split(".", 1)[0])
        if not found:
            raise PlanRefused(
                [f"Looked for the image {name} in ECR and found none. Push it first, or name another tag or digest."]
            )
        return f"{registry}/{repository}@{found}"


def is_canary(rule: Mapping[str, Any], wanted: CanaryHeader) -> bool:
    """True for the rule that leads testers with this header to the new slot."""
    return any(
        condition.get("Field") == "http-header"
        and condition.get("HttpHeaderConfig", {}).get("HttpHeaderName", "").lower() == wanted.name.lower()
        and wanted.value in condition.get("HttpHeaderConfig", {}).get("Values", [])
        for condition in rule.get("Conditions", [])
    )

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A price list's file as something that can be observed, planned and mended, from answers of the Price List API."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.common.yaml import yaml_dump, yaml_load

from .._aws.api import Aws
from .._engine.runner import Module, converge, refusing
from .._engine.steps import PlanRefused
from .prices import flatten
from .renewal import filters, price_of, queries, renewed

# The Price List API has few endpoints; this one answers for every region of the partition.
PRICING_REGION = "us-east-1"
_HEADER = """---
# On-demand list prices in US dollars, from the AWS Price List API: ansible-playbook playbooks/price_list.yml.
# What is not here is not known: a platform that needs it is refused with the name of what is missing.
"""
_SOURCE = "AWS Price List API (pricing:GetProducts)"
_PAGE = "https://aws.amazon.com/pricing/"
Answers = Mapping[str, tuple[float, str]]


@dataclass(frozen=True)
class NewPrice:
    """One price to put into the list."""

    key: str
    before: float | None
    price: float
    date: str

    @property
    def id(self) -> str:
        return f"price/{self.key}:change"

    @property
    def sentence(self) -> str:
        before = "nothing" if self.before is None else f"${self.before:g}"
        return f"Change {self.key} from {before} to ${self.price:g}"

    def after(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        return renewed(content, {self.key: (self.price, self.date)})


def read_list(path: str, region: str) -> dict[str, Any]:
    """The content of the file; that of an empty list when there is none."""
    file = Path(path)
    if not file.exists():
        return {"region": region, "currency": "USD", "date": "", "source": _SOURCE, "services": {}}
    content: dict[str, Any] = yaml_load(file.read_text(encoding="utf-8")) or {}
    return content


def answers_of(aws: Aws, params: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[Answers, list[str]]:
    """({key: (price, date)}, keys without an answer), one question to AWS for each price.

    A key with several prices has no answer: which of them is meant is for a person to say.
    """
    region = params["price_region"]
    keys = [key for key, _price in flatten(known["services"])]
    classes = [key.rsplit("/", 1)[1] for key in keys if "/instance_hour/" in key]
    nodes = [key.rsplit("/", 1)[1] for key in keys if key.startswith("elasticache/") and "_hour/" in key]
    found: dict[str, tuple[float, str]] = {}
    missing: list[str] = []
    for query in queries(
        [*classes, *params["instance_classes"]], [*nodes, *params["node_types"]], params["other_region"]
    ):
        products = aws.pages(
            f"ask for the price {query.key} of {region}",
            "pricing",
            "get_products",
            "PriceList",
            region=PRICING_REGION,
            ServiceCode=query.service,
            Filters=filters(query, region),
        )
        try:
            answer = price_of(query, products)
        except ValueError as error:
            missing.append(f"{error} (several prices)")
            continue
        if answer is None:
            missing.append(query.key)
        else:
            found[query.key] = answer
    if not found:
        raise PlanRefused([f"Asked for the prices of {region} and found none at all. Check the name of the region."])
    return found, missing


def converge_list(
    module: Module,
    path: str,
    known: dict[str, Any],
    ask: Callable[[Mapping[str, Any]], tuple[Answers, list[str]]],
) -> Any:
    """Make the file hold what AWS answers and end the module."""
    with refusing(module):
        if known.get("region") not in (module_region := _region(module), None):
            raise PlanRefused(
                [f"Read {path} as the list of {module_region} and found that of {known.get('region')}. Mind the path."]
            )
        answers, missing = ask(known)

    def observe() -> Mapping[str, Any]:
        return read_list(path, _region(module))

    def plan(content: Mapping[str, Any]) -> Sequence[NewPrice]:
        listed = dict(flatten(content["services"]))
        return [
            NewPrice(key, listed.get(key), price, date)
            for key, (price, date) in sorted(answers.items())
            if listed.get(key) is None or abs(float(listed[key]) - price) > 1e-9
        ]

    def apply(steps: Sequence[NewPrice], content: Mapping[str, Any]) -> None:
        for step in steps:
            content = step.after(content)
        _write(Path(path), _complete(content))

    def render(content: Mapping[str, Any], steps: Sequence[NewPrice]) -> Any:
        listed = dict(flatten(content["services"]))
        return {step.key: listed[step.key] for step in steps if step.key in listed}

    return converge(
        module,
        observe=observe,
        plan=plan,
        apply=apply,
        render=render,
        outputs=lambda content: {"not_found": missing, "date": str(content["date"])},
    )


def _region(module: Module) -> str:
    params: Mapping[str, Any] = module.params  # type: ignore[attr-defined]  # AnsibleModule's; the engine needs none
    return str(params["price_region"])


def _complete(content: Mapping[str, Any]) -> dict[str, Any]:
    """Every service names its page; one that the API brought names AWS's own."""
    services = {name: {"source": _PAGE, **units} for name, units in content["services"].items()}
    return {**content, "source": _SOURCE, "services": services}


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(_HEADER + str(yaml_dump(dict(content), default_flow_style=False, sort_keys=False)))
    Path(temporary).chmod(0o644)
    Path(temporary).replace(path)

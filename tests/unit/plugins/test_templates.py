"""The description of the inventory, before AWS was asked."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleTemplateError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.stories1001.platform.plugins.plugin_utils.templates import templated


def come_to(**texts: str) -> dict[str, object]:
    variables = {name: trust_as_template(text) for name, text in texts.items()}
    return templated(Templar(DataLoader()), variables, variables)


def test_a_variable_comes_to_what_its_template_says() -> None:
    assert come_to(name="stories", prefix="{{ name }}-local") == {"name": "stories", "prefix": "stories-local"}


@pytest.mark.parametrize(
    "text", ["{{ aws_told }}", "{{ between }}", "{{ {'vpc': aws_told} }}", "{{ aws_told.vpc_id }}"]
)
def test_what_depends_on_aws_s_answer_is_left_out(text: str) -> None:
    assert "late" not in come_to(between="{{ aws_told }}", late=text)


def test_a_faulty_template_is_told() -> None:
    with pytest.raises(AnsibleTemplateError):
        come_to(name="{{ 1 + }}")

"""Variables are wrapped once for all templates of a task, and every template sees them as they are then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible._internal._templating._lazy_containers import _AnsibleLazyTemplateDict, _LazyValue
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.stories1001.platform.plugins.plugin_utils.warm_variables import WrappedOnce, parse_once


def many(**more: Any) -> dict[str, Any]:
    """As many variables as a task has, some of them templates."""
    return {
        **{f"plain_{number}": number for number in range(200)},
        "name": trust_as_template("{{ first }}-{{ plain_7 }}"),
        "nested": {"names": [trust_as_template("{{ name }}"), "fixed"], "left": trust_as_template("{{ absent }}")},
        "first": "one",
        **more,
    }


def templar(variables: dict[str, Any]) -> Templar:
    return Templar(loader=DataLoader(), variables=variables)


def test_templates_of_the_same_variables_share_their_wrappers(wrapped: None, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    own = _LazyValue.__init__
    monkeypatch.setattr(_LazyValue, "__init__", lambda self, value: made.append(1) or own(self, value))
    one = templar(many())
    assert one.template(trust_as_template("{{ name }}")) == "one-7"
    wrapped_first = len(made)
    assert one.template(trust_as_template("{{ nested.names }} {{ plain_9 }}")) == "['one-7', 'fixed'] 9"
    assert wrapped_first > 200
    assert len(made) - wrapped_first < 100


@pytest.mark.parametrize(
    "text",
    ["{{ name }}", "{{ nested.names }}", "{{ nested.names | join(' ') }}{{ plain_3 }}", "{{ absent | default(1) }}"],
)
def test_values_are_those_of_ansible_alone(text: str, request: pytest.FixtureRequest) -> None:
    alone = templar(many()).template(trust_as_template(text))
    request.getfixturevalue("wrapped")
    one = templar(many())
    assert [one.template(trust_as_template(text)) for _time in range(3)] == [alone] * 3


def test_what_is_undefined_stays_an_error(wrapped: None) -> None:
    one = templar(many())
    for _time in range(2):
        with pytest.raises(AnsibleError, match="'absent' is undefined"):
            one.template(trust_as_template("{{ nested.left }}"))


def test_a_variable_that_changes_is_seen_by_the_next_template(wrapped: None) -> None:
    variables = many()
    one = templar(variables)
    assert one.template(trust_as_template("{{ name }}")) == "one-7"
    variables["first"] = "two"
    assert one.template(trust_as_template("{{ name }}")) == "two-7"
    variables["item"] = 5
    assert one.template(trust_as_template("{{ item }}")) == 5
    del variables["item"]
    assert one.template(trust_as_template("{{ item is defined }}")) is False
    variables["nested"]["names"].append("added")
    assert one.template(trust_as_template("{{ nested.names | last }}")) == "added"


def test_what_a_template_works_out_is_not_left_to_the_next(wrapped: None) -> None:
    variables = many(counted=trust_as_template("{{ told.count + 0 }}"), told={"count": 1})
    one = templar(variables)
    assert one.template(trust_as_template("{{ counted }}")) == 1
    variables["told"]["count"] = 3
    assert one.template(trust_as_template("{{ counted }}")) == 3


def test_equal_values_of_other_objects_are_wrapped_anew() -> None:
    kept = WrappedOnce(_LazyValue)
    mapping = {"a": [1], "b": 2}
    first = kept.of(mapping)
    assert kept.of(mapping) is first
    mapping["a"] = [1]
    assert kept.of(mapping)["a"].value is mapping["a"]
    mapping["c"] = mapping.pop("b")
    assert list(kept.of(mapping)) == ["a", "c"]


def test_no_more_than_a_few_mappings_are_kept() -> None:
    kept = WrappedOnce(_LazyValue)
    mappings = [{"a": number} for number in range(20)]
    assert [kept.of(mapping)["a"].value for mapping in mappings] == list(range(20))
    assert len(kept._kept) <= 4


def test_small_mappings_are_left_to_ansible(wrapped: None) -> None:
    assert templar({"a": 1}).template(trust_as_template("{{ a }}")) == 1
    assert isinstance(_AnsibleLazyTemplateDict.__dict__["_lazy_values"], staticmethod)


def test_a_file_of_variables_is_parsed_again_only_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DataLoader, "load_from_file", DataLoader.load_from_file)
    parse_once()
    loader = DataLoader()
    parsed: list[Any] = []
    parse = loader.load
    monkeypatch.setattr(loader, "load", lambda *given, **named: parsed.append(1) or parse(*given, **named))

    def told() -> Any:
        return loader.load_from_file(str(file), unsafe=True, cache="vaulted", trusted_as_template=True)

    file = tmp_path / "vars.yml"
    file.write_text('{name: "{{ first }}"}')
    assert (told(), told(), len(parsed)) == ({"name": "{{ first }}"}, {"name": "{{ first }}"}, 1)
    assert templar({**told(), "first": "one"}).template(told()["name"]) == "one"
    file.write_text('{name: "another"}')
    assert (told(), len(parsed)) == ({"name": "another"}, 2)
    file.unlink()
    with pytest.raises(AnsibleError, match=r"vars\.yml"):
        told()

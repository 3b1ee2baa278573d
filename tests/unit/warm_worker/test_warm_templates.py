"""Templates are compiled once by all processes of a run, and mean the same as before."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import CodeType
from typing import Any

import pytest
from ansible._internal._templating._jinja_bits import AnsibleEnvironment, _TemplateCompileContext
from ansible.errors import AnsibleUndefinedVariable
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.stories1001.platform.plugins.plugin_utils.warm_templates import SharedCode, _of_variable

from .conftest import Counted


def rendered(text: str, **variables: Any) -> Any:
    return Templar(loader=DataLoader(), variables=variables).template(trust_as_template(text))


def code(number: int) -> CodeType:
    return compile(f"answer = {number}", "<template>", "exec")


def in_a_fork(work: Callable[[], bool]) -> bool:
    """Whether the work was true in a process forked from this one."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_what_one_process_compiled_another_finds() -> None:
    shared = SharedCode()
    assert in_a_fork(lambda: shared.put(b"k" * 32, code(1)) is None)
    assert shared.get(b"k" * 32) == code(1)
    assert in_a_fork(lambda: shared.get(b"k" * 32) == code(1))


def test_an_unknown_key_is_not_found() -> None:
    shared = SharedCode()
    shared.put(b"k" * 32, code(1))
    assert shared.get(b"l" * 32) is None


def test_an_entry_that_is_half_written_waits_until_it_is_whole() -> None:
    shared = SharedCode()
    shared.put(b"k" * 32, code(1))
    size = os.fstat(shared._memory).st_size
    whole = os.pread(shared._memory, size, 0)
    os.write(shared._memory, whole[:20])
    assert shared.get(b"m" * 32) is None
    os.write(shared._memory, whole[20:].replace(b"k" * 32, b"m" * 32))
    other = SharedCode()
    other._memory = shared._memory
    assert other.get(b"k" * 32) == code(1)


def test_entries_of_many_processes_at_once_stay_whole() -> None:
    shared = SharedCode()

    def fill(number: int) -> None:
        keys = [bytes([number, place]) * 16 for place in range(50)]
        assert in_a_fork(lambda: all(shared.put(key, code(number)) is None for key in keys))

    threads = [threading.Thread(target=fill, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(8):
        assert all(shared.get(bytes([number, place]) * 16) == code(number) for place in range(50))


def test_a_template_is_compiled_once_in_all_processes(counted: Counted) -> None:
    assert in_a_fork(lambda: rendered("{{ a + 1 }}", a=1) == 2)
    assert counted.compiled == 0
    assert rendered("{{ a + 1 }}", a=41) == 42
    assert counted.compiled == 0


def test_values_are_those_of_the_task_not_of_the_one_that_compiled(counted: Counted) -> None:
    assert [rendered("{{ a | default('none') }}", **given) for given in ({}, {"a": [1]}, {"a": "x"})] == [
        "none",
        [1],
        "x",
    ]
    assert counted.compiled == 1


def test_templates_that_are_a_variable_and_nothing_else_are_compiled_once(counted: Counted) -> None:
    variables = {"any_name": 1, "name_prefix": [2], "a_b": trust_as_template("{{ name_prefix }}")}
    assert [rendered(f"{{{{ {name} }}}}", **variables) for name in variables] == [1, [2], [2]]
    assert counted.compiled == 1
    with pytest.raises(AnsibleUndefinedVariable, match="'not_there' is undefined"):
        rendered("{{ not_there }}")
    assert counted.compiled == 1
    assert rendered("{{ true }} {{ none }}{{ loop }}", loop=3) == "True 3"


@pytest.mark.parametrize("name", ["name_any", "a_b", "l_0_any_name", "_", "environment_of_it", "missing_value"])
def test_what_a_variable_is_compiled_to_is_what_jinja_would_compile_it_to(name: str) -> None:
    def compiled(variable: str) -> CodeType:
        with _TemplateCompileContext(escape_backslashes=True):
            made: CodeType = AnsibleEnvironment().compile(f"{{{{ {variable} }}}}")
        return made

    def but_for_columns(one: CodeType) -> CodeType:
        """Where in its line a name stands follows from its length; no more than tracebacks tell it."""
        inner = tuple(but_for_columns(part) if isinstance(part, CodeType) else part for part in one.co_consts)
        return one.replace(co_linetable=b"", co_consts=inner)

    told = _of_variable(compiled("any_name"), name)
    assert but_for_columns(told) == but_for_columns(compiled(name))
    assert (told == compiled(name)) is (len(name) == len("any_name"))


def test_other_delimiters_are_another_template(counted: Counted) -> None:
    text = "{{ a }} [[ a ]]"
    assert rendered(text, a=1) == "1 [[ a ]]"
    other = "#jinja2: variable_start_string:'[[', variable_end_string:']]'"
    assert rendered(f"{other}\n{text}", a=1) == "{{ a }} 1"
    assert counted.compiled == 2


def test_a_template_that_does_not_compile_fails_as_before(counted: Counted) -> None:
    for _time in range(2):
        with pytest.raises(Exception, match="Syntax error in template"):
            rendered("{{ a +")
    assert counted.compiled == 2


def test_nothing_of_a_template_is_written_to_a_file(counted: Counted) -> None:
    rendered("{{ 'a-secret-in-a-template' }}")
    links = [os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd") if _open(number)]
    assert any(link.startswith("/memfd:warm-templates") for link in links)


def _open(number: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{number}")

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one place where a plan becomes an Ansible result: observe, plan, apply, verify.

Check mode is decided here and nowhere else. A module of this collection is its documentation, its
``Desired``, and one call of `converge`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import Any, Protocol, TypeVar

from ansible.module_utils.common.yaml import yaml_dump

from .steps import PlanRefused, Step, StepFailed

O = TypeVar("O")  # noqa: E741 - the observed state
S = TypeVar("S", bound=Step[Any])  # the module's own steps


class Module(Protocol):
    """The part of AnsibleModule (and AnsibleAWSModule) that is needed here."""

    check_mode: bool

    def exit_json(self, **result: Any) -> Any: ...

    def fail_json(self, msg: str, **result: Any) -> Any: ...

    def warn(self, warning: str) -> Any: ...


def converge(
    module: Module,
    *,
    observe: Callable[[], O],
    plan: Callable[[O], Sequence[S]],
    apply: Callable[[Sequence[S], O], Sequence[S] | None],
    render: Callable[[O, Sequence[S]], Any],
    outputs: Callable[[O], Mapping[str, Any]],
    unfinished: Callable[[O], Sequence[str]] = lambda state: (),
) -> Any:
    """Make AWS (or PostgreSQL) equal to what is desired and end the module.

    observe: reads the present state; called again after the steps were applied.
    plan: pure; the steps still missing. Raises PlanRefused before anything is written.
    apply: carries the steps out in order, returns those that it left for a later run. Raises StepFailed.
    render: what ``--diff`` shows of a state, reduced to what the steps touch; never a secret.
    outputs: what the module returns of a state, ids above all.
    unfinished: what AWS still works at, for a module that was told not to wait.

    The result holds ``changed``, ``steps`` (id and sentence of each), ``diff``, ``unfinished`` and the outputs. In
    check mode the outputs are those of the planned state: an id that does not exist yet is a placeholder, see
    `resources.planned`.
    """
    with refusing(module):
        before = observe()
        steps = tuple(plan(before))
        after, working = _expected(before, steps), list(unfinished(before))
        if steps and not module.check_mode:
            left = apply(steps, before) or ()
            steps = tuple(one for one in steps if one not in left)
            after = observe()
            working = [*unfinished(after), *(one.sentence for one in left)]
            if not working:
                _verify(plan(after))
        result = {
            "changed": bool(steps),
            "steps": [{"id": step.id, "sentence": step.sentence} for step in steps],
            "diff": _diff(render(before, steps), render(_expected(before, steps), steps)) if steps else [],
            "unfinished": [] if module.check_mode else working,
        }
    return module.exit_json(**result, **outputs(after))


def _expected(state: O, steps: Sequence[S]) -> O:
    return reduce(lambda now, step: step.after(now), steps, state)


def _verify(leftover: Sequence[S]) -> None:
    if leftover:
        raise StepFailed(
            "Applied every step, then looked again and found work left: "
            + "; ".join(step.sentence for step in leftover)
            + ". Run the play again; if it stays, something else is changing these resources."
        )


@contextmanager
def refusing(module: Module) -> Iterator[None]:
    """End the module with the sentences of a refused plan or a failed step raised inside the block."""
    try:
        yield
    except PlanRefused as refusal:
        module.fail_json(msg="\n".join(refusal.problems), **refusal.details)
    except StepFailed as failure:
        module.fail_json(msg=str(failure))


def _diff(before: Any, after: Any) -> list[dict[str, str]]:
    return [{"before": _yaml(before), "after": _yaml(after)}]


def _yaml(value: Any) -> str:
    return str(yaml_dump(value, default_flow_style=False, sort_keys=True)) if value else ""

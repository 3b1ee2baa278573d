# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every module of this collection plans in: steps, and the ways in which planning ends early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

O = TypeVar("O")  # noqa: E741 - the observed state; every module has a type of its own


class Step(Protocol[O]):
    """One change to make, known before anything is written."""

    @property
    def id(self) -> str:
        """Stable across runs and machines, such as ``subnet/stories-private-1:create``."""

    @property
    def sentence(self) -> str:
        """What a person reads in the plan, such as ``Create subnet stories-private-1``."""

    def after(self, observed: O) -> O:
        """The observed state as it will be once this step is done; pure."""


class PlanRefused(Exception):
    """The plan cannot be made; nothing has been written.

    ``problems`` holds one sentence for each cause: tried what, on which name, found what, do what next.
    ``details`` is what the module returns beside them, such as the rest of the plan.
    """

    def __init__(self, problems: Sequence[str], details: Mapping[str, Any] | None = None) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
        self.details = dict(details or {})


class StepFailed(Exception):
    """A step could not be carried out; the steps before it stand, and a run again continues here."""

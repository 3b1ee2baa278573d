# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting, in one place: poll until a state is reached, fail with a sentence when it cannot be."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from .._engine.steps import StepFailed


def until(
    what: str,
    read: Callable[[], str],
    *,
    good: Collection[str],
    bad: Collection[str] = (),
    timeout: float = 1800,
    interval: float = 10,
) -> str:
    """Read a state until it is one of ``good``; the first polls come quickly, then every ``interval`` s.

    what: such as ``NAT gateway stories-a to be available``.
    Raises StepFailed when a ``bad`` state shows or ``timeout`` seconds have passed.
    """
    deadline = time.monotonic() + timeout
    pause = 0.2
    while True:
        state = read()
        if state in good:
            return state
        if state in bad:
            raise StepFailed(f"Waited for {what} and found it {state}. Look at its events in AWS, then run again.")
        if time.monotonic() >= deadline:
            raise StepFailed(
                f"Waited {timeout:.0f} s for {what}; it is still {state or 'absent'}. Run the play again: it "
                "goes on waiting where it stopped."
            )
        time.sleep(pause)
        pause = min(interval, pause * 1.5)

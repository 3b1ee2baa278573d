# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Processes that end with the one that started them. Linux, standard library only."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from local_cloud.settings import STATE_DIR_VARIABLE

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(signal_number: int = signal.SIGTERM) -> None:
    """Have the kernel send this process `signal_number` when the thread that started it ends.

    For use as (or in) a child's start: the caller's parent must be alive, so a parent that died in between is
    looked for afterwards.
    """
    _libc.prctl(_PR_SET_PDEATHSIG, signal_number)
    if os.getppid() == 1:
        os.kill(os.getpid(), signal_number)


def adopt_orphans() -> None:
    """Make this process the parent of descendants whose own parent died, so that it can end them."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def is_alive(pid: int) -> bool:
    """True if the process exists and is not a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def belonging_to(state_dir: Path) -> list[int]:
    """Pids of all processes whose environment names this state directory, except the caller."""
    marker = f"{STATE_DIR_VARIABLE}={state_dir}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:  # it ended meanwhile, or belongs to another user
            continue
        if marker in environment.split(b"\0") and is_alive(int(entry.name)):
            found.append(int(entry.name))
    return found


def wait_for_end(pids: Iterable[int], timeout: float) -> list[int]:
    """Wait until all `pids` ended or `timeout` seconds passed; return those still alive."""
    deadline = time.monotonic() + timeout
    left = [pid for pid in pids if is_alive(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [pid for pid in left if is_alive(pid)]
    return left


def end(pids: Iterable[int], timeout: float = 10.0) -> None:
    """SIGTERM to each, and SIGKILL to those that have not ended after `timeout` seconds."""
    pids = list(pids)
    for signal_number, patience in ((signal.SIGTERM, timeout), (signal.SIGKILL, 2.0)):
        for pid in pids:
            try:
                os.kill(pid, signal_number)
            except ProcessLookupError:
                continue
        pids = wait_for_end(pids, patience)
        if not pids:
            return


def watch(pid: int) -> int:
    """A file descriptor that becomes readable when process `pid` ends (pidfd_open).

    Raises ProcessLookupError if there is no such process.
    """
    return os.pidfd_open(pid)


def has_ended(pidfd: int) -> bool:
    """True when the process behind a descriptor from `watch` has ended."""
    readable, _, _ = select.select([pidfd], [], [], 0)
    return bool(readable)

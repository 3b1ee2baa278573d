# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The task's end: start the warm worker if this ansible-playbook has none yet, hand it a request, take the output.

Everything lies in Ansible's own temporary folder, which belongs to one ansible-playbook, admits only its user and is
removed with it:

    warm-<interpreter>.sock   the worker's socket
    warm.lock                 held while one of several tasks starts the worker
    warm.log                  what the worker's own code complained about, never a module's output
    warm.off                  made by the task that warned; the others then take Ansible's own path in silence
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import selectors
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .wire import ACCEPTED, Request, receive_status, send_request

_START = "import sys; sys.path.insert(0, {folder!r}); from warm_worker.server import main; main()"


class WorkerGone(Exception):
    """The worker could not be reached, or ended before it began with the module: nothing has been done yet."""


@dataclass(frozen=True)
class Output:
    """What the module's process left. status: 128 + N when signal N ended it."""

    status: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class Target:
    """For whom a worker works.

    folder: Ansible's temporary folder. playbook: pid of ansible-playbook. interpreter: the modules' Python.
    core, version: folder and version of ansible-core. collections: folder of each collection by name.
    """

    folder: Path
    playbook: int
    interpreter: str
    core: str
    version: str
    collections: Mapping[str, str]

    @property
    def socket(self) -> str:
        return f"warm-{hashlib.sha256(self.interpreter.encode()).hexdigest()[:12]}.sock"


def given_up(folder: Path) -> bool:
    """Whether this ansible-playbook has stopped using the worker."""
    return (folder / "warm.off").exists()


def give_up(folder: Path) -> bool:
    """Stop using the worker; True for the one task that shall warn."""
    try:
        (folder / "warm.off").touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError:
        return True  # a folder that cannot be written; better a warning more than none
    return True


def last_words(folder: Path) -> str:
    """The last line that a worker wrote before it ended; empty if there is none."""
    try:
        lines = (folder / "warm.log").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


def run(target: Target, request: Request) -> Output:
    """Run one module. WorkerGone as long as nothing has been done."""
    with _connected(target) as link:
        stdout, its_stdout = os.pipe()
        stderr, its_stderr = os.pipe()
        with os.fdopen(stdout, "rb") as out, os.fdopen(stderr, "rb") as err:
            try:
                try:
                    send_request(link, request, its_stdout, its_stderr)
                finally:
                    os.close(its_stdout)
                    os.close(its_stderr)
                accepted = link.recv(1)
            except OSError as error:
                raise WorkerGone(f"the request was not taken ({error})") from error
            if accepted != ACCEPTED:
                raise WorkerGone("it ended before it took the request")
            output, errors = _read_both(out.fileno(), err.fileno())
        status = receive_status(link)
    return Output(137 if status is None else status, output, errors)


def start_early(target: Target) -> None:
    """Begin loading, so that the first module finds the worker ready; errors show when it is needed."""
    try:
        with _address(target) as address:
            if not os.path.exists(address):
                _start_once(target, address)
    except OSError:
        return


def _connected(target: Target) -> socket.socket:
    """A link to the worker, which is started if there is none."""
    link = socket.socket(socket.AF_UNIX)
    try:
        with _address(target) as address:
            try:
                link.connect(address)
            except FileNotFoundError:
                _start_once(target, address)
                link.connect(address)
    except OSError as error:
        link.close()
        raise WorkerGone(f"it cannot be reached ({error})") from error
    return link


@contextmanager
def _address(target: Target) -> Iterator[str]:
    """The socket's path. It may have 107 characters; through the open folder it always fits."""
    folder = os.open(target.folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{target.socket}"
    finally:
        os.close(folder)


def _start_once(target: Target, address: str) -> None:
    """Start the worker, unless another task did so while this one waited for the lock."""
    with open(target.folder / "warm.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(address):
            return
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address)
            listener.listen(128)  # tasks may connect from now on; they wait until the worker has loaded everything
            _start(target, listener)


def _start(target: Target, listener: socket.socket) -> None:
    playbook = os.pidfd_open(target.playbook)
    try:
        told = {
            "listener": listener.fileno(),
            "playbook": playbook,
            "core": target.core,
            "version": target.version,
            "collections": dict(target.collections),
        }
        code = _START.format(folder=str(Path(__file__).resolve().parents[1]))
        with open(target.folder / "warm.log", "ab") as log:
            subprocess.Popen(
                [target.interpreter, "-c", code, json.dumps(told)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(listener.fileno(), playbook),
                start_new_session=True,
            )
    finally:
        os.close(playbook)


def _read_both(stdout: int, stderr: int) -> tuple[bytes, bytes]:
    """Everything written to both pipes until nobody holds them open any more."""
    collected = {stdout: bytearray(), stderr: bytearray()}
    with selectors.DefaultSelector() as selector:
        for descriptor in collected:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            for key, _events in selector.select():
                part = os.read(key.fd, 1 << 16)
                if part:
                    collected[key.fd] += part
                else:
                    selector.unregister(key.fd)
    return bytes(collected[stdout]), bytes(collected[stderr])

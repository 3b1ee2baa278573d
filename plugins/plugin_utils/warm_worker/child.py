# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The forked process of one module: become what Ansible would have started, run the module, end.

The module is unmodified and is run by Ansible's own loader. All that is different from a fresh interpreter is what
has been imported before.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from typing import NoReturn

from . import preload
from .wire import ACCEPTED, Request, receive_request, send_exit


def serve(link: socket.socket, forget: Callable[[], None]) -> NoReturn:
    """Read the request from the link, run it, exit with the module's status. forget: closes what is the worker's."""
    status = 1
    gc.set_threshold(50_000)  # collections among a few new objects gain nothing in so short a life
    try:
        forget()
        request, output, errors = receive_request(link)
        _become(request, output, errors)
        link.sendall(ACCEPTED)
        status = _run(request)
        _hand_over(link, status)
    except (EOFError, ConnectionError):
        pass  # the task is gone; nobody waits for a result
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _hand_over(link: socket.socket, status: int) -> None:
    """Tell the end before the process ends: it takes the system some milliseconds to take its memory apart."""
    for descriptor in (1, 2):
        os.close(descriptor)
    send_exit(link, status)


def _become(request: Request, output: int, errors: int) -> None:
    os.setsid()
    with open(os.devnull, encoding="utf-8") as nothing:
        os.dup2(nothing.fileno(), 0)
    for descriptor, number in ((output, 1), (errors, 2)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    os.environ.clear()
    os.environ.update(request.environment)
    os.umask(request.umask)
    os.chdir(request.directory)


def _run(request: Request) -> int:
    """The exit status that a fresh interpreter would have ended with."""
    from ansible.module_utils._internal._ansiballz import _loader

    known = preload.last_import()
    sys.argv = [request.module]
    status = 0
    try:
        _loader.run_module(
            json_params=request.arguments.encode(),
            profile=request.profile,
            module_fqn=request.module,
            modlib_path="",
            extensions={},
        )
    except SystemExit as end:
        status = _status(end.code)
    except BaseException:
        traceback.print_exc()
        status = 1
    # As at the end of an interpreter: threads, exit functions, buffers.
    threading._shutdown()  # type: ignore[attr-defined] # os._exit would cut threads off; there is no public name
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = status or 120
    preload.teach_imports(known)
    return status


def _status(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The warm worker's process: fork for each connection, tell how the child ended, end with ansible-playbook.

It never reads a request: arguments, which may hold secrets, are read by the forked child alone.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable

from . import preload
from .child import serve
from .shipped import Shipped
from .wire import send_status


def main() -> None:
    """Arguments: one JSON object, see `client.start`."""
    told = json.loads(sys.argv[1])
    _forget_own_folder()
    Shipped(told["core"], told["version"], told["collections"]).install()
    Server(socket.socket(fileno=told["listener"]), told["playbook"]).run()


def _forget_own_folder() -> None:
    """Modules see the import path of a fresh interpreter, as Ansible leaves it to them."""
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.path[:] = [path for path in sys.path if path not in {"", ".", own}]


class Server:
    """listener: a listening unix socket. playbook: a pidfd of the ansible-playbook that is served."""

    def __init__(self, listener: socket.socket, playbook: int) -> None:
        self._listener = listener
        self._playbook = playbook
        self._poll = select.epoll()
        self._handlers: dict[int, Callable[[], None]] = {}  # by descriptor
        self._links: dict[int, socket.socket] = {}  # to the task, by its module's pid
        self._ended = False
        self._learned, self._teach = os.pipe()
        self._unread = b""

    def run(self) -> None:
        """Serve until ansible-playbook has ended and every module that it started as well."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for Ansible to deal with
        preload.load_libraries()
        preload.load_locale()
        preload.learn_by(self._teach)
        preload.share_models()
        preload.share_listings()
        preload.share_handlers()
        preload.share_methods()
        preload.share_trust()
        preload.rehearse()
        self._watch(self._listener.fileno(), self._accept)
        self._watch(self._playbook, self._playbook_ended)
        self._watch(self._learned, self._learn)
        gc.collect()
        gc.freeze()  # what is loaded stays; a collection in a child would copy these pages
        while self._links or not self._ended:
            for descriptor, _events in self._poll.poll():
                if descriptor in self._handlers:
                    self._handlers[descriptor]()

    def _watch(self, descriptor: int, then: Callable[[], None], events: int = select.EPOLLIN) -> None:
        self._handlers[descriptor] = then
        self._poll.register(descriptor, events)

    def _unwatch(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        del self._handlers[descriptor]

    def _accept(self) -> None:
        link, _address = self._listener.accept()
        pid = os.fork()
        if pid == 0:
            serve(link, forget=self._close)
        self._links[pid] = link
        process = os.pidfd_open(pid)
        self._watch(process, lambda: self._module_ended(pid, process))
        # Without events only the end of the other side is told: the request is the child's to read.
        self._watch(link.fileno(), lambda: self._task_ended(pid, link), events=0)

    def _close(self) -> None:
        """Close in a child what the worker keeps open."""
        for descriptor in self._handlers:
            os.close(descriptor)
        self._poll.close()

    def _task_ended(self, pid: int, link: socket.socket) -> None:
        """The task was ended before its module; Ansible ends a module with its task, and so do we."""
        self._unwatch(link.fileno())
        os.kill(pid, signal.SIGTERM)

    def _module_ended(self, pid: int, process: int) -> None:
        self._unwatch(process)
        os.close(process)
        _pid, waited = os.waitpid(pid, 0)
        with self._links.pop(pid) as link:
            if link.fileno() in self._handlers:
                self._unwatch(link.fileno())
                try:
                    send_status(link, waited)
                except ConnectionError:
                    return  # ended at the same moment

    def _playbook_ended(self) -> None:
        self._unwatch(self._playbook)
        self._unwatch(self._listener.fileno())
        self._listener.close()
        self._ended = True

    def _learn(self) -> None:
        *names, self._unread = (self._unread + os.read(self._learned, 65536)).split(b"\n")
        for name in names:
            preload.learn(name.decode())
        preload.give_back()
        gc.freeze()

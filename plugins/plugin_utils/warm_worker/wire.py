# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What goes over the private socket between a task and the warm worker. Standard library only; both ends use it.

task → worker   8 bytes length (with the descriptors of the module's stdout and stderr), then a Request as JSON
worker → task   one byte ACCEPTED once the request was read; from here on the module may have done things
worker → task   4 bytes: the exit status in the shell's convention, 128 + N for signal N; from the module's process when
                it has handed everything over, else from the worker, which sees it end
"""

from __future__ import annotations

import array
import json
import os
import socket
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass

ACCEPTED = b"A"
_LENGTH = struct.Struct("!Q")
_STATUS = struct.Struct("!i")


@dataclass(frozen=True)
class Request:
    """One module run.

    module: its full Python name. arguments: the JSON that Ansible would put into the module's zip.
    profile: Ansible's name for how results are serialized. environment, directory, umask: of the process.
    """

    module: str
    arguments: str
    profile: str
    environment: Mapping[str, str]
    directory: str
    umask: int


def send_request(link: socket.socket, request: Request, output: int, errors: int) -> None:
    """Send it with the two descriptors that the module shall write to."""
    payload = json.dumps(asdict(request)).encode()
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [output, errors]))
    link.sendmsg([_LENGTH.pack(len(payload))], [rights])
    link.sendall(payload)


def receive_request(link: socket.socket) -> tuple[Request, int, int]:
    """The request and its descriptors for stdout and stderr. EOFError when the task went away."""
    head, rights, _flags, _address = link.recvmsg(_LENGTH.size, socket.CMSG_SPACE(2 * array.array("i").itemsize))
    descriptors = array.array("i")
    for _level, _kind, data in rights:
        descriptors.frombytes(data)
    if len(head) != _LENGTH.size or len(descriptors) != 2:
        raise EOFError("the task closed the connection before its request was complete")
    (length,) = _LENGTH.unpack(head)
    request = Request(**json.loads(_exactly(link, length)))
    return request, descriptors[0], descriptors[1]


def send_status(link: socket.socket, waited: int) -> None:
    """waited: as `os.waitpid` gives it."""
    code = os.waitstatus_to_exitcode(waited)
    send_exit(link, code if code >= 0 else 128 - code)


def send_exit(link: socket.socket, code: int) -> None:
    """code: the exit status in the shell's convention."""
    link.sendall(_STATUS.pack(code))


def receive_status(link: socket.socket) -> int | None:
    """None when the worker went away without telling."""
    try:
        return int(_STATUS.unpack(_exactly(link, _STATUS.size))[0])
    except (EOFError, ConnectionError):
        return None


def _exactly(link: socket.socket, length: int) -> bytes:
    received = bytearray()
    while len(received) < length:
        part = link.recv(min(length - len(received), 1 << 20))
        if not part:
            raise EOFError(f"received {len(received)} of {length} bytes")
        received += part
    return bytes(received)

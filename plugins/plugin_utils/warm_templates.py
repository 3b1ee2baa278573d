# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Templates that are compiled once in a run, not once in each task.

Ansible runs each task in a process of its own, which compiles every template that it meets and ends. A site run
compiles some 900 different templates 3,800 times. Here the first process that compiled one leaves the code to all
others, in memory that belongs to one ansible-playbook and ends with it: a template may hold a secret, so none is
written to disk.
"""

from __future__ import annotations

import fcntl
import hashlib
import marshal
import os
import re
import struct
from collections.abc import Callable
from types import CodeType
from typing import Any

_HEAD = struct.Struct("<32sI")  # the key, and how many bytes of code follow

# Every second template is a variable and nothing else. No word of Jinja's own has an underscore.
_VARIABLE = re.compile(r"\{\{ ([a-z]*_[a-z0-9_]*) \}\}")
_MODEL = "any_name"


class SharedCode:
    """Code by key, for one process and all that it forks from then on. Nothing is ever removed."""

    def __init__(self) -> None:
        self._memory = os.memfd_create("warm-templates")
        # Each write goes to the end, whoever wrote before: no two entries overlap.
        fcntl.fcntl(self._memory, fcntl.F_SETFL, os.O_APPEND)
        self._read = 0
        self._known: dict[bytes, CodeType] = {}

    def get(self, key: bytes) -> CodeType | None:
        """The code of this key if any process has put it."""
        if key not in self._known:
            self.catch_up()
        return self._known.get(key)

    def put(self, key: bytes, code: CodeType) -> None:
        """Leave code to the other processes. Two that put the same key do no harm."""
        self._known[key] = code
        data = marshal.dumps(code)
        os.write(self._memory, _HEAD.pack(key, len(data)) + data)

    def catch_up(self) -> None:
        """Take in what was put since the last look; what a process has read, those that it forks know."""
        size = os.fstat(self._memory).st_size
        if size == self._read:
            return
        data = os.pread(self._memory, size - self._read, self._read)
        place = 0
        while place + _HEAD.size <= len(data):
            key, length = _HEAD.unpack_from(data, place)
            end = place + _HEAD.size + length
            if end > len(data):
                break  # an entry that is being written
            text = data[place + _HEAD.size : end]
            self._known.setdefault(key, marshal.loads(text))  # noqa: S302 - this run alone can write there
            place = end
        self._read += place


def share(code: SharedCode) -> None:
    """Make Ansible's templating take compiled templates from there."""
    from ansible._internal._templating import _jinja_bits as bits

    environment = bits.AnsibleEnvironment
    compile_anew: Callable[..., Any] = environment.compile

    def compile_once(
        self: Any,
        source: Any,
        name: str | None = None,
        filename: str | None = None,
        raw: bool = False,
        defer_init: bool = False,
    ) -> Any:
        if name or filename or raw or defer_init or not isinstance(source, str) or self._debuggable_template_source:
            return compile_anew(self, source, name, filename, raw, defer_init)
        context = bits._TemplateCompileContext.current(optional=True)
        # All that the code depends on: beside the text, what an overlay may change and what the lexer looks at.
        settings = [getattr(self, one) for one in bits._TEMPLATE_OVERRIDE_FIELD_NAMES]
        variable = _VARIABLE.fullmatch(source)
        text = f"{{{{ {_MODEL} }}}}" if variable else str(source)
        told = repr((text, settings, bool(context and context.escape_backslashes)))
        key = hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()
        compiled = code.get(key)
        if compiled is None:
            compiled = compile_anew(self, text if variable else source)
            code.put(key, compiled)
        return _of_variable(compiled, variable[1]) if variable else compiled

    environment.compile = compile_once


def _of_variable(model: CodeType, name: str) -> CodeType:
    """What the template of this variable alone is compiled to, told from that of another one."""
    # Jinja calls its own variable for it the same with l_0_ before it.
    names = {_MODEL: name, f"l_0_{_MODEL}": f"l_0_{name}"}
    return model.replace(
        co_consts=tuple(
            _of_variable(one, name)
            if isinstance(one, CodeType)
            else names.get(one, one)
            if isinstance(one, str)
            else one
            for one in model.co_consts
        ),
        co_varnames=tuple(names.get(one, one) for one in model.co_varnames),
    )

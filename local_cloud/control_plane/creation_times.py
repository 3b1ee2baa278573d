# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Creations that take as long as on AWS, or a given share of it: until then a resource is shown as being made.

Off at start. The times stand in creation_times.json with their source. Whatever is asked for by other means than the
call that lists it is there at once; what counts is for how long somebody who waits has to wait.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_cloud.control_plane.overlay import AdminRequest, Call, Params, registry
from local_cloud.control_plane.stores import store

_TABLE = Path(__file__).with_suffix(".json")

_ready_at = store("creation_times")  # by `_key`: seconds since the epoch


@dataclass(frozen=True)
class Kind:
    """A row of the table. place, status: the way to the list and to the status of an item, by keys.

    only: parameters that a creation must have to take that long.
    """

    service: str
    create: str
    seconds: float
    listed_by: str
    place: tuple[str, ...]
    id: str
    status: tuple[str, ...]
    word: str
    only: Mapping[str, str]


def kinds() -> list[Kind]:
    """The table."""
    rows = json.loads(_TABLE.read_text(encoding="utf-8"))
    return [
        Kind(
            service=name.partition(":")[0],
            create=name.partition(":")[2],
            seconds=row["seconds"],
            listed_by=row["list"],
            place=tuple(row["in"].split(".")),
            id=row["id"],
            status=tuple(row["status"].split(".")),
            word=row["word"],
            only=row.get("only", {}),
        )
        for name, row in rows.items()
    ]


class CreationTimes:
    """scale: the share of AWS's time that a creation takes; 0 switches it off."""

    def __init__(self) -> None:
        self.scale = 0.0

    def begin(self, kind: Kind, answer: Params) -> None:
        for ident in _values(answer, kind.id):
            _ready_at[_key(kind, ident)] = time.time() + kind.seconds * self.scale

    def shown(self, kind: Kind, answer: Params) -> Params:
        answer = copy.deepcopy(answer)  # it may be the state itself, which is not ours to change
        for item in _items(answer, kind.place):
            if time.time() < _ready_at.get(_key(kind, str(item.get(kind.id))), 0):
                holder = item
                for key in kind.status[:-1]:
                    holder = holder.setdefault(key, {})
                holder[kind.status[-1]] = kind.word
        return answer


def _key(kind: Kind, ident: str) -> str:
    """A cluster and a proxy may bear the same name."""
    return f"{kind.service}:{kind.create}:{ident}"


def _items(answer: Any, place: tuple[str, ...]) -> list[dict[str, Any]]:
    for key in place:
        answer = answer.get(key) or {}
    return answer or []


def _values(answer: Any, key: str) -> Iterator[str]:
    """Every value of this key in the answer to a creation; one, since it shows what was made."""
    if isinstance(answer, dict):
        if isinstance(answer.get(key), str):
            yield answer[key]
            return
        answer = list(answer.values())
    if isinstance(answer, list):
        for part in answer:
            yield from _values(part, key)


_times = CreationTimes()


def _slow_down(kind: Kind) -> None:
    @registry.handles(kind.service, kind.create)
    async def create(call: Call) -> Params:
        answer = await call.forward()
        if _times.scale and all(call.params.get(name) == value for name, value in kind.only.items()):
            _times.begin(kind, answer)
        return answer

    @registry.handles(kind.service, kind.listed_by)
    async def listed(call: Call) -> Params:
        answer = await call.forward()
        return _times.shown(kind, answer) if _ready_at else answer


for _kind in kinds():
    _slow_down(_kind)


@registry.admin("POST", "/creation-times")
async def creation_times(request: AdminRequest) -> dict[str, float]:
    """Body `{"scale": 0.05}`: creations take that share of the time that they take on AWS; 0 is at once."""
    _times.scale = float(request.body["scale"])
    return {"scale": _times.scale}

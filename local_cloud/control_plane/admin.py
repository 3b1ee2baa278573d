# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cloud's own routes under /_cloud: readiness, reset, the call log, faults, latency."""

from __future__ import annotations

from typing import Any

from ministack import app as ministack

from local_cloud.control_plane.overlay import AdminRequest, registry


def _flag(text: str | None) -> bool:
    return (text or "").lower() in ("1", "true", "yes")


@registry.admin("GET", "/ready")
async def ready(request: AdminRequest) -> dict[str, Any]:
    """`{"ready": …, "parts": {name: bool}}`; a part says so itself, see POST /parts."""
    parts = request.gateway.parts_ready
    return {"ready": all(parts.values()), "parts": parts}


@registry.admin("POST", "/parts")
async def part_is_ready(request: AdminRequest) -> dict[str, bool]:
    request.gateway.parts_ready[request.body["name"]] = bool(request.body["ready"])
    return request.gateway.parts_ready


@registry.admin("POST", "/reset")
async def reset(request: AdminRequest) -> dict[str, str]:
    """Empty the account in all regions, forget the calls, switch the faults off."""
    async with ministack._get_reset_lock():
        ministack._reset_all_state()
    request.gateway.call_log.clear()
    request.gateway.faults.remove(None)
    for hook in request.gateway.registry.reset_hooks:
        await hook()
    return {"reset": "done"}


@registry.admin("GET", "/calls")
async def calls(request: AdminRequest) -> list[dict[str, Any]]:
    """`?since=<seq>&writes=1`: the calls after that number, oldest first."""
    since, writes = int(request.query.get("since", "0")), _flag(request.query.get("writes"))
    return request.gateway.call_log.read(since, writes)


@registry.admin("GET", "/calls/under-way")
async def calls_under_way(request: AdminRequest) -> dict[str, int]:
    """How many calls have arrived and are not answered yet, those of clients that are gone among them."""
    return {"calls": request.gateway.calls_under_way}


@registry.admin("DELETE", "/calls")
async def forget_calls(request: AdminRequest) -> dict[str, str]:
    request.gateway.call_log.clear()
    return {"calls": "cleared"}


@registry.admin("GET", "/faults")
async def faults(request: AdminRequest) -> list[dict[str, Any]]:
    return request.gateway.faults.read()


@registry.admin("POST", "/faults")
async def add_fault(request: AdminRequest) -> dict[str, Any]:
    """Body: a `Fault` (faults.py) without its id. Answers the fault with its id."""
    return request.gateway.faults.add(request.body)


@registry.admin("DELETE", "/faults")
async def remove_faults(request: AdminRequest) -> dict[str, int]:
    """`?id=<id>` removes one fault, without it all."""
    number = request.query.get("id")
    return {"removed": request.gateway.faults.remove(int(number) if number else None)}


@registry.admin("POST", "/latency")
async def latency(request: AdminRequest) -> dict[str, bool]:
    """Body `{"enabled": true}`: answer as slowly as latency.json says."""
    request.gateway.faults.latency_enabled = bool(request.body["enabled"])
    return {"enabled": request.gateway.faults.latency_enabled}


@registry.admin("POST", "/save")
async def save(request: AdminRequest) -> dict[str, float]:
    """Write the state to its files now. Answers the seconds that it took."""
    return {"seconds": request.gateway.saver.save()}

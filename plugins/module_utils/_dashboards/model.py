# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The dashboards that are wanted, as resources, and the canonical form of a dashboard's body; pure.

A field a widget, named by its title, so that drift says which graph was touched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._engine.resources import Resource
from .._engine.steps import PlanRefused

# API reference of PutDashboard, and "Dashboard body structure and syntax".
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_WIDTH, _HEIGHT, _WIDGETS = 24, 1000, 500
TYPES = ("alarm", "log", "metric", "text")


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of a `cloudwatch_dashboards` call. Raises PlanRefused."""
    if wrong := [*problems(params)]:
        raise PlanRefused(wrong)
    return [
        Resource("dashboard", one["name"], fields(json.dumps({"widgets": placed(one["widgets"])})))
        for one in params["dashboards"]
    ]


def placed(widgets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Widgets from left to right, in rows as wide as a dashboard and as high as the highest of each."""
    told, x, y, row = [], 0, 0, 0
    for widget in widgets:
        width, height = widget["width"], widget["height"]
        if x + width > _WIDTH:
            x, y, row = 0, y + row, 0
        place = {"x": x, "y": y, "width": width, "height": height}
        told.append({"type": widget["type"], **place, "properties": _properties(widget)})
        x, row = x + width, max(row, height)
    return told


def _properties(widget: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(widget["properties"])
    return given if widget["type"] == "text" else {"title": widget["title"], **given}


def fields(body: str) -> dict[str, Any]:
    """What is compared: ``widgets`` in their order, and each by its title."""
    try:
        widgets = json.loads(body).get("widgets", [])
    except ValueError:
        widgets = []
    titles = [_title(widget) for widget in widgets]
    return {"widgets": titles, **{f"widget {title}": one for title, one in zip(titles, widgets, strict=True)}}


def body(wanted: Mapping[str, Any]) -> str:
    """The JSON that PutDashboard takes for canonical fields."""
    return json.dumps({"widgets": [wanted[f"widget {title}"] for title in wanted["widgets"]]}, sort_keys=True)


def _title(widget: Mapping[str, Any]) -> str:
    properties = widget.get("properties", {})
    return str(properties.get("title") or properties.get("markdown", "").partition("\n")[0] or widget.get("type"))


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the dashboards, one sentence each."""
    names = [one["name"] for one in params["dashboards"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Read dashboard {name} twice. Name each dashboard once."
    for one in params["dashboards"]:
        name = one["name"]
        if not _NAME.fullmatch(name):
            yield f"Read the dashboard name {name!r}; it takes letters, digits, _ and -. Rename it."
        if len(one["widgets"]) > _WIDGETS:
            yield f"Read {len(one['widgets'])} widgets for dashboard {name}; CloudWatch takes {_WIDGETS}. Split it."
        titles = [_title({"type": widget["type"], "properties": _properties(widget)}) for widget in one["widgets"]]
        for title in sorted({title for title in titles if titles.count(title) > 1}):
            yield f"Read two widgets {title!r} on dashboard {name}. Give each a title of its own."
        for widget, title in zip(one["widgets"], titles, strict=True):
            if not (1 <= widget["width"] <= _WIDTH and 1 <= widget["height"] <= _HEIGHT):
                yield (
                    f"Read widget {title!r} of dashboard {name}, {widget['width']} wide and {widget['height']} high; a "
                    f"dashboard is {_WIDTH} wide. Choose a size that fits."
                )

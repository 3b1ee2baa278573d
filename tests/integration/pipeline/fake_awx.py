"""A fake of AWX's API, as much of it as playbooks/awx.yml uses: objects, associations, surveys, approvals.

It keeps what it is sent and answers it; it checks no field and runs no job. What it shows is that the playbook's calls
fit together and that a second run finds everything as it made it. It is not AWX.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ROOT = "/api/v2/"
Record = dict[str, Any]
# Lists that hang on an object and hold other objects: their name and the collection that these are in.
_LISTS = {
    "credentials": "credentials",
    "success_nodes": "workflow_job_template_nodes",
    "failure_nodes": "workflow_job_template_nodes",
    "always_nodes": "workflow_job_template_nodes",
    "instance_groups": "instance_groups",
    "labels": "labels",
    "galaxy_credentials": "credentials",
}
_UNIFIED = ("job_templates", "workflow_job_templates", "projects", "inventory_sources", "workflow_approval_templates")


class Awx:
    def __init__(self) -> None:
        self.objects: dict[int, Record] = {}
        self.collections: dict[int, str] = {}
        self.lists: dict[tuple[int, str], list[int]] = {}
        self.surveys: dict[int, Any] = {}
        self.writes: list[str] = []
        self.make("credential_types", {"name": "Amazon Web Services"})

    def make(self, collection: str, told: Record) -> Record:
        number = len(self.objects) + 1
        url = f"{ROOT}{collection}/{number}/"
        names = (*_LISTS, "survey_spec", "create_approval_template")
        related = {name: f"{url}{name}/" for name in names}
        extra = (
            {"scm_revision": "0" * 40, "status": "successful", "finished": "now"} if collection == "projects" else {}
        )
        made = {
            **extra,
            "type": collection.removesuffix("s"),
            **told,
            "id": number,
            "url": url,
            "related": related,
            "summary_fields": {},
        }
        self.objects[number], self.collections[number] = made, collection
        return made

    def all(self, collection: str) -> list[Record]:
        kinds = _UNIFIED if collection == "unified_job_templates" else (collection,)
        return [one for number, one in self.objects.items() if self.collections[number] in kinds]

    def find(self, collection: str, asked: dict[str, str]) -> list[Record]:
        wanted = {name: value for name, value in asked.items() if name not in ("page_size", "page")}
        either = {name.removeprefix("or__"): value for name, value in wanted.items() if name.startswith("or__")}
        every = {name: value for name, value in wanted.items() if not name.startswith("or__")}
        return [
            one
            for one in self.all(collection)
            if all(_matches(one, name, value) for name, value in every.items())
            and (not either or any(_matches(one, name, value) for name, value in either.items()))
        ]

    def answer(self, method: str, path: str, asked: dict[str, str], body: Record) -> tuple[int, Any]:
        parts = path.removeprefix(ROOT).strip("/").split("/")
        if method != "GET":
            self.writes.append(f"{method} {path}")
        collection = parts[0]
        if len(parts) == 1:
            return (
                (201, self.make(collection, body)) if method == "POST" else (200, _page(self.find(collection, asked)))
            )
        number = int(parts[1])
        if len(parts) == 2:
            if method == "PATCH":
                self.objects[number].update(body)
            return 200, self.objects[number]
        return self._hanging(method, number, parts[2], body)

    def _hanging(self, method: str, number: int, name: str, body: Record) -> tuple[int, Any]:
        if name == "survey_spec":
            if method == "POST":
                self.surveys[number] = body
            return 200, self.surveys.get(number, {})
        if name == "create_approval_template":
            made = self.make("workflow_approval_templates", body)
            self.objects[number]["unified_job_template"] = made["id"]
            self.objects[number]["related"]["unified_job_template"] = made["url"]
            return 201, made
        members = self.lists.setdefault((number, name), [])
        if method == "POST" and body.get("disassociate"):
            members.remove(body["id"])
        elif method == "POST":
            members.append(body["id"])
        return (204, {}) if method == "POST" else (200, _page([self.objects[one] for one in members]))


def _matches(one: Record, name: str, value: str) -> bool:
    return str(one.get(name.removesuffix("__iexact"), "")) == value


def _page(found: list[Record]) -> Record:
    return {"count": len(found), "next": None, "previous": None, "results": found}


@contextmanager
def running() -> Iterator[tuple[str, Awx]]:
    """Its address and what it keeps, for the length of the block."""
    awx = Awx()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            where = urlsplit(self.path)
            status, told = awx.answer(self.command, where.path, dict(parse_qsl(where.query)), body)
            text = b"" if status == 204 else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve

        def log_message(self, *_told: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", awx
    finally:
        server.shutdown()
        server.server_close()

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The application: its routes, its checks, its start and its end."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time
from dataclasses import asdict

from local_cloud.app import pages
from local_cloud.app.database import Database, migrate
from local_cloud.app.faults import Load
from local_cloud.app.http import Request, Response, Server
from local_cloud.app.redis import Redis
from local_cloud.app.settings import Settings
from local_cloud.app.storage import Storage

logger = logging.getLogger("app")
_CHECK_EVERY = 1.0  # seconds that a check's result is reused: two load-balancer nodes ask, one answer serves both
_MIGRATE_AGAIN = 3.0  # seconds between attempts while the database cannot be reached


class Application:
    """Serves one process. PostgreSQL is essential to health; Redis, which holds only a counter, is not."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.faults = settings.faults
        self.version = self.faults.wrong_version or settings.version
        self.load = Load(self.faults)
        self.database = Database(settings.database) if settings.database else None
        self.redis = Redis(settings.redis) if settings.redis else None
        self.storage = Storage(settings.storage) if settings.storage else None
        self.server = Server(self.answer, settings.keep_alive)
        self.started = time.monotonic()
        self._checks: tuple[float, dict[str, str]] = (float("-inf"), {})

    async def run(self) -> int:
        """Serve until SIGTERM. Returns the exit status."""
        logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
        logger.info("starting")  # the agent takes the first line for the start of the container
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: None if self.faults.ignore_sigterm else ended.set())
        if self.faults.crash_after is not None:
            loop.call_later(self.faults.crash_after, os._exit, 1)
        await asyncio.sleep(self.faults.start_slowly)
        migration = asyncio.create_task(self._migrate())
        await self.server.listen(self.settings.host, self.settings.port)
        logger.info("version %s listens on %s:%d", self.version, self.settings.host, self.settings.port)
        await ended.wait()
        logger.info("ending: %d requests in flight", self.load.in_flight)
        migration.cancel()
        await self.server.close(self.settings.shutdown_grace)
        if self.redis:
            self.redis.close()
        if self.database:
            await self.database.close()
        return 0

    async def _migrate(self) -> None:
        """Bring the schema up to date; a database that comes later than the application is waited for."""
        while self.database:
            try:
                logger.info("database: %s", await migrate(self.database))
            except Database.ERRORS as error:
                logger.warning("database: migrating failed, trying again: %s", error)
                await asyncio.sleep(_MIGRATE_AGAIN)
            else:
                return

    async def answer(self, request: Request) -> Response:
        if request.path == "/api/health":
            response = await self.health()
        else:
            self.load.begin()
            try:
                response = await self._answer_under_load(request)
            finally:
                self.load.end()
        response.headers["x-app-version"] = self.version
        response.headers["x-app-slot"] = self.settings.slot
        return response

    async def _answer_under_load(self, request: Request) -> Response:
        if delay := self.load.delay():
            await asyncio.sleep(delay)
        if self.load.fails():
            return Response.json({"error": "a fault was asked for by APP_FAULT"}, 500)
        if self.faults.wrong_body:
            return Response(b"this is not the page that you asked for\n")
        try:
            return await self._route(request)
        except Database.ERRORS as error:
            logger.warning("%s: database: %s", request.path, error)
            return Response.json({"error": "the database cannot be used"}, 503)

    async def _route(self, request: Request) -> Response:
        path = request.path.rstrip("/") or "/"
        match path.split("/")[1:]:
            case [""]:
                return Response.html(pages.home(self.version, self.settings.slot, await self._count_view()))
            case ["library"]:
                return Response.html(pages.library(await self.database.books() if self.database else []))
            case ["books", number]:
                book = await self.database.book(int(number)) if self.database and number.isdecimal() else None
                return Response.html(pages.book(book)) if book else _nothing(path)
            case ["books", number, "pdf"]:
                book = await self.database.book(int(number)) if self.database and number.isdecimal() else None
                return Response(pages.pdf(book), content_type="application/pdf") if book else _nothing(path)
            case ["dashboard", "volunteer"]:
                return Response.html(pages.dashboard(await self.database.submissions() if self.database else 0))
            case ["api", "submissions"] if request.method == "POST":
                return await self._submit(request)
            case ["api", "books"]:
                books = await self.database.books() if self.database else []
                return Response.json({"books": [asdict(book) for book in books]})
            case ["api", "books", number]:
                book = await self.database.book(int(number)) if self.database and number.isdecimal() else None
                return Response.json(asdict(book)) if book else Response.json({"error": "no such book"}, 404)
            case ["api", "upload", ("images" | "documents") as folder, name] if request.method == "PUT":
                return await self._upload(f"uploads/{folder}/{name}", request)
            case ["api", "version"]:
                return Response.json({"version": self.version, "slot": self.settings.slot, "pid": os.getpid()})
            case ["api", "echo"]:
                return Response.json(
                    {
                        "method": request.method,
                        "path": request.path,
                        "query": request.query,
                        "headers": request.headers,
                        "body": request.body.decode("utf-8", "replace"),
                        "client": request.client,
                    }
                )
            case ["api", "slow"]:
                seconds = min(float(request.query.get("seconds", "1")), 300)
                await asyncio.sleep(seconds)
                return Response.json({"slept": seconds, "version": self.version})
        return Response.html(pages.missing(path), 404)

    async def _upload(self, key: str, request: Request) -> Response:
        """Put what a user sends into the media bucket, where functions take it up."""
        if self.storage is None:
            return Response.json({"error": "no media bucket is configured"}, 503)
        try:
            await self.storage.put(key, request.body, request.headers.get("content-type") or "application/octet-stream")
        except Storage.ERRORS as error:
            logger.warning("upload of %s: %s", key, error)
            return Response.json({"error": "the upload cannot be stored"}, 503)
        return Response.json({"key": key, "bytes": len(request.body)}, 201)

    async def _submit(self, request: Request) -> Response:
        """A story that somebody hands in."""
        try:
            story = json.loads(request.body)
            title, author = str(story["title"])[:200], str(story["author"])[:200]
        except (ValueError, KeyError, TypeError):
            return Response.json({"error": "a submission is a JSON object with title and author"}, 400)
        if self.database is None:
            return Response.json({"error": "there is no database"}, 503)
        return Response.json({"id": await self.database.submit(title, author), "status": "received"}, 201)

    async def _count_view(self) -> int | None:
        """Views of the home page so far, or None without Redis."""
        if self.redis is None:
            return None
        try:
            count = await self.redis.command("INCR", "views:/")
        except Redis.ERRORS as error:
            logger.warning("redis: %s", error)
            return None
        return int(count or 0)

    async def health(self) -> Response:
        if self.faults.never_healthy:
            return Response.json({"status": "unhealthy", "version": self.version, "reason": "APP_FAULT"}, 503)
        at, checks = self._checks
        if at < time.monotonic() - _CHECK_EVERY:
            checks = {"postgresql": await self._check_database(), "redis": await self._check_redis()}
            self._checks = time.monotonic(), checks
        failed = [name for name, result in checks.items() if result not in ("ok", "not configured")]
        status = "unhealthy" if "postgresql" in failed else "degraded" if failed else "ok"
        body = {
            "status": status,
            "version": self.version,
            "slot": self.settings.slot,
            "uptime_seconds": round(time.monotonic() - self.started, 1),
            "checks": checks,
        }
        return Response.json(body, 503 if status == "unhealthy" else 200)

    async def _check_database(self) -> str:
        if self.database is None:
            return "not configured"
        try:
            await self.database.check()
        except Database.ERRORS as error:
            logger.warning("health: database: %s", error)
            return f"failed ({type(error).__name__})"
        return "ok"

    async def _check_redis(self) -> str:
        if self.redis is None:
            return "not configured"
        try:
            await self.redis.command("PING")
        except Redis.ERRORS as error:
            logger.warning("health: redis: %s", error)
            return f"failed ({type(error).__name__})"
        return "ok"


def _nothing(path: str) -> Response:
    return Response.html(pages.missing(path), 404)

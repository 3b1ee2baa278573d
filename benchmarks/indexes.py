"""Index migrations: `psql -f` with one CREATE INDEX CONCURRENTLY after the other, against our module.

Run from the checkout: `.venv/bin/python -m benchmarks.indexes`. A PostgreSQL of its own is started; five tables
get two indexes each while writers work, once with the database otherwise quiet and once with transactions of
20 seconds about. Both ways are measured in the same run on tables made anew, so that the ratios hold whatever the
machine and neither way inherits the other's dead rows. The writers' latencies are told twice: while the way builds, in
which both go from no index to ten, and over the same span, that of the slower one, of which the faster has all indexes
for the longer part. The line "neither" shows the writers while all indexes stand and nothing is built: what is paid for
having them.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Any

import psycopg

from tests.support.postgres import Server, binaries, module_process, running

_TABLES = 5
_KEYS = ("owner", "note")


@dataclass
class Measured:
    """One way under one condition. Times in seconds, latencies in milliseconds by the time at which they ended."""

    begun: float = 0
    wall: float = 0
    latencies: list[tuple[float, float]] = field(default_factory=list)
    errors: int = 0
    invalid: int = 0

    def share(self, share: float, building: bool = False) -> float:
        """The latency that this share of the writes did not exceed; building: only those made during the building."""
        until = self.begun + self.wall if building else float("inf")
        ordered = sorted(latency for at, latency in self.latencies if self.begun <= at <= until)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def indexes() -> list[dict[str, Any]]:
    """Ten indexes, table by table in turn, as a migration file has them."""
    return [
        {"name": f"idx_t{table}_{key}", "table": f"t{table}", "columns": [key]}
        for key in _KEYS
        for table in range(_TABLES)
    ]


def fill(server: Server, rows: int) -> None:
    for table in range(_TABLES):
        server.execute(
            f"DROP TABLE IF EXISTS t{table}",
            f"CREATE TABLE t{table} (id int PRIMARY KEY, owner int, note text)",
            f"INSERT INTO t{table} SELECT g, hashint4(g), md5(g::text) FROM generate_series(1, {rows}) g",
            f"VACUUM ANALYZE t{table}",
        )


@contextmanager
def writers(server: Server, rows: int, count: int, measured: Measured) -> Iterator[None]:
    """Sessions that update single rows of all tables without a pause."""
    ended = threading.Event()
    lock = threading.Lock()

    def write(seed: int) -> None:
        dice = random.Random(seed)
        mine: list[tuple[float, float]] = []
        errors = 0
        with server.connect() as connection:
            while not ended.is_set():
                statement = f"UPDATE t{dice.randrange(_TABLES)} SET owner = owner + 1 WHERE id = %s"
                begun = time.perf_counter()
                try:
                    connection.execute(statement, [dice.randint(1, rows)])
                except psycopg.Error:
                    errors += 1
                ended_at = time.perf_counter()
                mine.append((ended_at, (ended_at - begun) * 1000))
                ended.wait(0.002)
        with lock:
            measured.latencies += mine
            measured.errors += errors

    with _threads(write, count, ended):
        yield


@contextmanager
def long_transactions(server: Server, seconds: float, count: int = 3) -> Iterator[None]:
    """Reports that run for so long, one after the other on each session, begun at different times."""
    ended = threading.Event()

    def report(number: int) -> None:
        ended.wait(seconds * number / count)
        with server.connect() as connection:
            while not ended.is_set():
                connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
                connection.execute(f"SELECT count(*) FROM (SELECT FROM t{number % _TABLES} LIMIT 10) s")
                ended.wait(seconds)
                connection.execute("COMMIT")

    if not seconds:
        yield
        return
    with _threads(report, count, ended):
        time.sleep(seconds)  # all of them are about
        yield


@contextmanager
def _threads(function: Any, count: int, ended: threading.Event) -> Iterator[None]:
    threads = [threading.Thread(target=function, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def with_psql(server: Server) -> None:
    lines = [f"CREATE INDEX CONCURRENTLY {one['name']} ON {one['table']} ({one['columns'][0]});" for one in indexes()]
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write("\n".join(lines))
        file.flush()
        where = ["-h", "127.0.0.1", "-p", str(server.port), "-U", server.user, "-d", "postgres"]
        psql = [str(binaries(server.version) / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *where, "-f", file.name]
        subprocess.run(psql, check=True)


def with_module(server: Server, builds: int = 0) -> None:
    migrations = [{"name": "benchmark", "indexes": indexes()}]
    parameters: dict[str, Any] = {"connection": server.connection(), "migrations": migrations, "schema": "public"}
    if builds:
        parameters["parallel_builds"] = builds
    out, err = module_process("postgres_index_migration", parameters).communicate()
    result = json.loads(out.splitlines()[-1])
    if result.get("failed"):
        raise RuntimeError(f"{result['msg']}\n{err}")


def measure(server: Server, rows: int, way: Any, transactions: float, count: int, span: float) -> Measured:
    """span: seconds over which the writers are measured at least."""
    fill(server, rows)
    server.execute("CHECKPOINT")
    measured = Measured()
    with long_transactions(server, transactions), writers(server, rows, count, measured):
        measured.begun = time.perf_counter()
        way(server)
        measured.wall = time.perf_counter() - measured.begun
        time.sleep(max(0.0, span - measured.wall))
    measured.invalid = server.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid")[0][0]
    return measured


def standing(server: Server, rows: int, transactions: float, count: int, span: float) -> Measured:
    """The writers for so many seconds while all indexes stand and nothing is built: what these alone cost them."""
    measured = Measured(wall=span)
    with long_transactions(server, transactions), writers(server, rows, count, measured):
        time.sleep(span)
    return measured


def show(name: str, label: str, one: Measured) -> None:
    print(
        f"{name:24} {label:8} wall {one.wall:6.1f} s   writers p50 {one.share(0.5):6.2f} ms  "
        f"p99 {one.share(0.99):6.2f} ms  while building {one.share(0.99, building=True):6.2f} ms  "
        f"max {one.share(1):7.1f} ms   errors {one.errors}  invalid {one.invalid}",
        flush=True,
    )


def _ratio_of_p99(taken: dict[str, list[Measured]], building: bool) -> float:
    psql, ours = (median(one.share(0.99, building) for one in of) for of in taken.values())
    return ours / psql


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--rows", type=int, default=500_000, help="rows of each of the five tables")
    arguments.add_argument("--transactions", type=float, default=20, help="seconds that the long transactions last")
    arguments.add_argument("--writers", type=int, default=4, help="sessions that write all the time")
    arguments.add_argument("--rounds", type=int, default=2, help="rounds of the quiet case; the medians count")
    arguments.add_argument("--only", choices=["quiet", "transactions"], help="one case: to measure in pieces")
    arguments.add_argument("--builds", type=int, default=0, help="parallel_builds of the module; 0 is its default")
    given = arguments.parse_args()
    ours_is = partial(with_module, builds=given.builds)
    shown: list[str] = []
    with running(15, {"autovacuum": "off", "fsync": "on", "max_wal_size": "8GB"}) as server:
        version = server.execute("SHOW server_version")[0][0]
        print(f"PostgreSQL {version}, 5 tables of {given.rows} rows, 10 indexes, {given.writers} writers")
        cases = {"quiet": 0.0, f"transactions of {given.transactions:.0f} s": given.transactions}
        chosen = {name: seconds for name, seconds in cases.items() if given.only in (None, name.split()[0])}
        for name, seconds in chosen.items():
            taken: dict[str, list[Measured]] = {"psql -f": [], "module": []}
            for _ in range(given.rounds if not seconds else 1):
                span = 0.0
                for label, way in (("psql -f", with_psql), ("module", ours_is)):
                    one = measure(server, given.rows, way, seconds, given.writers, span)
                    span = one.wall
                    taken[label].append(one)
                    show(name, label, one)
            show(name, "neither", standing(server, given.rows, seconds, given.writers, 30))
            serial, ours = (median(one.wall for one in of) for of in taken.values())
            building, span = (_ratio_of_p99(taken, while_building) for while_building in (True, False))
            shown.append(
                f"{name}: psql's wall time / ours = {serial / ours:.2f}, our writers' p99 / psql's = "
                f"{building:.2f} while building, {span:.2f} over the same span"
            )
    print("\n".join(shown))


if __name__ == "__main__":
    main()

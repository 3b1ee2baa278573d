# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From how both databases stand to the steps that are missing, and everything in the way. Pure.

The order of a cut-over makes every kill harmless: the source is closed first and stays closed; the slot for the way
back is made when nothing is on its way any more, before the application is told; a second run sees from the slots
and subscriptions where the first one was ended.
"""

from __future__ import annotations

from collections.abc import Iterator

from .._engine.steps import PlanRefused
from .._pg_indexes.model import Name
from .model import SOURCE, TARGET, Pair, Side, Wish
from .steps import (
    AllowWrites,
    AwaitCopy,
    CopyByDump,
    CopySchema,
    CreateExtensions,
    MakeSlot,
    MigrationStep,
    ProbeWayBack,
    Publish,
    Refresh,
    SetIdentity,
    Settle,
    StopWrites,
    Subscribe,
    Unpublish,
    Unsubscribe,
)

_SPARE = 1.3  # of the source's size: indexes are built anew, and the copy writes its own log


def plan(observed: Pair, wish: Wish) -> tuple[MigrationStep, ...]:
    """The steps still missing. Raises PlanRefused with a sentence for everything in the way."""
    match wish.state:
        case "replicated":
            steps = _replicated(observed, wish)
        case "cut_over":
            steps = _dumped(observed, wish) if wish.method == "dump" else _cut_over(observed, wish)
        case "rolled_back":
            steps = _rolled_back(observed, wish)
        case "finished":
            steps = _finished(observed)
        case _:
            steps = _absent(observed)
    return tuple(steps)


# --- the way there ------------------------------------------------------------------------------


def _replicated(observed: Pair, wish: Wish) -> Iterator[MigrationStep]:
    source, target = observed.source, observed.target
    if wish.method == "dump":
        raise PlanRefused(
            ["Read state replicated with method dump; a dump has no such state. Use state cut_over, or replication."]
        )
    if observed.cut_over:
        raise PlanRefused(
            [
                f"Looked at {source.database} on the source; its writes are stopped and the target follows it no more: "
                "the cut-over was made. Use state rolled_back to go back, or finished to end the way back."
            ]
        )
    way_back = _way_back(observed) if wish.way_back else ()
    if problems := [*preflight(observed, wish), *_differences(observed), *way_back]:
        raise PlanRefused(problems)
    for name, table in sorted(source.tables.items()):
        if not table.identity:
            yield SetIdentity(name, table.candidate)
    if missing := tuple(sorted((source.installed & target.available) - target.installed)):
        yield CreateExtensions(missing)
    if not target.tables:
        yield CopySchema()
    tables = frozenset(source.tables)
    if source.published != tables:
        yield Publish(SOURCE, tables, exists=source.published is not None)
    if target.subscription is None:
        yield Subscribe(TARGET, copy=True, stale_slot=source.slot)
    elif added := tables - set(target.subscription.states):
        yield Refresh(added)
    if target.subscription is None or not target.subscription.ready:
        yield AwaitCopy(TARGET)


def _cut_over(observed: Pair, wish: Wish) -> Iterator[MigrationStep]:
    source, target = observed.source, observed.target
    following = target.subscription is not None
    if not following and (not source.read_only or source.published is None):
        raise PlanRefused(
            ["Looked at the target; it follows no source. Run this with state replicated first, and let the copy end."]
        )
    if following:
        if problems := [*_differences(observed), *_not_ready(observed), *_prepared(source)]:
            raise PlanRefused(problems)
        if wish.way_back and (problems := list(_way_back(observed))):
            raise PlanRefused(problems)
        if not source.read_only:
            if wish.way_back:
                yield ProbeWayBack()
            yield StopWrites(SOURCE)
        yield Settle(TARGET, drain=True, verify=wish.verify)
        if wish.way_back:
            tables = frozenset(source.tables)
            if target.published != tables:
                yield Publish(TARGET, tables, exists=target.published is not None)
            if not target.slot:
                yield MakeSlot()
        yield Unsubscribe(TARGET)
    if wish.way_back and source.subscription is None:
        if not following and not target.slot:
            raise PlanRefused(
                [
                    "Looked for the slot that keeps the target's writes for the way back and found none: the cut-over "
                    "was made without one, or the way back has ended. Use way_back: false."
                ]
            )
        yield Subscribe(SOURCE, copy=False)
    if wish.way_back and (source.subscription is None or not source.subscription.ready):
        yield AwaitCopy(SOURCE)


def _dumped(observed: Pair, wish: Wish) -> Iterator[MigrationStep]:
    source, target = observed.source, observed.target
    if source.read_only and target.dumped:
        return
    problems = [*preflight(observed, wish), *_prepared(source)]
    if target.subscription is not None:
        problems.append("Looked at the target; it follows the source by replication. Use method replication.")
    if problems:
        raise PlanRefused(problems)
    if not source.read_only:
        yield StopWrites(SOURCE)
    if missing := tuple(sorted((source.installed & target.available) - target.installed)):
        yield CreateExtensions(missing)
    yield CopyByDump(again=target.dumped is False)
    yield Settle(TARGET, drain=False, verify=wish.verify)


# --- the way back -------------------------------------------------------------------------------


def _rolled_back(observed: Pair, wish: Wish) -> Iterator[MigrationStep]:
    source, target = observed.source, observed.target
    if not source.read_only and source.subscription is None:
        return
    if source.subscription is not None:
        if problems := [*_differences(observed), *_prepared(target)]:
            raise PlanRefused(problems)
        if not target.read_only:
            yield StopWrites(TARGET)
        yield Settle(SOURCE, drain=True, verify=wish.verify)
        yield Unsubscribe(SOURCE)
        yield Unpublish(TARGET)
    elif not target.read_only and target.subscription is None and not _untouched(observed):
        raise PlanRefused(
            [
                f"Looked for the way back to {source.database} and found no replication from the target: writes of the "
                "target since the cut-over would be lost. Copy them by hand, then run on the source: "
                f'ALTER DATABASE "{source.database}" RESET default_transaction_read_only.'
            ]
        )
    elif target.slot or target.published is not None:
        yield Unpublish(TARGET)  # a cut-over that was broken off had prepared the way back
    if source.read_only:
        yield AllowWrites(SOURCE)


def _untouched(observed: Pair) -> bool:
    """True when the target never took over: a cut-over that was broken off, or a dump that did not end."""
    source, target = observed.source, observed.target
    dump_unfinished = target.dumped is False or (target.dumped is None and source.published is None)
    return dump_unfinished or (target.slot and source.subscription is None)


def _finished(observed: Pair) -> Iterator[MigrationStep]:
    source, target = observed.source, observed.target
    if target.subscription is not None:
        raise PlanRefused(
            ["Looked at the target; it still follows the source. Run state cut_over first, or absent to give up."]
        )
    if source.subscription is not None:
        yield Unsubscribe(SOURCE)
    if target.published is not None or target.slot:
        yield Unpublish(TARGET)
    if source.published is not None:
        yield Unpublish(SOURCE)
    if target.read_only:
        yield AllowWrites(TARGET)


def _absent(observed: Pair) -> Iterator[MigrationStep]:
    source, target = observed.source, observed.target
    if observed.cut_over and (source.subscription is not None or source.published is not None):
        raise PlanRefused(
            ["Looked at both databases; the cut-over was made. Use state rolled_back, or finished to keep the target."]
        )
    if target.subscription is not None:
        yield Unsubscribe(TARGET)
    if source.published is not None or source.slot:
        yield Unpublish(SOURCE)
    if target.published is not None or target.slot:
        yield Unpublish(TARGET)
    if source.read_only and target.dumped is not True:
        yield AllowWrites(SOURCE)
    if target.read_only:
        yield AllowWrites(TARGET)


# --- what stands in the way -----------------------------------------------------------------------


def preflight(observed: Pair, wish: Wish) -> Iterator[str]:
    """A sentence for each reason why the copy cannot be begun."""
    source, target = observed.source, observed.target
    begun = target.subscription is not None or target.dumped is False
    if target.server.major < source.server.major:
        yield (
            f"Compared the servers; the source is PostgreSQL {source.server.version_text} and the target "
            f"{target.server.version_text}. Migrate to the same major version or a newer one."
        )
    if source.encoding != target.encoding:
        yield (
            f"Compared the databases; {source.database} is encoded in {source.encoding} and {target.database} in "
            f"{target.encoding}. Make the target's database with ENCODING '{source.encoding}'."
        )
    for name in sorted(source.installed - target.available):
        yield (
            f"Compared the extensions; the source uses {name} and the target does not offer it. "
            "Remove it from the source, or choose a target that has it."
        )
    if source.large_objects:
        yield (
            f"Looked at {source.database}; it holds large objects, which neither way copies here. "
            "Move them into columns of type bytea, or into a bucket."
        )
    if not begun and target.tables and (filled := [str(one.name) for one in target.tables.values() if one.filled]):
        yield (
            f"Looked at {target.database} on the target; {', '.join(sorted(filled))} hold rows already. "
            "Empty them, or give another database."
        )
    needed = int(source.size * _SPARE)
    if wish.free is not None and not begun and wish.free < needed:
        yield (
            f"Estimated {needed:,} bytes for the copy of {source.database}; the target has {wish.free:,} free. "
            "Make room first."
        )
    if wish.method == "replication":
        yield from _replication(observed, wish, begun)


def _replication(observed: Pair, wish: Wish, begun: bool) -> Iterator[str]:
    source, target = observed.source, observed.target
    yield from _publisher(source, "source", begun)
    yield from _subscriber(target, "target")
    for name, table in sorted(source.tables.items()):
        if table.unlogged:
            yield (
                f"Looked at {name} on the source; it is unlogged, so its rows are in no replication stream. "
                f"Run: ALTER TABLE {name} SET LOGGED, or drop it."
            )
        if not table.owned:
            yield (
                f"Looked at {name} on the source; role {source.server.role} does not own it and cannot publish it. "
                "Connect as its owner or as a superuser."
            )
        if not table.identity and not wish.own_identity:
            how = f'USING INDEX "{table.candidate}"' if table.candidate else "FULL"
            yield (
                f"Looked at {name} on the source; it has no primary key, and once it is published its own updates and "
                f"deletions would fail. Run: ALTER TABLE {name} REPLICA IDENTITY {how}, or set replica_identity: set."
            )


def _publisher(side: Side, which: str, begun: bool) -> Iterator[str]:
    if side.wal_level != "logical":
        how = "rds.logical_replication in its cluster parameter group" if side.server.managed else "wal_level = logical"
        yield f"Looked at the {which}; wal_level is {side.wal_level}. Set {how} and restart the server."
    if not side.publishes:
        yield (
            f"Connected to the {which} as {side.server.role}, which may not replicate. "
            f"Run: {'GRANT rds_replication TO' if side.server.managed else 'ALTER ROLE'} {side.server.role}"
            f"{'' if side.server.managed else ' REPLICATION'}."
        )
    if side.free_slots < 1 and not begun:
        yield f"Looked at the {which}; all its replication slots are taken. Raise max_replication_slots and restart it."


def _way_back(observed: Pair) -> Iterator[str]:
    yield from _publisher(observed.target, "target", begun=observed.target.slot)
    yield from _subscriber(observed.source, "source")


def _subscriber(side: Side, which: str) -> Iterator[str]:
    if side.workers < 1:
        yield f"Looked at the {which}; max_logical_replication_workers is 0. Set it to 4 or more and restart it."
    if not side.subscribes:
        remedy = ", or set way_back: false" if which == SOURCE else ""
        yield (
            f"Connected to the {which} as {side.server.role}, which may not subscribe. Connect as a superuser, as a "
            f"member of rds_superuser (on RDS) or of pg_create_subscription (from 16 on){remedy}."
        )


def _not_ready(observed: Pair) -> Iterator[str]:
    follows = observed.target.subscription
    if follows is not None and not follows.ready:
        behind = sorted(str(name) for name, state in follows.states.items() if state != "r")
        yield (
            f"Looked at the target; {', '.join(behind)} are still being copied. Run this with state replicated, which "
            "awaits them."
        )
    if follows is not None and (missing := set(observed.source.tables) - set(follows.states)):
        yield (
            f"Looked at the target; it does not follow {', '.join(map(str, sorted(missing)))}. "
            "Run this with state replicated first."
        )


def _prepared(side: Side) -> Iterator[str]:
    if side.prepared:
        yield (
            f"Looked at {side.database}; {side.prepared} prepared transactions could still commit after the stop of "
            "writes. End them with COMMIT PREPARED or ROLLBACK PREPARED."
        )


def _differences(observed: Pair) -> Iterator[str]:
    """DDL is not replicated: both schemas must be the same as long as one follows the other."""
    source, target = observed.source.tables, observed.target.tables
    if not target:
        return
    for name in sorted(source.keys() - target.keys()):
        yield _ddl(name, "exists on the source alone")
    for name in sorted(source.keys() & target.keys()):
        if source[name].columns != target[name].columns:
            columns = sorted({column for column, _type in set(source[name].columns) ^ set(target[name].columns)})
            yield _ddl(name, f"differs between source and target in {', '.join(columns)}")


def _ddl(name: Name, how: str) -> str:
    return f"Compared the schemas; {name} {how}. DDL is not replicated: run the same statements on both, then again."

"""Which servers are taken and which refused, how a connection is made, and that no secret shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cloud import Cloud
from tests.support.postgres import PASSWORD, Server, certificates, owned_folder, pooled, running, standby_of

from .conftest import Database, run

INDEX = {"name": "i", "table": "t", "columns": ["id"]}


def migrate(connection: dict[str, Any], **options: Any) -> dict[str, Any]:
    migrations = [{"name": "m1", "indexes": [INDEX]}]
    return run("postgres_index_migration", connection=connection, migrations=migrations, **options)


def test_a_standby_is_refused_with_the_writer_s_name(server: Server, database: Database) -> None:
    database.execute("CREATE TABLE t (id int)")
    with standby_of(server) as standby:
        refused = migrate(standby.connection(database.name))
    assert "found a read-only replica; building indexes needs a writer" in refused["msg"]
    assert f"Connect to the writer 127.0.0.1:{server.port}" in refused["msg"]


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_pooler_is_refused(server: Server, database: Database, mode: str) -> None:
    database.execute("CREATE TABLE t (id int)")
    with pooled(server, mode) as port:
        refused = migrate(database.connection(port=port))
    assert "found a pooler (PgBouncer, RDS Proxy)" in refused["msg"]
    assert database.indexes() == {}


def test_a_reader_endpoint_and_a_proxy_endpoint_are_known_by_their_names() -> None:
    import importlib

    from .conftest import UTILS

    module = importlib.import_module(f"{UTILS}._postgres.server")
    target = importlib.import_module(f"{UTILS}._postgres.connection").Target
    fine = module.Server("r", 150000, "15.0", False, False, False, True, True, False)
    for host, told in (
        ("db.cluster-ro-abc.us-east-1.rds.amazonaws.com", "read-only replica"),
        ("db.proxy-abc.us-east-1.rds.amazonaws.com", "a pooler"),
    ):
        assert told in module.problems(fine, target(host, 5432, "d"), "building indexes")[0]
    assert module.problems(fine, target("db.cluster-abc.rds.amazonaws.com", 5432, "d"), "building indexes") == []


def test_a_server_before_14_is_refused() -> None:
    import importlib

    from .conftest import UTILS

    module = importlib.import_module(f"{UTILS}._postgres.server")
    target = importlib.import_module(f"{UTILS}._postgres.connection").Target
    old = module.Server("r", 130022, "13.22", False, False, False, False, False, False)
    assert "found PostgreSQL 13.22" in module.problems(old, target("h", 5432, "d"), "building indexes")[0]


def test_a_read_only_role_is_refused(database: Database) -> None:
    role = f"reader_{database.name}"
    database.execute(
        "CREATE TABLE t (id int)",
        f"CREATE ROLE {role} LOGIN SUPERUSER",
        f"ALTER ROLE {role} SET default_transaction_read_only = on",
    )
    assert "default_transaction_read_only" in migrate(database.connection(username=role))["msg"]


def test_a_role_that_does_not_own_the_table_is_refused_with_the_grant_that_helps(database: Database) -> None:
    role = f"guest_{database.name}"
    database.execute("CREATE TABLE t (id int)", f"CREATE ROLE {role} LOGIN", f"GRANT SELECT ON t TO {role}")
    refused = migrate(database.connection(username=role))
    assert f"as {role}; its owner is postgres" in refused["msg"]
    assert f"GRANT postgres TO {role}" in refused["msg"]
    assert database.indexes() == {}


def test_a_server_that_is_not_there_is_one_clear_error() -> None:
    missing = {"host": "127.0.0.1", "port": 1, "database": "d", "username": "u", "sslmode": "disable"}
    failed = migrate(missing)
    assert failed["msg"].startswith("Tried to connect to 127.0.0.1:1/d as u; found:")
    assert failed["msg"].endswith("Check host and port, and that the server is up.")


@pytest.fixture(scope="module")
def tls() -> Iterator[tuple[Server, Path, Path]]:
    """A server that takes TLS with a password only; its authority's certificate and a stranger's."""
    folder, other = owned_folder("certificates"), owned_folder("stranger")
    made, stranger = certificates(folder, "localhost"), certificates(other, "localhost")
    settings = {"ssl": "on", "ssl_cert_file": str(made["certificate"]), "ssl_key_file": str(made["key"])}
    hba = ["local all all trust", "hostssl all iam_user all trust", "hostssl all all all scram-sha-256"]
    with running(15, settings, hba=hba) as server:
        with server.connect(host=str(server.folder)) as connection:
            connection.execute("CREATE TABLE t (id int)")
            connection.execute(f"CREATE ROLE app LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
            connection.execute("CREATE ROLE iam_user LOGIN SUPERUSER")
        yield server, made["root"], stranger["root"]


def over_tls(server: Server, **changes: Any) -> dict[str, Any]:
    given = {"host": "localhost", "port": server.port, "database": "postgres", "username": "app"}
    return {**given, "password": PASSWORD, **changes}


def test_the_server_s_certificate_is_verified_unless_one_says_otherwise(tls: tuple[Server, Path, Path]) -> None:
    server, root, stranger = tls
    assert "failed" not in migrate(over_tls(server, sslrootcert=str(root)))
    assert "sslrootcert" in migrate(over_tls(server))["msg"]
    assert "certificate verify failed" in migrate(over_tls(server, sslrootcert=str(stranger)))["msg"]
    wrong_name = migrate(over_tls(server, sslrootcert=str(root), host="127.0.0.1"))
    assert "Connect by the name that the server's certificate bears" in wrong_name["msg"]
    assert "failed" not in migrate(over_tls(server, host="127.0.0.1", sslmode="require"))


def test_a_wrong_password_is_told_and_not_shown(tls: tuple[Server, Path, Path]) -> None:
    server, root, _stranger = tls
    failed = migrate(over_tls(server, sslrootcert=str(root), password="wrong-secret-word"))
    assert "password authentication failed" in failed["msg"]
    assert "Check the user name and the password" in failed["msg"]
    assert "wrong-secret-word" not in json.dumps(failed)


def test_no_secret_shows_in_a_result(tls: tuple[Server, Path, Path], progress: Path) -> None:
    server, root, _stranger = tls
    connection = over_tls(server, sslrootcert=str(root))
    for state in ("present", "present", "absent"):
        result = migrate(connection, state=state, progress_log=str(progress))
        assert "failed" not in result
        assert PASSWORD not in json.dumps(result)
    assert PASSWORD not in progress.read_text()


def aws(cloud: Cloud) -> dict[str, Any]:
    keys = {"access_key": "test", "secret_key": cloud.environment["AWS_SECRET_ACCESS_KEY"]}
    return {"region": "us-east-1", "endpoint_url": cloud.endpoint, **keys}


def test_a_secret_brings_user_and_password_and_is_read_again_after_a_rotation(
    tls: tuple[Server, Path, Path], cloud: Cloud
) -> None:
    server, root, _stranger = tls
    secrets = cloud.client("secretsmanager")
    arn = secrets.create_secret(Name="db", SecretString=json.dumps({"username": "app", "password": "old-one"}))["ARN"]
    connection = over_tls(server, sslrootcert=str(root), secret_arn=arn, password=None, username=None)
    refused = migrate(connection, **aws(cloud))
    assert "password authentication failed" in refused["msg"]
    assert "old-one" not in json.dumps(refused)
    secrets.put_secret_value(SecretId=arn, SecretString=json.dumps({"username": "app", "password": PASSWORD}))
    with cloud.recorded() as calls:
        assert "failed" not in migrate(connection, **aws(cloud))
    assert [call["action"] for call in calls] == ["GetSecretValue"]
    assert PASSWORD not in json.dumps(calls)


def test_a_secret_of_another_form_is_told(tls: tuple[Server, Path, Path], cloud: Cloud) -> None:
    server, root, _stranger = tls
    arn = cloud.client("secretsmanager").create_secret(Name="odd", SecretString="plain words")["ARN"]
    refused = migrate(over_tls(server, sslrootcert=str(root), secret_arn=arn, password=None), **aws(cloud))
    assert "it is no JSON object with password" in refused["msg"]
    assert "plain words" not in json.dumps(refused)


def test_an_iam_token_is_minted_for_every_connection(tls: tuple[Server, Path, Path], cloud: Cloud) -> None:
    server, root, _stranger = tls
    connection = over_tls(server, sslrootcert=str(root), password=None, iam=True, username="iam_user")
    with cloud.recorded() as calls:
        result = migrate(connection, **aws(cloud))
    assert "failed" not in result, result
    assert "X-Amz-Signature" not in json.dumps(result)
    assert calls == []  # tokens are signed here


def test_contradicting_credentials_are_refused(database: Database) -> None:
    refused = migrate(database.connection(iam=True, password="x-given-too"))
    assert "choose one of the three" in refused["msg"]


PARAMETERS = {"track_io_timing": True, "track_functions": "all", "log_min_duration_statement": "1s"}


@pytest.fixture(scope="module")
def tunable() -> Iterator[Server]:
    with running() as server:
        yield server


def tune(server: Server, parameters: dict[str, Any], **options: Any) -> dict[str, Any]:
    given = {"connection": server.connection(), "parameters": parameters, **options}
    return run("postgres_parameters", **given)


def test_dynamic_parameters_take_effect_at_once_and_static_ones_are_told_as_pending(tunable: Server) -> None:
    wanted = {**PARAMETERS, "shared_preload_libraries": ["pg_stat_statements"], "max_connections": 120}
    planned = tune(tunable, wanted, check=True)
    assert planned["changed"] is True
    assert tunable.execute("SHOW track_functions")[0][0] == "none"
    done = tune(tunable, wanted)
    assert done["pending_restart"] == planned["pending_restart"] == ["max_connections", "shared_preload_libraries"]
    assert tunable.execute("SHOW track_functions")[0][0] == "all"
    assert done["parameters"]["max_connections"]["static"] is True
    again = tune(tunable, wanted)
    assert again["changed"] is False
    assert again["pending_restart"] == ["max_connections", "shared_preload_libraries"]
    tunable.restart()
    after = tune(tunable, {**wanted, "pg_stat_statements.track": "top", "log_min_duration_statement": 1000})
    assert after["changed"] is False
    assert after["pending_restart"] == []
    assert tunable.execute("SHOW shared_preload_libraries")[0][0] == "pg_stat_statements"


WRONG = [
    ({"track_iotiming": True}, "Did you mean track_io_timing?"),
    ({"track_functions": "some"}, "it takes none, pl, all"),
    ({"work_mem": "4 parsecs"}, "no unit parsecs"),
    ({"work_mem": "1kB"}, "must lie between 64 and 2147483647 kB"),
    ({"track_io_timing": "perhaps"}, "neither on nor off"),
    ({"block_size": 8192}, "fixed when the server was built"),
    ({"shared_preload_libraries": ["no_such_library"]}, "The server would not start again"),
]


@pytest.mark.parametrize(("parameters", "told"), WRONG, ids=[told for _, told in WRONG])
def test_a_wrong_parameter_is_refused_before_anything_is_set(
    tunable: Server, parameters: dict[str, Any], told: str
) -> None:
    refused = tune(tunable, {"deadlock_timeout": "5s", **parameters})
    assert told in refused["msg"]
    assert tunable.execute("SHOW deadlock_timeout")[0][0] == "1s"


def test_parameters_of_a_managed_server_are_reported_and_not_set(tunable: Server) -> None:
    tunable.execute("CREATE ROLE rds_superuser")
    try:
        assert "cluster's parameter group" in tune(tunable, PARAMETERS)["msg"]
        reported = tune(tunable, {"work_mem": "64MB"}, method="report")
        assert reported["changed"] is False
        assert reported["parameters"]["work_mem"]["as_wanted"] is False
    finally:
        tunable.execute("DROP ROLE rds_superuser")


def extend(server: Server, *names: str, **options: Any) -> dict[str, Any]:
    return run("postgres_extensions", connection=server.connection(), extensions=list(names), **options)


def test_an_extension_is_created_and_one_whose_library_is_not_loaded_is_told(server: Server) -> None:
    planned = extend(server, "pg_stat_statements", "pg_trgm", check=True)
    assert [step["id"] for step in planned["steps"]] == [
        "extension/pg_stat_statements:create",
        "extension/pg_trgm:create",
    ]
    assert server.execute("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'")[0][0] == 0
    made = extend(server, "pg_stat_statements", "pg_trgm")
    assert made["unloaded"] == ["pg_stat_statements"]
    assert "Put it into shared_preload_libraries" in str(made["warnings"])
    assert extend(server, "pg_stat_statements", "pg_trgm")["changed"] is False


def test_an_extension_that_the_server_lacks_or_the_role_may_not_create_is_one_clear_error(database: Database) -> None:
    refused = run("postgres_extensions", connection=database.connection(), extensions=["pg_stat_statement"])
    assert "Did you mean pg_stat_statements?" in refused["msg"]
    role = f"guest_{database.name}"
    database.execute(f"CREATE ROLE {role} LOGIN")
    guest = database.connection(username=role)
    refused = run("postgres_extensions", connection=guest, extensions=["pg_stat_statements"])
    assert (
        f"Tried to create extension pg_stat_statements in {database.name}; PostgreSQL answered 42501" in refused["msg"]
    )


def test_five_hundred_clients_are_served_through_a_pooler_by_a_handful_of_sessions(server: Server) -> None:
    with pooled(server, clients=600, size=10) as port:
        told = run("postgres_connection_check", connection=server.connection(port=port), connections=500)
    assert "failed" not in told, told["msg"]
    assert told["opened"] == told["answered"] == 500
    assert told["server_sessions"] <= 10


def test_more_clients_than_the_server_takes_are_a_failed_proof(server: Server) -> None:
    failed = run("postgres_connection_check", connection=server.connection(), connections=150)
    assert "Tried to hold 150 connections" in failed["msg"]
    assert "Put RDS Proxy before the server" in failed["msg"]
    assert failed["opened"] < 150


PLANNED = {"host": "planned:db_cluster/stories", "database": "d", "username": "u"}


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("postgres_index_migration", {"migrations": [{"name": "m1", "indexes": [INDEX]}]}),
        ("postgres_parameters", {"parameters": PARAMETERS}),
        ("postgres_extensions", {"extensions": ["pg_trgm"]}),
        ("postgres_connection_check", {}),
    ],
)
def test_a_database_that_is_only_planned_is_not_asked(module: str, options: dict[str, Any]) -> None:
    planned = run(module, check=True, connection=PLANNED, **options)
    assert "failed" not in planned
    assert planned["changed"] is False

"""postgres_app_user on a real PostgreSQL 15, with its secret in the embedded cloud."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud
from tests.support.postgres import Server, running

USER, PASSWORD = "stories_app", "Correct1Horse2Battery3Staple4"
# Members of rds_superuser are no superusers, and neither is the master user here.
MASTER = "stories_admin"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    hba = ["local all all trust", f"host all postgres,{MASTER} 127.0.0.1/32 trust", "host all all all scram-sha-256"]
    with running(hba=hba) as server:
        yield server


class Place:
    """An empty database of the master user, and the wish for an application's user in it."""

    def __init__(self, cloud: Cloud, server: Server) -> None:
        self.server = server
        server.execute("DROP DATABASE IF EXISTS stories_db WITH (FORCE)", database="postgres")
        server.execute(f"DROP ROLE IF EXISTS {USER}", database="postgres")
        server.execute(f"DROP ROLE IF EXISTS {MASTER}", database="postgres")
        server.execute(f"CREATE ROLE {MASTER} LOGIN CREATEROLE CREATEDB", database="postgres")
        server.execute(f"CREATE DATABASE stories_db OWNER {MASTER}", database="postgres")
        self.as_master("CREATE TABLE books (id serial PRIMARY KEY, title text)")
        value = json.dumps({"username": USER, "password": PASSWORD})
        self.secret = cloud.client("secretsmanager").create_secret(Name="stories-test-app-user", SecretString=value)[
            "ARN"
        ]
        self.wish: dict[str, Any] = {
            "connection": {
                "host": "127.0.0.1",
                "port": server.port,
                "database": "stories_db",
                "username": MASTER,
                "sslmode": "disable",
            },
            "username": USER,
            "user_secret_arn": self.secret,
        }

    def connect(self, user: str, password: str | None = None) -> Any:
        return psycopg.connect(
            host="127.0.0.1", port=self.server.port, dbname="stories_db", user=user, password=password, autocommit=True
        )

    def as_master(self, statement: str) -> None:
        with self.connect(MASTER) as connection:
            connection.execute(statement)


@pytest.fixture
def place(cloud: Cloud, server: Server) -> Place:
    return Place(cloud, server)


def run(cloud: Cloud, wish: dict[str, Any], **flags: bool) -> dict[str, Any]:
    result = run_module(cloud, "postgres_app_user", wish, **flags)
    assert not result.get("failed"), result["msg"]
    return result


def test_the_user_can_work_with_present_and_later_tables_and_no_more(cloud: Cloud, place: Place) -> None:
    planned = run(cloud, place.wish, check=True)
    made = run(cloud, place.wish)
    assert planned["steps"] == made["steps"]
    assert run(cloud, place.wish)["changed"] is False
    place.as_master("CREATE TABLE readers (id serial PRIMARY KEY, name text)")
    with place.connect(USER, PASSWORD) as connection:
        connection.execute("INSERT INTO books (title) VALUES ('One'); INSERT INTO readers (name) VALUES ('Ada')")
        for forbidden in ("CREATE TABLE mine (id int)", "DROP TABLE books", "CREATE ROLE other", "TRUNCATE books"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)
    assert run(cloud, place.wish)["changed"] is False


def other_password(place: Place) -> None:
    place.as_master(f"ALTER ROLE {USER} PASSWORD 'another'")


def no_login(place: Place) -> None:
    place.as_master(f"ALTER ROLE {USER} NOLOGIN")


def more_power(place: Place) -> None:
    place.as_master(f"ALTER ROLE {USER} CREATEDB")


def a_limit(place: Place) -> None:
    place.as_master(f"ALTER ROLE {USER} CONNECTION LIMIT 3")


def fewer_privileges(place: Place) -> None:
    place.as_master(f"REVOKE INSERT ON books FROM {USER}")


def no_later_privileges(place: Place) -> None:
    place.as_master(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM {USER}")


@pytest.mark.parametrize(
    ("by_hand", "shown"),
    [
        (other_password, "password: another"),
        (no_login, "login: false"),
        (more_power, "CREATEDB"),
        (a_limit, "connection_limit: 3"),
        (fewer_privileges, "INSERT on tables"),
        (no_later_privileges, "SELECT on later tables"),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, place: Place, by_hand: Callable[[Place], None], shown: str
) -> None:
    run(cloud, place.wish)
    by_hand(place)
    drift = run(cloud, place.wish, check=True)
    assert shown in drift["diff"][0]["before"] + drift["diff"][0]["after"]
    run(cloud, place.wish)
    assert run(cloud, place.wish)["changed"] is False
    place.connect(USER, PASSWORD).close()


def test_a_rotated_secret_is_followed(cloud: Cloud, place: Place) -> None:
    run(cloud, place.wish)
    value = json.dumps({"username": USER, "password": "Another5Long6Password7Altogether"})
    cloud.client("secretsmanager").put_secret_value(SecretId=place.secret, SecretString=value)
    assert [step["id"] for step in run(cloud, place.wish)["steps"]] == [f"postgres_user/{USER}:alter"]
    place.connect(USER, "Another5Long6Password7Altogether").close()


def test_the_password_is_shown_nowhere_and_stands_in_no_log_of_the_server(cloud: Cloud, place: Place) -> None:
    place.server.execute("ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()", database="postgres")
    shown = json.dumps([run(cloud, place.wish, check=True), run(cloud, place.wish)])
    assert PASSWORD not in shown
    log = (place.server.folder / "log").read_text(encoding="utf-8")
    assert f'CREATE ROLE "{USER}"' in log
    assert PASSWORD not in log


def test_a_plan_is_made_while_cluster_and_secret_do_not_exist_yet(cloud: Cloud) -> None:
    wish = {
        "connection": {"host": "planned:db_cluster/stories", "database": "stories_db", "username": MASTER},
        "username": USER,
        "user_secret_arn": "planned:secret/stories-app-user",
    }
    assert len(run(cloud, wish, check=True)["steps"]) == 8


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"username": "somebody_else"}, "they must agree"),
        ({"table_privileges": ["SELECT; DROP TABLE books"]}, "PostgreSQL knows DELETE"),
    ],
)
def test_a_wrong_wish_is_one_clear_error(cloud: Cloud, place: Place, wrong: dict[str, Any], sentence: str) -> None:
    assert sentence in run_module(cloud, "postgres_app_user", {**place.wish, **wrong})["msg"]

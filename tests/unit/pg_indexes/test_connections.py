"""Where passwords come from, how parameters compare and how a proxy is sized; no server, no AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused, StepFailed
from ansible_collections.stories1001.platform.plugins.module_utils._postgres import arguments
from ansible_collections.stories1001.platform.plugins.module_utils._postgres import connection as connecting
from ansible_collections.stories1001.platform.plugins.module_utils._postgres.connection import Connections, Target
from ansible_collections.stories1001.platform.plugins.module_utils._postgres.credentials import (
    GivenPassword,
    IamToken,
    SecretPassword,
)
from ansible_collections.stories1001.platform.plugins.module_utils._postgres.crowd import proxy
from ansible_collections.stories1001.platform.plugins.module_utils._postgres.driver import psycopg
from ansible_collections.stories1001.platform.plugins.module_utils._postgres.parameters import (
    Parameter,
    SetParameter,
    plan,
    same,
)

TARGET = Target("db.example.org", 5432, "stories_db")


class Aws:
    """Answers every call with the next of its answers; counts them."""

    region = "us-east-1"

    def __init__(self, *answers: Any) -> None:
        self.answers, self.calls = list(answers), 0

    def call(self, *_: Any, **__: Any) -> Any:
        self.calls += 1
        return self.answers[min(self.calls, len(self.answers)) - 1]


class Door:
    """Stands in for psycopg.connect: lets one password in, notes every attempt."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, opens: str) -> None:
        self.tried: list[str] = []
        self._opens = opens
        monkeypatch.setattr(connecting.psycopg, "connect", self)

    def __call__(self, **given: Any) -> str:
        self.tried.append(given["password"])
        assert given["sslmode"] == "verify-full"
        if given["password"] != self._opens:
            raise psycopg.OperationalError('connection failed: FATAL:  password authentication failed for user "app"')
        return "connection"


def secret(password: str) -> dict[str, str]:
    return {"SecretString": json.dumps({"username": "app", "password": password})}


def test_a_rotated_secret_is_read_again_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    aws, door = Aws(secret("old"), secret("new")), Door(monkeypatch, "new")
    connections = Connections(TARGET, SecretPassword(lambda: aws, "arn", None), "test")
    connections.open()
    connections.open()
    assert door.tried == ["old", "new", "new"]
    assert aws.calls == 2


def test_a_secret_that_has_not_changed_is_not_tried_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    aws, door = Aws(secret("wrong")), Door(monkeypatch, "right")
    with pytest.raises(StepFailed, match="Check the user name and the password") as failure:
        Connections(TARGET, SecretPassword(lambda: aws, "arn", None), "test").open()
    assert door.tried == ["wrong"]
    assert "wrong" not in str(failure.value)


def test_an_iam_token_is_minted_for_every_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    aws, door = Aws("token-1", "token-2", "token-3"), Door(monkeypatch, "token-2")
    connections = Connections(TARGET, IamToken(lambda: aws, TARGET.host, 5432, "app"), "test")
    with pytest.raises(StepFailed):
        connections.open()
    connections.open()
    assert door.tried == ["token-1", "token-2"]


def test_a_failed_connection_says_where_as_whom_and_what_next(monkeypatch: pytest.MonkeyPatch) -> None:
    Door(monkeypatch, "right")
    with pytest.raises(StepFailed) as failure:
        Connections(TARGET, GivenPassword("app", "wrong"), "test").open()
    assert str(failure.value) == (
        "Tried to connect to db.example.org:5432/stories_db as app; found: FATAL: password authentication failed for "
        'user "app". Check the user name and the password, the secret or the IAM policy.'
    )


def parameter(name: str, configured: str, vartype: str = "integer", unit: str = "", **fields: Any) -> Parameter:
    return Parameter(name, configured, unit, vartype, fields.pop("context", "sighup"), configured=configured, **fields)


@pytest.mark.parametrize(
    ("there", "wanted", "equal"),
    [
        (parameter("a", "1000", unit="ms"), "1s", True),
        (parameter("a", "1000", unit="ms"), "1000", True),
        (parameter("a", "16384", unit="8kB"), "128MB", True),
        (parameter("a", "4096", unit="kB"), "4MB", True),
        (parameter("a", "4096", unit="kB"), "5MB", False),
        (parameter("a", "-1", unit="ms"), "-1", True),
        (parameter("a", "-1", unit="ms"), "1ms", False),
        (parameter("a", "0.9", "real"), "0.90", True),
        (parameter("a", "on", "bool"), "true", True),
        (parameter("a", "off", "bool"), "on", False),
        (parameter("a", "All", "enum"), "all", True),
        (parameter("shared_preload_libraries", 'a, "b"', "string"), "a,b", True),
        (parameter("shared_preload_libraries", "a", "string"), "a, b", False),
    ],
)
def test_parameters_compare_by_what_they_mean(there: Parameter, wanted: str, equal: bool) -> None:
    assert same(there, wanted) is equal


def test_a_static_parameter_that_is_set_waits_for_a_restart() -> None:
    there = {"max_connections": parameter("max_connections", "100", context="postmaster", low="1", high="262143")}
    (step,), problems = plan(there, {"max_connections": "200"})
    assert problems == []
    assert step.sentence == "Set max_connections to 200 (now 100), effective at the next restart"
    after = step.after(there)["max_connections"]
    assert (after.setting, after.pending_restart) == ("100", True)
    assert plan({"max_connections": after}, {"max_connections": "200"}) == ((), [])


def test_a_list_is_set_element_by_element() -> None:
    there = parameter("shared_preload_libraries", "", "string")
    assert SetParameter(there, "a, b").statement == "ALTER SYSTEM SET shared_preload_libraries = 'a', 'b'"


@pytest.mark.parametrize(
    ("most", "clients", "busy", "enough"),
    [(1802, 500, 0.2, True), (200, 500, 0.2, True), (100, 500, 0.2, False), (30, 500, 0.01, False)],
)
def test_a_proxy_is_large_enough_when_the_busy_clients_fit(most: int, clients: int, busy: float, enough: bool) -> None:
    sized = proxy(most, clients, 20, busy)
    assert sized["enough"] is enough
    assert 1 <= sized["max_connections_percent"] <= 100
    assert sized["max_idle_connections_percent"] <= sized["max_connections_percent"]


class Module:
    """The part of AnsibleAWSModule that `connections` reads."""

    def __init__(self, **connection: Any) -> None:
        given = {"host": None, "port": None, "database": "d", "username": None, "password": None, "secret_arn": None}
        rest = {"iam": False, "cluster_identifier": None, "sslmode": "verify-full", "sslrootcert": None}
        self.params = {"connection": {**given, **rest, "connect_timeout": 10, **connection}}

    def warn(self, text: str) -> None:
        raise AssertionError(text)


CLUSTER = {"DBClusters": [{"Endpoint": "writer", "Port": 5433, "MasterUserSecret": {"SecretArn": "arn:master"}}]}


def test_a_cluster_brings_endpoint_port_and_master_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(CLUSTER, secret("from-the-secret"))
    door = Door(monkeypatch, "from-the-secret")
    monkeypatch.setattr(arguments, "Aws", lambda module: aws)
    made = arguments.connections(Module(cluster_identifier="stories-production"), "test")
    made.open()
    assert (made.target.host, made.target.port) == ("writer", 5433)
    assert door.tried == ["from-the-secret"]


def test_what_is_given_wins_over_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arguments, "Aws", lambda module: Aws(CLUSTER))
    door = Door(monkeypatch, "given")
    made = arguments.connections(Module(cluster_identifier="c", port=6000, username="app", password="given"), "test")
    made.open()
    assert (made.target.host, made.target.port) == ("writer", 6000)
    assert door.tried == ["given"]


def test_a_plain_server_needs_no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(arguments, "Aws")
    monkeypatch.delattr(arguments, "check_sdk_version_supported")
    Door(monkeypatch, "given")
    arguments.connections(Module(host="db.example.org", username="app", password="given"), "test").open()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"iam": True, "password": "x", "username": "app"}, "choose one of the three"),
        ({"secret_arn": "arn", "password": "x"}, "choose one of the three"),
        ({"password": "x"}, "without username"),
    ],
)
def test_credentials_that_make_no_sense_are_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(PlanRefused, match=told):
        arguments.connections(Module(host="h", **given), "test")

"""What the worker remembers for all modules is what each of them would have worked out."""

from __future__ import annotations

import functools
import inspect
import locale
import os
import ssl
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FunctionType
from typing import Any

import boto3
import pytest
from ansible_collections.stories1001.platform.plugins.plugin_utils.warm_worker import preload
from botocore import client, exceptions, handlers, hooks, httpsession, loaders
from botocore.awsrequest import AWSRequest

from local_cloud.data_plane import certificates

own_accepts_kwargs = hooks.accepts_kwargs

UTILS = "ansible_collections.stories1001.platform.plugins.module_utils."
_IMPORT = (
    "import os, sys\nfrom ansible_collections.stories1001.platform.plugins.plugin_utils.warm_worker import preload\n"
)


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore as in the worker, put back after the test."""
    monkeypatch.setattr(hooks, "accepts_kwargs", hooks.accepts_kwargs)
    monkeypatch.setattr(hooks.EventAliaser, "_alias_event_name", hooks.EventAliaser._alias_event_name)
    monkeypatch.setattr(loaders.Loader, "list_available_services", loaders.Loader.list_available_services)
    monkeypatch.setattr(loaders, "OrderedDict", loaders.OrderedDict)
    monkeypatch.setattr(loaders.JSONFileLoader, "load_file", loaders.JSONFileLoader.load_file)
    monkeypatch.setattr(client.ClientCreator, "_create_methods", client.ClientCreator._create_methods)
    monkeypatch.setattr(client.ClientCreator, "_create_name_mapping", client.ClientCreator._create_name_mapping)
    monkeypatch.setattr(preload, "_parsed", {})
    monkeypatch.setattr(preload, "_operations", {})
    preload.share_models()
    preload.share_listings()
    preload.share_handlers()
    preload.share_methods()


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An authority's file and botocore's http sessions as in a worker that trusts it."""
    certificates._make(tmp_path, "ca", [])
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    monkeypatch.delenv("SSLKEYLOGFILE", raising=False)
    monkeypatch.setattr(httpsession.URLLib3Session, "_get_ssl_context", httpsession.URLLib3Session._get_ssl_context)
    preload.share_trust()
    return tmp_path / "ca.pem"


def sns(session: boto3.session.Session | None = None) -> Any:
    session = session or boto3.session.Session()
    return session.client("sns", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")


def context(verify: Any, **options: Any) -> ssl.SSLContext:
    """The one that connections of such a client use."""
    session = httpsession.URLLib3Session(verify, **options)
    found: ssl.SSLContext = session._manager.connection_pool_kw["ssl_context"]
    return found


def test_a_session_and_a_client_look_through_no_folder_and_ask_no_function_again(
    remembered: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    own_listdir, own_ask = os.listdir, inspect.getfullargspec
    monkeypatch.setattr(os, "listdir", lambda path=".": asked.append(path) or own_listdir(path))
    monkeypatch.setattr(inspect, "getfullargspec", lambda function: asked.append(function) or own_ask(function))
    session = boto3.session.Session()
    assert [one for one in asked if not callable(one)] == []
    # Handlers that are objects, or made for each session, are asked each time.
    assert [one for one in asked if isinstance(one, FunctionType) and one.__module__ == "botocore.handlers"] == []
    asked.clear()
    session.client("sns", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    assert [one for one in asked if isinstance(one, str) and "botocore" in one and "sns" not in one] == []


def test_events_have_the_names_that_botocore_gives_them(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"before-call.{old}.Do" for old in hooks.EVENT_ALIASES] + ["needs-retry.s3.GetObject", "provide-client"]
    expected = [hooks.EventAliaser(None)._alias_event_name(name) for name in names]
    monkeypatch.setattr(hooks, "accepts_kwargs", hooks.accepts_kwargs)
    monkeypatch.setattr(hooks.EventAliaser, "_alias_event_name", hooks.EventAliaser._alias_event_name)
    preload.share_handlers()
    for _time in range(2):
        assert [hooks.EventAliaser(None)._alias_event_name(name) for name in names] == expected
    assert expected != names


def test_a_session_with_aliases_of_its_own_is_not_answered_from_memory(remembered: None) -> None:
    assert hooks.EventAliaser(None)._alias_event_name("before-call.mine.Do") == "before-call.mine.Do"
    assert (
        hooks.EventAliaser(None, {"mine": "yours"})._alias_event_name("before-call.mine.Do") == "before-call.yours.Do"
    )


def test_what_a_handler_takes_is_asked_of_each_handler(remembered: None) -> None:
    emitter = hooks.HierarchicalEmitter()
    emitter.register("before-call", lambda **given: None)
    with pytest.raises(ValueError, match="must accept keyword arguments"):
        emitter.register("before-call", lambda event: None)


class _Handlers:
    def takes(self, **given: Any) -> None: ...
    def lacks(self, event_name: str) -> None: ...
    def __call__(self, **given: Any) -> None: ...
    def __eq__(self, other: object) -> bool:  # and so without a hash
        return False

    def signed(self, **given: Any) -> None: ...

    signed.__signature__ = inspect.Signature()  # type: ignore[attr-defined] # as decorators do

    @functools.wraps(lacks)
    def wraps(self, **given: Any) -> None: ...
    @functools.wraps(takes)
    def wraps_too(self) -> None: ...


@pytest.mark.parametrize(
    "handler",
    [
        *(_Handlers().takes, _Handlers().lacks, _Handlers().signed, _Handlers().wraps, _Handlers().wraps_too),
        *(_Handlers(), _Handlers, print, functools.partial(_Handlers().takes, event_name="")),
        *(lambda **given: None, lambda *given: None, handlers.ClientMethodAlias("a")),
        *(handlers.AutoPopulatedParam("a").document_auto_populated_param, boto3.session.Session().client),
    ],
)
def test_of_any_handler_it_says_what_botocore_says(remembered: None, handler: Any) -> None:
    def answer(ask: Any) -> bool | str:
        try:
            return bool(ask(handler))
        except TypeError as error:
            return str(error)

    for _time in range(2):
        assert answer(hooks.accepts_kwargs) == answer(own_accepts_kwargs)


def without_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: "" if key == "documentation" and isinstance(part, str) else without_texts(part)
            for key, part in value.items()
        }
    return [without_texts(part) for part in value] if isinstance(value, list) else value


# A shape of API Gateway has members of the name that the texts have.
@pytest.mark.parametrize("service", ["sns", "apigateway"])
def test_parsed_models_are_those_of_the_files_in_their_order_but_for_the_texts(remembered: None, service: str) -> None:
    own = loaders.create_loader()
    expected = own.file_loader._load_file(_model(service) + ".json.gz", loaders._JSON_OPEN_METHODS[".json.gz"])
    found = loaders.JSONFileLoader().load_file(_model(service))
    assert not isinstance(found, OrderedDict)
    assert found == without_texts(expected) != expected
    assert list(found["shapes"]) == list(expected["shapes"])


def test_a_client_can_be_made_of_every_model_that_lacks_its_texts(remembered: None) -> None:
    # Those of S3 say what its own parameters of clients mean, and botocore asks for that.
    for service in ("s3", "ec2", "s3control"):
        preload.learn(_model(service))
        assert boto3.session.Session("-", "-", region_name="us-east-1").client(service).meta.service_model


def test_a_module_that_parses_a_model_itself_takes_it_as_it_is(
    remembered: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preload.os, "getpid", lambda: -1)
    monkeypatch.setattr(preload, "teach", lambda name: None)
    assert "Amazon" in loaders.JSONFileLoader().load_file(_model("sns"))["documentation"]


def test_a_client_of_a_service_that_the_worker_knows_has_the_methods_that_botocore_makes(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    made: list[str] = []
    make = client.ClientCreator._create_api_method
    monkeypatch.setattr(
        client.ClientCreator, "_create_api_method", lambda self, *given: made.append(given[0]) or make(self, *given)
    )
    own = sns()
    assert len(made) > 40
    request.getfixturevalue("remembered")
    preload.learn(_model("sns"))
    made.clear()
    shared = sns()
    assert made == []
    assert dir(shared) == dir(own)
    assert shared._PY_TO_OP_NAME == own._PY_TO_OP_NAME
    with pytest.raises(exceptions.ParamValidationError, match="Missing required parameter"):
        shared.publish(TopicArn="a")


def test_what_events_do_to_one_client_they_do_not_do_to_the_next(remembered: None) -> None:
    preload.learn(_model("sns"))
    session = boto3.session.Session()

    def change(class_attributes: dict[str, Any], **_given: Any) -> None:
        del class_attributes["publish"], class_attributes["_PY_TO_OP_NAME"]["publish"]

    session.events.register("creating-client-class.sns", change)
    assert not hasattr(sns(session), "publish")
    assert hasattr(sns(), "publish")
    assert sns()._PY_TO_OP_NAME["publish"] == "Publish"


def test_operations_that_a_model_has_got_since_are_there(remembered: None) -> None:
    preload.learn(_model("sns"))
    operations = preload._parsed[_model("sns")]["operations"]
    operations["PublishMore"] = {**operations["Publish"], "name": "PublishMore"}
    assert hasattr(sns(), "publish_more")


def test_clients_that_trust_the_same_are_lent_a_context_like_their_own(lent: Path) -> None:
    own = httpsession.create_urllib3_context()
    own.load_verify_locations(lent)
    shared = context(str(lent))
    assert context(str(lent)) is shared
    assert shared.get_ca_certs() == own.get_ca_certs() != []
    for name in ("options", "verify_mode", "check_hostname", "verify_flags", "minimum_version", "post_handshake_auth"):
        assert getattr(shared, name) == getattr(own, name)


def test_clients_that_would_set_it_up_otherwise_have_their_own(lent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = context(str(lent))
    others = [
        *(context(verify) for verify in (True, False, None, f"{lent}.other")),
        context(str(lent), proxies={"https": "http://127.0.0.1:1"}),
        context(str(lent), client_cert=str(lent)),
    ]
    monkeypatch.setenv("SSLKEYLOGFILE", os.devnull)
    others.append(context(str(lent)))
    assert shared not in others
    monkeypatch.delenv("SSLKEYLOGFILE")
    assert context(str(lent)) is shared
    lent.write_text(lent.read_text() + "\n")
    assert context(str(lent)) is not shared


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_connection_is_made_to_whom_the_file_trusts_and_to_nobody_else(lent: Path) -> None:
    def answer(port: int, verify: Any) -> int:
        request = AWSRequest("GET", f"https://127.0.0.1:{port}/").prepare()
        return int(httpsession.URLLib3Session(verify).send(request).status_code)

    stranger = lent.parent / "stranger"
    certificates._make(stranger, "ca", [])
    with _served(lent.parent) as port, _served(stranger) as other:
        assert [answer(port, str(lent)) for _time in range(2)] == [200, 200]
        with pytest.raises(exceptions.SSLError):
            answer(other, str(lent))
        with pytest.raises(exceptions.SSLError):
            answer(port, True)
        assert answer(other, str(stranger / "ca.pem")) == 200
        assert answer(port, False) == 200
        assert answer(port, str(lent)) == 200


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "SSLKEYLOGFILE"])
def test_files_that_are_not_there_are_left_to_the_module(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    own = httpsession.URLLib3Session._get_ssl_context
    monkeypatch.setenv(name, str(tmp_path / "none"))
    preload.share_trust()
    assert not (tmp_path / "none").exists()
    assert httpsession.URLLib3Session._get_ssl_context is own


def test_the_rehearsal_sees_neither_the_environment_nor_files_and_leaves_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[dict[str, str]] = []
    make = client.ClientCreator.create_client

    def create_client(self: Any, *given: Any, **named: Any) -> Any:
        made.append(dict(os.environ))
        return make(self, *given, **named)

    monkeypatch.setattr(client.ClientCreator, "create_client", create_client)
    monkeypatch.setenv("AWS_PROFILE", "nobody")  # with which no client can be made
    before = dict(os.environ)
    preload.rehearse()
    assert made == [{"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}]
    assert dict(os.environ) == before


def test_what_is_done_once_is_done_again_only_for_something_else() -> None:
    done: list[tuple[Any, ...]] = []
    again = preload._once(lambda *given: done.append(given), "file", None)
    for given in (("file", None), ("other", None), ("file", None), ("file",)):
        again(*given)
    assert done == [("file", None), ("other", None), ("file",)]


def test_the_locale_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    before = locale.setlocale(locale.LC_ALL)
    preload.load_locale()
    assert locale.setlocale(locale.LC_ALL) == before


def test_a_module_names_what_it_imported_of_the_collections_and_the_worker_takes_it_in() -> None:
    """In processes of their own, where nothing is imported yet."""
    told = _run(
        f"{_IMPORT}preload.learn_by(1); known = preload.last_import(); import colorsys; "
        f"import {UTILS}_kpis.judge; preload.teach_imports(known)"
    )
    assert f"{UTILS}_kpis.judge" in told.split()
    assert "colorsys" not in told
    learned = _run(
        f"{_IMPORT}[preload.learn(name) for name in {told.split()!r}]; print('{UTILS}_kpis.judge' in sys.modules)"
    )
    assert learned.strip() == "True"


def test_what_cannot_be_imported_is_left_to_the_module_that_needs_it() -> None:
    preload.learn(f"{UTILS}no_such_part")


def _model(service: str) -> str:
    """As botocore asks for it."""
    loader = loaders.create_loader()
    version = loader.determine_latest_version(service, "service-2")
    return os.path.join(loader.BUILTIN_DATA_PATH, service, version, "service-2")


@contextmanager
def _served(authority: Path) -> Iterator[int]:
    """The port of a server whose certificate this authority has signed."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *given: Any) -> None: ...

    certificates._make(authority, "server", ["127.0.0.1"])
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(authority / "server.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.socket = own.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _run(program: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, "-c", program], check=True, stdout=-1, text=True, env=environment).stdout

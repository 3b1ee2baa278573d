# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Load balancers in front of real servers: rules, weights, stickiness, health, errors, nodes that lag."""

from __future__ import annotations

import asyncio
import contextlib
import http.cookiejar
import json
import socket
import ssl
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.local_cloud.data_plane.load import load
from tests.local_cloud.data_plane.stage import Stage, address_of, eventually, forward, get

OLD, NEW = "1.0.0", "2.0.0"


@dataclass
class Front:
    """A load balancer before two target groups, each with one task of one version."""

    balancer: dict[str, Any]
    groups: dict[str, str]

    @property
    def url(self) -> str:
        return str(self.balancer["url"])

    def weights(self, old: int, new: int, **stickiness: Any) -> list[dict[str, Any]]:
        return forward((self.groups[OLD], old), (self.groups[NEW], new), **stickiness)


@pytest.fixture(scope="module")
def front(stage: Stage) -> Front:
    groups = {version: stage.target_group() for version in (OLD, NEW)}
    balancer = stage.load_balancer(forward(*((arn, 1) for arn in groups.values())))
    for version, arn in groups.items():
        stage.steady(stage.service(stage.task_definition(version), arn))
    return Front(balancer, groups)


class Server(threading.Thread):
    """A target of a test's own: answers every connection with what `answer` returns for the request's head."""

    def __init__(self, host: str, answer: Any) -> None:
        super().__init__(daemon=True)
        self._socket = socket.create_server((host, 3000))
        self._answer = answer
        self.start()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                data = connection.recv(65536)
                if not data:
                    return
                head += data
            self._answer(connection, head.decode("latin-1"))

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def target(stage: Stage, host: str, answer: Any, **group: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """A load balancer with one target, at `host`; yields (load balancer, target group)."""
    server = Server(host, answer)
    arn = stage.target_group(**group)
    balancer = stage.load_balancer(forward((arn, 1)))
    stage.elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": host, "Port": 3000}])
    try:
        yield balancer, arn
    finally:
        server.close()
        stage.elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])


def ok(connection: socket.socket, _head: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


def version_at(url: str, **headers: str) -> str:
    status, body, _ = get(url, headers=headers)
    return str(json.loads(body)["version"]) if status == 200 else str(status)


def test_weights_divide_the_requests(stage: Stage, front: Front) -> None:
    stage.act(front.balancer, front.weights(90, 10))
    found = asyncio.run(load(front.balancer["address"], front.balancer["port"], "/api/version", 400, 3))
    assert found.failed == 0
    share = found.versions["2.0.0"] / sum(found.versions.values())
    assert 0.06 < share < 0.14, found


def test_a_change_of_weights_moves_all_traffic_without_a_failed_request(stage: Stage, front: Front) -> None:
    stage.act(front.balancer, front.weights(100, 0))
    for weight in (1, 50, 100, 0):
        change = threading.Timer(0.5, stage.act, [front.balancer, front.weights(100 - weight, weight)])
        change.start()
        found = asyncio.run(load(front.balancer["address"], front.balancer["port"], "/api/version", 200, 1.5))
        assert found.failed == 0, found
    assert version_at(front.url + "/api/version") == OLD


def test_each_node_learns_of_a_change_after_its_own_lag(stage: Stage, front: Front) -> None:
    stage.act(front.balancer, front.weights(1, 0))
    balancer = front.balancer
    stage.admin("POST", "/data-plane/settings", {"lag": {"0": 0.5, "1": 2.0}})
    try:
        stage.elbv2.modify_listener(ListenerArn=balancer["listener"], DefaultActions=front.weights(0, 1))
        began = time.monotonic()
        learned: dict[int, float] = {}
        while len(learned) < 2 and time.monotonic() < began + 6:
            for number, address in enumerate(balancer["nodes"]):
                if number not in learned and version_at(f"http://{address}:{balancer['port']}/api/version") == "2.0.0":
                    learned[number] = time.monotonic() - began
            time.sleep(0.02)
    finally:
        stage.admin("POST", "/data-plane/settings", {"lag": 0.05})
    assert 0.4 < learned[0] < 1.2, learned
    assert 1.9 < learned[1] < 2.7, learned


PATH = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/img/*.jp?"]}}
HOST = {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}}
HEADER = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Canary", "Values": ["y*"]}}
QUERY = {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "slot", "Value": "green"}]}}
POST = {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}}

RULES: list[tuple[dict[str, Any], str, dict[str, str], bool]] = [
    (PATH, "/img/a/b.jpg", {}, True),
    (PATH, "/IMG/a.jpg", {}, False),
    (HOST, "/", {"Host": "A.Example.com"}, True),
    (HOST, "/", {"Host": "example.com"}, False),
    (HEADER, "/", {"x-canary": "Yes"}, True),
    (HEADER, "/", {}, False),
    (QUERY, "/?a=1&slot=green", {}, True),
    (QUERY, "/?slot=blue", {}, False),
    ({"Field": "source-ip", "SourceIpConfig": {"Values": ["127.0.0.0/8"]}}, "/", {}, True),
    ({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}, "/", {}, False),
    (POST, "/", {}, False),
]


def test_a_request_meets_the_rule_whose_conditions_it_fulfils(stage: Stage) -> None:
    balancer = stage.load_balancer([fixed("404", "default")])
    wrong = []
    for condition, path, headers, expected in RULES:
        rule = stage.elbv2.create_rule(
            ListenerArn=balancer["listener"], Priority=10, Conditions=[condition], Actions=[fixed("200", "rule")]
        )["Rules"][0]["RuleArn"]
        time.sleep(0.25)
        body = get(balancer["url"] + path, headers=headers)[1]
        if (body == "rule") != expected:
            wrong.append((condition, path, headers, body))
        stage.elbv2.delete_rule(RuleArn=rule)
    assert wrong == []


def test_the_rule_with_the_lowest_priority_number_wins(stage: Stage) -> None:
    balancer = stage.load_balancer([fixed("404", "default")])
    everything = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["*"]}}]
    for priority in (20, 5, 100):
        actions = [fixed("200", str(priority))]
        stage.elbv2.create_rule(
            ListenerArn=balancer["listener"], Priority=priority, Conditions=everything, Actions=actions
        )
    eventually(lambda: get(balancer["url"] + "/")[1] == "5")


def fixed(code: str, body: str) -> dict[str, Any]:
    return {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": code, "ContentType": "text/plain", "MessageBody": body},
    }


def test_a_redirect_keeps_what_its_placeholders_name(stage: Stage) -> None:
    redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    balancer = stage.load_balancer([{"Type": "redirect", "RedirectConfig": redirect}])
    status, _, headers = get(balancer["url"] + "/library?page=2", headers={"Host": "stories.example.com"})
    assert (status, headers["location"]) == (301, "https://stories.example.com/library?page=2")


def test_a_sticky_client_stays_with_its_group_until_the_group_has_no_weight(stage: Stage, front: Front) -> None:
    stage.act(front.balancer, front.weights(50, 50, Enabled=True, DurationSeconds=60))
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def seen() -> str:
        with browser.open(front.url + "/api/version", timeout=10) as answer:
            return str(json.load(answer)["version"])

    first = seen()
    assert {seen() for _ in range(30)} == {first}
    old, new = (0, 100) if first == OLD else (100, 0)
    stage.act(front.balancer, front.weights(old, new, Enabled=True, DurationSeconds=60))
    assert seen() != first


def test_a_sticky_client_stays_with_its_target(stage: Stage) -> None:
    group = stage.target_group()
    attributes = [{"Key": "stickiness.enabled", "Value": "true"}, {"Key": "stickiness.type", "Value": "lb_cookie"}]
    stage.elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=attributes)
    balancer = stage.load_balancer(forward((group, 1)))
    name = stage.service(stage.task_definition(), group, desired=2)
    stage.steady(name)
    pids = Counter(json.loads(get(balancer["url"] + "/api/version")[1])["pid"] for _ in range(10))
    assert len(pids) == 2
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    seen = set()
    for _ in range(10):
        with browser.open(balancer["url"] + "/api/version", timeout=10) as answer:
            seen.add(json.load(answer)["pid"])
    assert len(seen) == 1
    stage.remove(name)


def test_the_application_sees_where_a_request_came_from(stage: Stage, front: Front) -> None:
    _, body, _ = get(front.url + "/api/echo?a=b", headers={"X-Forwarded-For": "203.0.113.9", "Host": "h.example"})
    seen = json.loads(body)["headers"]
    assert seen["x-forwarded-for"] == "203.0.113.9, 127.0.0.1"
    assert (seen["x-forwarded-proto"], seen["x-forwarded-port"], seen["host"]) == ("http", "80", "h.example")
    assert seen["x-amzn-trace-id"].startswith("Root=1-")


def test_a_body_passes_in_chunks_and_with_a_length(stage: Stage, front: Front) -> None:
    body = b"x" * 300_000
    with socket.create_connection((front.balancer["address"], front.balancer["port"])) as connection:
        connection.sendall(
            b"POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )
        for start in range(0, len(body), 50_000):
            connection.sendall(b"%x\r\n%b\r\n" % (50_000, body[start : start + 50_000]))
        connection.sendall(b"0\r\n\r\n")
        answer = b""
        while data := connection.recv(65536):
            answer += data
    assert len(json.loads(answer.partition(b"\r\n\r\n")[2])["body"]) == len(body)
    request = urllib.request.Request(front.url + "/api/echo", data=body)
    with urllib.request.urlopen(request, timeout=10) as found:
        assert len(json.load(found)["body"]) == len(body)


def test_a_group_without_targets_answers_503(stage: Stage) -> None:
    balancer = stage.load_balancer(forward((stage.target_group(), 1)))
    status, _, headers = get(balancer["url"] + "/")
    assert (status, headers["server"]) == (503, "awselb/2.0")


def test_a_group_of_unhealthy_targets_fails_open_and_a_refused_connection_costs_a_502(
    stage: Stage,
) -> None:
    group = stage.target_group()
    balancer = stage.load_balancer(forward((group, 1)))
    stage.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.250.1.1", "Port": 3000}])
    eventually(lambda: stage.health(group) == {"127.250.1.1": "unhealthy"})
    assert get(balancer["url"] + "/")[0] == 502
    description = stage.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]
    assert description["TargetHealth"]["Reason"] == "Target.FailedHealthChecks"


def test_a_target_with_the_wrong_code_is_unhealthy_by_its_matcher_and_healthy_again_after_its_threshold(
    stage: Stage,
) -> None:
    code = {"now": "503 Service Unavailable"}

    def answer(connection: socket.socket, _head: str) -> None:
        connection.sendall(f"HTTP/1.1 {code['now']}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    with target(stage, "127.250.1.2", answer, Matcher={"HttpCode": "200-204"}) as (_, group):
        eventually(lambda: stage.health(group) == {"127.250.1.2": "unhealthy"})
        found = stage.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]["TargetHealth"]
        assert (found["Reason"], "503" in found["Description"]) == ("Target.ResponseCodeMismatch", True)
        code["now"] = "204 No Content"
        eventually(lambda: stage.health(group) == {"127.250.1.2": "healthy"})


def test_a_target_that_answers_nothing_in_the_idle_timeout_costs_a_504(stage: Stage) -> None:
    def answer(connection: socket.socket, head: str) -> None:
        if "ELB-HealthChecker" in head:
            ok(connection, head)
        else:
            time.sleep(10)

    with target(stage, "127.250.1.3", answer) as (balancer, group):
        attributes = [{"Key": "idle_timeout.timeout_seconds", "Value": "1"}]
        stage.elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"], Attributes=attributes)
        eventually(lambda: stage.health(group) == {"127.250.1.3": "healthy"})
        assert get(balancer["url"] + "/")[0] == 504


def test_a_target_that_closes_before_it_answers_costs_a_502(stage: Stage) -> None:
    def answer(connection: socket.socket, head: str) -> None:
        if "ELB-HealthChecker" in head:
            ok(connection, head)

    with target(stage, "127.250.1.4", answer) as (balancer, group):
        eventually(lambda: stage.health(group) == {"127.250.1.4": "healthy"})
        assert get(balancer["url"] + "/")[0] == 502


def test_an_answer_without_a_length_ends_with_the_connection_of_the_target(stage: Stage) -> None:
    def answer(connection: socket.socket, _head: str) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil ")
        time.sleep(0.1)
        connection.sendall(b"the end")

    with target(stage, "127.250.1.5", answer) as (balancer, group):
        eventually(lambda: stage.health(group) == {"127.250.1.5": "healthy"})
        assert get(balancer["url"] + "/")[:2] == (200, "until the end")


def test_an_upgraded_connection_passes_both_ways(stage: Stage) -> None:
    def answer(connection: socket.socket, head: str) -> None:
        if "upgrade: websocket" not in head.lower():
            ok(connection, head)
            return
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        while data := connection.recv(1000):
            connection.sendall(data.upper())

    with target(stage, "127.250.1.6", answer) as (balancer, group):
        eventually(lambda: stage.health(group) == {"127.250.1.6": "healthy"})
        with socket.create_connection((balancer["address"], balancer["port"]), timeout=5) as connection:
            connection.sendall(b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            head = connection.recv(4096)
            assert head.startswith(b"HTTP/1.1 101")
            for word in (b"hello", b"again"):
                connection.sendall(word)
                assert connection.recv(100) == word.upper()


def test_requests_in_flight_finish_while_their_target_drains(stage: Stage) -> None:
    group = stage.target_group(delay=60)
    balancer = stage.load_balancer(forward((group, 1)))
    name = stage.service(stage.task_definition(), group)
    stage.steady(name)
    address = address_of(stage.tasks(name)[0])
    answers: list[int] = []
    slow = threading.Thread(target=lambda: answers.append(get(balancer["url"] + "/api/slow?seconds=3")[0]))
    slow.start()
    time.sleep(0.5)
    stage.ecs.update_service(cluster="stage", service=name, desiredCount=0)
    eventually(lambda: stage.health(group) == {address: "draining"})
    slow.join()
    assert answers == [200]
    # An idle target's deregistration ends at once, though the delay is longer.
    eventually(lambda: stage.health(group) == {}, 8)
    stage.remove(name)


def test_a_target_group_that_no_listener_names_is_unused(stage: Stage) -> None:
    group = stage.target_group()
    stage.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.250.1.7", "Port": 3000}])
    time.sleep(0.5)
    found = stage.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]["TargetHealth"]
    assert (found["State"], found["Reason"]) == ("unused", "Target.NotInUse")


def issued_certificate(stage: Stage, domain: str) -> str:
    """The ARN of a certificate whose validation record is in Route 53."""
    acm, route53 = stage.client("acm"), stage.client("route53")
    arn = str(acm.request_certificate(DomainName=domain, ValidationMethod="DNS")["CertificateArn"])
    zone = route53.create_hosted_zone(Name=domain, CallerReference=arn)["HostedZone"]["Id"]
    option = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"][0]
    record = option["ResourceRecord"]
    change = {
        "Action": "UPSERT",
        "ResourceRecordSet": {
            "Name": record["Name"],
            "Type": record["Type"],
            "TTL": 60,
            "ResourceRecords": [{"Value": record["Value"]}],
        },
    }
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})
    eventually(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED")
    return arn


def test_https_ends_at_the_load_balancer_with_a_certificate_of_the_local_authority(stage: Stage, front: Front) -> None:
    certificate = issued_certificate(stage, "stories.example.com")
    certificates = [{"CertificateArn": certificate}]
    balancer = stage.listener(
        front.balancer, front.weights(1, 1), Protocol="HTTPS", Port=443, Certificates=certificates
    )
    context = ssl.create_default_context(cafile=stage.state_dir / "tls" / "ca.pem")
    url = f"{balancer['url']}/api/echo"
    with urllib.request.urlopen(url, timeout=10, context=context) as answer:
        assert json.load(answer)["headers"]["x-forwarded-proto"] == "https"
    with (
        socket.create_connection((balancer["address"], balancer["port"])) as plain,
        context.wrap_socket(plain, server_hostname="stories.example.com") as tls,
    ):
        assert tls.version() in ("TLSv1.2", "TLSv1.3")


def test_traffic_becomes_metrics_of_its_target_group(stage: Stage) -> None:
    # A group of its own: the others' figures hold what the other tests did.
    group = stage.target_group()
    balancer = stage.load_balancer(forward((group, 1)))
    name = stage.service(stage.task_definition(), group)
    stage.steady(name)
    asyncio.run(load(balancer["address"], balancer["port"], "/api/version", 100, 2))
    dimensions = [
        {"Name": "LoadBalancer", "Value": balancer["LoadBalancerArn"].partition("loadbalancer/")[2]},
        {"Name": "TargetGroup", "Value": group.rpartition(":")[2]},
    ]

    def metric(name: str, statistic: str) -> float | None:
        now = time.time()
        key = "ExtendedStatistics" if statistic.startswith("p") else "Statistics"
        points = stage.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/ApplicationELB", MetricName=name, Dimensions=dimensions, Period=60,
            StartTime=now - 300, EndTime=now + 60, **{key: [statistic]},
        )["Datapoints"]  # fmt: skip
        if not points:
            return None
        values = [point[key][statistic] if statistic.startswith("p") else point[statistic] for point in points]
        return float(sum(values) if statistic == "Sum" else values[-1])

    eventually(lambda: metric("RequestCount", "Sum") == 201)
    assert metric("HTTPCode_Target_2XX_Count", "Sum") == 201
    assert metric("HealthyHostCount", "Maximum") == 1
    assert 0 < (metric("TargetResponseTime", "p95") or 0) < 0.1
    stage.remove(name)

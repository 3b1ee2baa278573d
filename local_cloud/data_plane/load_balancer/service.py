# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All load balancers of the cloud: their sockets, their nodes, what they report."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import logging
import socket
import ssl
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_cloud.data_plane.addresses import UNPRIVILEGED_OFFSET
from local_cloud.data_plane.certificates import Authority
from local_cloud.data_plane.control_client import ControlPlane, ControlPlaneError
from local_cloud.data_plane.load_balancer import metrics
from local_cloud.data_plane.load_balancer.client import Client, Listener
from local_cloud.data_plane.load_balancer.node import Node

logger = logging.getLogger("load_balancer")

Record = dict[str, Any]

_REPORT_EVERY = 0.1  # seconds between looks at target states
_REPEAT_AFTER = 20  # looks after which all states are reported again, should the control plane have missed one
_METRICS_EVERY = 5.0  # seconds
_TIMEOUTS_EVERY = 1.0  # seconds


class LoadBalancers:
    """Opens the sockets at once; each node learns what to do with requests after its own lag.

    A load balancer listens on its DNSName's address, where the nodes take turns by connection as DNS would have it,
    and on one address for each node, where a test can ask a certain node.
    """

    def __init__(self, control_plane: ControlPlane, state_dir: Path) -> None:
        self._control_plane = control_plane
        self._authority = Authority(state_dir / "tls")
        self._nodes: list[Node] = []
        self._first_port = _first_port()
        self._document: Record = {"load_balancers": [], "target_groups": [], "settings": {}}
        self._servers: dict[tuple[str, Listener, tuple[str, ...]], asyncio.Server] = {}
        self._endpoints: dict[str, Record] = {}
        self._turn = itertools.count()
        self._reported: dict[tuple[str, str, int], dict[str, str]] = {}

    async def run(self) -> None:
        """For ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._report_states())
            group.create_task(self._report_metrics())
            group.create_task(self._end_idle_connections())

    async def _follow(self) -> None:
        versions = itertools.count()
        async for document in self._control_plane.news("/data-plane/load-balancer"):
            self._document = document
            settings = document["settings"]
            while len(self._nodes) < settings["nodes"]:
                self._nodes.append(Node(len(self._nodes)))
            version = next(versions)
            for node in self._nodes:
                lag = settings["lag"].get(str(node.number), settings["lag"]["default"])
                asyncio.get_running_loop().call_later(lag, node.learn, version, document)
            await self._open_and_close()

    # Sockets.

    async def _open_and_close(self) -> None:
        wanted: dict[tuple[str, Listener, tuple[str, ...]], Record] = {}
        nodes = self._document["settings"]["nodes"]
        for balancer in self._document["load_balancers"]:
            for listener in balancer["listeners"]:
                place = Listener(balancer["arn"], listener["port"], listener["protocol"])
                for address in balancer["addresses"][: nodes + 1]:
                    wanted[(address, place, tuple(listener["domains"]))] = balancer
        for key in self._servers.keys() - wanted.keys():
            self._servers.pop(key).close()
        changed = False
        for key, balancer in wanted.items():
            if key not in self._servers:
                await self._open(key, balancer)
                changed = True
        if changed or self._endpoints.keys() - {item["name"] for item in self._document["load_balancers"]}:
            await self._report_endpoints()

    async def _open(self, key: tuple[str, Listener, tuple[str, ...]], balancer: Record) -> None:
        address, listener, domains = key
        context = await self._context(balancer, domains) if listener.protocol == "HTTPS" else None
        number = balancer["addresses"].index(address) - 1
        choose = self._chooser(listener, number)
        offset = 0 if listener.port >= self._first_port else UNPRIVILEGED_OFFSET
        here = dataclasses.replace(listener, offset=offset)
        port = listener.port + offset
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(lambda: Client(here, choose), address, port, ssl=context, backlog=1024)
        except OSError as error:
            logger.error("listener %s of %s: %s:%d: %s", listener.port, balancer["name"], address, port, error)
            return
        self._servers[key] = server
        logger.info("%s listens on %s:%d (%s)", balancer["name"], address, port, listener.protocol)

    def _chooser(self, listener: Listener, number: int) -> Callable[[], Node | None]:
        place = (listener.balancer, listener.port)
        if number >= 0:
            return lambda: self._nodes[number] if place in self._nodes[number].listeners else None

        def next_node() -> Node | None:
            count = self._document["settings"]["nodes"]
            knowing = [node for node in self._nodes[:count] if place in node.listeners]
            return knowing[next(self._turn) % len(knowing)] if knowing else None

        return next_node

    async def _context(self, balancer: Record, domains: tuple[str, ...]) -> ssl.SSLContext:
        hosts = [*balancer["addresses"], *domains]
        name = f"elb-{balancer['name']}-{zlib.crc32(' '.join(hosts).encode()):08x}"
        path = await self._authority.certificate(name, hosts)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.set_alpn_protocols(["http/1.1"])
        return context

    async def _report_endpoints(self) -> None:
        self._endpoints = {
            balancer["name"]: {
                "address": balancer["addresses"][0],
                "nodes": balancer["addresses"][1 : 1 + self._document["settings"]["nodes"]],
                "ports": {
                    str(listener.port): server.sockets[0].getsockname()[1]
                    for (address, listener, _), server in self._servers.items()
                    if listener.balancer == balancer["arn"] and address == balancer["addresses"][0]
                },
            }
            for balancer in self._document["load_balancers"]
        }
        await self._tell("/data-plane/report", {"status": {"load_balancers": self._endpoints}})

    # Reports.

    async def _tell(self, path: str, body: Any) -> None:
        try:
            await self._control_plane.tell(path, body)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ControlPlaneError) as error:
            logger.warning("%s: %s", path, error)  # the next report says it again
            self._reported.clear()

    async def _report_states(self) -> None:
        for look in itertools.count():
            await asyncio.sleep(_REPORT_EVERY)
            if look % _REPEAT_AFTER == 0:
                self._reported.clear()
            nodes = self._nodes[: self._document["settings"].get("nodes", 0)]
            groups = []
            for config in _measured(self._document["target_groups"]):
                arn = config["arn"]
                health = []
                for host, port in config["targets"] if config["used"] else []:
                    state = _worst(nodes, arn, (host, port))
                    if state and self._reported.get((arn, host, port)) != state:
                        self._reported[(arn, host, port)] = state
                        health.append({"target": [host, port], "health": state})
                drained = [
                    target
                    for target in config["draining"]
                    if all(node.drained(arn, (target[0], target[1])) for node in nodes)
                ]
                for host, port in config["draining"]:
                    self._reported.pop((arn, host, port), None)
                if health or drained:
                    groups.append({"arn": arn, "health": health, "drained": drained})
            if groups:
                await self._tell("/data-plane/report", {"target_groups": groups})

    async def _report_metrics(self) -> None:
        while True:
            await asyncio.sleep(_METRICS_EVERY)
            nodes = self._nodes[: self._document["settings"].get("nodes", 0)]
            by_region: dict[str, list[Record]] = {}
            for balancer in _measured(self._document["load_balancers"]):
                total = metrics.BalancerCounts()
                for node in nodes:
                    total.add(node.balancer_counts(balancer["arn"]).take())
                by_region.setdefault(balancer["region"], []).extend(metrics.balancer_data(balancer["arn"], total))
            for config in _measured(self._document["target_groups"]):
                if config["used"]:
                    by_region.setdefault(config["region"], []).extend(self._group_data(nodes, config))
            for region, data in by_region.items():
                if data:
                    body = {"namespace": "AWS/ApplicationELB", "region": region, "data": data}
                    await self._tell("/data-plane/metrics", body)

    def _group_data(self, nodes: list[Node], config: Record) -> list[Record]:
        arn, total = config["arn"], metrics.GroupCounts()
        groups = [node.groups[arn] for node in nodes if arn in node.groups]
        for group in groups:
            total.add(group.counts.take())
        hosts = [group.healthy_hosts() for group in groups] or [(0, 0)]
        users = [balancer["arn"] for balancer in self._document["load_balancers"] if arn in balancer["target_groups"]]
        return metrics.group_data(users, arn, total, min(host[0] for host in hosts), max(host[1] for host in hosts))

    async def _end_idle_connections(self) -> None:
        while True:
            await asyncio.sleep(_TIMEOUTS_EVERY)
            for node in self._nodes:
                node.look_for_timeouts()


def _measured(items: list[Record]) -> list[Record]:
    """Without the doors of CloudFront, which only pass requests on."""
    return [item for item in items if item.get("measured", True)]


def _first_port() -> int:
    """The lowest port that this process may bind."""
    probe = socket.socket()
    with probe:
        try:
            probe.bind(("127.255.255.1", 1))
        except PermissionError:
            return int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    return 1


def _worst(nodes: list[Node], arn: str, address: tuple[str, int]) -> dict[str, str] | None:
    """The state that DescribeTargetHealth shows: healthy only if every node says so. None until all know the target."""
    states = []
    for node in nodes:
        target = node.groups[arn].targets.get(address) if arn in node.groups else None
        if target is None:
            return None
        states.append(target.health)
    order = ("unhealthy", "initial", "healthy")
    return min(states, key=lambda state: order.index(state["State"])) if states else None

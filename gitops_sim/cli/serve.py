"""`gitops-sim serve`: a cluster that real clients use, until Ctrl-C.

Without `--bare` it is a whole lab; with it, a cluster alone, as conformance tests and authors of
operators want it.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gitops_sim.errors import LabError

if TYPE_CHECKING:
    from gitops_sim.server import ServeOptions, Server

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--bare", action="store_true", help="no forge, no agents, no sample")
    parser.add_argument(
        "--no-controllers", action="store_true", help="an API server alone, nothing acts on it"
    )
    parser.add_argument("--nodes", type=int, default=3, metavar="N", help="node-1 … node-N (3)")
    parser.add_argument("--port", type=int, default=0, help="a fixed port; by default a free one")
    parser.add_argument(
        "--speed", type=float, default=1.0, help="virtual seconds per second (1); 0: time stands"
    )
    parser.add_argument("--kubeconfig", type=Path, metavar="OUT", help="where to write it")
    parser.add_argument(
        "--user", action="append", default=[], metavar="NAME[:GROUP,…]", help="a further user"
    )
    parser.add_argument("--tokens", type=Path, metavar="FILE", help="write {user: token} there")


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted; return the exit code."""
    from gitops_sim.server import ServeOptions

    if arguments.nodes < 0:
        raise LabError(f"--nodes {arguments.nodes}", "give 0 or more")
    options = ServeOptions(
        port=arguments.port,
        speed=arguments.speed,
        users=dict(_user(text) for text in arguments.user),
        kubeconfig=arguments.kubeconfig,
    )
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with _bare(arguments, options) as server:
        if arguments.tokens is not None:
            from gitops_sim.server.kubeconfig import write_private

            write_private(arguments.tokens, json.dumps(dict(server.tokens)))
        print(f"READY {server.url} kubeconfig {server.kubeconfig}", flush=True)
        stopped.wait()
    return 0


def _bare(arguments: argparse.Namespace, options: ServeOptions) -> Server:
    from gitops_sim.apiserver import new_server
    from gitops_sim.clock import Door, VirtualClock
    from gitops_sim.cluster import SimulatedCluster
    from gitops_sim.journal import Journal
    from gitops_sim.registry import Registry
    from gitops_sim.server import Served, Server

    now = datetime.now(UTC)  # noqa: TID251 - clients compare with their own clocks
    clock = VirtualClock(epoch=now)
    door = Door(clock)
    door.register("clock", clock)
    journal = Journal(clock)
    if arguments.no_controllers:
        served = Served(new_server(clock, journal, name="cluster"))
    else:
        images = Registry(clock, journal, door)
        cluster = SimulatedCluster(
            "cluster",
            clock,
            journal,
            door,
            images,
            nodes=arguments.nodes,
            provider=False,
            kwok=True,
        )
        served = Served(cluster.server, cluster.logs)
    return Server({"cluster": served}, clock, door, options)


def _user(text: str) -> tuple[str, tuple[str, ...]]:
    name, _, groups = text.partition(":")
    if not name:
        raise LabError(f"--user {text}", "write NAME or NAME:GROUP,GROUP")
    return name, tuple(group for group in groups.split(",") if group)

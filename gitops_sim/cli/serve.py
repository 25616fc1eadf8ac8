"""`gitops-sim serve`: a cluster that real clients use, until Ctrl-C.

Without `--bare` it is a whole lab; with it, a cluster alone, as conformance tests and authors of
operators want it.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path

from gitops_sim.errors import LabError

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
    from gitops_sim.server import ServeOptions, StandaloneCluster, StandaloneOptions

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
    made = StandaloneOptions(
        controllers=not arguments.no_controllers, nodes=arguments.nodes, fakes=True, serve=options
    )
    with StandaloneCluster(made) as cluster:
        if arguments.tokens is not None:
            from gitops_sim.server.kubeconfig import write_private

            write_private(arguments.tokens, json.dumps(dict(cluster.tokens)))
        print(f"READY {cluster.url} kubeconfig {cluster.kubeconfig}", flush=True)
        stopped.wait()
    return 0


def _user(text: str) -> tuple[str, tuple[str, ...]]:
    name, _, groups = text.partition(":")
    if not name:
        raise LabError(f"--user {text}", "write NAME or NAME:GROUP,GROUP")
    return name, tuple(group for group in groups.split(",") if group)
